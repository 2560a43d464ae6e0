/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/rows.h"

#include <criterion/criterion.h>

#include "tests/golden/rows/account_1.h"
#include "tests/golden/rows/entry_1.h"
#include "tests/golden/rows/hold_1.h"
#include "tests/golden/rows/keeper_1.h"
#include "tests/golden/rows/note_1.h"
#include "tests/golden/rows/org_1.h"
#include "tests/golden/rows/org_2.h"
#include "tests/golden/rows/profile_1.h"
#include "tests/golden/rows/request_1.h"
#include "tests/golden/rows/task_1.h"

#define LEFT_AT    INT64_C(1772366400000000) /* 2026-03-01T12:00:00Z */
#define CREATED_AT INT64_C(1767225600000000) /* 2026-01-01T00:00:00Z */
#define LEN_MAX    MODEL_PROFILE_BYTES_MAX

#define GOLDEN(array) ((struct slice){(const char *)(array), sizeof(array)})

static const struct facts facts_left = {
	.kind = ACCOUNT_KIND_B2B_COLLABORATION,
	.enabled = true,
	.deleted_at = LEFT_AT,
	.window = 30 * SPAN_DAY,
	.removal = 30 * SPAN_DAY,
	.removal_started_at = INSTANT_NONE,
	.removed_at = INSTANT_NONE,
	.held_until = INSTANT_NONE,
};

static const struct facts facts_removed = {
	.kind = ACCOUNT_KIND_B2B_DIRECT_CONNECT,
	.deleted_at = LEFT_AT,
	.window = MODEL_WINDOW_MAX,
	.removal = MODEL_REMOVAL_MIN,
	.removal_started_at = LEFT_AT,
	.removed_at = LEFT_AT + 1,
	.held_until = LEFT_AT,
	.late = true,
};

/* A hold outlasted the window by a microsecond; keepers 2 and 64 have not kept the deadline. */
static const struct facts facts_owed = {
	.kind = ACCOUNT_KIND_B2B_COLLABORATION,
	.enabled = true,
	.deleted_at = LEFT_AT,
	.window = 30 * SPAN_DAY,
	.removal = 30 * SPAN_DAY,
	.removal_started_at = LEFT_AT + 30 * SPAN_DAY + 1,
	.removed_at = INSTANT_NONE,
	.held_until = LEFT_AT + 30 * SPAN_DAY + 1,
	.owed = UINT64_C(0x8000000000000002),
	.late = true,
};

static const struct facts facts_active = {
	.kind = ACCOUNT_KIND_MEMBER,
	.deleted_at = INSTANT_NONE,
	.removal_started_at = INSTANT_NONE,
	.removed_at = INSTANT_NONE,
	.held_until = INSTANT_NONE,
};

static void count_up(uint8_t *bytes, size_t len, uint8_t first)
{
	for (size_t i = 0; i < len; i++) {
		bytes[i] = (uint8_t)(first + i);
	}
}

static struct account account_left(void)
{
	struct account account = {
		.uid = 9,
		.org = 7,
		.facts = facts_left,
		.created_at = CREATED_AT,
		.last_seq = 42,
	};

	count_up(account.hash_id, ROWS_HASH_LEN, 0xa0);
	count_up(account.hash_person, ROWS_HASH_LEN, 0xb0);
	count_up(account.hash_upn, ROWS_HASH_LEN, 0xc0);
	return account;
}

static struct account account_tombstone(void)
{
	struct account account = account_left();

	account.org = UINT32_MAX;
	account.facts = facts_removed;
	account.created_at = 0;
	account.last_seq = UINT64_MAX;
	memset(account.hash_upn, 0, ROWS_HASH_LEN);
	return account;
}

static struct account account_owed(void)
{
	struct account account = account_left();

	account.facts = facts_owed;
	account.open_request = 5;
	return account;
}

static struct entry entry_left(void)
{
	struct entry entry = {
		.seq = 43,
		.event = EVENT_LEFT,
		.actor_role = ROLE_SELF_SERVICE,
		.actor_uid = 1000,
		.at = LEFT_AT,
		.org = 7,
		.uid = 9,
		.prev_seq = 42,
		.facts = facts_left,
	};

	count_up(entry.prev_hash, ROWS_DIGEST_LEN, 0x10);
	return entry;
}

static struct entry entry_everything(void)
{
	struct entry entry = entry_left();

	entry.event = EVENT_UPDATED;
	entry.actor_role = ROLE_ADMIN;
	entry.actor_uid = UINT32_MAX;
	entry.at = LEFT_AT + 2;
	entry.facts = facts_removed;
	entry.facts.window = 30 * SPAN_DAY;
	entry.facts.removal = 30 * SPAN_DAY;
	entry.facts.held_until = INSTANT_NONE;
	entry.facts.late = false;
	count_up(entry.hash_id, ROWS_HASH_LEN, 0xa0);
	count_up(entry.hash_person, ROWS_HASH_LEN, 0xb0);
	count_up(entry.hash_upn, ROWS_HASH_LEN, 0xc0);
	count_up(entry.digest, ROWS_DIGEST_LEN, 0xd0);
	return entry;
}

static struct entry entry_created(void)
{
	return (struct entry){
		.seq = 1,
		.event = EVENT_STORE_CREATED,
		.actor_role = ROLE_DAEMON,
		.at = CREATED_AT,
	};
}

static struct entry entry_keeper_set(void)
{
	struct entry entry = {
		.seq = 43,
		.event = EVENT_KEEPER_SET,
		.actor_role = ROLE_ADMIN,
		.actor_uid = 1000,
		.at = LEFT_AT,
		.keeper = MODEL_KEEPERS_MAX,
	};

	count_up(entry.prev_hash, ROWS_DIGEST_LEN, 0x10);
	count_up(entry.digest, ROWS_DIGEST_LEN, 0xd0);
	return entry;
}

static struct entry entry_confirmed(void)
{
	struct entry entry = entry_left();

	entry.event = EVENT_TASK_CONFIRMED;
	entry.actor_role = ROLE_KEEPER;
	entry.at = LEFT_AT + 30 * SPAN_DAY + 2;
	entry.facts = facts_owed;
	entry.keeper = 1;
	entry.result = TASK_RESULT_RETAINED;
	entry.generation = 2;
	strcpy(entry.ground, "hgb-257-1");
	entry.request = 5;
	return entry;
}

static struct keeper keeper_mail(void)
{
	return (struct keeper){
		.number = 2,
		.enabled = true,
		.name = "mail",
		.n_orgs = 2,
		.orgs = {7, 3},
		.last_seq = 5,
	};
}

static struct task task_failed(void)
{
	return (struct task){
		.generation = 3,
		.lease_until = INSTANT_NONE,
		.next_at = LEFT_AT,
		.error = SLICE_LITERAL("\x9f\0\x31\xff\n"),
	};
}

static struct hold hold_case(void)
{
	return (struct hold){
		.name = SLICE_LITERAL("case-7"),
		.reason = SLICE_LITERAL("audit"),
		.added_at = LEFT_AT,
		.until = INSTANT_MAX,
	};
}

static struct removal_request request_open(void)
{
	return (struct removal_request){
		.number = 5,
		.state = REQUEST_STATE_OPEN,
		.org = 7,
		.uid = 9,
		.filed_at = LEFT_AT,
		.due_at = LEFT_AT + 30 * SPAN_DAY,
		.decided_at = INSTANT_NONE,
		.filed_seq = 43,
	};
}

static struct removal_request request_denied(void)
{
	struct removal_request request = request_open();

	request.state = REQUEST_STATE_DENIED;
	request.decided_at = LEFT_AT + 1;
	request.decided_seq = 44;
	return request;
}

static struct profile profile_ada(void)
{
	return (struct profile){
		.id = SLICE_LITERAL("g-1"),
		.person = SLICE_LITERAL("ada@fabrikam.example"),
		.upn = SLICE_LITERAL("ada#EXT#@contoso.example"),
		.name = SLICE_LITERAL("Ada \u00c5"),
		.n_groups = 2,
		.n_permissions = 1,
		.groups = {SLICE_LITERAL("staff"), SLICE_LITERAL("x")},
		.permissions = {SLICE_LITERAL("read")},
	};
}

static struct org org_contoso(void)
{
	return (struct org){
		.number = 3,
		.id = "contoso",
		.name = "Contoso",
		.privacy_contact = "privacy@contoso.example",
		.policy = {.allow_leave = true,
			   .has_privacy_info = true,
			   .window = 30 * SPAN_DAY,
			   .removal = 30 * SPAN_DAY,
			   .guard_min = 500,
			   .guard_percent = 25},
		.last_seq = 2,
	};
}

static bool facts_equal(const struct facts *a, const struct facts *b)
{
	return a->kind == b->kind && a->enabled == b->enabled && a->deleted_at == b->deleted_at &&
	       a->window == b->window && a->removal == b->removal &&
	       a->removal_started_at == b->removal_started_at && a->removed_at == b->removed_at &&
	       a->held_until == b->held_until && a->owed == b->owed && a->late == b->late;
}

/*
 * Each decodes, and encodes again what was decoded. A length of 0 says that the bytes were refused.
 * Decoded bytes lie in memory of their very length, so that ASan sees each step behind them.
 */

