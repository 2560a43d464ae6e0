/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/orgs.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "daemon/core/policy.h"
#include "daemon/store/schema.h"

#include "tests/support/random.h"
#include "tests/support/temp.h"

#define MAP_BYTES ((size_t)64 << 20)

static char *directory;
static struct kv *kv;
static struct kv_txn *txn;
static struct orgs orgs;

static void set_up(void)
{
	directory = temp_directory_new();
	cr_assert_eq(kv_create(directory, MAP_BYTES), 0);
	cr_assert_eq(kv_open(directory, MAP_BYTES, false, &kv), 0);
	cr_assert_eq(kv_begin(kv, true, &txn), 0);
}

static void tear_down(void)
{
	orgs_done(&orgs);
	txn = kv_abort(txn);
	kv = kv_close(kv);
	directory = temp_directory_free(directory);
}

TestSuite(orgs, .init = set_up, .fini = tear_down);

static struct org org_of(uint32_t number, const char *id)
{
	struct org org = {.number = number, .policy = policy_default(), .last_seq = number};

	(void)snprintf(org.id, sizeof(org.id), "%s", id);
	return org;
}

static void put(uint32_t number, const char *id)
{
	struct org org = org_of(number, id);

	cr_assert_eq(orgs_put(&orgs, &org), 0);
}

static void store_row(uint32_t number, const char *id)
{
	struct org org = org_of(number, id);
	struct key key = key_org(number);
	uint8_t bytes[ROWS_ORG_LEN_MAX];
	struct slice row = {(const char *)bytes, rows_encode_org(&org, bytes)};

	kv_put(txn, KV_ORGS, key_slice(&key), row);
	cr_assert_eq(kv_txn_error(txn), 0);
}

static uint32_t number_of(const char *id)
{
	const struct org *org = orgs_find(&orgs, slice_of(id));

	return org ? org->number : 0;
}

Test(orgs, none_are_found_where_there_are_none)
{
	cr_assert_null(orgs_get(&orgs, 0));
	cr_assert_null(orgs_get(&orgs, 1));
	cr_assert_eq(number_of("fabrikam"), 0);
}

Test(orgs, one_is_found_by_number_and_by_id)
{
	put(1, "fabrikam");
	put(2, "contoso");
	cr_assert_str_eq(orgs_get(&orgs, 2)->id, "contoso");
	cr_assert_eq(number_of("fabrikam"), 1);
	cr_assert_eq(number_of("contoso"), 2);
	cr_assert_null(orgs_get(&orgs, 3));
}

Test(orgs, an_id_is_not_found_by_a_part_of_it)
{
	put(1, "fabrikam");
	cr_assert_eq(number_of("fabrika"), 0);
	cr_assert_eq(number_of("fabrikam1"), 0);
	cr_assert_eq(number_of("Fabrikam"), 0);
	cr_assert_null(orgs_find(&orgs, (struct slice){0}));
}

Test(orgs, settings_replace_the_ones_before)
{
	struct org org = org_of(1, "fabrikam");

	put(1, "fabrikam");
	put(2, "contoso");
	org.policy.window = MODEL_WINDOW_MIN;
	cr_assert_eq(orgs_put(&orgs, &org), 0);
	cr_assert_eq(orgs.n, 2);
	cr_assert_eq(orgs_find(&orgs, slice_of("fabrikam"))->policy.window, MODEL_WINDOW_MIN);
}

Test(orgs, each_of_many_is_found_whatever_the_order_they_came_in)
{
	uint64_t random = 7;
	char ids[300][24];

	for (uint32_t i = 0; i < ARRAY_LEN(ids); ++i) {
		(void)snprintf(ids[i], sizeof(ids[i]), "%x-%u", random_below(&random, 4096), i);
		put(i + 1, ids[i]);
	}
	for (uint32_t i = 0; i < ARRAY_LEN(ids); ++i) {
		cr_assert_eq(number_of(ids[i]), i + 1);
	}
}

Test(orgs, what_is_stored_is_loaded)
{
	store_row(1, "fabrikam");
	store_row(2, "contoso");
	cr_assert_eq(orgs_load(&orgs, txn), 0);
	cr_assert_eq(orgs.n, 2);
	cr_assert_eq(number_of("contoso"), 2);
	cr_assert_eq(orgs_get(&orgs, 2)->last_seq, 2);
}

Test(orgs, an_empty_table_loads_none)
{
	cr_assert_eq(orgs_load(&orgs, txn), 0);
	cr_assert_eq(orgs.n, 0);
}

Test(orgs, a_missing_number_is_refused)
{
	store_row(1, "fabrikam");
	store_row(3, "contoso");
	cr_assert_eq(orgs_load(&orgs, txn), ORGS_E_CORRUPT);
}

Test(orgs, an_id_that_is_there_twice_is_refused)
{
	store_row(1, "fabrikam");
	store_row(2, "fabrikam");
	cr_assert_eq(orgs_load(&orgs, txn), ORGS_E_CORRUPT);
}

Test(orgs, a_row_that_cannot_be_read_is_refused)
{
	struct key key = key_org(1);

	kv_put(txn, KV_ORGS, key_slice(&key), SLICE_LITERAL("no organization"));
	cr_assert_eq(orgs_load(&orgs, txn), ORGS_E_CORRUPT);
}
