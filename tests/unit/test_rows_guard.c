/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "common/instant.h"

#include "daemon/store/rows.h"

#include "tests/golden/rows/guard_1.h"

#define GOLDEN(bytes) ((struct slice){(const char *)(bytes), sizeof(bytes)})
#define NOW           (INT64_C(1772366400) * SPAN_SECOND) /* 2026-03-01T12:00:00Z */

static void set(struct guard_series *series, size_t hour, uint32_t n)
{
	series->n[hour] = n;
	series->sum += n;
}

static struct guard_row row_of_contoso(void)
{
	struct guard_row row = {.org = 3,
				.seq = 42,
				.decided_seq = 41,
				.discards = true,
				.released_at = INSTANT_NONE};

	guard_init(&row.guard);
	row.guard.hour = NOW / SPAN_HOUR;
	row.guard.n_accounts = 30000;
	row.guard.engaged_at[GUARD_KIND_DELETION] = NOW;
	row.guard.n_staged[GUARD_KIND_DELETION] = 3;
	row.guard.n_decided[GUARD_KIND_PURGE] = 2;
	set(&row.guard.done[GUARD_KIND_DELETION], 11, 7499);
	set(&row.guard.done[GUARD_KIND_DELETION], 12, 1);
	set(&row.guard.done[GUARD_KIND_SWEEP], 24, 7);
	set(&row.guard.released[GUARD_KIND_PURGE], 0, 2);
	set(&row.guard.completed, 1, UINT32_MAX);
	return row;
}

static struct guard_row row_that_owes(void)
{
	struct guard_row row = row_of_contoso();

	row.discards_owed = true;
	row.released_at = NOW;
	row.guard.n_owed[GUARD_KIND_DELETION] = 2;
	row.guard.n_decided[GUARD_KIND_PURGE] = 0;
	memset(row.guard.done, 0, sizeof(row.guard.done));
	memset(row.guard.released, 0, sizeof(row.guard.released));
	memset(&row.guard.completed, 0, sizeof(row.guard.completed));
	return row;
}

static struct staged staged_of_contoso(void)
{
	return (struct staged){
		.org = 3,
		.uid = 9,
		.kind = GUARD_KIND_DELETION,
		.event = EVENT_DELETED,
		.seq = 42,
		.at = NOW,
		.actor_role = ROLE_ADMIN,
		.actor_uid = 1000,
	};
}

/* Each decodes, and encodes again what was decoded: 0 when the bytes were refused. */
static size_t again_guard(struct slice bytes, uint8_t *again)
{
	struct guard_row row;

	return rows_decode_guard(3, bytes, &row) == 0 ? rows_encode_guard(&row, again) : 0;
}

static size_t again_staged(struct slice bytes, uint8_t *again)
{
	struct staged staged;

	return rows_decode_staged(3, 9, bytes, &staged) == 0 ? rows_encode_staged(&staged, again)
							     : 0;
}

static void assert_strict(struct slice golden, size_t (*again)(struct slice, uint8_t *))
{
	uint8_t bytes[ROWS_GUARD_LEN_MAX];
	cleanup(freep) char *copy = malloc(golden.len + 1);

	memcpy(copy, golden.data, golden.len);
	copy[golden.len] = 0;
	cr_expect_eq(again((struct slice){copy, golden.len + 1}, bytes), 0,
		     "a byte behind the end");
	for (size_t len = 0; len < golden.len; len++) {
		cr_expect_eq(again((struct slice){copy, len}, bytes), 0, "%zu bytes", len);
	}
	for (size_t at = 0; at < golden.len; at++) {
		for (unsigned bits = 1; bits < 256; bits++) {
			size_t len;

			copy[at] ^= (char)bits;
			len = again((struct slice){copy, golden.len}, bytes);
			cr_expect(len == 0 || (len == golden.len && memcmp(copy, bytes, len) == 0),
				  "byte %zu, bits %02x", at, bits);
			copy[at] ^= (char)bits;
		}
	}
}

