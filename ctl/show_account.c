/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/show_account.h"

#include "ctl/json.h"
#include "ctl/show_items.h"
#include "ctl/text.h"

static void put_key(const struct show *show, const char *key, const json_t *object)
{
	show_value(show, key, json_object_get(object, key), show->out);
}

/* "start-removal" reads better as "start removal". */
static void put_words(const struct show *show, const char *code)
{
	for (const char *p = code ? code : "?"; *p; p++) {
		char c = *p == '-' || *p == '_' || *p == '.' ? ' ' : *p;

		ctl_text_put(show->out, (struct slice){&c, 1});
	}
}

/* Of a removed account only the uid is left. */
static void put_removed(const struct show *show, const json_t *account)
{
	(void)fprintf(show->out, "%suid ", show_bold(show));
	put_key(show, "uid", account);
	(void)fprintf(show->out, "%s was a ", show_plain(show));
	put_key(show, "kind", account);
	(void)fputs(" account in ", show->out);
	put_key(show, "org", account);
	(void)fputs(".\nIt is ", show->out);
	show_state_sentence(show, account);
	(void)fputs(".\n", show->out);
}

static void put_who(const struct show *show, const json_t *account)
{
	if (!ctl_json_text(account, "id")) {
		put_removed(show, account);
		return;
	}
	(void)fputs(show_bold(show), show->out);
	put_key(show, "org", account);
	(void)fputc('/', show->out);
	put_key(show, "id", account);
	(void)fprintf(show->out, "%s is a ", show_plain(show));
	put_key(show, "kind", account);
	(void)fputs(" account of ", show->out);
	if (ctl_json_text(account, "name")) {
		put_key(show, "name", account);
		(void)fputs(", ", show->out);
	}
	put_key(show, "person", account);
	(void)fputs(" (uid ", show->out);
	put_key(show, "uid", account);
	(void)fputs(").\nIt is ", show->out);
	show_state_sentence(show, account);
	(void)fputs(".\n", show->out);
}

static void put_event(const struct show *show, const char *words, const json_t *event)
{
	instant_t at;

	(void)fputs(words, show->out);
	put_words(show, ctl_json_text(event, "event"));
	if (show_instant_of(event, "at_us", &at)) {
		(void)fputs(", ", show->out);
		show_instant(show, at, show->out);
	}
	(void)fputs(", by ", show->out);
	put_key(show, "role", event);
	if (json_is_integer(json_object_get(event, "actor_uid"))) {
		(void)fputs(" (uid ", show->out);
		put_key(show, "actor_uid", event);
		(void)fputc(')', show->out);
	}
	if (ctl_json_text(event, "reason")) {
		(void)fputs(", because: ", show->out);
		put_key(show, "reason", event);
	}
	(void)fputs(".\n", show->out);
}

/* The event that put it into its state: the newest one, wherever the history begins. */
static const json_t *newest_event(const json_t *history)
{
	const json_t *newest = json_array_get(history, 0);
	size_t i;
	const json_t *event;

	json_array_foreach(history, i, event)
	{
		if (json_integer_value(json_object_get(event, "seq")) >
		    json_integer_value(json_object_get(newest, "seq"))) {
			newest = event;
		}
	}
	return newest;
}

static void put_next(const struct show *show, const json_t *next)
{
	const char *action = ctl_json_text(next, "action");
	instant_t at;

	if (!action || strcmp(action, "none") == 0) {
		(void)fputs("Next: nothing happens by itself.\n", show->out);
		return;
	}
	(void)fputs("Next: ", show->out);
	put_words(show, action);
	if (show_instant_of(next, "at_us", &at)) {
		(void)fputs(", ", show->out);
		show_instant(show, at, show->out);
	}
	(void)fputs(".\n", show->out);
}

static bool may(const json_t *command)
{
	const char *outcome = ctl_json_text(command, "outcome");

	return outcome && strcmp(outcome, outcome_code(OUTCOME_OK)) == 0;
}

/* The verb of a command that is named by its method. */
static const char *short_name(const json_t *command)
{
	const char *name = ctl_json_text(command, "command");
	const char *dot = name ? strrchr(name, '.') : NULL;

	return dot ? dot + 1 : name ? name : "?";
}

