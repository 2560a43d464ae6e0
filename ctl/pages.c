/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/pages.h"

#include <errno.h>

#include "ctl/json.h"
#include "ctl/option.h"
#include "ctl/text.h"
#include "ctl/value.h"

#define PAGE_ROWS  MODEL_ACCOUNTS_MAX
#define TABLE_ROWS 10000 /* a longer list comes as several tables, so that memory stays bounded */

/* Which columns a list has on a terminal; commands that are not here show what they answer. */
/* clang-format off */
static const char *const account_columns[] = {
	"org", "id", "uid", "kind", "upn", "enabled", "state",
	"deleted_at_us", "window_ends_us", "removal_due_us", "sla", NULL,
};
static const char *const entry_columns[] = {
	"seq", "at_us", "event", "org", "uid", "state", "role", "actor_uid", NULL,
};
static const struct {
	enum command_symbol command;
	const char *const *columns;
} column_table[] = {
	{COMMAND_account_list, account_columns},
	{COMMAND_ledger_read,  entry_columns},
};
/* clang-format on */

/* A list on its way out. */
struct pages {
	struct ctl *ctl;
	struct ctl_json_stream
		stream; /* begun with the first page: a list that was refused is no empty list */
	json_t *rows;   /* gathered for a table */
	int64_t left;   /* rows still wanted; 0: all */
	size_t n;
	struct ctl_request request;
	json_t *last; /* the last answer: the place to go on from points into it */
	bool cut;     /* more rows follow than were wanted */
};

bool ctl_pages_next(const struct command *command, const json_t *result,
		    struct ctl_request *request)
{
	const json_t *cursor = json_object_get(result, "cursor");
	const json_t *next = json_object_get(result, "next");

	if (command_takes(command, ARGUMENT_cursor) && json_is_string(cursor) &&
	    json_string_length(cursor) > 0) {
		request->resume = ARGUMENT_cursor;
		request->resume_at = cursor;
		return true;
	}
	if (command_takes(command, ARGUMENT_from) && json_is_integer(next) &&
	    json_integer_value(next) > 0) {
		request->resume = ARGUMENT_from;
		request->resume_at = next;
		return true;
	}
	return false;
}

bool ctl_pages_has(const struct command *command)
{
	return command_takes(command, ARGUMENT_limit) &&
	       (command_takes(command, ARGUMENT_cursor) || command_takes(command, ARGUMENT_from));
}

static const char *const *columns_of(const struct command *command)
{
	for (size_t i = 0; i < ARRAY_LEN(column_table); i++) {
		if (column_table[i].command == ctl_option_command(command)) {
			return column_table[i].columns;
		}
	}
	return NULL;
}

/* The rows of a page: the one array in it. */
static const json_t *rows_of(const json_t *result)
{
	const char *key;
	json_t *value;

	/* jansson's iterator takes no const; it changes nothing. */
	json_object_foreach((json_t *)result, key, value)
	{
		if (json_is_array(value)) {
			return value;
		}
	}
	return NULL;
}

static int flush_table(struct pages *pages)
{
	int r = show_rows(&pages->ctl->show, pages->rows, columns_of(pages->ctl->args.command));

	(void)json_array_clear(pages->rows); /* fails for what is no array only */
	pages->ctl->show.legend = false;     /* one heading for all */
	return ctl_shown(pages->ctl, r);
}

static int take_row(struct pages *pages, json_t *row)
{
	pages->n++;
	if (pages->ctl->args.json) {
		ctl_json_stream_put(&pages->stream, row);
		return 0;
	}
	if (json_array_append(pages->rows, row) < 0) {
		return ctl_fault_errno(&pages->ctl->fault, -ENOMEM, "a list");
	}
	return json_array_size(pages->rows) >= TABLE_ROWS ? flush_table(pages) : 0;
}

static int take_page(struct pages *pages, const json_t *result)
{
	const json_t *rows = rows_of(result);
	size_t i;
	json_t *row;
	int r = 0;

	if (!pages->ctl->args.json) {
		ctl_learn_now(pages->ctl, result);
	} else if (!pages->stream.out) {
		ctl_json_stream_begin(&pages->stream, pages->ctl->show.out);
	}
	json_array_foreach(rows, i, row)
	{
		r = r ? r : take_row(pages, row);
	}
	return r;
}

/* Where somebody can go on who asked for a part. */
static void tell_rest(const struct ctl *ctl, const struct ctl_request *request)
{
	char name[CTL_OPTION_NAME_MAX];

	if (ctl->args.quiet) {
		return;
	}
	ctl_option_name(request->resume, name);
	(void)fprintf(stderr, "retentionctl: more rows follow; go on with --%s=", name);
	if (json_is_integer(request->resume_at)) {
		(void)fprintf(stderr, "%lld", (long long)json_integer_value(request->resume_at));
	} else {
		ctl_text_put(stderr, slice_of(json_string_value(request->resume_at)));
	}
	(void)fputc('\n', stderr);
}

static int fetch_all(struct pages *pages)
{
	struct ctl *ctl = pages->ctl;
	struct ctl_request *request = &pages->request;
	json_t *result = NULL;
	bool more = true;
	int r = 0;

	*request = CTL_REQUEST_FIRST;
	while (r == 0 && more) {
		json_t *last = result; /* the cursor points into it until the next call is made */
		size_t before = pages->n;

		result = NULL;
		request->limit = pages->left ? MIN(pages->left, PAGE_ROWS) : PAGE_ROWS;
		r = ctl_request_call(ctl, request, &result);
		json_decref(last);
		r = r ? r : take_page(pages, result);
		more = r == 0 && ctl_pages_next(ctl->args.command, result, request);
		if (pages->left) {
			pages->left -= MIN(pages->left, (int64_t)(pages->n - before));
			if (pages->left == 0 && more) {
				pages->cut = true;
				more = false;
			}
		}
	}
	pages->last = result;
	return r;
}

int ctl_pages_run(struct ctl *ctl)
{
	struct pages pages = {.ctl = ctl, .rows = json_array()};
	struct ctl_value limit = {.integer = 0};
	bool legend = ctl->show.legend;
	int r;

	if (ctl->args.argument[ARGUMENT_limit]) {
		const char *wrong = ctl_value_parse(ARGUMENT_TYPE_LIMIT,
						    ctl->args.argument[ARGUMENT_limit], 0, &limit);

		assert(!wrong); /* it was checked when the command line was read */
	}
	pages.left = limit.integer;
	if (!pages.rows) {
		return ctl_fault_errno(&ctl->fault, -ENOMEM, "a list");
	}
	r = fetch_all(&pages);
	if (ctl->args.json && pages.stream.out) {
		ctl_json_stream_end(&pages.stream);
	} else if (r == 0) {
		r = flush_table(&pages);
		if (r == 0 && legend) {
			(void)fprintf(ctl->show.out, "%s%zu %s\n", pages.n ? "\n" : "", pages.n,
				      pages.n == 1 ? "row" : "rows");
		}
	}
	if (r == 0 && pages.cut) {
		(void)fflush(ctl->show.out);
		tell_rest(ctl, &pages.request);
	}
	json_decref(pages.last);
	json_decref(pages.rows);
	return r;
}