static size_t again_account(struct slice bytes, uint8_t *again)
{
	struct account account;

	return rows_decode_account(9, bytes, &account) == 0 ? rows_encode_account(&account, again)
							    : 0;
}

static size_t again_entry(struct slice bytes, uint8_t *again)
{
	struct entry entry;

	return rows_decode_entry(43, bytes, &entry) == 0 ? rows_encode_entry(&entry, again) : 0;
}

static size_t again_profile(struct slice bytes, uint8_t *again)
{
	struct profile profile;

	if (rows_decode_profile(bytes, &profile) != 0) {
		return 0;
	}
	rows_encode_profile(&profile, again);
	return rows_profile_len(&profile);
}

static size_t again_org(struct slice bytes, uint8_t *again)
{
	struct org org;

	return rows_decode_org(3, bytes, &org) == 0 ? rows_encode_org(&org, again) : 0;
}

static size_t again_note(struct slice bytes, uint8_t *again)
{
	struct note note;

	return rows_decode_note(bytes, &note) == 0 ? rows_encode_note(&note, again) : 0;
}

static size_t again_keeper(struct slice bytes, uint8_t *again)
{
	struct keeper keeper;

	return rows_decode_keeper(2, bytes, &keeper) == 0 ? rows_encode_keeper(&keeper, again) : 0;
}

static size_t again_task(struct slice bytes, uint8_t *again)
{
	struct task task;

	return rows_decode_task(bytes, &task) == 0 ? rows_encode_task(&task, again) : 0;
}

static size_t again_hold(struct slice bytes, uint8_t *again)
{
	struct hold hold;

	return rows_decode_hold(bytes, &hold) == 0 ? rows_encode_hold(&hold, again) : 0;
}

static size_t again_request(struct slice bytes, uint8_t *again)
{
	struct removal_request request;

	return rows_decode_request(5, bytes, &request) == 0 ? rows_encode_request(&request, again)
							    : 0;
}

/* clang-format off */
static const struct {
	const char *name;
	struct slice bytes;
	size_t (*again)(struct slice bytes, uint8_t *again);
} goldens[] = {
	{"account, left",      {(const char *)golden_account_left,       sizeof(golden_account_left)},      again_account},
	{"account, owed",      {(const char *)golden_account_owed,       sizeof(golden_account_owed)},      again_account},
	{"account, tombstone", {(const char *)golden_account_tombstone,  sizeof(golden_account_tombstone)}, again_account},
	{"entry, created",     {(const char *)golden_entry_created,      sizeof(golden_entry_created)},     again_entry},
	{"entry, left",        {(const char *)golden_entry_left,         sizeof(golden_entry_left)},        again_entry},
	{"entry, let go",      {(const char *)golden_entry_let_go,       sizeof(golden_entry_let_go)},      again_entry},
	{"entry, everything",  {(const char *)golden_entry_everything,   sizeof(golden_entry_everything)},  again_entry},
	{"entry, keeper set",  {(const char *)golden_entry_keeper_set,   sizeof(golden_entry_keeper_set)},  again_entry},
	{"entry, confirmed",   {(const char *)golden_entry_confirmed,    sizeof(golden_entry_confirmed)},   again_entry},
	{"profile",            {(const char *)golden_profile,            sizeof(golden_profile)},           again_profile},
	{"org",                {(const char *)golden_org_2,              sizeof(golden_org_2)},             again_org},
	{"note",               {(const char *)golden_note,               sizeof(golden_note)},              again_note},
	{"keeper",             {(const char *)golden_keeper,             sizeof(golden_keeper)},            again_keeper},
	{"task",               {(const char *)golden_task,               sizeof(golden_task)},              again_task},
	{"hold",               {(const char *)golden_hold,               sizeof(golden_hold)},              again_hold},
	{"request, open",      {(const char *)golden_request_open,       sizeof(golden_request_open)},      again_request},
	{"request, denied",    {(const char *)golden_request_denied,     sizeof(golden_request_denied)},    again_request},
};
/* clang-format on */

/* Refused, or another row with these very bytes as its only encoding. */
static bool is_refused_or_exact(size_t golden, struct slice bytes)
{
	uint8_t again[LEN_MAX];
	size_t len = goldens[golden].again(bytes, again);

	return len == 0 || slice_equal(bytes, (struct slice){(const char *)again, len});
}

static bool is_refused(size_t golden, struct slice bytes)
{
	uint8_t again[LEN_MAX];

	return goldens[golden].again(bytes, again) == 0;
}

static char *copy(struct slice bytes, size_t len)
{
	char *to = calloc(1, len ? len : 1);

	memcpy(to, bytes.data, MIN(len, bytes.len));
	return to;
}

Test(rows, golden_bytes_encode_to_themselves)
{
	uint8_t again[LEN_MAX];

	for (size_t g = 0; g < ARRAY_LEN(goldens); g++) {
		size_t len = goldens[g].again(goldens[g].bytes, again);

		cr_assert(slice_equal(goldens[g].bytes, (struct slice){(char *)again, len}), "%s",
			  goldens[g].name);
	}
}

Test(rows, every_truncation_is_refused)
{
	for (size_t g = 0; g < ARRAY_LEN(goldens); g++) {
		for (size_t len = 0; len < goldens[g].bytes.len; len++) {
			cleanup(freep) char *cut = copy(goldens[g].bytes, len);

			cr_assert(is_refused(g, (struct slice){cut, len}), "%s: %zu bytes",
				  goldens[g].name, len);
		}
		cr_assert(is_refused(g, (struct slice){0}), "%s: nothing", goldens[g].name);
	}
}

Test(rows, a_byte_behind_the_end_is_refused)
{
	for (size_t g = 0; g < ARRAY_LEN(goldens); g++) {
		size_t len = goldens[g].bytes.len + 1;
		cleanup(freep) char *longer = copy(goldens[g].bytes, len);

		cr_assert(is_refused(g, (struct slice){longer, len}), "%s", goldens[g].name);
	}
}

Test(rows, every_changed_byte_is_refused_or_means_something_else)
{
	for (size_t g = 0; g < ARRAY_LEN(goldens); g++) {
		size_t len = goldens[g].bytes.len;
		cleanup(freep) char *changed = copy(goldens[g].bytes, len);

		for (size_t at = 0; at < len; at++) {
			for (unsigned bits = 1; bits < 256; bits++) {
				changed[at] ^= (char)bits;
				cr_assert(is_refused_or_exact(g, (struct slice){changed, len}),
					  "%s: byte %zu, bits %02x", goldens[g].name, at, bits);
				changed[at] ^= (char)bits;
			}
		}
	}
}

Test(rows, every_other_form_is_refused)
{
	for (size_t g = 0; g < ARRAY_LEN(goldens); g++) {
		cleanup(freep) char *other = copy(goldens[g].bytes, goldens[g].bytes.len);

		for (int form = 0; form < 256; form++) {
			other[0] = (char)form;
			cr_assert_eq(is_refused(g, (struct slice){other, goldens[g].bytes.len}),
				     form != goldens[g].bytes.data[0], "%s: form %d",
				     goldens[g].name, form);
		}
	}
}

/* accounts */

static bool accounts_equal(const struct account *a, const struct account *b)
{
	return a->uid == b->uid && a->org == b->org && facts_equal(&a->facts, &b->facts) &&
	       memcmp(a->hash_id, b->hash_id, ROWS_HASH_LEN) == 0 &&
	       memcmp(a->hash_person, b->hash_person, ROWS_HASH_LEN) == 0 &&
	       memcmp(a->hash_upn, b->hash_upn, ROWS_HASH_LEN) == 0 &&
	       a->created_at == b->created_at && a->last_seq == b->last_seq &&
	       a->open_request == b->open_request;
}

static void assert_account_is(struct slice golden, const struct account *expected)
{
	uint8_t bytes[ROWS_ACCOUNT_LEN];
	struct account account;

	cr_assert_eq(rows_encode_account(expected, bytes), ROWS_ACCOUNT_LEN);
	cr_assert(slice_equal(golden, (struct slice){(char *)bytes, sizeof(bytes)}));
	cr_assert_eq(rows_decode_account(expected->uid, golden, &account), 0);
	cr_assert(accounts_equal(&account, expected));
}

Test(rows, an_account_is_its_golden_bytes)
{
	struct account left = account_left(), owed = account_owed();
	struct account tombstone = account_tombstone();

	assert_account_is(GOLDEN(golden_account_left), &left);
	assert_account_is(GOLDEN(golden_account_owed), &owed);
	assert_account_is(GOLDEN(golden_account_tombstone), &tombstone);
}

Test(rows, an_account_comes_back_at_the_ends_of_its_ranges)
{
	uint8_t bytes[ROWS_ACCOUNT_LEN];
	struct account before = account_left(), after;

	before.facts = facts_active;
	before.created_at = INSTANT_MAX;
	(void)rows_encode_account(&before, bytes);
	cr_assert_eq(rows_decode_account(9, GOLDEN(bytes), &after), 0);
	cr_assert(accounts_equal(&before, &after));

	before.facts = facts_left;
	before.facts.deleted_at = INSTANT_MAX;
	before.facts.window = 0;
	before.facts.removal = MODEL_REMOVAL_MAX;
	before.facts.removal_started_at = 0;
	before.facts.held_until = INSTANT_MAX;
	before.facts.owed = UINT64_MAX;
	before.last_seq = 1;
	before.open_request = UINT64_MAX;
	(void)rows_encode_account(&before, bytes);
	cr_assert_eq(rows_decode_account(9, GOLDEN(bytes), &after), 0);
	cr_assert(accounts_equal(&before, &after));
}

