/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/slices.h"

#include <errno.h>
#include <inttypes.h>

#include "ctl/interrupt.h"
#include "ctl/json.h"
#include "ctl/pages.h"
#include "ctl/progress.h"
#include "ctl/text.h"
#include "ctl/value.h"

static int64_t integer_of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key)); /* 0 if it is not there */
}

static int no_memory(struct ctl *ctl)
{
	return ctl_fault_errno(&ctl->fault, -ENOMEM, "adding up answers");
}

static int add_integer(json_t *whole, const json_t *part, const char *key)
{
	return json_object_set_new(whole, key,
				   json_integer(integer_of(whole, key) + integer_of(part, key)));
}

static int64_t limit_of(const struct ctl *ctl)
{
	struct ctl_value value;

	if (!ctl->args.argument[ARGUMENT_limit] ||
	    ctl_value_parse(ARGUMENT_TYPE_LIMIT, ctl->args.argument[ARGUMENT_limit], 0, &value)) {
		return INT64_MAX;
	}
	return value.integer;
}

/* The last slice says how far it came and whether all is well; the first one where it began. */
static int merge_verified(json_t **whole, json_t *slice)
{
	json_t *entries =
		json_integer(integer_of(*whole, "entries") + integer_of(slice, "entries"));

	if (*whole && json_object_set(slice, "from", json_object_get(*whole, "from")) < 0) {
		json_decref(entries);
		return -ENOMEM;
	}
	if (json_object_set_new(slice, "entries", entries) < 0) {
		return -ENOMEM;
	}
	json_decref(*whole);
	*whole = json_incref(slice);
	return 0;
}

static void print_verified(struct ctl *ctl, const json_t *whole)
{
	const json_t *fault = json_object_get(whole, "fault");
	FILE *out = ctl->show.out;

	if (ctl->args.json) {
		ctl_json_print(whole, out);
		return;
	}
	if (json_is_true(json_object_get(whole, "ok"))) {
		if (!ctl->args.quiet) {
			const char *hash = ctl_json_text(whole, "hash");

			(void)fprintf(out, "%" PRId64 " entries, chain whole, head ",
				      integer_of(whole, "entries"));
			ctl_text_put(out, slice_of(hash ? hash : "-"));
			(void)fputc('\n', out);
		}
		return;
	}
	(void)fprintf(out, "%sthe ledger's chain is broken%s at entry %" PRId64 ": ",
		      show_red(&ctl->show), show_plain(&ctl->show), integer_of(fault, "seq"));
	show_value(&ctl->show, "what", json_object_get(fault, "what"), out);
	(void)fputc('\n', out);
}

static int verify_all(struct ctl *ctl, json_t **whole)
{
	struct ctl_request request = CTL_REQUEST_FIRST;
	struct ctl_progress progress;
	int64_t wanted = limit_of(ctl);
	bool more = true;
	int r = 0;

	ctl_progress_begin(&progress, "verify", 0, ctl->args.quiet);
	while (r == 0 && more) {
		json_t *slice = NULL;

		request.limit = MIN(wanted - integer_of(*whole, "entries"), MODEL_ACCOUNTS_MAX);
		r = ctl_request_call(ctl, &request, &slice);
		if (r == 0 && merge_verified(whole, slice) < 0) {
			r = no_memory(ctl);
		}
		json_decref(slice); /* the whole keeps it, with the place to go on from */
		ctl_progress_tell(&progress, (size_t)integer_of(*whole, "entries"));
		more = r == 0 && json_is_true(json_object_get(*whole, "ok")) &&
		       integer_of(*whole, "entries") < wanted &&
		       ctl_pages_next(ctl->args.command, *whole, &request);
	}
	ctl_progress_end(&progress);
	return r;
}

int ctl_slices_verify(struct ctl *ctl)
{
	json_t *whole = NULL;
	int r = verify_all(ctl, &whole);

	if (r == 0) {
		print_verified(ctl, whole);
		r = json_is_true(json_object_get(whole, "ok")) ? CTL_EXIT_OK
							       : CTL_EXIT_VERIFICATION;
	}
	json_decref(whole);
	return r;
}

static int sweep_once(struct ctl *ctl, json_t *whole, bool *ret_more)
{
	struct ctl_request request = CTL_REQUEST_FIRST;
	json_t *slice = NULL;
	int r = ctl_request_call(ctl, &request, &slice);

	if (r == 0 && (add_integer(whole, slice, "started") < 0 ||
		       add_integer(whole, slice, "completed") < 0 ||
		       add_integer(whole, slice, "failed") < 0)) {
		r = no_memory(ctl);
	}
	*ret_more = json_is_true(json_object_get(slice, "more"));
	json_decref(slice);
	return r;
}

