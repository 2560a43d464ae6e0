/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/access.h"

#include <criterion/criterion.h>

#include "common/commands.h"
#include "common/model.h"

#define USER  1000
#define OTHER 1001
#define GROUP 2000

static const char *const two_orgs[] = {"contoso", "fabrikam"};

static const struct slice all_orgs = {NULL, 0};

static struct access_grant to_user(uid_t uid, enum role role)
{
	return (struct access_grant){.role = role, .subject = uid};
}

static struct access_grant to_group(gid_t gid, enum role role)
{
	return (struct access_grant){.role = role, .by_group = true, .subject = gid};
}

static struct access_grant over_two_orgs(struct access_grant grant)
{
	grant.orgs = two_orgs;
	grant.n_orgs = ARRAY_LEN(two_orgs);
	return grant;
}

/* A peer without supplementary groups, in a group of its own. */
static struct access_peer user(uid_t uid)
{
	return (struct access_peer){.uid = uid, .gid = uid, .pid = 1};
}

/* Whether one grant gives the peer the role over the organization. */
static bool allows(struct access_grant grant, const struct access_peer *peer, enum role role,
		   struct slice org)
{
	struct access_rules rules = {.grants = &grant, .n_grants = 1};

	return access_allows(&rules, peer, role, org);
}

/* Whom a grant is for */

Test(access, a_grant_to_a_user_is_for_that_uid_only)
{
	struct access_peer peer = user(USER), other = user(OTHER);

	cr_expect(allows(to_user(USER, ROLE_READER), &peer, ROLE_READER, all_orgs));
	cr_expect(!allows(to_user(USER, ROLE_READER), &other, ROLE_READER, all_orgs));
}

Test(access, a_grant_to_a_group_is_for_peers_whose_gid_it_is)
{
	struct access_peer peer = user(USER), other = user(OTHER);

	peer.gid = GROUP;
	cr_expect(allows(to_group(GROUP, ROLE_READER), &peer, ROLE_READER, all_orgs));
	cr_expect(!allows(to_group(GROUP, ROLE_READER), &other, ROLE_READER, all_orgs));
}

Test(access, a_grant_to_a_group_is_for_peers_with_it_as_any_supplementary_group)
{
	static const gid_t first[] = {GROUP, 3, 4}, last[] = {3, 4, GROUP}, none[] = {3, 4, 5};
	struct access_peer peer = user(USER);

	peer.n_groups = 3;
	peer.groups = first;
	cr_expect(allows(to_group(GROUP, ROLE_READER), &peer, ROLE_READER, all_orgs));
	peer.groups = last;
	cr_expect(allows(to_group(GROUP, ROLE_READER), &peer, ROLE_READER, all_orgs));
	peer.n_groups = 2;
	cr_expect(!allows(to_group(GROUP, ROLE_READER), &peer, ROLE_READER, all_orgs));
	peer.groups = none;
	peer.n_groups = 3;
	cr_expect(!allows(to_group(GROUP, ROLE_READER), &peer, ROLE_READER, all_orgs));
}

Test(access, a_user_and_a_group_of_the_same_number_are_not_confused)
{
	static const gid_t groups[] = {USER};
	struct access_peer user_only = {.uid = USER, .gid = GROUP};
	struct access_peer group_only = {
		.uid = OTHER, .gid = USER, .groups = groups, .n_groups = 1};

	cr_expect(!allows(to_group(USER, ROLE_READER), &user_only, ROLE_READER, all_orgs));
	cr_expect(!allows(to_user(USER, ROLE_READER), &group_only, ROLE_READER, all_orgs));
}

Test(access, every_grant_of_a_peer_counts_not_only_the_first)
{
	struct access_grant grants[] = {
		to_user(OTHER, ROLE_ADMIN),
		to_user(USER, ROLE_READER),
		over_two_orgs(to_user(USER, ROLE_AUDITOR)),
	};
	struct access_rules rules = {.grants = grants, .n_grants = ARRAY_LEN(grants)};
	struct access_peer peer = user(USER);

	cr_expect(access_allows(&rules, &peer, ROLE_READER, all_orgs));
	cr_expect(access_allows(&rules, &peer, ROLE_AUDITOR, slice_of("contoso")));
	cr_expect(!access_allows(&rules, &peer, ROLE_ADMIN, slice_of("contoso")));
}