/* What a number of a golden account may not be; @at is its first byte. */
Test(rows, an_account_with_a_value_out_of_its_range_is_refused)
{
	static const struct {
		size_t at;
		int64_t value;
	} wrong[] = {
		{8, -1},
		{8, INSTANT_MAX + 1},
		{8, INSTANT_NONE + 1},
		{16, -1},
		{16, MODEL_WINDOW_MAX + 1},
		{24, -1},
		{24, MODEL_REMOVAL_MAX + 1},
		{32, -1},
		{32, INSTANT_MAX + 1},
		{40, INSTANT_MAX + 1},
		{40, LEFT_AT}, /* removed, though no removal started */
		{48, -1},
		{48, INSTANT_NONE + 1},
		{48, INSTANT_MAX + 1},
		{56, 1}, /* owed, though no removal started */
		{64, -1},
		{64, INSTANT_NONE},
		{64, INSTANT_MAX + 1},
		{72, 0},
	};
	uint8_t bytes[ROWS_ACCOUNT_LEN];
	struct account account;

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		memcpy(bytes, golden_account_left, sizeof(bytes));
		store_be64(bytes + wrong[i].at, (uint64_t)wrong[i].value);
		cr_assert_eq(rows_decode_account(9, GOLDEN(bytes), &account), ROWS_E_CORRUPT,
			     "row %zu", i);
	}
}

Test(rows, an_account_of_an_unknown_kind_is_refused)
{
	uint8_t bytes[ROWS_ACCOUNT_LEN];
	struct account account;

	memcpy(bytes, golden_account_left, sizeof(bytes));
	for (unsigned kind = 0; kind < 256; kind++) {
		bytes[1] = (uint8_t)kind;
		cr_assert_eq(rows_decode_account(9, GOLDEN(bytes), &account) == 0,
			     kind >= 1 && kind <= 3, "kind %u", kind);
	}
}

Test(rows, an_account_with_unknown_flags_is_refused)
{
	uint8_t bytes[ROWS_ACCOUNT_LEN];
	struct account account;

	memcpy(bytes, golden_account_owed, sizeof(bytes));
	for (unsigned flags = 0; flags < 256; flags++) {
		bytes[2] = (uint8_t)flags;
		cr_assert_eq(rows_decode_account(9, GOLDEN(bytes), &account) == 0, flags <= 3);
		cr_assert(flags > 3 || account.facts.enabled == ((flags & 1) != 0));
		cr_assert(flags > 3 || account.facts.late == ((flags & 2) != 0));
	}
}

Test(rows, an_account_that_is_late_before_its_removal_started_is_refused)
{
	uint8_t bytes[ROWS_ACCOUNT_LEN];
	struct account account;

	memcpy(bytes, golden_account_left, sizeof(bytes));
	bytes[2] = 3;
	cr_assert_eq(rows_decode_account(9, GOLDEN(bytes), &account), ROWS_E_CORRUPT);
}

Test(rows, a_tombstone_that_is_still_owed_is_refused)
{
	for (size_t at = 56; at < 64; at++) {
		uint8_t bytes[ROWS_ACCOUNT_LEN];
		struct account account;

		memcpy(bytes, golden_account_tombstone, sizeof(bytes));
		bytes[at] = 0x10;
		cr_assert_eq(rows_decode_account(9, GOLDEN(bytes), &account), ROWS_E_CORRUPT);
	}
}

Test(rows, an_active_account_whose_removal_started_is_refused)
{
	uint8_t bytes[ROWS_ACCOUNT_LEN];
	struct account account;

	memcpy(bytes, golden_account_left, sizeof(bytes));
	store_be64(bytes + 8, (uint64_t)INSTANT_NONE);
	cr_assert_eq(rows_decode_account(9, GOLDEN(bytes), &account), 0);
	store_be64(bytes + 32, (uint64_t)LEFT_AT);
	cr_assert_eq(rows_decode_account(9, GOLDEN(bytes), &account), ROWS_E_CORRUPT);
}

Test(rows, a_tombstone_that_still_has_a_upn_is_refused)
{
	uint8_t bytes[ROWS_ACCOUNT_LEN];
	struct account account;

	memcpy(bytes, golden_account_tombstone, sizeof(bytes));
	bytes[ROWS_ACCOUNT_LEN - 1] = 1;
	cr_assert_eq(rows_decode_account(9, GOLDEN(bytes), &account), ROWS_E_CORRUPT);
}

Test(rows, an_account_without_a_uid_or_an_organization_is_refused)
{
	uint8_t bytes[ROWS_ACCOUNT_LEN];
	struct account account;

	memcpy(bytes, golden_account_left, sizeof(bytes));
	cr_assert_eq(rows_decode_account(0, GOLDEN(bytes), &account), ROWS_E_CORRUPT);
	store_be32(bytes + 4, 0);
	cr_assert_eq(rows_decode_account(9, GOLDEN(bytes), &account), ROWS_E_CORRUPT);
}

Test(rows, a_refused_row_leaves_the_callers_account_alone)
{
	struct account account = account_left(), before = account;

	cr_assert_eq(rows_decode_account(1, SLICE_LITERAL("\1\1\1"), &account), ROWS_E_CORRUPT);
	cr_assert(accounts_equal(&account, &before));
}

/* the ledger */

static bool entries_equal(const struct entry *a, const struct entry *b)
{
	return a->seq == b->seq && a->event == b->event && a->actor_role == b->actor_role &&
	       a->actor_uid == b->actor_uid && a->at == b->at && a->org == b->org &&
	       a->uid == b->uid && a->prev_seq == b->prev_seq &&
	       facts_equal(&a->facts, &b->facts) &&
	       memcmp(a->hash_id, b->hash_id, ROWS_HASH_LEN) == 0 &&
	       memcmp(a->hash_person, b->hash_person, ROWS_HASH_LEN) == 0 &&
	       memcmp(a->hash_upn, b->hash_upn, ROWS_HASH_LEN) == 0 &&
	       memcmp(a->digest, b->digest, ROWS_DIGEST_LEN) == 0 && a->keeper == b->keeper &&
	       a->result == b->result && a->generation == b->generation &&
	       strcmp(a->ground, b->ground) == 0 && a->request == b->request &&
	       a->count == b->count && a->decision == b->decision &&
	       memcmp(a->prev_hash, b->prev_hash, ROWS_DIGEST_LEN) == 0;
}

static void assert_entry_is(struct slice golden, const struct entry *expected)
{
	uint8_t bytes[ROWS_ENTRY_LEN_MAX];
	struct entry entry;
	size_t len = rows_encode_entry(expected, bytes);

	cr_assert(slice_equal(golden, (struct slice){(char *)bytes, len}));
	cr_assert_eq(rows_decode_entry(expected->seq, golden, &entry), 0);
	cr_assert(entries_equal(&entry, expected));
}

Test(rows, an_entry_is_its_golden_bytes)
{
	struct entry created = entry_created(), left = entry_left(), all = entry_everything();
	struct entry keeper_set = entry_keeper_set(), confirmed = entry_confirmed();
	struct entry let_go = entry_left();

	let_go.decision = 41;
	assert_entry_is(GOLDEN(golden_entry_created), &created);
	assert_entry_is(GOLDEN(golden_entry_left), &left);
	assert_entry_is(GOLDEN(golden_entry_let_go), &let_go);
	assert_entry_is(GOLDEN(golden_entry_everything), &all);
	assert_entry_is(GOLDEN(golden_entry_keeper_set), &keeper_set);
	assert_entry_is(GOLDEN(golden_entry_confirmed), &confirmed);
}

Test(rows, a_decision_comes_before_what_it_led_to)
{
	uint8_t bytes[sizeof(golden_entry_let_go)];
	struct entry entry;

	memcpy(bytes, golden_entry_let_go, sizeof(bytes));
	bytes[sizeof(bytes) - 1] = 43;
	cr_assert_eq(rows_decode_entry(43, GOLDEN(bytes), &entry), ROWS_E_CORRUPT);
	bytes[sizeof(bytes) - 1] = 42;
	cr_assert_eq(rows_decode_entry(43, GOLDEN(bytes), &entry), 0);
	cr_assert_eq(entry.decision, 42);
	bytes[33] = EVENT_GUARD_RELEASED;
	cr_assert_eq(rows_decode_entry(43, GOLDEN(bytes), &entry), 0);
	cr_assert_eq(entry.count, 42);
	bytes[33] = EVENT_REQUEST_REOPENED;
	cr_assert_eq(rows_decode_entry(43, GOLDEN(bytes), &entry), 0);
	cr_assert_eq(entry.request, 42);
}

Test(rows, an_entry_of_a_guest_who_leaves_is_short)
{
	cr_assert_leq(sizeof(golden_entry_left), 100);
	cr_assert_leq(sizeof(golden_entry_everything), ROWS_ENTRY_LEN_MAX);
}

