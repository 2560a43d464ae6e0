/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_STORE_STAGED_H
#define RETENTIOND_STORE_STAGED_H

#include "daemon/store/store.h"

/* The store's mass guards: what they have counted, and the commands that they hold back. */

/**
 * The mass guard of an organization. Valid until the next store_put_org(). What happened is counted
 * by the changes themselves.
 */
const struct guard_row *store_guard(const struct store *store, uint32_t org);

/*
 * From now on everything of a kind is held back; nothing of it is any more, which of commands is seen
 * by itself. Return: 0 or a negative errno.
 */
must_check int store_engage_guard(struct store *store, uint32_t org, enum guard_kind kind,
				  instant_t now);
must_check int store_disengage_guard(struct store *store, uint32_t org, enum guard_kind kind);

/**
 * store_stage() - hold a command on an account back, and engage the guard
 * @account: its last_seq is set on 0
 * @asked:   its kind, event and request; the rest is set here
 *
 * It takes the place of what is held back of the account already. When something else happens to the
 * account, so that the command cannot be done any more, it is forgotten.
 *
 * Return: 0 or a negative errno.
 */
must_check int store_stage(struct store *store, struct account *account, const struct staged *asked,
			   const struct actor *actor);

/*
 * What is held back of an account; of an organization, in the order of uids behind *@uid. Return: 0,
 * STORE_E_NONE, STORE_E_CORRUPT, or a negative errno.
 */
must_check int store_get_staged(struct store *store, const struct account *account,
				struct staged *ret_staged);
must_check int store_next_staged(struct store *store, uint32_t org, uint64_t *uid,
				 struct staged *ret_staged);

/**
 * store_release_guard() - what is held back may happen
 * store_discard_guard() - the commands that are held back will not be carried out
 * @n_due: removals that the clock starts and the guard holds back
 * @owed:  those that persons asked for as well; they are held back on otherwise
 *
 * Either is a decision on the commands staged so far: who carries it out drops each with what it
 * does, or by store_drop_staged(); store_end_staged() says that none is left.
 *
 * Return: 0 or a negative errno.
 */
must_check int store_release_guard(struct store *store, uint32_t org, uint64_t n_due,
				   const struct actor *actor);
must_check int store_discard_guard(struct store *store, uint32_t org, bool owed,
				   const struct actor *actor);
must_check int store_drop_staged(struct store *store, const struct staged *staged);
must_check int store_end_staged(struct store *store, uint32_t org);

/* Whether the last decision was about it. */
bool store_staged_is_decided(const struct store *store, const struct staged *staged);

#endif
