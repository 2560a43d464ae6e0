/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/bytes.h"
#include "daemon/store/rows.h"
#include "daemon/store/rows_inside.h"

static bool guard_row_is_sound(const struct guard_row *row)
{
	return row->org != 0 && guard_is_sound(&row->guard) && row->decided_seq <= row->seq &&
	       is_instant_or_none(row->released_at) && (row->discards || !row->discards_owed);
}

/*
 * The mass guard of an organization in which two guests left, one of them an hour before the other:
 *
 *     01                         form
 *     00                         flags: 01 what was staged last is discarded, not released;
 *                                02 what persons asked for as well; 04, 08 see the end
 *     00 00 00 00 00 00 00 2a    ledger entry
 *     00 00 00 00 00 00 00 00    what was staged is decided on up to this entry
 *     00 00 00 00 00 07 83 24    hour, counted from 1970
 *     00 00 00 00 00 00 75 30    accounts: 30 000
 *     80 00 00 00 00 00 00 00    soft-deletions engaged since: not; purges, removals in the same way
 *     00 00 00 00 00 00 00 00    soft-deletions staged; purges in the same way
 *     00 00 00 00 00 00 00 00    soft-deletions decided on; purges in the same way
 *     02                         hours that have soft-deletions: 2
 *     0b 00 00 00 01             hour modulo 25, how many
 *     0c 00 00 00 01
 *     00                         purges, removals; each of the three released; completed removals
 *     00 00 00 00 00 00 00 01    04: soft-deletions staged that persons asked for; purges in the same way
 *     00 06 4b f5 35 af 10 00    08: the last decision released the removals that were due then
 */
#define GUARD_DISCARDS      0x01
#define GUARD_DISCARDS_OWED 0x02
#define GUARD_OWED          0x04
#define GUARD_RELEASED_AT   0x08
#define GUARD_FLAGS         0x0f

#define GUARD_SERIES_LEN_MAX (1 + GUARD_HOURS * (1 + 4))
#define GUARD_LEN_MAX                                                                              \
	(2 + 4 * 8 + _GUARD_KIND_MAX * 8 + 4 * 8 +                                                 \
	 (2 * _GUARD_KIND_MAX + 1) * GUARD_SERIES_LEN_MAX + 3 * 8)

static_assert(GUARD_LEN_MAX <= ROWS_GUARD_LEN_MAX, "every guard fits");

static uint8_t *put_series(uint8_t *at, const struct guard_series *series)
{
	uint8_t *n_used = at++;

	*n_used = 0;
	for (uint8_t i = 0; i < GUARD_HOURS; i++) {
		if (series->n[i] != 0) {
			at = put_u32(put_u8(at, i), series->n[i]);
			++*n_used;
		}
	}
	return at;
}

static uint8_t guard_flags(const struct guard_row *row)
{
	return (row->discards ? GUARD_DISCARDS : 0) |
	       (row->discards_owed ? GUARD_DISCARDS_OWED : 0) |
	       (guard_n_owed(&row->guard) != 0 ? GUARD_OWED : 0) |
	       (row->released_at != INSTANT_NONE ? GUARD_RELEASED_AT : 0);
}

/* What most rows lack is at the end of those that have it. */
static uint8_t *put_end(uint8_t *at, const struct guard_row *row)
{
	if (guard_n_owed(&row->guard) != 0) {
		for (enum guard_kind kind = 0; kind < GUARD_KIND_SWEEP; kind++) {
			at = put_u64(at, row->guard.n_owed[kind]);
		}
	}
	return row->released_at != INSTANT_NONE ? put_i64(at, row->released_at) : at;
}

size_t rows_encode_guard(const struct guard_row *row, uint8_t bytes[static ROWS_GUARD_LEN_MAX])
{
	const struct mass_guard *guard = &row->guard;
	uint8_t *at = bytes;

	assert(guard_row_is_sound(row));
	at = put_u8(at, FORM);
	at = put_u8(at, guard_flags(row));
	at = put_u64(at, row->seq);
	at = put_u64(at, row->decided_seq);
	at = put_i64(at, guard->hour);
	at = put_u64(at, guard->n_accounts);
	for (enum guard_kind kind = 0; kind < _GUARD_KIND_MAX; kind++) {
		at = put_i64(at, guard->engaged_at[kind]);
	}
	for (enum guard_kind kind = 0; kind < GUARD_KIND_SWEEP; kind++) {
		at = put_u64(at, guard->n_staged[kind]);
	}
	for (enum guard_kind kind = 0; kind < GUARD_KIND_SWEEP; kind++) {
		at = put_u64(at, guard->n_decided[kind]);
	}
	for (enum guard_kind kind = 0; kind < _GUARD_KIND_MAX; kind++) {
		at = put_series(at, &guard->done[kind]);
	}
	for (enum guard_kind kind = 0; kind < _GUARD_KIND_MAX; kind++) {
		at = put_series(at, &guard->released[kind]);
	}
	at = put_series(at, &guard->completed);
	at = put_end(at, row);
	return (size_t)(at - bytes);
}

/* Hours grow and are not empty: one encoding for one content. */
static void get_series(struct reader *reader, struct guard_series *series)
{
	uint8_t n_used = get_u8(reader);
	int before = -1;

	for (uint8_t i = 0; i < n_used && !reader->faulty; i++) {
		uint8_t hour = get_u8(reader);
		uint32_t n = get_u32(reader);

		reader_require(reader, hour < GUARD_HOURS && hour > before && n != 0);
		if (!reader->faulty) {
			series->n[hour] = n;
			series->sum += n;
			before = hour;
		}
	}
}

