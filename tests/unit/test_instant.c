/* SPDX-License-Identifier: Apache-2.0 */
#include "common/instant.h"

#include <criterion/criterion.h>
#include <time.h>

#define NOW (INT64_C(1772366400) * SPAN_SECOND) /* 2026-03-01T12:00:00Z */

static void expect_instant(const char *text, instant_t expected)
{
	instant_t at = -1;
	int error;

	error = instant_parse(slice_of(text), NOW, &at);
	cr_assert_eq(error, 0, "%s: %d", text, error);
	cr_assert_eq(at, expected, "%s: %lld", text, (long long)at);
}

static void expect_no_instant(const char *text, int expected)
{
	instant_t at = 42;
	int error;

	error = instant_parse(slice_of(text), NOW, &at);
	cr_assert_eq(error, expected, "%s: %d", text, error);
	cr_assert_eq(at, 42, "%s", text);
}

static void expect_span(const char *text, span_t expected)
{
	span_t span = -1;
	int error;

	error = span_parse(slice_of(text), &span);
	cr_assert_eq(error, 0, "%s: %d", text, error);
	cr_assert_eq(span, expected, "%s: %lld", text, (long long)span);
}

static void expect_no_span(const char *text, int expected)
{
	span_t span = 42;
	int error;

	error = span_parse(slice_of(text), &span);
	cr_assert_eq(error, expected, "%s: %d", text, error);
	cr_assert_eq(span, 42, "%s", text);
}

Test(instant, rfc_3339_is_read)
{
	expect_instant("1970-01-01T00:00:00Z", 0);
	expect_instant("2026-03-01T12:00:00Z", NOW);
	expect_instant("2026-03-01 12:00:00Z", NOW);
	expect_instant("2026-03-01t12:00:00z", NOW);
	expect_instant("2024-02-29T00:00:00Z", INT64_C(1709164800) * SPAN_SECOND);
	expect_instant("2000-02-29T23:59:59Z", INT64_C(951868799) * SPAN_SECOND);
	expect_instant("9999-12-31T23:59:59.999999Z", INSTANT_MAX);
}

Test(instant, one_to_six_digits_of_a_second_are_read)
{
	expect_instant("2026-03-01T12:00:00.5Z", NOW + 500000);
	expect_instant("2026-03-01T12:00:00.05Z", NOW + 50000);
	expect_instant("2026-03-01T12:00:00.000001Z", NOW + 1);
	expect_instant("2026-03-01T12:00:00.999999Z", NOW + 999999);
	expect_no_instant("2026-03-01T12:00:00.Z", INSTANT_E_MALFORMED);
	expect_no_instant("2026-03-01T12:00:00.0000000Z", INSTANT_E_MALFORMED);
	expect_no_instant("2026-03-01T12:00:00,5Z", INSTANT_E_MALFORMED);
}

Test(instant, offsets_are_taken_off)
{
	expect_instant("2026-03-01T13:00:00+01:00", NOW);
	expect_instant("2026-03-01T06:30:00-05:30", NOW);
	expect_instant("2026-03-02T11:59:00+23:59", NOW);
	expect_instant("2026-02-28T12:01:00-23:59", NOW);
	expect_instant("2026-03-01T12:00:00-00:00", NOW);
	expect_no_instant("2026-03-01T12:00:00+24:00", INSTANT_E_MALFORMED);
	expect_no_instant("2026-03-01T12:00:00+01:60", INSTANT_E_MALFORMED);
	expect_no_instant("2026-03-01T12:00:00+0100", INSTANT_E_MALFORMED);
	expect_no_instant("2026-03-01T12:00:00+01", INSTANT_E_MALFORMED);
}

Test(instant, a_time_without_an_offset_is_refused)
{
	expect_no_instant("2026-03-01T12:00:00", INSTANT_E_MALFORMED);
	expect_no_instant("2026-03-01T12:00", INSTANT_E_MALFORMED);
	expect_no_instant("2026-03-01T12:00Z", INSTANT_E_MALFORMED);
	expect_no_instant("2026-03-01T", INSTANT_E_MALFORMED);
	expect_no_instant("2026-03-01  12:00:00Z", INSTANT_E_MALFORMED);
}

Test(instant, a_date_is_its_first_instant_in_utc)
{
	expect_instant("2026-03-01", NOW - 12 * SPAN_HOUR);
	expect_instant("1970-01-01", 0);
	expect_instant("9999-12-31", INSTANT_MAX + 1 - SPAN_DAY);
}

