/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "daemon/store/index.h"
#include "daemon/store/store.h"

#include "tests/support/random.h"
#include "tests/support/storeroom.h"

/*
 * The store against a plain array: whatever comes in whatever order, and however much of it has
 * been settled, every walk finds what a search through the array finds. A crash brings both back
 * to the last commit.
 */

#define SEED      20260301
#define STEPS     700
#define ROWS_MAX  160
#define N_ORGS    3
#define N_IDS     24
#define N_PERSONS 12
#define N_UPNS    16
#define N_KEEPERS 4

/* An account as the test knows it: the row, and the names behind its hashes. */
struct model_row {
	struct account account;
	uint32_t id, person, upn;
};

struct model {
	uint32_t n;
	struct model_row rows[ROWS_MAX]; /* by uid, the first is uid 1 */
};

static struct storeroom room;
static struct model model, committed;
static uint64_t random_state;

/* A key that was overwritten is gone, even if the commit that said so is lost in a crash. */
static bool key_is_gone[ROWS_MAX + 1];

static void set_up(void)
{
	storeroom_open(&room, STOREROOM_MAP_BYTES);
	for (uint32_t i = 0; i < N_ORGS; ++i) {
		char id[32];

		(void)snprintf(id, sizeof(id), "org-%u", i);
		cr_assert_eq(storeroom_put_org(&room, id), i + 1);
	}
	for (uint32_t i = 0; i < N_KEEPERS; ++i) {
		char name[32];

		(void)snprintf(name, sizeof(name), "keeper-%u", i);
		cr_assert_eq(storeroom_put_keeper(&room, name), i + 1);
	}
	storeroom_commit(&room);
	model = committed = (struct model){0};
	random_state = SEED;
}

static void tear_down(void)
{
	storeroom_close(&room);
}

TestSuite(store_model, .init = set_up, .fini = tear_down);

static uint32_t below(uint32_t n)
{
	return random_below(&random_state, n);
}

struct name {
	char text[32];
};

static struct name id_name(uint32_t i)
{
	struct name name;

	(void)snprintf(name.text, sizeof(name.text), "id-%u", i);
	return name;
}

static struct name address(const char *kind, uint32_t i)
{
	struct name name;

	(void)snprintf(name.text, sizeof(name.text), "%s-%u@home.example", kind, i);
	return name;
}

/* Changes, to both. */

static void choose_names(struct model_row *row)
{
	row->person = below(N_PERSONS);
	row->upn = below(N_UPNS);
}

static void step_import(void)
{
	struct model_row *row = &model.rows[model.n];

	if (model.n == ROWS_MAX) {
		return;
	}
	*row = (struct model_row){.id = below(N_IDS)};
	choose_names(row);
	row->account =
		storeroom_import(&room, 1 + below(N_ORGS), id_name(row->id).text,
				 address("p", row->person).text, address("u", row->upn).text);
	cr_assert_eq(row->account.uid, ++model.n);
	key_is_gone[model.n] = false;
}

static void step_update(struct model_row *row)
{
	if (row->account.facts.removal_started_at != INSTANT_NONE) {
		return;
	}
	choose_names(row);
	storeroom_update(&room, &row->account, id_name(row->id).text,
			 address("p", row->person).text, address("u", row->upn).text);
}

/* Whether a command is one that changes this account now. */
static bool is_possible(const struct account *account, enum lifecycle_command command)
{
	struct policy policy = policy_default();
	struct lifecycle_context context = {
		.policy = &policy,
		.held_until = room.held_until,
		.keepers = room.keepers,
		.keeper = room.keepers,
	};
	struct lifecycle_verdict verdict;

	lifecycle_step(&account->facts, command, &context, room.now, &verdict);
	return verdict.changed && (command != LIFECYCLE_COMPLETE_REMOVAL ||
				   (store_is_durable(room.store, account) &&
				    account->facts.removal_started_at != INSTANT_NONE));
}

/* Whom and what the next command is about: see struct storeroom. */
static void choose_duties(enum lifecycle_command command)
{
	static const span_t ends[] = {SPAN_DAY, 20 * SPAN_DAY, 60 * SPAN_DAY};
	uint32_t end = below(ARRAY_LEN(ends) + 1);

	room.keepers = command == LIFECYCLE_SETTLE || command == LIFECYCLE_OWE
			       ? UINT64_C(1) << below(N_KEEPERS)
			       : below(1U << N_KEEPERS);
	room.held_until = end < ARRAY_LEN(ends) ? room.now + ends[end] : INSTANT_MAX;
	if (command == LIFECYCLE_RELEASE && below(4) != 0) {
		room.held_until = INSTANT_NONE;
	}
}