/* But for keeper-set, which concerns no account: it has a golden entry of its own. */
Test(rows, every_event_comes_back_and_no_other)
{
	uint8_t bytes[sizeof(golden_entry_left)];
	struct entry entry;

	memcpy(bytes, golden_entry_left, sizeof(bytes));
	for (unsigned event = 0; event < 256; event++) {
		bool known = event >= 1 && event < _EVENT_MAX && event != EVENT_KEEPER_SET;

		bytes[33] = (uint8_t)event;
		cr_assert_eq(rows_decode_entry(43, GOLDEN(bytes), &entry) == 0, known);
		cr_assert(!known || entry.event == event);
	}
}

Test(rows, every_role_comes_back_and_no_other)
{
	uint8_t bytes[sizeof(golden_entry_left)];
	struct entry entry;

	memcpy(bytes, golden_entry_left, sizeof(bytes));
	for (unsigned role = 0; role < 256; role++) {
		bytes[34] = (uint8_t)role;
		cr_assert_eq(rows_decode_entry(43, GOLDEN(bytes), &entry) == 0, role < _ROLE_MAX);
		cr_assert(role >= _ROLE_MAX || entry.actor_role == role);
	}
}

/* Each part has bytes of its own but for two flags: enabled is set here, late not allowed. */
Test(rows, an_entry_that_claims_parts_that_are_not_there_is_refused)
{
	uint8_t bytes[sizeof(golden_entry_left)];
	struct entry entry;

	for (unsigned bit = 0; bit < 16; bit++) {
		memcpy(bytes, golden_entry_left, sizeof(bytes));
		store_be16(bytes + 35, (uint16_t)(0x043f | 1u << bit));
		cr_assert_eq(rows_decode_entry(43, GOLDEN(bytes), &entry) != 0,
			     !(0x043f & 1u << bit), "bit %u", bit);
	}
}

Test(rows, an_entry_without_an_account_cannot_have_an_accounts_parts)
{
	uint8_t bytes[sizeof(golden_entry_created) + 8] = {0};
	struct entry entry;

	for (unsigned bit = 2; bit < 16; bit++) {
		if (bit == 9 || bit >= 14) {
			continue; /* a digest, a keeper's task and a request may be there */
		}
		memcpy(bytes, golden_entry_created, sizeof(golden_entry_created));
		bytes[sizeof(bytes) - 1] = 1;
		store_be16(bytes + 35, (uint16_t)(1u << bit));
		cr_assert_eq(rows_decode_entry(43, GOLDEN(bytes), &entry), ROWS_E_CORRUPT);
		cr_assert_eq(rows_decode_entry(43, (struct slice){(char *)bytes, sizeof(bytes) - 8},
					       &entry),
			     ROWS_E_CORRUPT);
	}
}

Test(rows, an_entry_not_after_the_accounts_entry_before_is_refused)
{
	struct entry entry;

	cr_assert_eq(rows_decode_entry(43, GOLDEN(golden_entry_left), &entry), 0);
	cr_assert_eq(rows_decode_entry(42, GOLDEN(golden_entry_left), &entry), ROWS_E_CORRUPT);
	cr_assert_eq(rows_decode_entry(0, GOLDEN(golden_entry_created), &entry), ROWS_E_CORRUPT);
}

Test(rows, an_entry_out_of_time_is_refused)
{
	static const instant_t wrong[] = {-1, INSTANT_NONE, INSTANT_MAX + 1};
	uint8_t bytes[sizeof(golden_entry_left)];
	struct entry entry;

	memcpy(bytes, golden_entry_left, sizeof(bytes));
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		store_be64(bytes + 41, (uint64_t)wrong[i]);
		cr_assert_eq(rows_decode_entry(43, GOLDEN(bytes), &entry), ROWS_E_CORRUPT);
	}
}

static void drop_hashes(struct entry *entry)
{
	memset(entry->hash_id, 0, ROWS_HASH_LEN);
	memset(entry->hash_person, 0, ROWS_HASH_LEN);
	memset(entry->hash_upn, 0, ROWS_HASH_LEN);
}

/* Every part alone and with any others. */
Test(rows, an_entry_comes_back_with_any_parts_left_out)
{
	for (unsigned parts = 0; parts < 512; parts++) {
		uint8_t bytes[ROWS_ENTRY_LEN_MAX];
		struct entry before = entry_everything(), after;
		size_t len;

		before.prev_seq = parts & 1 ? 42 : 0;
		before.facts = parts & 2 ? facts_removed : facts_active;
		before.facts.enabled = parts & 4;
		before.facts.window = parts & 8 ? MODEL_WINDOW_MAX : 0;
		if (!(parts & 16)) {
			drop_hashes(&before);
		}
		if (!(parts & 32)) {
			memset(before.digest, 0, ROWS_DIGEST_LEN);
		}
		before.facts.held_until = parts & 64 ? INSTANT_MAX : INSTANT_NONE;
		before.keeper = parts & 128 ? 7 : 0;
		before.request = parts & 256 ? UINT64_MAX : 0;
		len = rows_encode_entry(&before, bytes);
		cr_assert_eq(rows_decode_entry(43, (struct slice){(char *)bytes, len}, &after), 0);
		cr_assert(entries_equal(&before, &after), "parts %u", parts);
	}
}

Test(rows, an_entry_of_an_account_that_is_owed_comes_back_with_any_parts_left_out)
{
	for (unsigned parts = 0; parts < 64; parts++) {
		uint8_t bytes[ROWS_ENTRY_LEN_MAX];
		struct entry before = entry_confirmed(), after;
		size_t len;

		before.facts.owed = parts & 1 ? 1 : 0;
		before.facts.late = parts & 2;
		before.result = parts & 4 ? TASK_RESULT_ERASED : 0;
		before.generation = parts & 8 ? UINT32_MAX : 0;
		if (!(parts & 16)) {
			before.ground[0] = '\0';
		}
		before.facts.enabled = parts & 32;
		len = rows_encode_entry(&before, bytes);
		cr_assert_eq(rows_decode_entry(43, (struct slice){(char *)bytes, len}, &after), 0);
		cr_assert(entries_equal(&before, &after), "parts %u", parts);
	}
}

/* All that a removed account's entry and a confirmation can have, at the ends of their ranges. */
Test(rows, the_longest_entry_fits)
{
	uint8_t bytes[ROWS_ENTRY_LEN_MAX];
	struct entry before = entry_everything(), after;
	size_t len;

	before.facts.held_until = 0;
	before.facts.late = true;
	before.keeper = MODEL_KEEPERS_MAX;
	before.result = _TASK_RESULT_MAX - 1;
	before.generation = UINT32_MAX;
	memset(before.ground, '~', MODEL_GROUND_LEN_MAX);
	before.request = UINT64_MAX;
	len = rows_encode_entry(&before, bytes);
	cr_assert_eq(rows_decode_entry(43, (struct slice){(char *)bytes, len}, &after), 0);
	cr_assert(entries_equal(&before, &after));
}

/* Where golden_entry_confirmed has its keeper; the result, the generation and the ground follow. */
#define KEEPER_AT (sizeof(golden_entry_confirmed) - 8 - 9 - 2 - 4 - 1 - 1)

Test(rows, an_entry_of_a_keeper_that_cannot_be_is_refused)
{
	uint8_t bytes[sizeof(golden_entry_confirmed)];
	struct entry entry;

	memcpy(bytes, golden_entry_confirmed, sizeof(bytes));
	for (unsigned keeper = 0; keeper < 256; keeper++) {
		bytes[KEEPER_AT] = (uint8_t)keeper;
		cr_assert_eq(rows_decode_entry(43, GOLDEN(bytes), &entry) == 0,
			     keeper >= 1 && keeper <= 64, "keeper %u", keeper);
		cr_assert(keeper < 1 || keeper > 64 || entry.keeper == keeper);
	}
}

Test(rows, an_entry_of_an_unknown_result_is_refused)
{
	uint8_t bytes[sizeof(golden_entry_confirmed)];
	struct entry entry;

	memcpy(bytes, golden_entry_confirmed, sizeof(bytes));
	for (unsigned result = 0; result < 256; result++) {
		bytes[KEEPER_AT + 1] = (uint8_t)result;
		cr_assert_eq(rows_decode_entry(43, GOLDEN(bytes), &entry) == 0, result <= 4,
			     "result %u", result);
	}
}

Test(rows, a_ground_that_could_be_personal_data_or_garbage_is_refused)
{
	uint8_t bytes[sizeof(golden_entry_confirmed)];
	struct entry entry;

	for (unsigned byte = 0; byte < 256; byte++) {
		for (size_t at = KEEPER_AT + 8; at < KEEPER_AT + 8 + 9; at++) {
			memcpy(bytes, golden_entry_confirmed, sizeof(bytes));
			bytes[at] = (uint8_t)byte;
			cr_assert_eq(rows_decode_entry(43, GOLDEN(bytes), &entry) == 0,
				     byte > 0x20 && byte < 0x7f, "byte %02x", byte);
		}
	}
}

