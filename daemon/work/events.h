/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_WORK_EVENTS_H
#define RETENTIOND_WORK_EVENTS_H

#include "common/base.h"
#include "common/pack.h"

#include "daemon/store/store.h"
#include "daemon/work/engine.h"
#include "daemon/work/session.h"

/*
 * What subscribers are told: every entry of the ledger from a number on, in order, each once, as a
 * notification [2, "event", [entry]]. The ledger is the backlog, so a subscription is nothing but
 * a position in it: a peer that is slow costs no memory, and one that was away goes on where it
 * stopped.
 */

/*
 * Bytes of one notification at most: about 500 with the longest names, and room for a few more
 * keys.
 */
#define EVENTS_BYTES_MAX 768

/*
 * Writes an entry of the ledger into the map that is open: seq, at_us, event, uid, org, role,
 * actor_uid, state, starts_removal, late, keeper, result, ground, request and hash; what does not
 * apply is left out. Nothing in it is personal data.
 */
void events_put_entry(struct pack_writer *out, const struct store *store, const struct entry *entry,
		      const uint8_t hash[static ROWS_DIGEST_LEN]);

/* Of these what is about the event, and not about the account: keeper, result, ground, count, request,
 * decision. */
void events_put_particulars(struct pack_writer *out, const struct store *store,
			    const struct entry *entry);

/**
 * events_write() - tell a subscriber what it has not been told yet
 * @session:  has subscribed; its position moves on
 * @out:      at most EVENTS_PER_TURN notifications are added, before an answer SESSION_E_ as well
 * @ret_more: set on 0: whether there is more to tell
 *
 * Only after engine_commit() and before the next change, so that everything told is on disk. The
 * reading of the store that it begins is over when it returns.
 *
 * Return: 0; SESSION_E_FORBIDDEN or SESSION_E_DAMAGED, after which the connection is to be
 * closed, so that the peer sees that no more comes; or a negative errno.
 */
must_check int events_write(struct engine *engine, struct session *session, struct pack_writer *out,
			    bool *ret_more);

#endif
