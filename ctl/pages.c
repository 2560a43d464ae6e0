/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/pages.h"

#include <errno.h>

#include "ctl/json.h"
#include "ctl/option.h"
#include "ctl/show_items.h"
#include "ctl/show_refusal.h"
#include "ctl/text.h"

#define PAGE_ROWS  MODEL_ACCOUNTS_MAX
#define TABLE_ROWS 10000 /* a longer list comes as several tables, so that memory stays bounded */

/* Which columns a list has on a terminal; commands that are not here show what they answer. */
/* clang-format off */
static const char *const account_columns[] = {
	"org", "id", "uid", "kind", "upn", "enabled", "state",
	"deleted_at_us", "window_ends_us", "removal_due_us", "sla", "staged", "staged_us", NULL,
};
static const char *const entry_columns[] = {
	"seq", "at_us", "event", "org", "uid", "state", "keeper", "result", "decision", "role", "actor_uid",
	"reason", "ref", NULL,
};
static const char *const request_columns[] = {
	"request", "state", "org", "id", "person", "uid",
	"filed_at_us", "due_us", "sla", "decided_at_us", "staged_us", "reason", NULL,
};
static const char *const guard_columns[] = {
	"org", "engaged_us", "staged", "persons", "removals_staged", "accounts",
	"soft_deletions", "soft_deletions_left",
	"purges", "purges_left", "removals", "removals_left", NULL,
};
static const struct {
	enum command_symbol command;
	const char *const *columns;
} column_table[] = {
	{COMMAND_account_list, account_columns},
	{COMMAND_guard_list,   guard_columns},
	{COMMAND_ledger_read,  entry_columns},
	{COMMAND_request_list, request_columns},
};
/* clang-format on */

/* A list on its way out. */
struct list {
	struct ctl *ctl;
	struct ctl_json_stream
		stream; /* begun with the first page: a list that was refused is no empty list */
	json_t *rows;   /* gathered for a table */
	int64_t left;   /* rows still wanted */
	size_t n;
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

void ctl_pages_begin(struct ctl_pages *pages, struct ctl *ctl)
{
	*pages = (struct ctl_pages){.ctl = ctl, .request = CTL_REQUEST_FIRST, .more = true};
}

int ctl_pages_fetch(struct ctl_pages *pages, int64_t limit)
{
	json_t *last = pages->page;
	int r;

	pages->page = NULL;
	pages->request.limit = limit;
	r = ctl_request_call(pages->ctl, &pages->request, &pages->page);
	json_decref(last);
	pages->more =
		r == 0 && ctl_pages_next(pages->ctl->args.command, pages->page, &pages->request);
	return r;
}

void ctl_pages_end(struct ctl_pages *pages)
{
	json_decref(pages->page);
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
	json_object_foreach((json_t *)result, key, value) {
		if (json_is_array(value)) {
			return value;
		}
	}
	return NULL;
}

/* Each table has a heading: its columns are those that its own rows fill. */
static int flush_table(struct list *list)
{
	const struct show *show = &list->ctl->show;
	size_t n_rows = json_array_size(list->rows);
	int r;

	if (show->legend && n_rows > 0 && list->n > n_rows) {
		(void)fputc('\n', show->out);
	}
	r = show_rows(show, list->rows, columns_of(list->ctl->args.command));
	(void)json_array_clear(list->rows); /* fails for what is no array only */
	return ctl_shown(list->ctl, r);
}

static int take_row(struct list *list, json_t *row)
{
	list->n++;
	list->left--;
	if (list->ctl->args.json) {
		ctl_json_stream_put(&list->stream, row);
		return 0;
	}
	if (json_array_append(list->rows, row) < 0) {
		return ctl_fault_errno(&list->ctl->fault, -ENOMEM, "a list");
	}
	return json_array_size(list->rows) >= TABLE_ROWS ? flush_table(list) : 0;
}

/* Of one account that is not known, say. */
static int tell_refusal(struct ctl *ctl, const json_t *result)
{
	if (ctl->args.json) {
		ctl_json_print(result, ctl->show.out);
	} else {
		show_refusal(&ctl->show, result);
	}
	return show_outcome_exit(result);
}

static int take_page(struct list *list, const json_t *result)
{
	const json_t *rows = rows_of(result);
	size_t i;
	json_t *row;
	int r = 0;

	if (show_outcome_exit(result) != CTL_EXIT_OK) {
		return tell_refusal(list->ctl, result);
	}
	if (!list->ctl->args.json) {
		ctl_learn_now(list->ctl, result);
	} else if (!list->stream.out) {
		ctl_json_stream_begin(&list->stream, list->ctl->show.out);
	}
	json_array_foreach(rows, i, row) {
		r = r ? r : take_row(list, row);
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

static int fetch_all(struct list *list, struct ctl_pages *pages)
{
	int r = 0;

	while (r == 0 && pages->more && list->left > 0) {
		r = ctl_pages_fetch(pages, MIN(list->left, PAGE_ROWS));
		r = r ? r : take_page(list, pages->page);
	}
	return r;
}

static int finish_table(struct list *list)
{
	int r = flush_table(list);

	if (r == 0 && !list->ctl->args.no_legend) {
		(void)fprintf(list->ctl->show.out, "%s%zu %s\n", list->n ? "\n" : "", list->n,
			      list->n == 1 ? "row" : "rows");
	}
	return r;
}

int ctl_pages_run(struct ctl *ctl)
{
	struct list list = {.ctl = ctl, .rows = json_array(), .left = ctl_limit(ctl)};
	struct ctl_pages pages;
	int r;

	if (!list.rows) {
		return ctl_fault_errno(&ctl->fault, -ENOMEM, "a list");
	}
	ctl_pages_begin(&pages, ctl);
	r = fetch_all(&list, &pages);
	if (ctl->args.json && list.stream.out) {
		ctl_json_stream_end(&list.stream);
	} else if (r == 0) {
		r = finish_table(&list);
	}
	if (r == 0 && pages.more) {
		(void)fflush(ctl->show.out);
		tell_rest(ctl, &pages.request);
	}
	ctl_pages_end(&pages);
	json_decref(list.rows);
	return r;
}