Test(rows, a_ground_over_its_length_is_refused)
{
	for (size_t over = 0; over <= 1; over++) {
		uint8_t bytes[sizeof(golden_entry_keeper_set) + MODEL_GROUND_LEN_MAX + 1];
		size_t n = sizeof(golden_entry_keeper_set), len = MODEL_GROUND_LEN_MAX + over;
		struct entry entry;

		memset(bytes, 'g', sizeof(bytes));
		memcpy(bytes, golden_entry_keeper_set, n);
		store_be16(bytes + n - 2, (uint16_t)len);
		cr_assert_eq(rows_decode_entry(43, (struct slice){(char *)bytes, n + len}, &entry),
			     over ? ROWS_E_CORRUPT : 0);
	}
}

Test(rows, an_entry_of_a_set_keeper_names_it_and_no_account)
{
	uint8_t bytes[sizeof(golden_entry_confirmed)];
	struct entry entry;

	memcpy(bytes, golden_entry_confirmed, sizeof(bytes));
	bytes[33] = EVENT_KEEPER_SET; /* of an account */
	cr_assert_eq(rows_decode_entry(43, GOLDEN(bytes), &entry), ROWS_E_CORRUPT);
	bytes[33] = EVENT_TASK_WAIVED;
	cr_assert_eq(rows_decode_entry(43, GOLDEN(bytes), &entry), 0);

	memcpy(bytes, golden_entry_created, sizeof(golden_entry_created));
	bytes[33] = EVENT_KEEPER_SET; /* of no keeper */
	cr_assert_eq(rows_decode_entry(43,
				       (struct slice){(char *)bytes, sizeof(golden_entry_created)},
				       &entry),
		     ROWS_E_CORRUPT);
}

Test(rows, a_keeper_of_zero_is_not_written_down)
{
	uint8_t bytes[sizeof(golden_entry_keeper_set)];
	struct entry entry;

	memcpy(bytes, golden_entry_keeper_set, sizeof(bytes));
	bytes[33] = EVENT_ORG_SET;
	cr_assert_eq(rows_decode_entry(43, GOLDEN(bytes), &entry), 0);
	bytes[sizeof(bytes) - 8] = 0;
	cr_assert_eq(rows_decode_entry(43, GOLDEN(bytes), &entry), ROWS_E_CORRUPT);
}

Test(rows, a_request_number_of_zero_is_not_written_down)
{
	uint8_t bytes[sizeof(golden_entry_confirmed)];
	struct entry entry;

	memcpy(bytes, golden_entry_confirmed, sizeof(bytes));
	bytes[sizeof(bytes) - 1] = 0;
	cr_assert_eq(rows_decode_entry(43, GOLDEN(bytes), &entry), ROWS_E_CORRUPT);
}

Test(rows, an_entry_whose_account_is_owed_or_late_before_the_start_is_refused)
{
	static const uint16_t parts[] = {0x1000, 0x2000};

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		uint8_t bytes[sizeof(golden_entry_left) + 8] = {0};
		size_t len = sizeof(golden_entry_left) + (i == 0 ? 8 : 0);
		struct entry entry;

		memcpy(bytes, golden_entry_left, sizeof(golden_entry_left));
		bytes[sizeof(bytes) - 1] = 1;
		store_be16(bytes + 35, 0x043f | parts[i]);
		cr_assert_eq(rows_decode_entry(43, (struct slice){(char *)bytes, len}, &entry),
			     ROWS_E_CORRUPT);
	}
}

Test(rows, an_entry_of_an_organization_carries_its_digest)
{
	uint8_t bytes[ROWS_ENTRY_LEN_MAX];
	struct entry before = entry_created(), after;
	size_t len;

	before.event = EVENT_ORG_SET;
	before.org = 3;
	count_up(before.digest, ROWS_DIGEST_LEN, 1);
	len = rows_encode_entry(&before, bytes);
	cr_assert_eq(rows_decode_entry(1, (struct slice){(char *)bytes, len}, &after), 0);
	cr_assert(entries_equal(&before, &after));
}

Test(rows, events_have_names_that_differ)
{
	cr_assert_str_eq(event_name(EVENT_STORE_CREATED), "store-created");
	cr_assert_str_eq(event_name(EVENT_REMOVAL_STARTED), "removal-started");
	cr_assert_str_eq(event_name(EVENT_CLOCK_ADVANCED), "clock-advanced");
	cr_assert_str_eq(event_name(EVENT_KEEPER_SET), "keeper-set");
	cr_assert_str_eq(event_name(EVENT_TASK_OWED), "task-owed");
	cr_assert_str_eq(event_name(EVENT_TASK_CONFIRMED), "task-confirmed");
	cr_assert_str_eq(event_name(EVENT_TASK_WAIVED), "task-waived");
	cr_assert_str_eq(event_name(EVENT_OVERDUE), "overdue");
	cr_assert_str_eq(event_name(EVENT_HOLD_ADDED), "hold-added");
	cr_assert_str_eq(event_name(EVENT_HOLD_REMOVED), "hold-removed");
	cr_assert_str_eq(event_name(EVENT_BLOCKED), "blocked");
	cr_assert_str_eq(event_name(EVENT_REQUEST_FILED), "request-filed");
	cr_assert_str_eq(event_name(EVENT_REQUEST_APPROVED), "request-approved");
	cr_assert_str_eq(event_name(EVENT_REQUEST_DENIED), "request-denied");
	cr_assert_str_eq(event_name(EVENT_BACKUP_CREATED), "backup-created");
	cr_assert_str_eq(event_name(EVENT_RESTORED_FROM_BACKUP), "restored-from-backup");
	cr_assert_str_eq(event_name(EVENT_GUARD_ENGAGED), "guard-engaged");
	cr_assert_str_eq(event_name(EVENT_GUARD_RELEASED), "guard-released");
	cr_assert_str_eq(event_name(EVENT_CLOCK_SET), "clock-set");
	cr_assert_str_eq(event_name(EVENT_REDATED), "redated");
	for (enum event a = EVENT_STORE_CREATED; a < _EVENT_MAX; a++) {
		for (enum event b = EVENT_STORE_CREATED; b < a; b++) {
			cr_assert_str_neq(event_name(a), event_name(b));
		}
	}
}

/* profiles */

static bool profiles_equal(const struct profile *a, const struct profile *b)
{
	bool equal = slice_equal(a->id, b->id) && slice_equal(a->person, b->person) &&
		     slice_equal(a->upn, b->upn) && slice_equal(a->mail, b->mail) &&
		     slice_equal(a->name, b->name) && a->n_groups == b->n_groups &&
		     a->n_permissions == b->n_permissions;

	for (size_t i = 0; equal && i < a->n_groups; i++) {
		equal = slice_equal(a->groups[i], b->groups[i]);
	}
	for (size_t i = 0; equal && i < a->n_permissions; i++) {
		equal = slice_equal(a->permissions[i], b->permissions[i]);
	}
	return equal;
}

static void assert_profile_comes_back(const struct profile *before)
{
	size_t len = rows_profile_len(before);
	cleanup(freep) char *bytes = malloc(len);
	struct profile after;

	rows_encode_profile(before, bytes);
	cr_assert_eq(rows_decode_profile((struct slice){bytes, len}, &after), 0);
	cr_assert(profiles_equal(before, &after));
}

Test(rows, a_profile_is_its_golden_bytes)
{
	struct profile ada = profile_ada(), profile;
	char bytes[sizeof(golden_profile)];

	cr_assert_eq(rows_profile_len(&ada), sizeof(golden_profile));
	rows_encode_profile(&ada, bytes);
	cr_assert(slice_equal(GOLDEN(golden_profile), GOLDEN(bytes)));
	cr_assert_eq(rows_decode_profile(GOLDEN(golden_profile), &profile), 0);
	cr_assert(profiles_equal(&ada, &profile));
}

Test(rows, a_profile_comes_back_empty_and_at_its_limits)
{
	static char filler[MODEL_ADDRESS_LEN_MAX];
	struct profile profile = {0};

	assert_profile_comes_back(&profile);
	memset(filler, 'x', sizeof(filler));
	profile.id = (struct slice){filler, MODEL_ID_LEN_MAX};
	profile.person = (struct slice){filler, MODEL_ADDRESS_LEN_MAX};
	profile.upn = (struct slice){filler, MODEL_ADDRESS_LEN_MAX};
	profile.mail = (struct slice){filler, MODEL_ADDRESS_LEN_MAX};
	profile.name = (struct slice){filler, MODEL_NAME_LEN_MAX};
	profile.n_groups = MODEL_GROUPS_MAX;
	profile.n_permissions = MODEL_GROUPS_MAX;
	for (size_t i = 0; i < MODEL_GROUPS_MAX; i++) {
		profile.groups[i] = (struct slice){filler, 28};
		profile.permissions[i] = (struct slice){filler, i ? 28 : MODEL_GROUP_LEN_MAX};
	}
	assert_profile_comes_back(&profile);
}

/* Where a text of a profile of empty texts has its length, and how long it may be. */
Test(rows, a_profile_with_a_text_that_is_too_long_is_refused)
{
	static const struct {
		size_t at, len_max;
	} texts[] = {
		{1, MODEL_ID_LEN_MAX},      {3, MODEL_ADDRESS_LEN_MAX}, {5, MODEL_ADDRESS_LEN_MAX},
		{7, MODEL_ADDRESS_LEN_MAX}, {9, MODEL_NAME_LEN_MAX},
	};
	struct profile profile;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		for (size_t over = 0; over <= 1; over++) {
			char bytes[15 + 400] = {1};
			size_t len = texts[i].len_max + over;

			store_be16(bytes + texts[i].at, (uint16_t)len);
			cr_assert_eq(rows_decode_profile((struct slice){bytes, 15 + len}, &profile),
				     over ? ROWS_E_CORRUPT : 0);
		}
	}
}