Test(access, root_is_admin_of_everything_without_a_grant)
{
	struct access_rules none = {NULL, 0};
	struct access_peer root = user(0);

	for (enum role role = ROLE_ANY; role <= ROLE_ADMIN; role++) {
		cr_expect(access_allows(&none, &root, role, all_orgs), "%s", role_name(role));
		cr_expect(access_allows(&none, &root, role, slice_of("contoso")), "%s",
			  role_name(role));
	}
}

/* Being in root's group is not being root. */
Test(access, a_member_of_group_zero_has_no_role)
{
	static const gid_t groups[] = {0};
	struct access_rules none = {NULL, 0};
	struct access_peer peer = {.uid = USER, .gid = 0, .groups = groups, .n_groups = 1};

	cr_expect(!access_allows(&none, &peer, ROLE_READER, slice_of("contoso")));
}

Test(access, the_uid_that_a_user_namespace_shows_is_nobody_whatever_is_granted)
{
	static const gid_t groups[] = {GROUP};
	struct access_grant grants[] = {
		to_user(ACCESS_UID_NOBODY, ROLE_ADMIN),
		to_group(GROUP, ROLE_ADMIN),
		to_group(3, ROLE_ADMIN),
	};
	struct access_rules rules = {.grants = grants, .n_grants = ARRAY_LEN(grants)};
	struct access_peer nobody = {
		.uid = ACCESS_UID_NOBODY, .gid = 3, .groups = groups, .n_groups = 1};

	for (enum role role = ROLE_READER; role < _ROLE_MAX; role++) {
		cr_expect(!access_allows(&rules, &nobody, role, all_orgs), "%s", role_name(role));
		cr_expect(!access_allows(&rules, &nobody, role, slice_of("contoso")), "%s",
			  role_name(role));
	}
	cr_expect(access_allows(&rules, &nobody, ROLE_ANY, all_orgs));
	cr_expect_null(access_grant_at(&rules, &nobody, 0));
}

/* What a role includes. A row is what is granted, a column what is asked for. */

/* clang-format off */
static const bool includes[_ROLE_MAX][_ROLE_MAX] = {
	/*                       any   reader auditor self-service admin  keeper daemon */
	[ROLE_READER]       = { true,  true,  false,  false,       false, false, false },
	[ROLE_AUDITOR]      = { true,  false, true,   false,       false, false, false },
	[ROLE_SELF_SERVICE] = { true,  false, false,  true,        false, false, false },
	[ROLE_ADMIN]        = { true,  true,  true,   true,        true,  false, false },
};
/* clang-format on */

Test(access, admin_includes_the_other_roles_and_no_other_includes_any)
{
	struct access_peer peer = user(USER);

	for (enum role held = ROLE_READER; held <= ROLE_ADMIN; held++) {
		for (enum role asked = ROLE_ANY; asked < _ROLE_MAX; asked++) {
			cr_expect(allows(to_user(USER, held), &peer, asked, all_orgs) ==
					  includes[held][asked],
				  "%s acting as %s", role_name(held), role_name(asked));
		}
	}
}

Test(access, the_daemons_own_role_is_nobodys_not_even_roots)
{
	struct access_peer root = user(0);

	cr_expect(!allows(to_user(0, ROLE_ADMIN), &root, ROLE_DAEMON, all_orgs));
	cr_expect(!allows(to_user(0, ROLE_DAEMON), &root, ROLE_DAEMON, all_orgs));
}

Test(access, the_role_any_is_everybodys)
{
	struct access_rules none = {NULL, 0};
	struct access_peer peer = user(USER);

	cr_expect(access_allows(&none, &peer, ROLE_ANY, all_orgs));
	cr_expect(access_allows(&none, &peer, ROLE_ANY, slice_of("contoso")));
	cr_expect(!access_allows(&none, &peer, ROLE_READER, slice_of("contoso")));
}

/* What a grant covers */

Test(access, a_grant_for_a_list_covers_those_organizations_and_no_others)
{
	struct access_grant grant = over_two_orgs(to_user(USER, ROLE_READER));
	struct access_peer peer = user(USER);

	cr_expect(allows(grant, &peer, ROLE_READER, slice_of("contoso")));
	cr_expect(allows(grant, &peer, ROLE_READER, slice_of("fabrikam")));
	cr_expect(!allows(grant, &peer, ROLE_READER, slice_of("northwind")));
	cr_expect(!allows(grant, &peer, ROLE_READER, slice_of("contos")));
	cr_expect(!allows(grant, &peer, ROLE_READER, slice_of("contoso2")));
	cr_expect(!allows(grant, &peer, ROLE_READER, slice_of("")));
}