/* The first from a random one on that changes it now. */
static void step_command(struct model_row *row)
{
	uint32_t first = below(_LIFECYCLE_COMMAND_MAX);

	for (uint32_t i = 0; i < _LIFECYCLE_COMMAND_MAX; ++i) {
		enum lifecycle_command command =
			(enum lifecycle_command)((first + i) % _LIFECYCLE_COMMAND_MAX);

		choose_duties(command);
		if (command == LIFECYCLE_OWE && below(4) != 0) {
			continue; /* else hardly any removal comes to its end */
		}
		if (is_possible(&row->account, command)) {
			storeroom_step(&room, &row->account, command);
			key_is_gone[row->account.uid] |= command == LIFECYCLE_COMPLETE_REMOVAL;
			return;
		}
	}
}

static void commit(void)
{
	storeroom_commit(&room);
	committed = model;
}

static void step_settle(void)
{
	storeroom_settle_slice(&room, 1 + below(20)); /* sometimes with the changes before it */
	committed = model;
}

static void step_crash(void)
{
	storeroom_reopen(&room);
	model = committed;
}

static void step(void)
{
	uint32_t what = below(100);

	room.now += (span_t)below(3) * SPAN_DAY;
	if (what < 20 || model.n == 0) {
		step_import();
	} else if (what < 30) {
		step_update(&model.rows[below(model.n)]);
	} else if (what < 80) {
		step_command(&model.rows[below(model.n)]);
	} else if (what < 90) {
		commit();
	} else if (what < 98) {
		step_settle();
	} else {
		step_crash();
	}
}

/* What both must agree on. */

static void expect_row(const struct account *found, const struct account *known)
{
	uint8_t row_found[ROWS_ACCOUNT_LEN], row_known[ROWS_ACCOUNT_LEN];

	cr_assert_eq(found->uid, known->uid);
	(void)rows_encode_account(found, row_found);
	(void)rows_encode_account(known, row_known);
	cr_assert_arr_eq(row_found, row_known, ROWS_ACCOUNT_LEN);
}

static int compare(struct slice a, struct slice b)
{
	int r = memcmp(a.data, b.data, MIN(a.len, b.len));

	return r != 0 ? r : (int)a.len - (int)b.len;
}

/* The row of the smallest key behind @key in an order; @key moves to it. */
static const struct account *model_next(enum index index, struct key *key)
{
	const struct account *best = NULL;
	struct key best_key = {0};

	for (uint32_t i = 0; i < model.n; ++i) {
		struct key own;

		if (index_key(index, &model.rows[i].account, &own) &&
		    compare(key_slice(&own), key_slice(key)) > 0 &&
		    (!best || compare(key_slice(&own), key_slice(&best_key)) < 0)) {
			best = &model.rows[i].account;
			best_key = own;
		}
	}
	*key = best_key;
	return best;
}

static void expect_order_of_uids(void)
{
	struct account found;
	uint64_t uid = 0;

	for (uint32_t i = 0; i < model.n; ++i) {
		cr_assert_eq(store_next_account(room.store, &uid, &found), 0);
		cr_assert_eq(uid, i + 1);
		expect_row(&found, &model.rows[i].account);
	}
	cr_assert_eq(store_next_account(room.store, &uid, &found), STORE_E_NONE);
}

static void expect_order_of_org(uint32_t org)
{
	struct org_position position = {0};
	struct key key = key_org(org);
	const struct account *known;
	struct account found;

	while ((known = model_next(INDEX_ID, &key)) && known->org == org) {
		cr_assert_eq(store_next_of_org(room.store, org, &position, &found), 0);
		cr_assert_eq(position.uid, known->uid);
		expect_row(&found, known);
	}
	cr_assert_eq(store_next_of_org(room.store, org, &position, &found), STORE_E_NONE);
}

typedef int next_fn(struct store *store, struct due_position *position,
		    struct account *ret_account);

static void expect_order_of_time(enum index index, next_fn *next)
{
	struct due_position position = {0};
	const struct account *known;
	struct account found;
	struct key key = {0};

	while ((known = model_next(index, &key))) {
		cr_assert_eq(next(room.store, &position, &found), 0);
		cr_assert_eq(position.uid, known->uid);
		expect_row(&found, known);
	}
	cr_assert_eq(next(room.store, &position, &found), STORE_E_NONE);
}

static bool is_of_person(const struct model_row *row, uint32_t person)
{
	return row->person == person && row->account.facts.removed_at == INSTANT_NONE;
}

static bool is_active(const struct account *account)
{
	return account->facts.deleted_at == INSTANT_NONE;
}

static void expect_accounts_of_person(uint32_t person)
{
	struct name name = address("P", person); /* in any case */
	struct person_position at = store_begin_person(room.store, slice_of(name.text));
	struct account found;

	for (uint32_t i = 0; i < model.n; ++i) {
		if (is_of_person(&model.rows[i], person)) {
			cr_assert_eq(store_next_of_person(room.store, &at, &found), 0);
			expect_row(&found, &model.rows[i].account);
		}
	}
	cr_assert_eq(store_next_of_person(room.store, &at, &found), STORE_E_NONE);
}