Test(rows, a_profile_with_too_many_groups_is_refused)
{
	for (uint16_t over = 0; over <= 1; over++) {
		size_t n = MODEL_GROUPS_MAX + over;
		char bytes[15 + 2 * (MODEL_GROUPS_MAX + 1)] = {1};
		struct profile profile;

		store_be16(bytes + 11, (uint16_t)n);
		cr_assert_eq(rows_decode_profile((struct slice){bytes, 15 + 2 * n}, &profile),
			     over ? ROWS_E_CORRUPT : 0);
		store_be16(bytes + 11, 0);
		store_be16(bytes + 13, (uint16_t)n);
		cr_assert_eq(rows_decode_profile((struct slice){bytes, 15 + 2 * n}, &profile),
			     over ? ROWS_E_CORRUPT : 0);
	}
}

Test(rows, a_profile_over_its_bytes_is_refused)
{
	static char bytes[MODEL_PROFILE_BYTES_MAX + 1] = {1};
	size_t n = MODEL_PROFILE_BYTES_MAX / (2 + MODEL_GROUP_LEN_MAX) - 1;
	size_t at = 13, len;
	struct profile profile;

	store_be16(bytes + 11, (uint16_t)(n + 1));
	for (size_t i = 0; i < n; i++, at += 2 + MODEL_GROUP_LEN_MAX) {
		store_be16(bytes + at, MODEL_GROUP_LEN_MAX);
	}
	len = MODEL_PROFILE_BYTES_MAX - at - 4;
	store_be16(bytes + at, (uint16_t)len);
	cr_assert_eq(rows_decode_profile((struct slice){bytes, MODEL_PROFILE_BYTES_MAX}, &profile),
		     0);
	store_be16(bytes + at, (uint16_t)(len + 1));
	cr_assert_eq(rows_decode_profile((struct slice){bytes, sizeof(bytes)}, &profile),
		     ROWS_E_CORRUPT);
}

/* organizations */

static bool orgs_equal(const struct org *a, const struct org *b)
{
	return a->number == b->number && strcmp(a->id, b->id) == 0 &&
	       strcmp(a->name, b->name) == 0 && strcmp(a->admin_contact, b->admin_contact) == 0 &&
	       strcmp(a->privacy_contact, b->privacy_contact) == 0 &&
	       strcmp(a->privacy_url, b->privacy_url) == 0 &&
	       a->policy.allow_leave == b->policy.allow_leave &&
	       a->policy.has_privacy_info == b->policy.has_privacy_info &&
	       a->policy.window == b->policy.window && a->policy.removal == b->policy.removal &&
	       a->policy.guard_min == b->policy.guard_min &&
	       a->policy.guard_percent == b->policy.guard_percent && a->last_seq == b->last_seq;
}

static void assert_org_comes_back(const struct org *before)
{
	uint8_t bytes[ROWS_ORG_LEN_MAX];
	size_t len = rows_encode_org(before, bytes);
	struct org after;

	cr_assert_eq(rows_decode_org(before->number, (struct slice){(char *)bytes, len}, &after),
		     0);
	cr_assert(orgs_equal(before, &after));
}

Test(rows, an_organization_is_its_golden_bytes)
{
	uint8_t bytes[ROWS_ORG_LEN_MAX];
	struct org contoso = org_contoso(), org;
	size_t len = rows_encode_org(&contoso, bytes);

	cr_assert(slice_equal(GOLDEN(golden_org_2), (struct slice){(char *)bytes, len}));
	cr_assert_eq(rows_decode_org(3, GOLDEN(golden_org_2), &org), 0);
	cr_assert(orgs_equal(&contoso, &org));
}

Test(rows, an_organization_of_before_the_guard_has_its_defaults)
{
	struct org contoso = org_contoso(), org;

	cr_assert_eq(rows_decode_org(3, GOLDEN(golden_org), &org), 0);
	cr_assert(orgs_equal(&contoso, &org));
}

Test(rows, an_organization_with_a_guard_out_of_its_range_is_refused)
{
	uint8_t bytes[sizeof(golden_org_2)];
	struct org org;

	memcpy(bytes, golden_org_2, sizeof(bytes));
	store_be32(bytes + 18, MODEL_GUARD_MIN_MAX + 1);
	cr_assert_eq(rows_decode_org(3, GOLDEN(bytes), &org), ROWS_E_CORRUPT);
	memcpy(bytes, golden_org_2, sizeof(bytes));
	bytes[22] = 101;
	cr_assert_eq(rows_decode_org(3, GOLDEN(bytes), &org), ROWS_E_CORRUPT);
}

Test(rows, an_organization_comes_back_at_its_limits)
{
	struct org org = {.number = UINT32_MAX, .last_seq = UINT64_MAX};

	org.policy = (struct policy){.has_privacy_info = true,
				     .window = MODEL_WINDOW_MAX,
				     .removal = MODEL_REMOVAL_MAX,
				     .guard_min = MODEL_GUARD_MIN_MAX,
				     .guard_percent = MODEL_GUARD_PERCENT_OFF};
	memset(org.id, 'i', MODEL_ORG_LEN_MAX);
	memset(org.name, 'n', MODEL_NAME_LEN_MAX);
	memset(org.admin_contact, 'a', MODEL_URL_LEN_MAX);
	memset(org.privacy_contact, 'p', MODEL_URL_LEN_MAX);
	memset(org.privacy_url, 'u', MODEL_URL_LEN_MAX);
	assert_org_comes_back(&org);
}

Test(rows, whether_an_organization_publishes_anything_is_computed)
{
	struct org org = org_contoso();

	org.privacy_contact[0] = '\0';
	org.policy.has_privacy_info = false;
	assert_org_comes_back(&org);
	strcpy(org.privacy_url, "https://contoso.example/privacy");
	org.policy.has_privacy_info = true;
	assert_org_comes_back(&org);
}

Test(rows, an_organization_with_a_zero_byte_in_a_text_is_refused)
{
	uint8_t bytes[sizeof(golden_org)];
	struct org org;

	for (size_t at = 28; at < sizeof(bytes); at++) {
		memcpy(bytes, golden_org, sizeof(bytes));
		bytes[at] = 0;
		if (golden_org[at] != 0) {
			cr_assert_eq(rows_decode_org(3, GOLDEN(bytes), &org), ROWS_E_CORRUPT);
		}
	}
}

Test(rows, an_organization_without_a_number_or_an_id_is_refused)
{
	char bytes[36] = {1};
	struct org org;

	memcpy(bytes, golden_org, 26);
	cr_assert_eq(rows_decode_org(0, GOLDEN(golden_org), &org), ROWS_E_CORRUPT);
	cr_assert_eq(rows_decode_org(3, (struct slice){bytes, sizeof(bytes)}, &org),
		     ROWS_E_CORRUPT);
}

Test(rows, an_organization_with_a_span_out_of_its_range_is_refused)
{
	static const span_t windows[] = {-1, 0, MODEL_WINDOW_MIN - 1, MODEL_WINDOW_MAX + 1};
	static const span_t removals[] = {-1, 0, MODEL_REMOVAL_MIN - 1, MODEL_REMOVAL_MAX + 1};
	uint8_t bytes[sizeof(golden_org)];
	struct org org;

	for (size_t i = 0; i < ARRAY_LEN(windows); i++) {
		memcpy(bytes, golden_org, sizeof(bytes));
		store_be64(bytes + 2, (uint64_t)windows[i]);
		cr_assert_eq(rows_decode_org(3, GOLDEN(bytes), &org), ROWS_E_CORRUPT);
		memcpy(bytes, golden_org, sizeof(bytes));
		store_be64(bytes + 10, (uint64_t)removals[i]);
		cr_assert_eq(rows_decode_org(3, GOLDEN(bytes), &org), ROWS_E_CORRUPT);
	}
}

/* notes */

Test(rows, a_note_is_its_golden_bytes)
{
	struct note left = {SLICE_LITERAL("left"), SLICE_LITERAL("INC-7")}, note;
	uint8_t bytes[ROWS_NOTE_LEN_MAX];
	size_t len = rows_encode_note(&left, bytes);

	cr_assert(slice_equal(GOLDEN(golden_note), (struct slice){(char *)bytes, len}));
	cr_assert_eq(rows_decode_note(GOLDEN(golden_note), &note), 0);
	cr_assert(slice_equal(note.reason, left.reason));
	cr_assert(slice_equal(note.ref, left.ref));
}

Test(rows, a_note_comes_back_with_one_text_and_at_its_limits)
{
	static char filler[MODEL_REASON_LEN_MAX] = {'x'};
	const struct note notes[] = {
		{.reason = SLICE_LITERAL("r")},
		{.ref = SLICE_LITERAL("r")},
		{{filler, MODEL_REASON_LEN_MAX}, {filler, MODEL_REF_LEN_MAX}},
	};

	for (size_t i = 0; i < ARRAY_LEN(notes); i++) {
		uint8_t bytes[ROWS_NOTE_LEN_MAX];
		size_t len = rows_encode_note(&notes[i], bytes);
		struct note note;

		cr_assert_eq(rows_decode_note((struct slice){(char *)bytes, len}, &note), 0);
		cr_assert(slice_equal(note.reason, notes[i].reason));
		cr_assert(slice_equal(note.ref, notes[i].ref));
	}
}

