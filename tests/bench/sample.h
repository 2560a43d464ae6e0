/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_BENCH_SAMPLE_H
#define RETENTIOND_TESTS_BENCH_SAMPLE_H

#include "common/base.h"

/*
 * The accounts that are worked on, made from their numbers: the same in every run and for every
 * system. Ids look random, as a directory's do. A person has four accounts, each in another of a
 * hundred organizations.
 */

#define SAMPLE_VERSION 1 /* raised when an account is made otherwise: kept stores are made anew */

#define SAMPLE_ORGS               100
#define SAMPLE_ACCOUNTS_OF_PERSON 4
#define SAMPLE_GROUPS             3
#define SAMPLE_PERMISSIONS        2

#define SAMPLE_ID_LEN  36
#define SAMPLE_ORG_LEN 6

/**
 * struct sample - one account; texts are terminated
 * @org, @id: all that sample_name() sets
 */
struct sample {
	char org[SAMPLE_ORG_LEN + 1];
	char id[SAMPLE_ID_LEN + 1];
	char person[48];
	char upn[80];
	char mail[48];
	char name[48];
	char groups[SAMPLE_GROUPS][SAMPLE_ID_LEN + 1];
	char permissions[SAMPLE_PERMISSIONS][32];
};

void sample_org(uint32_t org, char ret_org[static SAMPLE_ORG_LEN + 1]); /* 0 to SAMPLE_ORGS - 1 */
void sample_name(uint32_t number, struct sample *ret_sample);
void sample_person(uint32_t number, struct sample *ret_sample); /* @person, @mail, @name */
void sample_fill(uint32_t number, struct sample *ret_sample);

/**
 * struct range - accounts @base to @base + @n - 1
 *
 * Works visit them in an order that jumps about, so that no neighbours are met in a page.
 */
struct range {
	uint32_t base;
	uint32_t n;
};

/* The account at a place of that order; every place of 0 to n - 1 has another one. */
uint32_t range_at(const struct range *range, uint64_t place);

#endif
