/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/import_graph.h"

#include <ctype.h>

#include "ctl/import_json.h"

/* A user on its way into a row. */
struct graph_user {
	struct import_set *set;
	struct import_row *row;
	const json_t *object;
	const struct import_where *where;
};

bool import_graph_is_user(const json_t *object)
{
	static const char *const names[] = {"userPrincipalName", "userType",
					    "accountEnabled",    "displayName",
					    "deletedDateTime",   "externalUserState",
					    "memberOf",          "appRoleAssignments"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (json_object_get(object, names[i])) {
			return true;
		}
	}
	return false;
}

struct slice import_graph_home(struct slice upn, char text[static MODEL_ADDRESS_LEN_MAX])
{
	const char *mark = upn.len ? memmem(upn.data, upn.len, "#EXT#", 5) : NULL;
	size_t len = mark ? (size_t)(mark - upn.data) : 0;
	char *at = len ? memrchr(upn.data, '_', len) : NULL;

	if (!at || len > MODEL_ADDRESS_LEN_MAX) {
		return upn;
	}
	memcpy(text, upn.data, len);
	text[at - upn.data] = '@';
	return (struct slice){text, len};
}

struct slice import_graph_deleted_upn(struct slice upn, struct slice id)
{
	size_t at = 0;

	for (size_t i = 0; i < id.len; i++) {
		if (id.data[i] == '-') {
			continue;
		}
		if (at == upn.len ||
		    tolower((unsigned char)upn.data[at]) != tolower((unsigned char)id.data[i])) {
			return upn;
		}
		at++;
	}
	/* A GUID, and something left of a name behind it. */
	if (at != 32 || upn.len - at < 3 || upn.data[at] == '@') {
		return upn;
	}
	return (struct slice){upn.data + at, upn.len - at};
}

static const json_t *get(const struct graph_user *user, const char *key)
{
	const json_t *value = json_object_get(user->object, key);

	return json_is_null(value) || (json_is_string(value) && json_string_length(value) == 0)
		       ? NULL
		       : value;
}

static struct slice text_of(const struct graph_user *user, const char *key)
{
	const json_t *value = get(user, key);

	return (struct slice){json_string_value(value), json_string_length(value)};
}

static void check(const struct graph_user *user, const char *key, const char *wrong)
{
	if (wrong) {
		import_faults_add(&user->set->faults, user->where, key, "%s", wrong);
	}
}

static void copy(const struct graph_user *user, const char *key, enum field_symbol field)
{
	const json_t *value = get(user, key);

	if (value) {
		check(user, key, import_json_set(user->row, field, value));
	}
}

static void copy_upn(const struct graph_user *user)
{
	struct slice upn = text_of(user, "userPrincipalName");

	if (!upn.data) {
		copy(user, "userPrincipalName", FIELD_upn); /* says so if it is no text */
		return;
	}
	if (get(user, "deletedDateTime")) {
		upn = import_graph_deleted_upn(upn, text_of(user, "id"));
	}
	check(user, "userPrincipalName", import_row_set(user->row, FIELD_upn, upn));
}

static void set_kind(const struct graph_user *user)
{
	struct slice type = text_of(user, "userType");
	struct slice kind =
		user->set->default_kind.len ? user->set->default_kind : SLICE_LITERAL("member");

	if (get(user, "kind")) {
		copy(user, "kind", FIELD_kind);
		return;
	}
	if (slice_is(type, "Guest")) {
		kind = SLICE_LITERAL("b2b-collaboration");
	} else if (slice_is(type, "DirectConnect")) {
		kind = SLICE_LITERAL("b2b-direct-connect");
	} else if (slice_is(type, "Member")) {
		kind = SLICE_LITERAL("member");
	} else if (get(user, "userType")) {
		check(user, "userType", "must be Guest or Member");
		return;
	}
	check(user, "userType", import_row_set(user->row, FIELD_kind, kind));
}

static void set_person(const struct graph_user *user)
{
	bool is_member = !import_row_has(user->row, FIELD_kind) ||
			 slice_is(user->row->text[FIELD_kind], "member");

	if (get(user, "person")) {
		copy(user, "person", FIELD_person);
	} else if (!is_member && text_of(user, "mail").len) {
		check(user, "mail", import_row_set(user->row, FIELD_person, text_of(user, "mail")));
	} else if (!is_member && import_row_has(user->row, FIELD_upn)) {
		check(user, "userPrincipalName",
		      import_row_set(user->row, FIELD_person,
				     import_graph_home(user->row->text[FIELD_upn],
						       user->row->made)));
	}
}

/* What names an entry of a list: the first of these that it has. */
static const json_t *name_of(const json_t *entry, const char *const *names)
{
	for (; *names; names++) {
		const json_t *name = json_object_get(entry, *names);

		if (json_is_string(name) && json_string_length(name) > 0) {
			return name;
		}
	}
	return json_is_string(entry) ? entry : NULL;
}

static void copy_list(const struct graph_user *user, const char *key, const char *const *names,
		      enum field_symbol field)
{
	const json_t *list = get(user, key);
	size_t i;
	const json_t *entry;

	if (list && !json_is_array(list)) {
		check(user, key, "must be a list");
		return;
	}
	json_array_foreach(list, i, entry) {
		const json_t *name = name_of(entry, names);
		struct slice text = {json_string_value(name), json_string_length(name)};

		check(user, key,
		      name ? import_row_add(user->row, field, text)
			   : "has an entry without a name or id");
	}
}

void import_graph_fill(struct import_set *set, struct import_row *row, const json_t *object,
		       const struct import_where *where)
{
	static const char *const group_names[] = {"displayName", "id", NULL};
	static const char *const role_names[] = {"appRoleId", "resourceDisplayName",
						 "principalDisplayName", NULL};
	static const char *const no_names[] = {NULL};
	const struct graph_user user = {.set = set, .row = row, .object = object, .where = where};

	copy(&user, "org", FIELD_org);
	copy(&user, "id", FIELD_id);
	copy(&user, "mail", FIELD_mail);
	copy(&user, "displayName", FIELD_name);
	copy(&user, "accountEnabled", FIELD_enabled);
	copy(&user, "deletedDateTime", FIELD_deleted_at_us);
	copy_upn(&user);
	set_kind(&user);
	set_person(&user);
	copy_list(&user, "memberOf", group_names, FIELD_groups);
	copy_list(&user, "groups", no_names, FIELD_groups);
	copy_list(&user, "appRoleAssignments", role_names, FIELD_permissions);
	copy_list(&user, "permissions", no_names, FIELD_permissions);
}
