/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/access.h"

#define UID_ROOT 0

static bool is_in_group(const struct access_peer *peer, gid_t gid)
{
	if (peer->gid == gid) {
		return true;
	}
	for (size_t i = 0; i < peer->n_groups; i++) {
		if (peer->groups[i] == gid) {
			return true;
		}
	}
	return false;
}

static bool grant_applies(const struct access_grant *grant, const struct access_peer *peer)
{
	if (peer->uid == ACCESS_UID_NOBODY) {
		return false;
	}
	return grant->by_group ? is_in_group(peer, grant->subject) : peer->uid == grant->subject;
}

static bool role_includes(enum role held, enum role wanted)
{
	switch (wanted) {
	case ROLE_ANY:
		return true;
	case ROLE_READER:
	case ROLE_AUDITOR:
	case ROLE_SELF_SERVICE:
		return held == wanted || held == ROLE_ADMIN;
	case ROLE_ADMIN:
	case ROLE_KEEPER:
		return held == wanted;
	case ROLE_DAEMON:
	case _ROLE_MAX:
		return false;
	}
	abort();
}

/* A list that is there but empty covers nothing: only the missing list means all organizations. */
static bool grant_covers(const struct access_grant *grant, struct slice org)
{
	if (!grant->orgs) {
		assert(grant->n_orgs == 0);
		return true;
	}
	if (!org.data) {
		return false;
	}
	for (size_t i = 0; i < grant->n_orgs; i++) {
		if (slice_is(org, grant->orgs[i])) {
			return true;
		}
	}
	return false;
}

/* What the peer has over everything without a grant: everybody's role, and root's. */
static bool needs_no_grant(const struct access_peer *peer, enum role role)
{
	return role == ROLE_ANY || (peer->uid == UID_ROOT && role_includes(ROLE_ADMIN, role));
}

static bool grant_gives(const struct access_grant *grant, const struct access_peer *peer,
			enum role role)
{
	return grant_applies(grant, peer) && role_includes(grant->role, role);
}

bool access_allows(const struct access_rules *rules, const struct access_peer *peer, enum role role,
		   struct slice org)
{
	if (needs_no_grant(peer, role)) {
		return true;
	}
	for (size_t i = 0; i < rules->n_grants; i++) {
		const struct access_grant *grant = &rules->grants[i];

		if (grant_gives(grant, peer, role) && grant_covers(grant, org)) {
			return true;
		}
	}
	return false;
}

bool access_is_keeper(const struct access_rules *rules, const struct access_peer *peer,
		      struct slice keeper)
{
	for (size_t i = 0; i < rules->n_grants; i++) {
		const struct access_grant *grant = &rules->grants[i];

		if (grant->role == ROLE_KEEPER && grant_applies(grant, peer) &&
		    slice_is(keeper, grant->keeper)) {
			return true;
		}
	}
	return false;
}

static bool has_role_anywhere(const struct access_rules *rules, const struct access_peer *peer,
			      enum role role)
{
	if (needs_no_grant(peer, role)) {
		return true;
	}
	for (size_t i = 0; i < rules->n_grants; i++) {
		if (grant_gives(&rules->grants[i], peer, role)) {
			return true;
		}
	}
	return false;
}

bool access_may_call(const struct access_rules *rules, const struct access_peer *peer,
		     const struct command *command)
{
	switch (command->scope) {
	case COMMAND_SCOPE_NONE:
	case COMMAND_SCOPE_ORG:
		return has_role_anywhere(rules, peer, command->role);
	case COMMAND_SCOPE_ALL:
		if (command->role == ROLE_KEEPER) {
			return has_role_anywhere(rules, peer, ROLE_KEEPER);
		}
		return access_allows(rules, peer, command->role, (struct slice){NULL, 0});
	}
	abort();
}

/* Root needs no grant to administer, but one to speak as a keeper. */
static bool grant_is_told(const struct access_grant *grant, const struct access_peer *peer)
{
	return grant_applies(grant, peer) && (peer->uid != UID_ROOT || grant->role == ROLE_KEEPER);
}

static bool grant_reaches(const struct access_grant *grant, const struct command *command,
			  struct slice org)
{
	if (command->scope == COMMAND_SCOPE_ALL) {
		return !grant->orgs;
	}
	return !org.data || grant_covers(grant, org);
}

/*
 * A peer that is both self-service and admin, say, acts in the lesser role, the one that the
 * command asks for; but not where that grant does not reach: in another organization, or with a
 * command that goes beyond one.
 */
enum role access_acting_role(const struct access_rules *rules, const struct access_peer *peer,
			     const struct command *command, struct slice org)
{
	assert(access_may_call(rules, peer, command));
	if (command->role == ROLE_ANY || command->role == ROLE_KEEPER) {
		return command->role;
	}
	for (size_t i = 0; i < rules->n_grants; i++) {
		const struct access_grant *grant = &rules->grants[i];

		if (grant->role == command->role && grant_is_told(grant, peer) &&
		    grant_reaches(grant, command, org)) {
			return command->role;
		}
	}
	return ROLE_ADMIN;
}

const struct access_grant *access_grant_at(const struct access_rules *rules,
					   const struct access_peer *peer, size_t i)
{
	for (size_t at = 0; at < rules->n_grants; at++) {
		if (grant_is_told(&rules->grants[at], peer) && i-- == 0) {
			return &rules->grants[at];
		}
	}
	return NULL;
}
