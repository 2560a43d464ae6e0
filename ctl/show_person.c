/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/show_person.h"

#include "ctl/json.h"
#include "ctl/show_items.h"
#include "ctl/show_refusal.h"

static void put_organization(const struct show *show, const json_t *organization)
{
	const json_t *leave = json_object_get(organization, "leave");
	const json_t *reasons = json_object_get(leave, "reasons");
	instant_t deleted_at;
	size_t i;
	const json_t *reason;

	(void)fputs(show_bold(show), show->out);
	show_key(show, organization, "org");
	(void)fputs(show_plain(show), show->out);
	if (ctl_json_text(organization, "name")) {
		(void)fputs(" (", show->out);
		show_key(show, organization, "name");
		(void)fputc(')', show->out);
	}
	(void)fputs(": ", show->out);
	show_state_sentence(show, organization);
	(void)fputs(" (id ", show->out);
	show_key(show, organization, "id");
	(void)fputs(")\n", show->out);
	if (show_instant_of(organization, "deleted_at_us", &deleted_at)) {
		(void)fputs("    deleted at ", show->out);
		show_instant(show, deleted_at, show->out);
		(void)fputc('\n', show->out);
	}
	if (json_is_true(json_object_get(leave, "available"))) {
		(void)fputs("    can be left\n", show->out);
	}
	json_array_foreach(reasons, i, reason) {
		(void)fputs("    cannot be left: ", show->out);
		show_reason(reason, show->out);
		(void)fputc('\n', show->out);
	}
	show_ask(show, "    ", json_object_get(leave, "contact"));
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
	json_array_foreach(others, i, organization) {
		(void)fputs(json_is_object(home) ? "  " : "", show->out);
		put_organization(show, organization);
	}
	if (!json_is_object(home) && json_array_size(others) == 0) {
		(void)fputs("no account of this person is known here\n", show->out);
	}
	return 0;
}