/* The first active one, else the newest. */
static void expect_find_by_person(uint32_t org, uint32_t person)
{
	const struct account *known = NULL;
	struct account found;
	int r = store_find_by_person(room.store, org, slice_of(address("p", person).text), &found);

	for (uint32_t i = 0; i < model.n && !(known && is_active(known)); ++i) {
		if (is_of_person(&model.rows[i], person) && model.rows[i].account.org == org) {
			known = &model.rows[i].account;
		}
	}
	cr_assert_eq(r, known ? 0 : STORE_E_NONE);
	if (known) {
		expect_row(&found, known);
	}
}

static void expect_find_by_id(uint32_t org, uint32_t id)
{
	const struct account *known = NULL;
	struct account found;
	int r = store_find_by_id(room.store, org, slice_of(id_name(id).text), &found);

	for (uint32_t i = 0; i < model.n; ++i) {
		if (model.rows[i].id == id && model.rows[i].account.org == org) {
			known = &model.rows[i].account;
		}
	}
	cr_assert_eq(r, known ? 0 : STORE_E_NONE);
	if (known) {
		expect_row(&found, known);
	}
}

static void expect_name_taken(const struct model_row *row, uint32_t upn)
{
	bool taken, known = false;

	for (uint32_t i = 0; i < model.n; ++i) {
		const struct model_row *other = &model.rows[i];

		known |= other != row && other->account.org == row->account.org &&
			 is_active(&other->account) && (other->upn == upn || other->id == row->id);
	}
	cr_assert_eq(store_name_taken(room.store, &row->account, slice_of(address("U", upn).text),
				      &taken),
		     0);
	cr_assert_eq(taken, known);
}

static void expect_counts(void)
{
	struct store_counts known = {0};

	for (uint32_t i = 0; i < model.n; ++i) {
		const struct facts *facts = &model.rows[i].account.facts;

		if (facts->removed_at != INSTANT_NONE) {
			++known.n_removed;
		} else if (facts->removal_started_at != INSTANT_NONE) {
			++known.n_removing;
		} else if (facts->deleted_at != INSTANT_NONE) {
			++known.n_soft_deleted;
		} else {
			++known.n_active;
		}
		known.n_overdue += facts->late && facts->removed_at == INSTANT_NONE;
		known.n_held +=
			facts->held_until == INSTANT_MAX && facts->removed_at == INSTANT_NONE;
		for (uint32_t keeper = 0; keeper < N_KEEPERS; ++keeper) {
			known.n_owed[keeper] += facts->owed >> keeper & 1;
		}
	}
	cr_assert_arr_eq(store_counts(room.store), &known, sizeof(known));
}

static void expect_profile(const struct model_row *row)
{
	static uint8_t buffer[MODEL_PROFILE_BYTES_MAX];
	struct profile profile;
	int r = store_get_profile(room.store, row->account.uid, buffer, &profile);

	if (key_is_gone[row->account.uid]) {
		cr_assert_eq(r, STORE_E_NONE);
		return;
	}
	cr_assert_eq(r, 0);
	cr_assert(slice_is(profile.id, id_name(row->id).text));
	cr_assert(slice_is(profile.person, address("p", row->person).text));
	cr_assert(slice_is(profile.upn, address("u", row->upn).text));
}

static void expect_agreement(void)
{
	expect_counts();
	expect_order_of_uids();
	expect_order_of_time(INDEX_DUE, store_next_due);
	expect_order_of_time(INDEX_OWED, store_next_owed);
	for (uint32_t org = 1; org <= N_ORGS; ++org) {
		expect_order_of_org(org);
		expect_find_by_id(org, below(N_IDS));
		expect_find_by_person(org, below(N_PERSONS));
	}
	expect_accounts_of_person(below(N_PERSONS));
	for (uint32_t i = 0; i < 4 && model.n > 0; ++i) {
		const struct model_row *row = &model.rows[below(model.n)];

		expect_profile(row);
		expect_name_taken(row, below(2) ? row->upn : below(N_UPNS));
	}
}

Test(store_model, the_store_agrees_with_a_plain_array_at_every_step)
{
	for (uint32_t i = 0; i < STEPS; ++i) {
		step();
		expect_agreement();
	}
	commit();
	while (store_unsettled_entries(room.store) > 0) {
		storeroom_settle_slice(&room, STORE_SETTLE_SLICE);
	}
	expect_agreement();
	cr_assert_gt(store_counts(room.store)->n_removed, 0);
	cr_assert_gt(store_counts(room.store)->n_soft_deleted, 0);
	cr_assert_gt(store_counts(room.store)->n_overdue, 0);
	cr_assert_gt(store_counts(room.store)->n_held, 0);
}
