/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/show_guard.h"

#include <inttypes.h>

#include "common/model.h"

#include "ctl/json.h"
#include "ctl/text.h"

#define DUE_COUNTED_MAX 1000 /* the daemon counts no further */

static void put_accounts(const struct show *show, const json_t *result)
{
	int64_t n = json_integer_value(json_object_get(result, "count"));

	(void)fprintf(show->out, "%" PRId64 " account%s", n, n == 1 ? "" : "s");
}

/* A promise to a person waits on, and for a word of the same administrator. */
static void put_kept(const struct show *show, const json_t *result, struct slice org)
{
	int64_t n = json_integer_value(json_object_get(result, "kept"));

	if (n == 0) {
		return;
	}
	(void)fprintf(show->out,
		      "%" PRId64
		      " more %s by persons, who left or whose requests were approved, and "
		      "%s held back on: let %s happen with retentionctl release-guard mass --org=",
		      n, n == 1 ? "was asked for" : "were asked for", n == 1 ? "is" : "are",
		      n == 1 ? "it" : "them");
	ctl_text_put(show->out, org);
	(void)fputs(", or add --discard --include-persons\n", show->out);
}

static void put_clock(const struct show *show, const json_t *result)
{
	int64_t n_due = json_integer_value(json_object_get(result, "due_now"));

	if (!json_is_true(json_object_get(result, "released"))) {
		show_when(show, "the clock guard is not engaged; trusted time is ", result,
			  "now_us");
		(void)fputc('\n', show->out);
		return;
	}
	show_when(show, "the wall clock is accepted: trusted time was ", result, "was_us");
	show_when(show, ", and goes on from ", result, "now_us");
	(void)fprintf(show->out, "\n%" PRId64 "%s removal%s due at once\n", n_due,
		      n_due >= DUE_COUNTED_MAX ? " or more" : "", n_due == 1 ? " is" : "s are");
}

/* Whoever discards a mistake wants back what passed before the guard saw it. */
static void put_mass(const struct show *show, const json_t *result)
{
	const char *org = ctl_json_text(result, "org");
	struct slice name = slice_of(org ? org : "?");

	ctl_text_put(show->out, name);
	(void)fputs(": ", show->out);
	if (!json_is_true(json_object_get(result, "discarded"))) {
		(void)fputs("released: what was held back of ", show->out);
		put_accounts(show, result);
		(void)fputs(" is carried out\n", show->out);
		return;
	}
	(void)fputs("discarded: what was asked of ", show->out);
	put_accounts(show, result);
	(void)fputs(" is never done, and they stay as they are\n", show->out);
	put_kept(show, result, name);
	(void)fputs("what passed before the guard "
		    "stopped it can be restored; look with retentionctl list --org=",
		    show->out);
	ctl_text_put(show->out, name);
	(void)fputs(" --state=soft-deleted\n", show->out);
}

int show_released(const struct show *show, const json_t *result)
{
	struct slice guard = slice_of(ctl_json_text(result, "guard"));

	if (slice_is(guard, guard_name(GUARD_CLOCK))) {
		put_clock(show, result);
		return 0;
	}
	if (slice_is(guard, guard_name(GUARD_MASS))) {
		put_mass(show, result);
		return 0;
	}
	return show_map(show, result); /* a guard newer than this client */
}