Test(access, a_grant_for_a_list_does_not_cover_all_organizations)
{
	struct access_grant grant = over_two_orgs(to_user(USER, ROLE_ADMIN));
	struct access_peer peer = user(USER);

	cr_expect(!allows(grant, &peer, ROLE_ADMIN, all_orgs));
	cr_expect(!allows(grant, &peer, ROLE_READER, all_orgs));
}

Test(access, a_grant_for_all_organizations_covers_each)
{
	struct access_peer peer = user(USER);

	cr_expect(allows(to_user(USER, ROLE_READER), &peer, ROLE_READER, slice_of("northwind")));
}

Test(access, a_grant_for_an_empty_list_covers_nothing)
{
	struct access_grant grant = over_two_orgs(to_user(USER, ROLE_READER));
	struct access_peer peer = user(USER);

	grant.n_orgs = 0;
	cr_expect(!allows(grant, &peer, ROLE_READER, slice_of("contoso")));
	cr_expect(!allows(grant, &peer, ROLE_READER, all_orgs));
}

/* A role over one organization and a role over another do not add up. */
Test(access, the_role_and_the_organization_must_come_from_the_same_grant)
{
	struct access_grant grants[] = {
		to_user(USER, ROLE_READER),
		over_two_orgs(to_user(USER, ROLE_ADMIN)),
	};
	struct access_rules rules = {.grants = grants, .n_grants = ARRAY_LEN(grants)};
	struct access_peer peer = user(USER);

	cr_expect(access_allows(&rules, &peer, ROLE_ADMIN, slice_of("contoso")));
	cr_expect(!access_allows(&rules, &peer, ROLE_ADMIN, slice_of("northwind")));
	cr_expect(!access_allows(&rules, &peer, ROLE_ADMIN, all_orgs));
}

/* The first door: every command × everybody */

/* clang-format off */
static const struct caller {
	const char *who;
	uid_t uid;
	enum role held; /* ROLE_ANY: no grant */
	bool over_all;
} callers[] = {
	{"nobody in particular",           USER,              ROLE_ANY,          false},
	{"reader",                         USER,              ROLE_READER,       true},
	{"auditor",                        USER,              ROLE_AUDITOR,      true},
	{"self-service",                   USER,              ROLE_SELF_SERVICE, true},
	{"admin",                          USER,              ROLE_ADMIN,        true},
	{"reader of two organizations",    USER,              ROLE_READER,       false},
	{"auditor of two organizations",   USER,              ROLE_AUDITOR,      false},
	{"self-service of two",            USER,              ROLE_SELF_SERVICE, false},
	{"admin of two organizations",     USER,              ROLE_ADMIN,        false},
	{"hidden by a namespace",          ACCESS_UID_NOBODY, ROLE_ADMIN,        true},
	{"keeper",                         USER,              ROLE_KEEPER,       true},
	{"root",                           0,                 ROLE_ANY,          false},
};
/* clang-format on */

static bool should_be_let_in(const struct caller *caller, const struct command *command)
{
	if (command->role == ROLE_ANY || command->role == ROLE_KEEPER) {
		return command->role == ROLE_ANY || caller->held == ROLE_KEEPER;
	}
	if (caller->uid == 0) {
		return true;
	}
	if (caller->uid == ACCESS_UID_NOBODY || !includes[caller->held][command->role]) {
		return false;
	}
	return caller->over_all || command->scope != COMMAND_SCOPE_ALL;
}

static void check_caller(const struct caller *caller)
{
	struct access_grant grant = to_user(caller->uid, caller->held);
	struct access_rules rules = {.grants = &grant, .n_grants = caller->held != ROLE_ANY};
	struct access_peer peer = user(caller->uid);

	if (!caller->over_all) {
		grant = over_two_orgs(grant);
	}
	for (size_t i = 0; i < _COMMAND_MAX; i++) {
		const struct command *command = &command_table[i];

		cr_expect(access_may_call(&rules, &peer, command) ==
				  should_be_let_in(caller, command),
			  "%s × %s", caller->who, command->method);
	}
}

Test(access, each_command_lets_in_whom_its_role_and_scope_say)
{
	for (size_t i = 0; i < ARRAY_LEN(callers); i++) {
		check_caller(&callers[i]);
	}
}

/* Keepers: which one counts, and nobody is one by administering. */