Test(instant, dates_that_do_not_exist_are_refused)
{
	expect_no_instant("2026-02-29", INSTANT_E_MALFORMED);
	expect_no_instant("2100-02-29", INSTANT_E_MALFORMED);
	expect_no_instant("2026-04-31", INSTANT_E_MALFORMED);
	expect_no_instant("2026-01-32", INSTANT_E_MALFORMED);
	expect_no_instant("2026-13-01", INSTANT_E_MALFORMED);
	expect_no_instant("2026-00-01", INSTANT_E_MALFORMED);
	expect_no_instant("2026-01-00", INSTANT_E_MALFORMED);
	expect_no_instant("9999-12-32", INSTANT_E_MALFORMED);
}

Test(instant, hour_24_and_leap_seconds_are_refused)
{
	expect_no_instant("2026-03-01T24:00:00Z", INSTANT_E_MALFORMED);
	expect_no_instant("2026-03-01T12:60:00Z", INSTANT_E_MALFORMED);
	expect_no_instant("2016-12-31T23:59:60Z", INSTANT_E_MALFORMED);
}

Test(instant, before_1970_and_after_9999_is_out_of_range)
{
	expect_no_instant("1969-12-31T23:59:59.999999Z", INSTANT_E_RANGE);
	expect_no_instant("1970-01-01T00:00:00+00:01", INSTANT_E_RANGE);
	expect_no_instant("9999-12-31T23:59:59-00:01", INSTANT_E_RANGE);
	expect_no_instant("0000-01-01", INSTANT_E_RANGE);
	expect_no_instant("0001-01-01", INSTANT_E_RANGE);
}

Test(instant, seconds_since_1970_are_read)
{
	expect_instant("@0", 0);
	expect_instant("@1772366400", NOW);
	expect_instant("@253402300799", INSTANT_MAX - 999999);
	expect_no_instant("@253402300800", INSTANT_E_RANGE);
	expect_no_instant("@99999999999999999999999999", INSTANT_E_RANGE);
	expect_no_instant("@", INSTANT_E_MALFORMED);
	expect_no_instant("@-1", INSTANT_E_MALFORMED);
	expect_no_instant("@1.5", INSTANT_E_MALFORMED);
	expect_no_instant("@1 ", INSTANT_E_MALFORMED);
}

Test(instant, relative_forms_count_from_now)
{
	instant_t at;

	expect_instant("now", NOW);
	expect_instant("+30d", NOW + 30 * SPAN_DAY);
	expect_instant("-2h", NOW - 2 * SPAN_HOUR);
	expect_instant("+1d12h", NOW + 36 * SPAN_HOUR);
	expect_instant("-0s", NOW);
	cr_assert_eq(instant_parse(slice_of("-1us"), 0, &at), INSTANT_E_RANGE);
	cr_assert_eq(instant_parse(slice_of("+1us"), INSTANT_MAX, &at), INSTANT_E_RANGE);
	cr_assert_eq(instant_parse(slice_of("-1us"), INSTANT_MAX, &at), 0);
	expect_no_instant("+10001d", INSTANT_E_RANGE);
}

Test(instant, relative_months_and_years_are_refused_as_such)
{
	expect_no_instant("+1month", INSTANT_E_CALENDAR);
	expect_no_instant("-2y", INSTANT_E_CALENDAR);
}

Test(instant, other_texts_are_refused)
{
	static const char *const others[] = {
		"",
		" ",
		"+",
		"-",
		"now ",
		" now",
		"NOW",
		"today",
		"30d",
		"2026",
		"2026-03",
		"2026-3-1",
		"26-03-01",
		"20260301",
		"2026/03/01",
		"2026-03-01Z",
		"2026-03-01T12:00:00Z ",
		"2026-03-01T12:00:00ZZ",
		"+-30d",
		"--30d",
		"+ 30d",
		"1772366400",
	};

	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		expect_no_instant(others[i], INSTANT_E_MALFORMED);
	}
}

Test(instant, a_text_cut_anywhere_is_refused_or_is_a_date)
{
	static const char whole[] = "2026-03-01T12:00:00.25+01:00";

	for (size_t len = 0; len < sizeof(whole) - 1; len++) {
		instant_t at;
		int error = instant_parse((struct slice){whole, len}, NOW, &at);

		cr_assert_eq(error, len == strlen("2026-03-01") ? 0 : INSTANT_E_MALFORMED, "%zu",
			     len);
	}
}

