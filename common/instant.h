/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_COMMON_INSTANT_H
#define RETENTIOND_COMMON_INSTANT_H

#include "common/base.h"

/*
 * Instants and spans. Both count microseconds; an instant counts them since 1970-01-01T00:00:00Z.
 * One day is 86 400 s exactly: the promises are made in days of that length, never in calendar
 * days, so neither a time zone nor a leap second moves a deadline.
 */

typedef int64_t instant_t; /* us since 1970 UTC */
typedef int64_t span_t;    /* us */

#define INSTANT_NONE INT64_MIN /* "has not happened" */

/* 9999-12-31T23:59:59.999999Z, the last instant RFC 3339 can write. What a peer names lies between
 * 0 and this, so that adding any allowed span cannot overflow. */
#define INSTANT_MAX INT64_C(253402300799999999)

#define SPAN_SECOND INT64_C(1000000)
#define SPAN_MINUTE (60 * SPAN_SECOND)
#define SPAN_HOUR   (60 * SPAN_MINUTE)
#define SPAN_DAY    (24 * SPAN_HOUR)

/* The longest span that is accepted: over 27 years, and no sum of an instant and it overflows. */
#define SPAN_MAX (10000 * SPAN_DAY)

/* Bytes for the longest text of each, with its end. */
#define INSTANT_TEXT_MAX 40
#define SPAN_TEXT_MAX    48

enum {
	INSTANT_E_MALFORMED = 1, /* not in any accepted form */
	INSTANT_E_RANGE,         /* before 1970 or after 9999, or a span over 10 000 d */
	INSTANT_E_CALENDAR, /* months or years: their length is not fixed, so they are refused */
};

/**
 * instant_parse() - read an instant as people write it
 * @text:   RFC 3339 ("2026-03-01T12:00:00Z", "…+01:00", up to six digits of a second, 'T' or one
 *          space), a date alone ("2026-03-01": its first instant in UTC), "@SECONDS",
 *          "now", or relative to @now: "+30d", "-2h"
 * @now:    what relative forms count from
 * @ret_at: set on 0; 0 to INSTANT_MAX
 *
 * Return: 0, INSTANT_E_MALFORMED, INSTANT_E_RANGE or INSTANT_E_CALENDAR.
 */
must_check int instant_parse(struct slice text, instant_t now, instant_t *ret_at);

/**
 * span_parse() - read a span as people write it
 * @text:     one or more of NUMBER UNIT without blanks, largest first: w d h min m s ms us, and
 *            their long names ("30d", "1d12h", "90 minutes", "2 weeks"); a bare number is
 *            refused. "m" is minutes.
 * @ret_span: set on 0; 0 to 10 000 d
 *
 * Return: 0, INSTANT_E_MALFORMED, INSTANT_E_RANGE, or INSTANT_E_CALENDAR for months and years.
 */
must_check int span_parse(struct slice text, span_t *ret_span);

/**
 * instant_format() - RFC 3339, microseconds shown only if there are any
 * @at:   the instant, or INSTANT_NONE for "-"
 * @utc:  true for "…Z"; false for the time zone of the process, with its offset
 * @text: the caller's buffer
 */
void instant_format(instant_t at, bool utc, char text[static INSTANT_TEXT_MAX]);

/**
 * span_format() - the two largest units of a span: "29d 23h", "4min 10s", "0s"; "-" in front if
 * negative
 */
void span_format(span_t span, char text[static SPAN_TEXT_MAX]);

/**
 * span_format_exact() - a form that span_parse() reads back to the same span: "30d", "1d12h"
 */
void span_format_exact(span_t span, char text[static SPAN_TEXT_MAX]);

/* What an INSTANT_E_ answer means, as a sentence's end: "is not an instant: write …". */
const char *instant_fault(int error);
const char *span_fault(int error);

#endif