static struct access_grant to_keeper(uid_t uid, const char *keeper)
{
	struct access_grant grant = to_user(uid, ROLE_KEEPER);

	grant.keeper = keeper;
	return grant;
}

Test(access, a_keeper_speaks_under_its_own_name_only)
{
	struct access_grant grant = to_keeper(USER, "crm");
	struct access_rules rules = {.grants = &grant, .n_grants = 1};
	struct access_peer keeper = user(USER), other = user(USER + 1);

	cr_expect(access_is_keeper(&rules, &keeper, slice_of("crm")));
	cr_expect(!access_is_keeper(&rules, &keeper, slice_of("cr")));
	cr_expect(!access_is_keeper(&rules, &keeper, slice_of("crm2")));
	cr_expect(!access_is_keeper(&rules, &other, slice_of("crm")));
}

Test(access, neither_root_nor_an_administrator_is_a_keeper)
{
	struct access_grant grants[] = {to_keeper(USER + 1, "crm"), to_user(USER, ROLE_ADMIN)};
	struct access_rules rules = {.grants = grants, .n_grants = ARRAY_LEN(grants)};
	struct access_peer admin = user(USER), root = user(0);

	cr_expect(!access_is_keeper(&rules, &admin, slice_of("crm")));
	cr_expect(!access_is_keeper(&rules, &root, slice_of("crm")));
}

Test(access, whom_a_namespace_hides_is_no_keeper)
{
	struct access_grant grant = to_keeper(ACCESS_UID_NOBODY, "crm");
	struct access_rules rules = {.grants = &grant, .n_grants = 1};
	struct access_peer hidden = user(ACCESS_UID_NOBODY);

	cr_expect(!access_is_keeper(&rules, &hidden, slice_of("crm")));
}

/* The same by name, so that a slip in the table of commands shows. */
/* clang-format off */
static const struct {
	const char *method;
	bool anybody, reader, auditor, self_service, admin, admin_of_two;
} doors[] = {
	{"retention.info",       true,  true,  true,  true,  true,  true},
	{"retention.api",        true,  true,  true,  true,  true,  true},
	{"org.get",              false, true,  false, false, true,  true},
	{"org.set",              false, false, false, false, true,  true},
	{"account.get",          false, true,  false, false, true,  true},
	{"account.leave",        false, false, false, true,  true,  true},
	{"account.restore",      false, false, false, false, true,  true},
	{"account.purge",        false, false, false, false, true,  true},
	{"person.organizations", false, false, false, true,  true,  true},
	{"ledger.read",          false, false, true,  false, true,  false},
	{"stats.get",            false, true,  false, false, true,  false},
	{"clock.advance",        false, false, false, false, true,  false},
};
/* clang-format on */

static void check_door(const struct command *command, enum role held, bool over_all, bool opens)
{
	struct access_grant grant = to_user(USER, held);
	struct access_rules rules = {.grants = &grant, .n_grants = held != ROLE_ANY};
	struct access_peer peer = user(USER);

	if (!over_all) {
		grant = over_two_orgs(grant);
	}
	cr_expect(access_may_call(&rules, &peer, command) == opens, "%s × %s%s", command->method,
		  role_name(held), over_all ? "" : " of two organizations");
}

Test(access, well_known_commands_are_for_whom_the_manual_says)
{
	for (size_t i = 0; i < ARRAY_LEN(doors); i++) {
		const struct command *command = command_by_method(slice_of(doors[i].method));

		cr_assert_not_null(command, "%s is unknown", doors[i].method);
		check_door(command, ROLE_ANY, true, doors[i].anybody);
		check_door(command, ROLE_READER, true, doors[i].reader);
		check_door(command, ROLE_AUDITOR, true, doors[i].auditor);
		check_door(command, ROLE_SELF_SERVICE, true, doors[i].self_service);
		check_door(command, ROLE_ADMIN, true, doors[i].admin);
		check_door(command, ROLE_ADMIN, false, doors[i].admin_of_two);
	}
}

/* The role for the ledger */

static enum role acting_as(const struct access_grant *grants, size_t n_grants,
			   const struct access_peer *peer, enum command_symbol symbol)
{
	struct access_rules rules = {.grants = grants, .n_grants = n_grants};

	return access_acting_role(&rules, peer, &command_table[symbol], (struct slice){0});
}