Test(instant, spans_are_read_in_every_unit)
{
	expect_span("2w", 14 * SPAN_DAY);
	expect_span("2 weeks", 14 * SPAN_DAY);
	expect_span("30d", 30 * SPAN_DAY);
	expect_span("1 day", SPAN_DAY);
	expect_span("30days", 30 * SPAN_DAY);
	expect_span("5h", 5 * SPAN_HOUR);
	expect_span("1 hour", SPAN_HOUR);
	expect_span("4min", 4 * SPAN_MINUTE);
	expect_span("4m", 4 * SPAN_MINUTE);
	expect_span("90 minutes", 90 * SPAN_MINUTE);
	expect_span("10s", 10 * SPAN_SECOND);
	expect_span("10 seconds", 10 * SPAN_SECOND);
	expect_span("250ms", 250000);
	expect_span("7us", 7);
	expect_span("0s", 0);
}

Test(instant, spans_are_sums_largest_unit_first)
{
	expect_span("1d12h", 36 * SPAN_HOUR);
	expect_span("1w1d1h1min1s1ms1us",
		    8 * SPAN_DAY + SPAN_HOUR + SPAN_MINUTE + SPAN_SECOND + 1000 + 1);
	expect_span("29d 23h", 29 * SPAN_DAY + 23 * SPAN_HOUR);
	expect_span("1 day 12 hours", 36 * SPAN_HOUR);
	expect_no_span("12h1d", INSTANT_E_MALFORMED);
	expect_no_span("1d1d", INSTANT_E_MALFORMED);
	expect_no_span("1m1min", INSTANT_E_MALFORMED);
}

Test(instant, a_bare_number_is_no_span)
{
	expect_no_span("0", INSTANT_E_MALFORMED);
	expect_no_span("30", INSTANT_E_MALFORMED);
	expect_no_span("1d12", INSTANT_E_MALFORMED);
}

Test(instant, months_and_years_are_refused_as_such)
{
	static const char *const calendars[] = {
		"1month", "2 months", "1mo",   "1mon",    "1M",   "1y",
		"1yr",    "2yrs",     "1year", "3 years", "1y6d",
	};

	for (size_t i = 0; i < ARRAY_LEN(calendars); i++) {
		expect_no_span(calendars[i], INSTANT_E_CALENDAR);
	}
}

Test(instant, a_span_ends_at_10000_days)
{
	expect_span("10000d", SPAN_MAX);
	expect_no_span("10000d1us", INSTANT_E_RANGE);
	expect_no_span("10001d", INSTANT_E_RANGE);
	expect_no_span("9223372036854775807us", INSTANT_E_RANGE);
	expect_no_span("9223372036854775808us", INSTANT_E_RANGE);
	expect_no_span("99999999999999999999999w", INSTANT_E_RANGE);
	expect_no_span("9999999999999999999d99999999999999999999h", INSTANT_E_RANGE);
}

Test(instant, other_spans_are_refused)
{
	static const char *const others[] = {
		"",     " ",           "d",     "-1d",       "+1d",    "1.5d",
		"1,5d", " 1d",         "1d ",   "1  d",      "1d  1h", "1dd",
		"1D",   "1 fortnight", "1d,1h", "1d and 1h", "0x1d",   "20000d1x",
	};

	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		expect_no_span(others[i], INSTANT_E_MALFORMED);
	}
	cr_assert_eq(span_parse((struct slice){NULL, 0}, &(span_t){0}), INSTANT_E_MALFORMED);
	cr_assert_eq(span_parse(SLICE_LITERAL("1d\0"), &(span_t){0}), INSTANT_E_MALFORMED);
}

static void expect_text(instant_t at, bool utc, const char *expected)
{
	char text[INSTANT_TEXT_MAX];

	instant_format(at, utc, text);
	cr_assert_str_eq(text, expected);
}

static void use_zone(const char *zone)
{
	cr_assert_eq(setenv("TZ", zone, 1), 0);
	tzset();
}

Test(instant, microseconds_are_shown_only_if_there_are_any)
{
	expect_text(0, true, "1970-01-01T00:00:00Z");
	expect_text(NOW, true, "2026-03-01T12:00:00Z");
	expect_text(NOW + 1, true, "2026-03-01T12:00:00.000001Z");
	expect_text(NOW + 500000, true, "2026-03-01T12:00:00.500000Z");
	expect_text(INSTANT_MAX, true, "9999-12-31T23:59:59.999999Z");
}

Test(instant, no_instant_is_a_dash)
{
	expect_text(INSTANT_NONE, true, "-");
	expect_text(INSTANT_NONE, false, "-");
}

Test(instant, instants_out_of_range_have_a_text_that_fits)
{
	expect_text(-1, true, "1969-12-31T23:59:59.999999Z");
	expect_text(INSTANT_MAX + 1, true, "10000-01-01T00:00:00Z");
	expect_text(INT64_MAX, true, "294247-01-10T04:00:54.775807Z");
	expect_text(INT64_MIN + 1, true, "-290308-12-21T19:59:05.224193Z");
	use_zone("ABC-14");
	expect_text(INT64_MAX, false, "294247-01-10T18:00:54.775807+14:00");
	use_zone("ABC12");
	expect_text(INT64_MIN + 1, false, "-290308-12-21T07:59:05.224193-12:00");
}

