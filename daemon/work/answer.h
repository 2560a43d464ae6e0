/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_WORK_ANSWER_H
#define RETENTIOND_WORK_ANSWER_H

#include "common/base.h"
#include "common/instant.h"
#include "common/outcome.h"
#include "common/pack.h"

#include "daemon/core/lifecycle.h"
#include "daemon/store/store.h"

/*
 * The parts that several answers share, each written into the map that is open. Keys that do not
 * apply are left out.
 */

/* outcome, and reasons when it is not ok. */
void answer_put_outcome(struct pack_writer *out, enum outcome outcome, outcome_set_t reasons);

/* An instant, if there is one. */
void answer_put_instant(struct pack_writer *out, const char *key, instant_t at);

struct engine;

/*
 * clock: {now_us, mode, trusted, wall_us, doubt}. wall_us is of a real clock alone; doubt, ahead or
 * behind, says where the wall clock stands while the clock guard is engaged.
 */
void answer_put_clock(struct pack_writer *out, const struct engine *engine);

/* state, deleted_at_us, window_ends_us, removal_started_us, removal_due_us, removed_at_us, sla. */
void answer_put_dates(struct pack_writer *out, const struct facts *facts, instant_t now);

/**
 * answer_put_changed() - what a command came to for an account: outcome, reasons, uid, the dates
 * @named: the caller named it by its uid, which stands there already
 */
void answer_put_changed(struct pack_writer *out, const struct lifecycle_verdict *verdict,
			const struct account *account, bool named, instant_t now);

/*
 * An answer that is so long already gets no more contacts: they repeat with each refusal and can
 * have 1.5 KiB. An item without one has at most 700 bytes, so what became of 1000 accounts always
 * fits, and nothing is changed untold.
 */
#define ANSWER_CONTACTS_MAX (256 * 1024)

/*
 * Likewise for the names of the keepers that owe something: 4 KiB at most; a page of a list is
 * shorter.
 */
#define ANSWER_PENDING_MAX (512 * 1024)

/* contact: {admin_contact, privacy_contact, privacy_url}, those that there are. */
void answer_put_contact(struct pack_writer *out, const struct org *org);

/*
 * An organization's settings as the map under @key, or as the next value of a list when @key is
 * NULL.
 */
void answer_put_org(struct pack_writer *out, const char *key, const struct org *org);

/*
 * org, id, uid, kind, person, upn, mail, name, enabled and the dates; groups and permissions if
 * @whole. @profile may be NULL: gone.
 */
void answer_put_account(struct pack_writer *out, const struct org *org,
			const struct account *account, const struct profile *profile, bool whole,
			instant_t now);

/* What the account waits for: held, held_until_us when that has an end, pending: keepers' names. */
void answer_put_waits(struct pack_writer *out, const struct store *store, const struct facts *facts,
		      instant_t now);

/*
 * What the mass guard holds back of the account: staged (leave, remove, purge; removal, that the clock
 * would start) and since when a command is. Return: 0 or a negative errno.
 */
must_check int answer_put_staged(struct pack_writer *out, struct engine *engine,
				 const struct account *account);

/* reason and ref, those that were given with an entry. Return: 0 or a negative errno. */
must_check int answer_put_note(struct pack_writer *out, struct engine *engine,
			       const struct entry *entry);

/* @bytes as lower-case hexadecimal text. */
void answer_put_hex(struct pack_writer *out, const char *key, const void *bytes, size_t len);

/**
 * answer_read_hex() - the reverse, for cursors
 * @bytes: the caller's @len bytes, set on true
 */
must_check bool answer_read_hex(struct slice text, void *bytes, size_t len);

#endif
