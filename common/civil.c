/* SPDX-License-Identifier: Apache-2.0 */
#include "common/civil.h"

/*
 * Years are counted from March, so that the leap day is a year's last and months have a regular
 * length: 153 days in every five. An era of 400 years has 146 097 days; 719 468 days lie between
 * 0000-03-01 and 1970-01-01.
 */
int64_t civil_to_days(struct civil date)
{
	int64_t year = date.month <= 2 ? date.year - 1 : date.year;
	int64_t era = (year >= 0 ? year : year - 399) / 400;
	int64_t year_of_era = year - era * 400;
	int64_t month_from_march = (date.month + 9) % 12;
	int64_t day_of_year = (153 * month_from_march + 2) / 5 + date.day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return era * 146097 + day_of_era - 719468;
}

struct civil civil_from_days(int64_t days)
{
	int64_t from_march = days + 719468;
	int64_t era = (from_march >= 0 ? from_march : from_march - 146096) / 146097;
	int64_t day_of_era = from_march - era * 146097;
	int64_t year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year =
		day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t month_from_march = (5 * day_of_year + 2) / 153;
	struct civil date;

	date.day = (unsigned)(day_of_year - (153 * month_from_march + 2) / 5 + 1);
	date.month = (unsigned)((month_from_march + 2) % 12 + 1);
	date.year = era * 400 + year_of_era + (date.month <= 2 ? 1 : 0);
	return date;
}
