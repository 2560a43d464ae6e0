/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "common/model.h"

#include "tests/bench/sample.h"

#define N 20000

static void check_place(const struct range *range)
{
	bool *seen = calloc(range->n, sizeof(*seen));

	cr_assert(seen);
	for (uint64_t place = 0; place < range->n; place++) {
		uint32_t account = range_at(range, place);

		cr_assert(account >= range->base && account - range->base < range->n);
		cr_assert(!seen[account - range->base], "place %llu of %u",
			  (unsigned long long)place, range->n);
		seen[account - range->base] = true;
	}
	free(seen);
}

Test(sample, every_place_of_a_range_is_another_account)
{
	check_place(&(struct range){0, 1});
	check_place(&(struct range){500, 250});
	check_place(&(struct range){0, 65536});
	check_place(&(struct range){7, 99991});
	check_place(&(struct range){1000000, 1000000});
}

static int compare_ids(const void *a, const void *b)
{
	return strcmp(a, b);
}

Test(sample, ids_differ)
{
	static char ids[N][SAMPLE_ID_LEN + 1];
	struct sample sample;

	for (uint32_t i = 0; i < N; i++) {
		sample_name(i, &sample);
		memcpy(ids[i], sample.id, sizeof(ids[i]));
	}
	qsort(ids, N, sizeof(ids[0]), compare_ids);
	for (uint32_t i = 1; i < N; i++) {
		cr_assert_str_neq(ids[i - 1], ids[i]);
	}
}

Test(sample, a_person_has_four_accounts_in_four_organizations)
{
	for (uint32_t i = 0; i < N; i += SAMPLE_ACCOUNTS_OF_PERSON) {
		struct sample first, other;

		sample_fill(i, &first);
		for (uint32_t n = 1; n < SAMPLE_ACCOUNTS_OF_PERSON; n++) {
			sample_fill(i + n, &other);
			cr_assert_str_eq(first.person, other.person);
			cr_assert_str_neq(first.org, other.org);
		}
		sample_fill(i + SAMPLE_ACCOUNTS_OF_PERSON, &other);
		cr_assert_str_neq(first.person, other.person);
	}
}

Test(sample, what_is_made_is_what_the_daemon_takes)
{
	for (uint32_t i = 0; i < 100000000; i += 99991) {
		struct sample sample;

		sample_fill(i, &sample);
		cr_assert_eq(strlen(sample.id), SAMPLE_ID_LEN);
		cr_assert_null(model_org_fault(slice_of(sample.org)));
		cr_assert_null(model_id_fault(slice_of(sample.id)));
		cr_assert_null(model_address_fault(slice_of(sample.person)));
		cr_assert_null(model_address_fault(slice_of(sample.upn)), "%s", sample.upn);
		cr_assert_null(model_address_fault(slice_of(sample.mail)));
		cr_assert_null(model_name_fault(slice_of(sample.name)));
		for (uint32_t n = 0; n < SAMPLE_GROUPS; n++) {
			cr_assert_null(model_group_fault(slice_of(sample.groups[n])));
		}
		for (uint32_t n = 0; n < SAMPLE_PERMISSIONS; n++) {
			cr_assert_null(model_group_fault(slice_of(sample.permissions[n])));
		}
	}
}
