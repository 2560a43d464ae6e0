/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/slices.h"

#include <errno.h>
#include <inttypes.h>

#include "ctl/interrupt.h"
#include "ctl/json.h"
#include "ctl/pages.h"
#include "ctl/progress.h"
#include "ctl/show_due.h"
#include "ctl/text.h"

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

/* The last page says how far it came and whether all is well; the first one where it began. */
static int add_verified(json_t *whole, const json_t *page)
{
	int64_t entries = integer_of(whole, "entries") + integer_of(page, "entries");
	int64_t from = integer_of(json_object_get(whole, "from") ? whole : page, "from");

	(void)json_object_del(whole, "next");                /* the first time it is not there */
	if (json_object_update(whole, (json_t *)page) < 0 || /* reads the page only */
	    json_object_set_new(whole, "entries", json_integer(entries)) < 0 ||
	    json_object_set_new(whole, "from", json_integer(from)) < 0) {
		return -ENOMEM;
	}
	return 0;
}

/* Only who has seen every entry can say that the ledger is whole. */
static void print_held(FILE *out, const json_t *whole)
{
	const char *hash = ctl_json_text(whole, "hash");
	int64_t next = integer_of(whole, "next");

	if (integer_of(whole, "from") == 1 && next == 0) {
		(void)fprintf(out, "%" PRId64 " entries, chain whole, accounts as it says, head ",
			      integer_of(whole, "entries"));
		ctl_text_put(out, slice_of(hash ? hash : "-"));
	} else {
		(void)fprintf(out, "entries %" PRId64 " to %" PRId64 " hold",
			      integer_of(whole, "from"), integer_of(whole, "to"));
		if (next > 0) {
			(void)fprintf(out, "; go on with --from=%" PRId64, next);
		}
	}
	(void)fputc('\n', out);
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
			print_held(out, whole);
		}
		return;
	}
	(void)fprintf(out, "%sverification failed%s at entry %" PRId64 ": ", show_red(&ctl->show),
		      show_plain(&ctl->show), integer_of(fault, "seq"));
	show_value(&ctl->show, "what", json_object_get(fault, "what"), out);
	(void)fputc('\n', out);
}

static int verify_all(struct ctl *ctl, json_t *whole)
{
	struct ctl_progress progress;
	struct ctl_pages pages;
	int64_t left = ctl_limit(ctl);
	bool ok = true;
	int r = 0;

	ctl_progress_begin(&progress, "verify", 0, ctl->args.quiet);
	ctl_pages_begin(&pages, ctl);
	while (r == 0 && ok && pages.more && left > 0) {
		r = ctl_pages_fetch(&pages, MIN(left, MODEL_ACCOUNTS_MAX));
		if (r == 0 && add_verified(whole, pages.page) < 0) {
			r = no_memory(ctl);
		}
		ok = json_is_true(json_object_get(whole, "ok"));
		left -= integer_of(pages.page, "entries");
		ctl_progress_tell(&progress, (size_t)integer_of(whole, "entries"));
	}
	ctl_pages_end(&pages);
	ctl_progress_end(&progress);
	return r;
}

int ctl_slices_verify(struct ctl *ctl)
{
	json_t *whole = json_object();
	int r = verify_all(ctl, whole);

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

static void print_swept(struct ctl *ctl, const json_t *whole)
{
	if (ctl->args.json) {
		ctl_json_print(whole, ctl->show.out);
	} else {
		(void)fprintf(ctl->show.out,
			      "%" PRId64 " removals started, %" PRId64 " completed, %" PRId64
			      " failed\n",
			      integer_of(whole, "started"), integer_of(whole, "completed"),
			      integer_of(whole, "failed"));
	}
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
	if (r == 0 && more && ctl_interrupted()) {
		r = ctl_fault_set(&ctl->fault, CTL_EXIT_INTERRUPTED, "interrupted",
				  "interrupted; more is due");
	} else if (r == 0 && integer_of(whole, "failed") > 0) {
		r = ctl_fault_set(
			&ctl->fault, CTL_EXIT_FAILURE, "failed",
			"some accounts could not be swept; journalctl -u retentiond says which");
	}
	/* Without a single answer there is nothing to add up. */
	if (json_object_size(whole) > 0 && (r != 0 || ctl->args.json || !ctl->args.quiet)) {
		print_swept(ctl, whole);
	}
	json_decref(whole);
	return r;
}

static json_t *bucket_from(json_t *buckets, int64_t from_us)
{
	size_t i;
	json_t *bucket;

	json_array_foreach(buckets, i, bucket) {
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
	json_array_foreach(json_object_get(page, "buckets"), i, bucket) {
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

static int print_due(struct ctl *ctl, const json_t *whole)
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
	return ctl_shown(ctl, ctl->show.fit ? show_due(&ctl->show, buckets)
					    : show_rows(&ctl->show, buckets, NULL));
}

int ctl_slices_due(struct ctl *ctl)
{
	json_t *whole = json_object();
	struct ctl_pages pages;
	int r = 0;

	ctl_pages_begin(&pages, ctl);
	while (r == 0 && pages.more) {
		r = ctl_pages_fetch(&pages, 0);
		if (r == 0 && ctl_slices_add_buckets(whole, pages.page) < 0) {
			r = no_memory(ctl);
		}
	}
	ctl_pages_end(&pages);
	(void)json_object_del(
		whole, "cursor"); /* every page has been read; the first one's may be there */
	r = r ? r : print_due(ctl, whole);
	json_decref(whole);
	return r;
}
