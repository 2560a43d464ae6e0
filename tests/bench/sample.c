/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/sample.h"

#include <stdio.h>

#include "tests/support/random.h"

#define STEP UINT64_C(2654435761) /* prime, so that it shares no divisor with a smaller n */

#define SEED_OF_IDS    UINT64_C(0x1d)
#define SEED_OF_GROUPS UINT64_C(0x6e0)
#define GROUPS_OF_ORG  250

static const char *const first_names[] = {"ada",  "bela",  "chidi", "dalia", "emil", "fatima",
					  "goro", "helga", "ines",  "juan",  "kaya", "luka"};
static const char *const last_names[] = {"novak", "okafor", "schmidt", "tanaka", "dubois",
					 "kowal", "silva",  "haddad",  "larsen"};

/* Shaped as a GUID: 8-4-4-4-12 digits. Called for every account of a bulk call, so no printf(). */
static void put_guid(uint64_t seed, uint64_t number, char ret_id[static SAMPLE_ID_LEN + 1])
{
	static const char digits[] = "0123456789abcdef";
	uint64_t state = seed << 32 ^ number;
	uint64_t bits = 0;
	unsigned int n = 0;

	for (unsigned int i = 0; i < SAMPLE_ID_LEN; i++) {
		if (i == 8 || i == 13 || i == 18 || i == 23) {
			ret_id[i] = '-';
			continue;
		}
		if (n++ % 16 == 0) {
			bits = random_next(&state);
		}
		ret_id[i] = digits[bits & 15];
		bits >>= 4;
	}
	ret_id[SAMPLE_ID_LEN] = '\0';
}

void sample_org(uint32_t org, char ret_org[static SAMPLE_ORG_LEN + 1])
{
	assert(org < SAMPLE_ORGS);
	memcpy(ret_org, "org-00", SAMPLE_ORG_LEN + 1);
	ret_org[4] = (char)('0' + org / 10);
	ret_org[5] = (char)('0' + org % 10);
}

void sample_name(uint32_t number, struct sample *ret_sample)
{
	sample_org(number % SAMPLE_ORGS, ret_sample->org);
	put_guid(SEED_OF_IDS, number, ret_sample->id);
}

void sample_person(uint32_t number, struct sample *ret_sample)
{
	uint32_t person = number / SAMPLE_ACCOUNTS_OF_PERSON;
	const char *first = first_names[person % ARRAY_LEN(first_names)];
	const char *last = last_names[person % ARRAY_LEN(last_names)];

	(void)snprintf(ret_sample->person, sizeof(ret_sample->person), "%s.%s.%u@home-%02u.example",
		       first, last, person, person % 50);
	(void)snprintf(ret_sample->mail, sizeof(ret_sample->mail), "%s.%s.%u@mail.example", first,
		       last, person);
	(void)snprintf(ret_sample->name, sizeof(ret_sample->name), "%s %s (%u)", first, last,
		       person);
}

void sample_fill(uint32_t number, struct sample *ret_sample)
{
	uint32_t org = number % SAMPLE_ORGS;
	char *at;

	sample_name(number, ret_sample);
	sample_person(number, ret_sample);
	(void)snprintf(ret_sample->upn, sizeof(ret_sample->upn), "%s#ext#@%s.example",
		       ret_sample->person, ret_sample->org);
	at = strchr(ret_sample->upn, '@');
	*at = '_';
	for (uint32_t i = 0; i < SAMPLE_GROUPS; i++) {
		uint64_t group = (uint64_t)org << 32 | (number / SAMPLE_ORGS + i) % GROUPS_OF_ORG;

		put_guid(SEED_OF_GROUPS, group, ret_sample->groups[i]);
	}
	for (uint32_t i = 0; i < SAMPLE_PERMISSIONS; i++) {
		(void)snprintf(ret_sample->permissions[i], sizeof(ret_sample->permissions[i]),
			       "%s.documents.%u", i == 0 ? "read" : "write", number % 97);
	}
}

uint32_t range_at(const struct range *range, uint64_t place)
{
	assert(range->n > 0 && place < range->n);
	return range->base + (uint32_t)(place * STEP % range->n);
}
