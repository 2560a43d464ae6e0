/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_COMMON_CIVIL_H
#define RETENTIOND_COMMON_CIVIL_H

#include "common/base.h"

/* A date of the proleptic Gregorian calendar. */
struct civil {
	int64_t year;
	unsigned month; /* 1 to 12 */
	unsigned day;   /* 1 to 31 */
};

/* Days since 1970-01-01, before it negative, of a date, and back. */
int64_t civil_to_days(struct civil date);
struct civil civil_from_days(int64_t days);

#endif