Test(instant, local_time_has_its_offset)
{
	use_zone("CET-1CEST,M3.5.0,M10.5.0/3");
	expect_text(NOW, false, "2026-03-01T13:00:00+01:00");
	expect_text(NOW + 122 * SPAN_DAY, false, "2026-07-01T14:00:00+02:00");
	use_zone("ABC9:30");
	expect_text(0, false, "1969-12-31T14:30:00-09:30");
	use_zone("ABC-5:45");
	expect_text(NOW + 12 * SPAN_HOUR + 1, false, "2026-03-02T05:45:00.000001+05:45");
	use_zone("UTC0");
	expect_text(NOW, false, "2026-03-01T12:00:00+00:00");
}

Test(instant, a_zone_with_seconds_is_shown_at_a_whole_minute_of_the_same_instant)
{
	use_zone("LMT0:44:30");
	expect_text(NOW, false, "2026-03-01T11:16:00-00:44");
}

Test(instant, what_is_written_is_read_back)
{
	static const instant_t instants[] = {
		0,
		1,
		999999,
		NOW,
		NOW + 1,
		INSTANT_MAX,
		INT64_C(951782400) * SPAN_SECOND,
		INT64_C(4107542400) * SPAN_SECOND - 1,
	};
	char text[INSTANT_TEXT_MAX];

	use_zone("CET-1CEST,M3.5.0,M10.5.0/3");
	for (size_t i = 0; i < ARRAY_LEN(instants); i++) {
		instant_format(instants[i], true, text);
		expect_instant(text, instants[i]);
		if (instants[i] < INSTANT_MAX) {
			instant_format(instants[i], false, text);
			expect_instant(text, instants[i]);
		}
	}
}

Test(instant, every_day_up_to_9999_is_read_back)
{
	char text[INSTANT_TEXT_MAX];

	for (instant_t at = 0; at <= INSTANT_MAX; at += 7 * SPAN_DAY) {
		instant_format(at, true, text);
		expect_instant(text, at);
	}
}

static void expect_span_text(span_t span, const char *shortly, const char *exactly)
{
	char text[SPAN_TEXT_MAX];

	span_format(span, text);
	cr_assert_str_eq(text, shortly);
	span_format_exact(span, text);
	cr_assert_str_eq(text, exactly);
}

Test(instant, a_span_is_shown_in_its_two_largest_units)
{
	expect_span_text(0, "0s", "0s");
	expect_span_text(30 * SPAN_DAY, "30d", "30d");
	expect_span_text(30 * SPAN_DAY - 1, "29d 23h", "29d23h59min59s999ms999us");
	expect_span_text(36 * SPAN_HOUR, "1d 12h", "1d12h");
	expect_span_text(SPAN_DAY + SPAN_MINUTE, "1d", "1d1min");
	expect_span_text(4 * SPAN_MINUTE + 10 * SPAN_SECOND, "4min 10s", "4min10s");
	expect_span_text(1500000, "1s 500ms", "1s500ms");
	expect_span_text(1, "1us", "1us");
}

Test(instant, a_negative_span_has_a_minus_in_front)
{
	expect_span_text(-36 * SPAN_HOUR, "-1d 12h", "-1d12h");
	expect_span_text(INT64_MIN, "-106751991d 4h", "-106751991d4h54s775ms808us");
	expect_span_text(INT64_MAX, "106751991d 4h", "106751991d4h54s775ms807us");
}

Test(instant, an_exact_span_is_read_back)
{
	static const span_t spans[] = {
		0, 1, 999, 1000, SPAN_SECOND, SPAN_DAY - 1, 30 * SPAN_DAY, SPAN_MAX - 1, SPAN_MAX,
	};
	char text[SPAN_TEXT_MAX];

	for (size_t i = 0; i < ARRAY_LEN(spans); i++) {
		span_format_exact(spans[i], text);
		expect_span(text, spans[i]);
	}
}

Test(instant, every_fault_is_a_sentence_of_its_own)
{
	for (int error = INSTANT_E_MALFORMED; error <= INSTANT_E_CALENDAR; error++) {
		cr_assert_gt(strlen(instant_fault(error)), 10);
		cr_assert_gt(strlen(span_fault(error)), 10);
		cr_assert_str_neq(instant_fault(error), span_fault(error));
	}
}
