/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CORE_ACCESS_H
#define RETENTIOND_CORE_ACCESS_H

#include <sys/types.h>

#include "common/base.h"
#include "common/commands.h"
#include "common/model.h"

/*
 * Who may do what. A peer is what the kernel says of it (SO_PEERCRED, SO_PEERGROUPS) and nothing
 * else; roles come from grants in the configuration. A role may be granted for all organizations
 * or for a list.
 */

#define ACCESS_UID_NOBODY 65534 /* "overflow" uid: whom a user namespace hides. Never anybody */

/**
 * struct access_peer - the other end of a connection, as the kernel told it when it connected
 * @groups: its gid and supplementary groups; owned by the connection
 */
struct access_peer {
	uid_t uid;
	gid_t gid;
	pid_t pid;
	const gid_t *groups;
	size_t n_groups;
};

/**
 * struct access_grant - one role to one user or group
 * @role:    ROLE_READER to ROLE_KEEPER
 * @keeper:  with ROLE_KEEPER the keeper's name, lower case; else NULL; owned by the configuration
 * @by_group: @subject is a gid, else a uid
 * @orgs:    lower-case ids, or NULL with @n_orgs 0 for all organizations; owned by the
 *           configuration
 */
struct access_grant {
	enum role role;
	bool by_group;
	uint32_t subject;
	const char *keeper;
	const char *const *orgs;
	size_t n_orgs;
};

struct access_rules {
	const struct access_grant *grants;
	size_t n_grants;
};

/**
 * access_allows() - whether a peer has a role over an organization
 * @org: lower-case id; .data NULL asks for a grant over all organizations
 *
 * root (uid 0) is admin of everything. Admin includes reader, auditor and self-service. Uid 65534
 * has no role, whatever its groups. ROLE_ANY is everybody's, ROLE_DAEMON nobody's.
 */
bool access_allows(const struct access_rules *rules, const struct access_peer *peer, enum role role,
		   struct slice org);

/*
 * Whether a peer may speak as a keeper. Nobody is one without a grant: root administers, it does
 * not erase.
 */
bool access_is_keeper(const struct access_rules *rules, const struct access_peer *peer,
		      struct slice keeper);

/**
 * access_may_call() - whether a peer has the command's role over anything at all
 *
 * The first door: a peer without it is answered permission-denied. For COMMAND_SCOPE_ORG the
 * organizations named are asked for one by one afterwards, with access_allows(); for
 * COMMAND_SCOPE_ALL the role must cover all organizations here.
 */
bool access_may_call(const struct access_rules *rules, const struct access_peer *peer,
		     const struct command *command);

/*
 * The role a peer acts in when it calls: the command's role if granted as such, else ROLE_ADMIN.
 * For the ledger. @org: whose account it is, in lower case; .data NULL while that is not known.
 */
enum role access_acting_role(const struct access_rules *rules, const struct access_peer *peer,
			     const struct command *command, struct slice org);

/*
 * The i-th grant that applies to the peer, or NULL after the last; of root's, which is admin
 * without one, only those of keepers. For retention.info.
 */
const struct access_grant *access_grant_at(const struct access_rules *rules,
					   const struct access_peer *peer, size_t i);

#endif
