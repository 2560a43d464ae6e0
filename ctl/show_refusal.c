/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/show_refusal.h"

#include "common/model.h"

#include "ctl/json.h"
#include "ctl/text.h"

void show_reason(const json_t *reason, FILE *out)
{
	const char *code =
		json_is_object(reason) ? ctl_json_text(reason, "code") : json_string_value(reason);
	enum outcome outcome;

	if (json_is_object(reason) && ctl_json_text(reason, "text")) {
		ctl_text_put(out, slice_of(ctl_json_text(reason, "text")));
	} else if (code && outcome_from_code(slice_of(code), &outcome)) {
		(void)fputs(outcome_text(outcome), out);
	} else {
		ctl_text_put(out,
			     slice_of(code ? code : "for a reason that this client does not know"));
	}
}

void show_ask(const struct show *show, const char *before, const json_t *contact)
{
	static const struct {
		const char *key;
		const char *what;
	} kinds[] = {
		{"privacy_contact", "privacy contact"},
		{"admin_contact", "admin contact"},
		{"privacy_url", "statement"},
	};
	bool any = false;

	if (!json_is_object(contact)) {
		return;
	}
	(void)fprintf(show->out, "%sAsk: ", before);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		const char *text = ctl_json_text(contact, kinds[i].key);

		if (text && *text) {
			(void)fprintf(show->out, "%s%s ", any ? ", " : "", kinds[i].what);
			ctl_text_put(show->out, slice_of(text));
			any = true;
		}
	}
	(void)fputs(any ? "\n" : "the organization has published no contact\n", show->out);
}

bool show_has_reason(const json_t *item, enum outcome outcome)
{
	const json_t *reasons = json_object_get(item, "reasons");
	size_t i;
	const json_t *reason;

	json_array_foreach(reasons, i, reason) {
		if (slice_is(slice_of(json_string_value(reason)), outcome_code(outcome))) {
			return true;
		}
	}
	return false;
}

bool show_names_contact(const json_t *object)
{
	return show_has_reason(object, OUTCOME_LEAVE_NOT_ALLOWED) ||
	       show_has_reason(object, OUTCOME_ACCOUNT_DISABLED) ||
	       show_has_reason(object, OUTCOME_HOME_ORGANIZATION) ||
	       json_object_size(json_object_get(object, "contact")) > 0;
}

static bool is_outcome(const json_t *object, enum outcome outcome)
{
	return slice_is(slice_of(ctl_json_text(object, "outcome")), outcome_code(outcome));
}

bool show_is_gone(const json_t *object)
{
	return is_outcome(object, OUTCOME_NOT_FOUND) &&
	       slice_is(slice_of(ctl_json_text(object, "state")),
			account_state_name(ACCOUNT_STATE_REMOVED));
}

void show_refusal(const struct show *show, const json_t *object)
{
	const json_t *reasons = json_object_get(object, "reasons");
	size_t i;
	const json_t *reason;

	(void)fprintf(show->out, "%s%s%s", show_red(show),
		      show_has_reason(object, OUTCOME_STAGED) ? "staged" : "refused",
		      show_plain(show));
	if (show_is_gone(object)) {
		(void)fputs(": " SHOW_GONE "\n", show->out);
	} else if (json_array_size(reasons) <= 1) {
		(void)fputs(": ", show->out);
		reason = json_array_get(reasons, 0);
		show_reason(reason ? reason : json_object_get(object, "outcome"), show->out);
		(void)fputc('\n', show->out);
	} else {
		(void)fprintf(show->out, " for %zu reasons:\n", json_array_size(reasons));
		json_array_foreach(reasons, i, reason) {
			(void)fputs("  - ", show->out);
			show_reason(reason, show->out);
			(void)fputc('\n', show->out);
		}
	}
	if (show_names_contact(object)) {
		show_ask(show, "  ", json_object_get(object, "contact"));
	}
}