/* Rows that fail stay due, so a sweep that only fails would be asked for ever. */
static bool came_on(const json_t *whole, int64_t *done)
{
	int64_t before = *done;

	*done = integer_of(whole, "started") + integer_of(whole, "completed");
	return *done > before;
}

int ctl_slices_sweep(struct ctl *ctl)
{
	json_t *whole = json_object();
	struct ctl_progress progress;
	int64_t done = 0;
	bool more = true;
	int r = 0;

	ctl_interrupt_catch();
	ctl_progress_begin(&progress, "sweep", 0, ctl->args.quiet);
	while (r == 0 && more && !ctl_interrupted()) {
		r = sweep_once(ctl, whole, &more);
		more = more && came_on(whole, &done);
		ctl_progress_tell(&progress, (size_t)done);
	}
	ctl_progress_end(&progress);
	if (ctl->args.json) {
		ctl_json_print(whole, ctl->show.out);
	} else {
		(void)fprintf(ctl->show.out,
			      "%" PRId64 " removals started, %" PRId64 " completed, %" PRId64
			      " failed\n",
			      integer_of(whole, "started"), integer_of(whole, "completed"),
			      integer_of(whole, "failed"));
	}
	if (r == 0 && more && ctl_interrupted()) {
		r = ctl_fault_set(&ctl->fault, CTL_EXIT_INTERRUPTED, "interrupted",
				  "interrupted; more is due");
	} else if (r == 0 && integer_of(whole, "failed") > 0) {
		r = ctl_fault_set(
			&ctl->fault, CTL_EXIT_FAILURE, "failed",
			"some accounts could not be swept; journalctl -u retentiond says which");
	}
	json_decref(whole);
	return r;
}

static json_t *bucket_from(json_t *buckets, int64_t from_us)
{
	size_t i;
	json_t *bucket;

	json_array_foreach(buckets, i, bucket)
	{
		if (integer_of(bucket, "from_us") == from_us) {
			return bucket;
		}
	}
	return NULL;
}

int ctl_slices_add_buckets(json_t *whole, const json_t *page)
{
	json_t *buckets = json_object_get(whole, "buckets");
	size_t i;
	json_t *bucket;

	if (!buckets) {
		return json_object_update(whole, (json_t *)page) < 0 ? -ENOMEM
								     : 0; /* reads it only */
	}
	json_array_foreach(json_object_get(page, "buckets"), i, bucket)
	{
		json_t *known = bucket_from(buckets, integer_of(bucket, "from_us"));

		if (!known && json_array_append(buckets, bucket) < 0) {
			return -ENOMEM;
		}
		if (known && (add_integer(known, bucket, "windows_end") < 0 ||
			      add_integer(known, bucket, "removals_due") < 0)) {
			return -ENOMEM;
		}
	}
	return 0;
}

static int show_due(struct ctl *ctl, const json_t *whole)
{
	const json_t *buckets = json_object_get(whole, "buckets");

	if (ctl->args.json) {
		ctl_json_print(whole, ctl->show.out);
		return 0;
	}
	ctl_learn_now(ctl, whole);
	if (json_array_size(buckets) == 0 && ctl->show.legend) {
		(void)fputs("nothing ends until ", ctl->show.out);
		show_value(&ctl->show, "until_us", json_object_get(whole, "until_us"),
			   ctl->show.out);
		(void)fputc('\n', ctl->show.out);
	}
	return ctl_shown(ctl, show_rows(&ctl->show, buckets, NULL));
}

int ctl_slices_due(struct ctl *ctl)
{
	struct ctl_request request = CTL_REQUEST_FIRST;
	json_t *whole = json_object();
	json_t *page = NULL;
	bool more = true;
	int r = 0;

	while (r == 0 && more) {
		json_t *last = page; /* the cursor points into it until the next call is made */

		page = NULL;
		r = ctl_request_call(ctl, &request, &page);
		json_decref(last);
		if (r == 0 && ctl_slices_add_buckets(whole, page) < 0) {
			r = no_memory(ctl);
		}
		more = r == 0 && ctl_pages_next(ctl->args.command, page, &request);
	}
	(void)json_object_del(
		whole, "cursor"); /* every page has been read; the first one's may be there */
	r = r ? r : show_due(ctl, whole);
	json_decref(page);
	json_decref(whole);
	return r;
}