static void put_allowed(const struct show *show, const json_t *commands)
{
	const char *separator = "May be done: ";
	size_t i;
	const json_t *command;

	json_array_foreach(commands, i, command)
	{
		if (may(command)) {
			(void)fputs(separator, show->out);
			ctl_text_put(show->out, slice_of(short_name(command)));
			separator = ", ";
		}
	}
	(void)fputs(*separator == ',' ? ".\n" : "Nothing may be done with it.\n", show->out);
}

static void put_refused(const struct show *show, const json_t *commands)
{
	size_t i;
	const json_t *command;

	json_array_foreach(commands, i, command)
	{
		const json_t *reasons = json_object_get(command, "reasons");
		size_t k;
		const json_t *reason;

		if (may(command)) {
			continue;
		}
		(void)fputs("Refused: ", show->out);
		ctl_text_put(show->out, slice_of(short_name(command)));
		(void)fputs(": ", show->out);
		if (json_array_size(reasons) == 0) {
			show_reason(json_object_get(command, "outcome"), show->out);
		}
		json_array_foreach(reasons, k, reason)
		{
			(void)fputs(k ? "; " : "", show->out);
			show_reason(reason, show->out);
		}
		(void)fputs(".\n", show->out);
	}
}

static void put_contact(const struct show *show, const char *words, const json_t *contact)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	bool any = out && show_contact(contact, out);

	if (out && fclose(out) == 0 && any) {
		(void)fprintf(show->out, "%s%s\n", words, text);
	}
	free(text);
}

int show_explain(const struct show *show, const json_t *result)
{
	static const char *const columns[] = {"seq",       "at_us",  "event", "role",
					      "actor_uid", "reason", "ref",   NULL};
	const json_t *history = json_object_get(result, "history");
	const json_t *account = json_object_get(result, "account");

	if (!json_is_object(account)) {
		show_refusal(show, result);
		return 0;
	}
	put_who(show, account);
	if (json_array_size(history) > 0) {
		put_event(show, "Since: ", newest_event(history));
	}
	put_next(show, json_object_get(result, "next"));
	put_allowed(show, json_object_get(result, "may"));
	put_refused(show, json_object_get(result, "may"));
	put_contact(show, "Whom to ask: ", json_object_get(result, "contact"));
	if (json_array_size(history) == 0) {
		return 0;
	}
	(void)fprintf(show->out, "\n%sHistory%s\n", show_bold(show), show_plain(show));
	return show_rows(show, history, columns);
}

static void put_organization(const struct show *show, const json_t *organization)
{
	const json_t *leave = json_object_get(organization, "leave");
	const json_t *reasons = json_object_get(leave, "reasons");
	size_t i;
	const json_t *reason;

	(void)fputs(show_bold(show), show->out);
	put_key(show, "org", organization);
	(void)fputs(show_plain(show), show->out);
	if (ctl_json_text(organization, "name")) {
		(void)fputs(" (", show->out);
		put_key(show, "name", organization);
		(void)fputc(')', show->out);
	}
	(void)fputs(": ", show->out);
	show_state_sentence(show, organization);
	(void)fputs(" (id ", show->out);
	put_key(show, "id", organization);
	(void)fputs(")\n", show->out);
	if (json_is_true(json_object_get(leave, "available"))) {
		(void)fputs("    can be left\n", show->out);
	}
	json_array_foreach(reasons, i, reason)
	{
		(void)fputs("    cannot be left: ", show->out);
		show_reason(reason, show->out);
		(void)fputc('\n', show->out);
	}
	put_contact(show, "    ask: ", json_object_get(leave, "contact"));
}

int show_organizations(const struct show *show, const json_t *result)
{
	const json_t *home = json_object_get(result, "home");
	const json_t *others = json_object_get(result, "others");
	size_t i;
	const json_t *organization;

	if (json_is_object(home)) {
		(void)fputs("Home organization\n  ", show->out);
		put_organization(show, home);
	}
	if (json_is_object(home) && json_array_size(others) > 0) {
		(void)fputs("\nOther organizations\n", show->out);
	}
	json_array_foreach(others, i, organization)
	{
		(void)fputs(json_is_object(home) ? "  " : "", show->out);
		put_organization(show, organization);
	}
	if (!json_is_object(home) && json_array_size(others) == 0) {
		(void)fputs("no account of this person is known here\n", show->out);
	}
	return 0;
}

int show_api(const struct show *show, const json_t *result)
{
	static const char *const columns[] = {"method", "role", "scope", "since", "summary", NULL};

	return show_rows(show, json_object_get(result, "methods"), columns);
}