static void get_guard(struct reader *reader, struct mass_guard *guard)
{
	guard->hour = get_i64(reader);
	guard->n_accounts = get_u64(reader);
	for (enum guard_kind kind = 0; kind < _GUARD_KIND_MAX; kind++) {
		guard->engaged_at[kind] = get_i64(reader);
	}
	for (enum guard_kind kind = 0; kind < GUARD_KIND_SWEEP; kind++) {
		guard->n_staged[kind] = get_u64(reader);
	}
	for (enum guard_kind kind = 0; kind < GUARD_KIND_SWEEP; kind++) {
		guard->n_decided[kind] = get_u64(reader);
	}
	for (enum guard_kind kind = 0; kind < _GUARD_KIND_MAX; kind++) {
		get_series(reader, &guard->done[kind]);
	}
	for (enum guard_kind kind = 0; kind < _GUARD_KIND_MAX; kind++) {
		get_series(reader, &guard->released[kind]);
	}
	get_series(reader, &guard->completed);
}

static void get_end(struct reader *reader, uint8_t flags, struct guard_row *row)
{
	row->released_at = INSTANT_NONE;
	if (flags & GUARD_OWED) {
		for (enum guard_kind kind = 0; kind < GUARD_KIND_SWEEP; kind++) {
			row->guard.n_owed[kind] = get_u64(reader);
		}
		reader_require(reader, guard_n_owed(&row->guard) != 0);
	}
	if (flags & GUARD_RELEASED_AT) {
		row->released_at = get_i64(reader);
		reader_require(reader, row->released_at != INSTANT_NONE);
	}
}

int rows_decode_guard(uint32_t org, struct slice bytes, struct guard_row *ret_row)
{
	struct reader reader = reader_of(bytes);
	struct guard_row row = {.org = org};
	uint8_t flags;

	get_form(&reader);
	flags = get_u8(&reader);
	reader_require(&reader, (flags & ~GUARD_FLAGS) == 0);
	row.discards = flags & GUARD_DISCARDS;
	row.discards_owed = flags & GUARD_DISCARDS_OWED;
	row.seq = get_u64(&reader);
	row.decided_seq = get_u64(&reader);
	get_guard(&reader, &row.guard);
	get_end(&reader, flags, &row);
	if (!reader_is_done(&reader) || !guard_row_is_sound(&row)) {
		return ROWS_E_CORRUPT;
	}
	*ret_row = row;
	return 0;
}

static bool staged_is_sound(const struct staged *staged)
{
	bool purges = staged->event == EVENT_PURGED;
	bool deletes = staged->event == EVENT_LEFT || staged->event == EVENT_DELETED;

	return staged->org != 0 && staged->uid != 0 && staged->seq != 0 && is_instant(staged->at) &&
	       staged->actor_role < _ROLE_MAX && (purges || deletes) &&
	       (staged->request == 0 || staged->event == EVENT_DELETED) &&
	       (staged->kind == GUARD_KIND_PURGE ||
		(deletes && staged->kind == GUARD_KIND_DELETION));
}

/*
 * A command that is held back; an administrator has removed a guest:
 *
 *     01                         form
 *     00                         counted as a soft-deletion; 80: with a request
 *     06                         event
 *     04                         role of the actor
 *     00 00 03 e8                uid of the actor
 *     00 00 00 00 00 00 00 2a    the entry that staged it
 *     00 06 4b f5 35 af 10 00    at
 *     00 00 00 00 00 00 00 03    80: the person's request that was approved
 */
#define STAGED_REQUEST 0x80

size_t rows_encode_staged(const struct staged *staged, uint8_t bytes[static ROWS_STAGED_LEN_MAX])
{
	uint8_t *at = bytes;

	assert(staged_is_sound(staged));
	at = put_u8(at, FORM);
	at = put_u8(at, (uint8_t)staged->kind | (staged->request != 0 ? STAGED_REQUEST : 0));
	at = put_u8(at, (uint8_t)staged->event);
	at = put_u8(at, (uint8_t)staged->actor_role);
	at = put_u32(at, staged->actor_uid);
	at = put_u64(at, staged->seq);
	at = put_i64(at, staged->at);
	if (staged->request != 0) {
		at = put_u64(at, staged->request);
	}
	assert(at <= bytes + ROWS_STAGED_LEN_MAX);
	return (size_t)(at - bytes);
}

int rows_decode_staged(uint32_t org, uint64_t uid, struct slice bytes, struct staged *ret_staged)
{
	struct reader reader = reader_of(bytes);
	struct staged staged = {.org = org, .uid = uid};
	uint8_t kind;

	get_form(&reader);
	kind = get_u8(&reader);
	staged.kind = (enum guard_kind)(kind & ~STAGED_REQUEST);
	staged.event = (enum event)get_u8(&reader);
	staged.actor_role = (enum role)get_u8(&reader);
	staged.actor_uid = get_u32(&reader);
	staged.seq = get_u64(&reader);
	staged.at = get_i64(&reader);
	if (kind & STAGED_REQUEST) {
		staged.request = get_u64(&reader);
		reader_require(&reader, staged.request != 0);
	}
	if (!reader_is_done(&reader) || !staged_is_sound(&staged)) {
		return ROWS_E_CORRUPT;
	}
	*ret_staged = staged;
	return 0;
}