Test(access, a_peer_acts_in_the_role_of_the_command_if_it_was_granted_as_such)
{
	struct access_grant grants[] = {
		to_user(USER, ROLE_ADMIN),
		to_user(USER, ROLE_SELF_SERVICE),
	};
	struct access_peer peer = user(USER);

	cr_expect_eq(acting_as(grants, 2, &peer, COMMAND_account_leave), ROLE_SELF_SERVICE);
	cr_expect_eq(acting_as(grants, 2, &peer, COMMAND_account_remove), ROLE_ADMIN);
	cr_expect_eq(acting_as(grants, 2, &peer, COMMAND_account_get), ROLE_ADMIN);
	cr_expect_eq(acting_as(grants + 1, 1, &peer, COMMAND_account_leave), ROLE_SELF_SERVICE);
}

Test(access, an_admin_without_the_role_of_the_command_acts_as_admin)
{
	struct access_grant admin = to_user(USER, ROLE_ADMIN);
	struct access_peer peer = user(USER), root = user(0);

	cr_expect_eq(acting_as(&admin, 1, &peer, COMMAND_account_leave), ROLE_ADMIN);
	cr_expect_eq(acting_as(NULL, 0, &root, COMMAND_account_leave), ROLE_ADMIN);
}

Test(access, somebody_elses_grant_does_not_name_the_role_a_peer_acts_in)
{
	struct access_grant grants[] = {
		to_user(OTHER, ROLE_SELF_SERVICE),
		to_user(USER, ROLE_ADMIN),
	};
	struct access_peer peer = user(USER);

	cr_expect_eq(acting_as(grants, 2, &peer, COMMAND_account_leave), ROLE_ADMIN);
}

Test(access, a_grant_too_narrow_for_the_command_does_not_name_the_role_either)
{
	struct access_grant grants[] = {
		over_two_orgs(to_user(USER, ROLE_READER)),
		to_user(USER, ROLE_ADMIN),
	};
	struct access_peer peer = user(USER);

	cr_expect_eq(acting_as(grants, 2, &peer, COMMAND_stats_get), ROLE_ADMIN);
	cr_expect_eq(acting_as(grants, 2, &peer, COMMAND_account_get), ROLE_READER);
}

Test(access, a_peer_acts_in_the_role_that_covers_the_organization)
{
	struct access_grant grants[] = {
		over_two_orgs(to_user(USER, ROLE_SELF_SERVICE)),
		to_user(USER, ROLE_ADMIN),
	};
	struct access_rules rules = {grants, ARRAY_LEN(grants)};
	struct access_peer peer = user(USER);
	const struct command *leave = &command_table[COMMAND_account_leave];

	cr_expect_eq(access_acting_role(&rules, &peer, leave, slice_of("contoso")),
		     ROLE_SELF_SERVICE);
	cr_expect_eq(access_acting_role(&rules, &peer, leave, slice_of("adatum")), ROLE_ADMIN);
}

Test(access, a_command_for_everybody_needs_no_role)
{
	struct access_grant admin = to_user(USER, ROLE_ADMIN);
	struct access_peer peer = user(USER);

	cr_expect_eq(acting_as(&admin, 1, &peer, COMMAND_retention_info), ROLE_ANY);
	cr_expect_eq(acting_as(NULL, 0, &peer, COMMAND_retention_info), ROLE_ANY);
}

/* What retention.info tells a peer of itself */

Test(access, the_grants_of_a_peer_are_told_in_order_and_end_with_null)
{
	struct access_grant grants[] = {
		to_user(OTHER, ROLE_ADMIN),
		to_user(USER, ROLE_READER),
		to_group(GROUP, ROLE_ADMIN),
		to_group(USER, ROLE_AUDITOR),
	};
	struct access_rules rules = {.grants = grants, .n_grants = ARRAY_LEN(grants)};
	struct access_peer peer = user(USER), stranger = user(7);

	cr_expect_eq(access_grant_at(&rules, &peer, 0), &grants[1]);
	cr_expect_eq(access_grant_at(&rules, &peer, 1), &grants[3]);
	cr_expect_null(access_grant_at(&rules, &peer, 2));
	cr_expect_null(access_grant_at(&rules, &peer, SIZE_MAX));
	cr_expect_null(access_grant_at(&rules, &stranger, 0));
}

Test(access, root_has_no_grants_because_it_needs_none)
{
	struct access_grant grant = to_user(0, ROLE_READER);
	struct access_rules rules = {.grants = &grant, .n_grants = 1};
	struct access_peer root = user(0);

	cr_expect_null(access_grant_at(&rules, &root, 0));
}