Test(rows, a_note_without_any_text_is_refused)
{
	struct note note;

	cr_assert_eq(rows_decode_note(SLICE_LITERAL("\1\0\0\0\0"), &note), ROWS_E_CORRUPT);
}

Test(rows, a_note_with_a_text_that_is_too_long_is_refused)
{
	static char bytes[5 + MODEL_REASON_LEN_MAX + 1] = {1};
	struct note note;

	store_be16(bytes + 1, MODEL_REASON_LEN_MAX + 1);
	cr_assert_eq(rows_decode_note((struct slice){bytes, sizeof(bytes)}, &note), ROWS_E_CORRUPT);
	memset(bytes, 0, sizeof(bytes));
	bytes[0] = 1;
	store_be16(bytes + 3, MODEL_REF_LEN_MAX + 1);
	cr_assert_eq(rows_decode_note((struct slice){bytes, 5 + MODEL_REF_LEN_MAX + 1}, &note),
		     ROWS_E_CORRUPT);
}

/* keepers */

static bool keepers_equal(const struct keeper *a, const struct keeper *b)
{
	return a->number == b->number && a->enabled == b->enabled &&
	       strcmp(a->name, b->name) == 0 && a->n_orgs == b->n_orgs &&
	       memcmp(a->orgs, b->orgs, sizeof(a->orgs)) == 0 && a->last_seq == b->last_seq;
}

static void assert_keeper_comes_back(const struct keeper *before)
{
	uint8_t bytes[ROWS_KEEPER_LEN_MAX];
	size_t len = rows_encode_keeper(before, bytes);
	struct keeper after;

	cr_assert_eq(rows_decode_keeper(before->number, (struct slice){(char *)bytes, len}, &after),
		     0);
	cr_assert(keepers_equal(before, &after));
}

Test(rows, a_keeper_is_its_golden_bytes)
{
	uint8_t bytes[ROWS_KEEPER_LEN_MAX];
	struct keeper mail = keeper_mail(), keeper;
	size_t len = rows_encode_keeper(&mail, bytes);

	cr_assert(slice_equal(GOLDEN(golden_keeper), (struct slice){(char *)bytes, len}));
	cr_assert_eq(rows_decode_keeper(2, GOLDEN(golden_keeper), &keeper), 0);
	cr_assert(keepers_equal(&mail, &keeper));
}

Test(rows, a_keeper_comes_back_at_its_limits)
{
	struct keeper keeper = {.number = 1, .name = "k", .last_seq = 1};

	assert_keeper_comes_back(&keeper);
	keeper.number = MODEL_KEEPERS_MAX;
	keeper.enabled = true;
	memset(keeper.name, 'z', MODEL_KEEPER_LEN_MAX);
	keeper.last_seq = UINT64_MAX;
	keeper.n_orgs = MODEL_KEEPER_ORGS_MAX;
	for (size_t i = 0; i < MODEL_KEEPER_ORGS_MAX; i++) {
		keeper.orgs[i] = UINT32_MAX - (uint32_t)i;
	}
	assert_keeper_comes_back(&keeper);
}

Test(rows, a_keepers_number_is_1_to_64)
{
	struct keeper keeper;

	for (unsigned number = 0; number < 256; number++) {
		cr_assert_eq(rows_decode_keeper((uint8_t)number, GOLDEN(golden_keeper), &keeper) ==
				     0,
			     number >= 1 && number <= 64, "number %u", number);
	}
}

Test(rows, a_keeper_with_unknown_flags_is_refused)
{
	uint8_t bytes[sizeof(golden_keeper)];
	struct keeper keeper;

	memcpy(bytes, golden_keeper, sizeof(bytes));
	for (unsigned flags = 0; flags < 256; flags++) {
		bytes[1] = (uint8_t)flags;
		cr_assert_eq(rows_decode_keeper(2, GOLDEN(bytes), &keeper) == 0, flags <= 1);
	}
}

Test(rows, a_keeper_without_an_entry_or_of_organization_zero_is_refused)
{
	uint8_t bytes[sizeof(golden_keeper)];
	struct keeper keeper;

	memcpy(bytes, golden_keeper, sizeof(bytes));
	store_be64(bytes + 2, 0);
	cr_assert_eq(rows_decode_keeper(2, GOLDEN(bytes), &keeper), ROWS_E_CORRUPT);
	memcpy(bytes, golden_keeper, sizeof(bytes));
	bytes[sizeof(bytes) - 1] = 0;
	cr_assert_eq(rows_decode_keeper(2, GOLDEN(bytes), &keeper), ROWS_E_CORRUPT);
}

Test(rows, a_keeper_whose_name_is_not_one_is_refused)
{
	static const char wrong[] = {'\0', ' ', 'M', '/', '\n', '\x7f', '\xc3'};
	uint8_t bytes[sizeof(golden_keeper)], nameless[14] = {1};
	struct keeper keeper;

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		memcpy(bytes, golden_keeper, sizeof(bytes));
		bytes[12] = (uint8_t)wrong[i];
		cr_assert_eq(rows_decode_keeper(2, GOLDEN(bytes), &keeper), ROWS_E_CORRUPT);
	}
	nameless[9] = 5;
	cr_assert_eq(rows_decode_keeper(2, GOLDEN(nameless), &keeper), ROWS_E_CORRUPT);
}

Test(rows, a_keeper_of_too_many_organizations_or_with_a_name_that_is_too_long_is_refused)
{
	for (size_t over = 0; over <= 1; over++) {
		uint8_t bytes[16 + 4 * (MODEL_KEEPER_ORGS_MAX + 1)];
		size_t n = MODEL_KEEPER_ORGS_MAX + over;
		struct keeper keeper;

		memset(bytes, 1, sizeof(bytes));
		memcpy(bytes, golden_keeper, 16);
		store_be16(bytes + 16, (uint16_t)n);
		cr_assert_eq(rows_decode_keeper(2, (struct slice){(char *)bytes, 18 + 4 * n},
						&keeper),
			     over ? ROWS_E_CORRUPT : 0);
		n = MODEL_KEEPER_LEN_MAX + over;
		memset(bytes + 12, 'k', n);
		store_be16(bytes + 10, (uint16_t)n);
		store_be16(bytes + 12 + n, 0);
		cr_assert_eq(rows_decode_keeper(2, (struct slice){(char *)bytes, 14 + n}, &keeper),
			     over ? ROWS_E_CORRUPT : 0);
	}
}

/* tasks */

static bool tasks_equal(const struct task *a, const struct task *b)
{
	return a->generation == b->generation && a->lease_until == b->lease_until &&
	       a->next_at == b->next_at && slice_equal(a->error, b->error);
}

Test(rows, a_task_is_its_golden_bytes)
{
	uint8_t bytes[ROWS_TASK_LEN_MAX];
	struct task failed = task_failed(), task;
	size_t len = rows_encode_task(&failed, bytes);

	cr_assert(slice_equal(GOLDEN(golden_task), (struct slice){(char *)bytes, len}));
	cr_assert_eq(rows_decode_task(GOLDEN(golden_task), &task), 0);
	cr_assert(tasks_equal(&failed, &task));
}

Test(rows, a_task_comes_back_at_its_limits)
{
	static char filler[MODEL_NOTE_LEN_MAX + 64];
	const struct task tasks[] = {
		{.generation = 1},
		{.generation = UINT32_MAX - 1,
		 .lease_until = INSTANT_MAX,
		 .next_at = INSTANT_MAX,
		 .error = {filler, sizeof(filler)}},
	};

	for (size_t i = 0; i < ARRAY_LEN(tasks); i++) {
		uint8_t bytes[ROWS_TASK_LEN_MAX];
		size_t len = rows_encode_task(&tasks[i], bytes);
		struct task task;

		cr_assert_eq(rows_decode_task((struct slice){(char *)bytes, len}, &task), 0);
		cr_assert(tasks_equal(&task, &tasks[i]));
	}
}

Test(rows, a_task_with_a_value_out_of_its_range_is_refused)
{
	static const struct {
		size_t at;
		int64_t value;
	} wrong[] = {
		{5, -1},  {5, INSTANT_MAX + 1},  {5, INSTANT_NONE + 1},
		{13, -1}, {13, INSTANT_MAX + 1}, {13, INSTANT_NONE},
	};
	uint8_t bytes[sizeof(golden_task)];
	struct task task;

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		memcpy(bytes, golden_task, sizeof(bytes));
		store_be64(bytes + wrong[i].at, (uint64_t)wrong[i].value);
		cr_assert_eq(rows_decode_task(GOLDEN(bytes), &task), ROWS_E_CORRUPT, "row %zu", i);
	}
	memcpy(bytes, golden_task, sizeof(bytes));
	store_be32(bytes + 1, 0); /* a task that was never claimed has no row */
	cr_assert_eq(rows_decode_task(GOLDEN(bytes), &task), ROWS_E_CORRUPT);
	store_be32(bytes + 1, UINT32_MAX); /* nor can one be that cannot be claimed again */
	cr_assert_eq(rows_decode_task(GOLDEN(bytes), &task), ROWS_E_CORRUPT);
}

