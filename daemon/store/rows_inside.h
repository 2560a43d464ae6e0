/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_STORE_ROWS_INSIDE_H
#define RETENTIOND_STORE_ROWS_INSIDE_H

#include "daemon/store/bytes.h"
#include "daemon/store/rows.h"

/* What the files that encode and decode rows share. Nobody else includes this. */

/*
 * Every row begins with the number of its form, and is written in the newest. A form has one encoding
 * for one content, so that what a decoder accepts of it encodes to the same bytes again.
 */
#define FORM 1

static inline void get_form(struct reader *reader)
{
	reader_require(reader, get_u8(reader) == FORM);
}

static inline bool is_zero(const uint8_t *bytes, size_t len)
{
	uint8_t any = 0;

	for (size_t i = 0; i < len; i++) {
		any |= bytes[i];
	}
	return any == 0;
}

static inline bool is_instant(instant_t at)
{
	return at >= 0 && at <= INSTANT_MAX;
}

static inline bool is_instant_or_none(instant_t at)
{
	return at == INSTANT_NONE || is_instant(at);
}

/* A text that becomes a C string. @to: @len_max + 1 bytes. */
static inline void get_string(struct reader *reader, char *to, size_t len_max)
{
	struct slice text = get_text(reader, len_max);

	reader_require(reader, text.len == 0 || !memchr(text.data, '\0', text.len));
	(void)put_bytes((uint8_t *)to, text.data, text.len); /* the end is marked next */
	to[text.len] = '\0';
}

/*
 * The x_is_sound(): what holds of every content. Asserted before a row is written, required after
 * it was read.
 */
static inline bool facts_are_sound(const struct facts *facts)
{
	bool deleted = facts->deleted_at != INSTANT_NONE;
	bool started = facts->removal_started_at != INSTANT_NONE;
	bool removed = facts->removed_at != INSTANT_NONE;
	bool owed = facts->owed != 0;

	return facts->kind >= ACCOUNT_KIND_MEMBER && facts->kind < _ACCOUNT_KIND_MAX &&
	       is_instant_or_none(facts->deleted_at) &&
	       is_instant_or_none(facts->removal_started_at) &&
	       is_instant_or_none(facts->removed_at) && is_instant_or_none(facts->held_until) &&
	       facts->window >= 0 && facts->window <= MODEL_WINDOW_MAX && facts->removal >= 0 &&
	       facts->removal <= MODEL_REMOVAL_MAX && (deleted || !started) &&
	       (started || !(removed || owed || facts->late)) && !(removed && owed);
}

#endif