Test(rows_guard, a_guard_is_its_golden_bytes)
{
	uint8_t bytes[ROWS_GUARD_LEN_MAX];
	struct guard_row contoso = row_of_contoso(), row;
	size_t len = rows_encode_guard(&contoso, bytes);

	cr_assert(slice_equal(GOLDEN(golden_guard), (struct slice){(char *)bytes, len}));
	cr_assert_eq(rows_decode_guard(3, GOLDEN(golden_guard), &row), 0);
	cr_expect_eq(row.guard.done[GUARD_KIND_DELETION].sum, 7500);
	cr_expect_eq(row.guard.engaged_at[GUARD_KIND_DELETION], NOW);
	cr_expect_eq(row.guard.n_staged[GUARD_KIND_DELETION], 3);
	cr_expect(row.discards);
}

Test(rows_guard, a_command_held_back_is_its_golden_bytes)
{
	uint8_t bytes[ROWS_STAGED_LEN_MAX];
	struct staged contoso = staged_of_contoso(), staged;
	size_t len = rows_encode_staged(&contoso, bytes);

	cr_assert(slice_equal(GOLDEN(golden_staged), (struct slice){(char *)bytes, len}));
	cr_assert_eq(rows_decode_staged(3, 9, GOLDEN(golden_staged), &staged), 0);
	cr_expect_eq(staged.event, EVENT_DELETED);
	cr_expect_eq(staged.seq, 42);
	cr_expect_eq(staged.actor_uid, 1000);
}

Test(rows_guard, what_persons_asked_for_is_told_at_the_end_of_a_guard)
{
	uint8_t bytes[ROWS_GUARD_LEN_MAX];
	struct guard_row contoso = row_that_owes(), row;
	size_t len = rows_encode_guard(&contoso, bytes);

	cr_assert(slice_equal(GOLDEN(golden_guard_owed), (struct slice){(char *)bytes, len}));
	cr_assert_eq(rows_decode_guard(3, GOLDEN(golden_guard_owed), &row), 0);
	cr_expect(row.discards_owed);
	cr_expect_eq(row.guard.n_owed[GUARD_KIND_DELETION], 2);
	cr_expect_eq(row.released_at, NOW);
}

Test(rows_guard, a_request_is_told_at_the_end_of_a_command_held_back)
{
	uint8_t bytes[ROWS_STAGED_LEN_MAX];
	struct staged contoso = staged_of_contoso(), staged;
	size_t len;

	contoso.request = 7;
	len = rows_encode_staged(&contoso, bytes);
	cr_assert(slice_equal(GOLDEN(golden_staged_request), (struct slice){(char *)bytes, len}));
	cr_assert_eq(rows_decode_staged(3, 9, GOLDEN(golden_staged_request), &staged), 0);
	cr_expect_eq(staged.request, 7);
	cr_expect(staged_is_owed(&staged));
}

Test(rows_guard, each_has_one_encoding_and_nothing_else_is_accepted)
{
	assert_strict(GOLDEN(golden_guard), again_guard);
	assert_strict(GOLDEN(golden_guard_owed), again_guard);
	assert_strict(GOLDEN(golden_staged), again_staged);
	assert_strict(GOLDEN(golden_staged_request), again_staged);
}

Test(rows_guard, one_of_no_organization_or_account_is_refused)
{
	struct guard_row row;
	struct staged staged;

	cr_expect_eq(rows_decode_guard(0, GOLDEN(golden_guard), &row), ROWS_E_CORRUPT);
	cr_expect_eq(rows_decode_staged(0, 9, GOLDEN(golden_staged), &staged), ROWS_E_CORRUPT);
	cr_expect_eq(rows_decode_staged(3, 0, GOLDEN(golden_staged), &staged), ROWS_E_CORRUPT);
}