Test(rows, a_task_with_an_error_that_is_too_long_is_refused)
{
	static char bytes[23 + MODEL_NOTE_LEN_MAX + 64 + 1];
	struct task task;

	memcpy(bytes, golden_task, 21);
	store_be16(bytes + 21, MODEL_NOTE_LEN_MAX + 64 + 1);
	cr_assert_eq(rows_decode_task((struct slice){bytes, sizeof(bytes)}, &task), ROWS_E_CORRUPT);
}

/* holds */

static bool holds_equal(const struct hold *a, const struct hold *b)
{
	return slice_equal(a->name, b->name) && slice_equal(a->reason, b->reason) &&
	       a->added_at == b->added_at && a->until == b->until;
}

Test(rows, a_hold_is_its_golden_bytes)
{
	uint8_t bytes[ROWS_HOLD_LEN_MAX];
	struct hold on_case = hold_case(), hold;
	size_t len = rows_encode_hold(&on_case, bytes);

	cr_assert(slice_equal(GOLDEN(golden_hold), (struct slice){(char *)bytes, len}));
	cr_assert_eq(rows_decode_hold(GOLDEN(golden_hold), &hold), 0);
	cr_assert(holds_equal(&on_case, &hold));
}

Test(rows, a_hold_comes_back_at_its_limits)
{
	static char filler[MODEL_REASON_LEN_MAX] = {'x'};
	const struct hold holds[] = {
		{.name = SLICE_LITERAL("h")},
		{{filler, MODEL_HOLD_LEN_MAX},
		 {filler, MODEL_REASON_LEN_MAX},
		 INSTANT_MAX,
		 INSTANT_MAX},
	};

	for (size_t i = 0; i < ARRAY_LEN(holds); i++) {
		uint8_t bytes[ROWS_HOLD_LEN_MAX];
		size_t len = rows_encode_hold(&holds[i], bytes);
		struct hold hold;

		cr_assert_eq(rows_decode_hold((struct slice){(char *)bytes, len}, &hold), 0);
		cr_assert(holds_equal(&hold, &holds[i]));
	}
}

Test(rows, a_hold_with_an_instant_out_of_its_range_is_refused)
{
	static const instant_t wrong[] = {-1, INSTANT_NONE, INSTANT_MAX + 1};
	uint8_t bytes[sizeof(golden_hold)];
	struct hold hold;

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		for (size_t at = 1; at <= 9; at += 8) {
			memcpy(bytes, golden_hold, sizeof(bytes));
			store_be64(bytes + at, (uint64_t)wrong[i]);
			cr_assert_eq(rows_decode_hold(GOLDEN(bytes), &hold), ROWS_E_CORRUPT);
		}
	}
}

Test(rows, a_hold_without_a_name_or_with_a_text_that_is_too_long_is_refused)
{
	static char bytes[22 + MODEL_REASON_LEN_MAX + 1];
	struct hold hold;

	memcpy(bytes, golden_hold, 17);
	cr_assert_eq(rows_decode_hold((struct slice){bytes, 21}, &hold), ROWS_E_CORRUPT);
	store_be16(bytes + 17, MODEL_HOLD_LEN_MAX + 1);
	cr_assert_eq(rows_decode_hold((struct slice){bytes, 21 + MODEL_HOLD_LEN_MAX + 1}, &hold),
		     ROWS_E_CORRUPT);
	store_be16(bytes + 17, 1);
	store_be16(bytes + 20, MODEL_REASON_LEN_MAX);
	cr_assert_eq(rows_decode_hold((struct slice){bytes, sizeof(bytes) - 1}, &hold), 0);
	store_be16(bytes + 20, MODEL_REASON_LEN_MAX + 1);
	cr_assert_eq(rows_decode_hold((struct slice){bytes, sizeof(bytes)}, &hold), ROWS_E_CORRUPT);
}

/* removal requests */

static bool requests_equal(const struct removal_request *a, const struct removal_request *b)
{
	return a->number == b->number && a->state == b->state && a->org == b->org &&
	       a->uid == b->uid && a->filed_at == b->filed_at && a->due_at == b->due_at &&
	       a->decided_at == b->decided_at && a->filed_seq == b->filed_seq &&
	       a->decided_seq == b->decided_seq;
}

static void assert_request_is(struct slice golden, const struct removal_request *expected)
{
	uint8_t bytes[ROWS_REQUEST_LEN];
	struct removal_request request;

	cr_assert_eq(rows_encode_request(expected, bytes), ROWS_REQUEST_LEN);
	cr_assert(slice_equal(golden, (struct slice){(char *)bytes, sizeof(bytes)}));
	cr_assert_eq(rows_decode_request(expected->number, golden, &request), 0);
	cr_assert(requests_equal(&request, expected));
}

Test(rows, a_removal_request_is_its_golden_bytes)
{
	struct removal_request open = request_open(), denied = request_denied();

	assert_request_is(GOLDEN(golden_request_open), &open);
	assert_request_is(GOLDEN(golden_request_denied), &denied);
}

/* Open without a decision, decided with one: nothing between. */
Test(rows, a_removal_request_is_of_a_known_state_that_its_decision_fits)
{
	uint8_t open[ROWS_REQUEST_LEN], denied[ROWS_REQUEST_LEN];
	struct removal_request request;

	memcpy(open, golden_request_open, sizeof(open));
	memcpy(denied, golden_request_denied, sizeof(denied));
	for (unsigned state = 0; state < 256; state++) {
		open[1] = denied[1] = (uint8_t)state;
		cr_assert_eq(rows_decode_request(5, GOLDEN(open), &request) == 0, state == 1);
		cr_assert_eq(rows_decode_request(5, GOLDEN(denied), &request) == 0,
			     state == 2 || state == 3);
	}
}

Test(rows, a_removal_request_with_a_value_out_of_its_range_is_refused)
{
	static const struct {
		const uint8_t *golden;
		size_t at;
		int64_t value;
	} wrong[] = {
		{golden_request_open, 8, 0},
		{golden_request_open, 16, -1},
		{golden_request_open, 16, INSTANT_NONE},
		{golden_request_open, 16, INSTANT_MAX + 1},
		{golden_request_open, 24, -1},
		{golden_request_open, 24, INSTANT_NONE},
		{golden_request_open, 24, INSTANT_MAX + 1},
		{golden_request_open, 32, LEFT_AT},
		{golden_request_open, 40, 0},
		{golden_request_open, 48, 44},
		{golden_request_denied, 32, -1},
		{golden_request_denied, 32, INSTANT_NONE},
		{golden_request_denied, 32, INSTANT_MAX + 1},
		{golden_request_denied, 48, 0},
		{golden_request_denied, 48, 43}, /* decided by the entry that filed it */
	};
	uint8_t bytes[ROWS_REQUEST_LEN];
	struct removal_request request;

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		memcpy(bytes, wrong[i].golden, sizeof(bytes));
		store_be64(bytes + wrong[i].at, (uint64_t)wrong[i].value);
		cr_assert_eq(rows_decode_request(5, GOLDEN(bytes), &request), ROWS_E_CORRUPT,
			     "row %zu", i);
	}
}

Test(rows, a_removal_request_without_a_number_or_an_organization_is_refused)
{
	uint8_t bytes[ROWS_REQUEST_LEN];
	struct removal_request request;

	cr_assert_eq(rows_decode_request(0, GOLDEN(golden_request_open), &request), ROWS_E_CORRUPT);
	memcpy(bytes, golden_request_open, sizeof(bytes));
	store_be32(bytes + 4, 0);
	cr_assert_eq(rows_decode_request(5, GOLDEN(bytes), &request), ROWS_E_CORRUPT);
	memcpy(bytes, golden_request_open, sizeof(bytes));
	bytes[3] = 1; /* where nothing is */
	cr_assert_eq(rows_decode_request(5, GOLDEN(bytes), &request), ROWS_E_CORRUPT);
}

Test(rows, a_refused_duty_leaves_the_callers_alone)
{
	struct keeper keeper = keeper_mail(), keeper_before = keeper;
	struct task task = task_failed(), task_before = task;
	struct hold hold = hold_case(), hold_before = hold;
	struct removal_request request = request_open(), request_before = request;

	cr_assert_eq(rows_decode_keeper(1, SLICE_LITERAL("\1\1\1"), &keeper), ROWS_E_CORRUPT);
	cr_assert_eq(rows_decode_task(SLICE_LITERAL("\1\1\1"), &task), ROWS_E_CORRUPT);
	cr_assert_eq(rows_decode_hold(SLICE_LITERAL("\1\1\1"), &hold), ROWS_E_CORRUPT);
	cr_assert_eq(rows_decode_request(1, SLICE_LITERAL("\1\1\1"), &request), ROWS_E_CORRUPT);
	cr_assert(keepers_equal(&keeper, &keeper_before));
	cr_assert(tasks_equal(&task, &task_before));
	cr_assert(holds_equal(&hold, &hold_before));
	cr_assert(requests_equal(&request, &request_before));
}
