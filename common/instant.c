/* SPDX-License-Identifier: Apache-2.0 */
#include "common/instant.h"

#include <stdio.h>
#include <time.h>

#include "common/civil.h"

/* Nothing here depends on the locale, and strptime() and timegm() are not used: the one follows the
 * locale, the other takes the 31st of February for the 3rd of March. */

static bool byte_is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static bool byte_is_letter(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

static void text_skip(struct slice *text, size_t n)
{
	*text = (struct slice){text->data + n, text->len - n};
}

static bool text_take_byte(struct slice *text, char byte)
{
	if (text->len == 0 || text->data[0] != byte) {
		return false;
	}
	text_skip(text, 1);
	return true;
}

/* Exactly @n digits. */
static bool text_take_digits(struct slice *text, size_t n, unsigned *ret_number)
{
	unsigned number = 0;

	if (text->len < n) {
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		if (!byte_is_digit(text->data[i])) {
			return false;
		}
		number = number * 10 + (unsigned)(text->data[i] - '0');
	}
	text_skip(text, n);
	*ret_number = number;
	return true;
}

/*
 * One digit or more. A number too large for the answer stays at INT64_MAX, which every range
 * refuses.
 */
static bool text_take_number(struct slice *text, int64_t *ret_number)
{
	int64_t number = 0;
	size_t n = 0;

	for (; n < text->len && byte_is_digit(text->data[n]); n++) {
		if (__builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, text->data[n] - '0', &number)) {
			number = INT64_MAX;
		}
	}
	if (n == 0) {
		return false;
	}
	text_skip(text, n);
	*ret_number = number;
	return true;
}

/*
 * "2026-03-01". A day that its month does not have comes back from the day number as another
 * date.
 */
static bool text_take_date(struct slice *text, int64_t *ret_days)
{
	struct civil date, again;
	unsigned year;
	int64_t days;

	if (!text_take_digits(text, 4, &year) || !text_take_byte(text, '-') ||
	    !text_take_digits(text, 2, &date.month) || !text_take_byte(text, '-') ||
	    !text_take_digits(text, 2, &date.day)) {
		return false;
	}
	date.year = year;
	if (date.month < 1 || date.month > 12 || date.day < 1 || date.day > 31) {
		return false;
	}
	days = civil_to_days(date);
	again = civil_from_days(days);
	if (again.month != date.month) {
		return false;
	}
	*ret_days = days;
	return true;
}

/* "12:00". The hour 24 and the leap second 60 are not accepted: instants count neither. */
static bool text_take_hours_minutes(struct slice *text, span_t *ret_span)
{
	unsigned hours, minutes;

	if (!text_take_digits(text, 2, &hours) || !text_take_byte(text, ':') ||
	    !text_take_digits(text, 2, &minutes) || hours > 23 || minutes > 59) {
		return false;
	}
	*ret_span = hours * SPAN_HOUR + minutes * SPAN_MINUTE;
	return true;
}

/*
 * ".5", ".000001"; nothing at all is no fraction. What is finer than a microsecond is refused: it
 * would be lost.
 */
static bool text_take_fraction(struct slice *text, span_t *ret_span)
{
	span_t unit = SPAN_SECOND;
	span_t span = 0;

	if (!text_take_byte(text, '.')) {
		*ret_span = 0;
		return true;
	}
	for (; text->len > 0 && byte_is_digit(text->data[0]); text_skip(text, 1)) {
		unit /= 10;
		if (unit == 0) {
			return false;
		}
		span += (text->data[0] - '0') * unit;
	}
	*ret_span = span;
	return unit < SPAN_SECOND;
}

/* "Z", "+01:00", "-23:59" */
static bool text_take_offset(struct slice *text, span_t *ret_offset)
{
	bool east;
	span_t offset;

	if (text_take_byte(text, 'Z') || text_take_byte(text, 'z')) {
		*ret_offset = 0;
		return true;
	}
	east = text_take_byte(text, '+');
	if (!east && !text_take_byte(text, '-')) {
		return false;
	}
	if (!text_take_hours_minutes(text, &offset)) {
		return false;
	}
	*ret_offset = east ? offset : -offset;
	return true;
}

/* "12:00:00.5+01:00", as the span from the date's first instant in UTC. */
static bool text_take_time(struct slice *text, span_t *ret_span)
{
	span_t hours_minutes, fraction, offset;
	unsigned seconds;

	if (!text_take_hours_minutes(text, &hours_minutes) || !text_take_byte(text, ':') ||
	    !text_take_digits(text, 2, &seconds) || seconds > 59 ||
	    !text_take_fraction(text, &fraction) || !text_take_offset(text, &offset)) {
		return false;
	}
	*ret_span = hours_minutes + seconds * SPAN_SECOND + fraction - offset;
	return true;
}

static int instant_check(int64_t at, instant_t *ret_at)
{
	if (at < 0 || at > INSTANT_MAX) {
		return INSTANT_E_RANGE;
	}
	*ret_at = at;
	return 0;
}

static int instant_parse_date(struct slice text, instant_t *ret_at)
{
	int64_t days;
	span_t time = 0;

	if (!text_take_date(&text, &days)) {
		return INSTANT_E_MALFORMED;
	}
	if (text.len > 0) {
		if (!text_take_byte(&text, 'T') && !text_take_byte(&text, 't') &&
		    !text_take_byte(&text, ' ')) {
			return INSTANT_E_MALFORMED;
		}
		if (!text_take_time(&text, &time) || text.len > 0) {
			return INSTANT_E_MALFORMED;
		}
	}
	return instant_check(days * SPAN_DAY + time, ret_at);
}

static int instant_parse_seconds(struct slice text, instant_t *ret_at)
{
	int64_t seconds;

	if (!text_take_number(&text, &seconds) || text.len > 0) {
		return INSTANT_E_MALFORMED;
	}
	if (seconds > INSTANT_MAX / SPAN_SECOND) {
		return INSTANT_E_RANGE;
	}
	return instant_check(seconds * SPAN_SECOND, ret_at);
}

int instant_parse(struct slice text, instant_t now, instant_t *ret_at)
{
	span_t span;
	int error;

	assert(now >= 0);
	assert(now <= INSTANT_MAX);

	if (slice_is(text, "now")) {
		*ret_at = now;
		return 0;
	}
	if (text_take_byte(&text, '@')) {
		return instant_parse_seconds(text, ret_at);
	}
	if (text_take_byte(&text, '+')) {
		error = span_parse(text, &span);
		return error ? error : instant_check(now + span, ret_at);
	}
	if (text_take_byte(&text, '-')) {
		error = span_parse(text, &span);
		return error ? error : instant_check(now - span, ret_at);
	}
	return instant_parse_date(text, ret_at);
}

/* Largest first; the first name of each is the one that is written. */
static const struct unit {
	span_t length;
	const char *names[6];
} units[] = {
	{7 * SPAN_DAY, {"w", "week", "weeks"}},
	{SPAN_DAY, {"d", "day", "days"}},
	{SPAN_HOUR, {"h", "hr", "hour", "hours"}},
	{SPAN_MINUTE, {"min", "m", "mins", "minute", "minutes"}},
	{SPAN_SECOND, {"s", "sec", "secs", "second", "seconds"}},
	{1000, {"ms", "msec", "millisecond", "milliseconds"}},
	{1, {"us", "usec", "microsecond", "microseconds"}},
};

/* Weeks are read but not written: promises are made in days. */
#define UNIT_DAY 1

static const char *const calendar_names[] = {
	"M", "mo", "mon", "month", "months", "y", "yr", "yrs", "year", "years",
};

static bool unit_find(struct slice name, size_t *ret_unit)
{
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		for (size_t k = 0; k < ARRAY_LEN(units[i].names) && units[i].names[k]; k++) {
			if (slice_is(name, units[i].names[k])) {
				*ret_unit = i;
				return true;
			}
		}
	}
	return false;
}

static bool unit_is_calendar(struct slice name)
{
	for (size_t i = 0; i < ARRAY_LEN(calendar_names); i++) {
		if (slice_is(name, calendar_names[i])) {
			return true;
		}
	}
	return false;
}

/* NUMBER UNIT, with at most one blank between them. */
static int text_take_quantity(struct slice *text, int64_t *ret_number, size_t *ret_unit)
{
	struct slice name;

	if (!text_take_number(text, ret_number)) {
		return INSTANT_E_MALFORMED;
	}
	(void)text_take_byte(text, ' ');
	name = (struct slice){text->data, 0};
	while (name.len < text->len && byte_is_letter(text->data[name.len])) {
		name.len++;
	}
	text_skip(text, name.len);
	if (unit_find(name, ret_unit)) {
		return 0;
	}
	return unit_is_calendar(name) ? INSTANT_E_CALENDAR : INSTANT_E_MALFORMED;
}

/* The sum stays at INT64_MAX once it is too large: a text is read to its end before it is judged, so
 * that a malformed one is called so. */
static span_t span_add(span_t span, int64_t number, span_t length)
{
	span_t more;

	if (__builtin_mul_overflow(number, length, &more) ||
	    __builtin_add_overflow(span, more, &span)) {
		return INT64_MAX;
	}
	return span;
}

int span_parse(struct slice text, span_t *ret_span)
{
	size_t next_unit = 0; /* the largest that may still come */
	span_t span = 0;

	do {
		int64_t number;
		size_t unit;
		int error;

		error = text_take_quantity(&text, &number, &unit);
		if (error) {
			return error;
		}
		if (unit < next_unit) {
			return INSTANT_E_MALFORMED;
		}
		next_unit = unit + 1;
		span = span_add(span, number, units[unit].length);
		if (text.len > 1) {
			(void)text_take_byte(&text, ' '); /* as span_format() writes it */
		}
	} while (text.len > 0);

	if (span > SPAN_MAX) {
		return INSTANT_E_RANGE;
	}
	*ret_span = span;
	return 0;
}

/* The offset of the process's zone in whole minutes, as RFC 3339 writes it: zones of the early 1970s
 * had seconds, too, and are shown at the minute before. */
static span_t instant_local_offset(instant_t at)
{
	time_t seconds = (time_t)(at / SPAN_SECOND);
	struct tm local;

	if (!localtime_r(&seconds, &local)) {
		return 0;
	}
	return local.tm_gmtoff / 60 * SPAN_MINUTE;
}

static void zone_format(span_t offset, char text[static 16])
{
	int minutes = abs((int)(offset / SPAN_MINUTE));

	(void)snprintf(text, 16, "%c%02d:%02d", offset < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

/* Rounds down, not towards zero: a local time may be on the day before 1970. */
static int64_t days_split(int64_t us, span_t *ret_of_day)
{
	int64_t days = us / SPAN_DAY;
	span_t of_day = us % SPAN_DAY;

	if (of_day < 0) {
		days--;
		of_day += SPAN_DAY;
	}
	*ret_of_day = of_day;
	return days;
}

/* Instants out of range have a text, too, since the client shows what it is sent. */
void instant_format(instant_t at, bool utc, char text[static INSTANT_TEXT_MAX])
{
	char fraction[16] = "";
	char zone[16] = "Z";
	char whole[96]; /* more than a compiler that knows no ranges can think of */
	struct civil date;
	span_t of_day;
	int64_t days;
	int n;

	if (at == INSTANT_NONE) {
		memcpy(text, "-", sizeof("-"));
		return;
	}
	days = days_split(at, &of_day);
	if (!utc) {
		span_t offset = instant_local_offset(at);

		zone_format(offset, zone);
		days += days_split(of_day + offset, &of_day);
	}
	date = civil_from_days(days);
	if (of_day % SPAN_SECOND != 0) {
		(void)snprintf(fraction, sizeof(fraction), ".%06d", (int)(of_day % SPAN_SECOND));
	}
	n = snprintf(whole, sizeof(whole), "%04d-%02u-%02uT%02d:%02d:%02d%s%s", (int)date.year,
		     date.month, date.day, (int)(of_day / SPAN_HOUR),
		     (int)(of_day / SPAN_MINUTE % 60), (int)(of_day / SPAN_SECOND % 60), fraction,
		     zone);
	assert(n < INSTANT_TEXT_MAX);
	memcpy(text, whole, (size_t)n + 1);
}

/*
 * At most @n_max units, beginning with the first that is there; a unit of zero is left out but
 * counts.
 */
static void span_write(span_t span, unsigned n_max, const char *between, char *text)
{
	uint64_t left = span < 0 ? 0 - (uint64_t)span : (uint64_t)span;
	unsigned n = 0;
	size_t len = 0;

	if (span == 0) {
		memcpy(text, "0s", sizeof("0s"));
		return;
	}
	if (span < 0) {
		text[len++] = '-';
	}
	for (size_t i = UNIT_DAY; i < ARRAY_LEN(units) && n < n_max; i++) {
		uint64_t number = left / (uint64_t)units[i].length;

		left %= (uint64_t)units[i].length;
		if (number > 0) {
			len += (size_t)snprintf(text + len, SPAN_TEXT_MAX - len, "%s%llu%s",
						n > 0 ? between : "", (unsigned long long)number,
						units[i].names[0]);
		}
		if (number > 0 || n > 0) {
			n++;
		}
	}
}

void span_format(span_t span, char text[static SPAN_TEXT_MAX])
{
	span_write(span, 2, " ", text);
}

void span_format_exact(span_t span, char text[static SPAN_TEXT_MAX])
{
	span_write(span, ARRAY_LEN(units), "", text);
}

const char *instant_fault(int error)
{
	switch (error) {
	case INSTANT_E_RANGE:
		return "must lie between the years 1970 and 9999, and at most 10 000 d from now";
	case INSTANT_E_CALENDAR:
		return "counts months or years, whose length varies: write days, such as +30d";
	}
	assert(error == INSTANT_E_MALFORMED);
	return "is not an instant: write 2026-03-01, 2026-03-01T12:00:00Z, @SECONDS, now, +30d or -2h";
}

const char *span_fault(int error)
{
	switch (error) {
	case INSTANT_E_RANGE:
		return "must be at most 10 000 d";
	case INSTANT_E_CALENDAR:
		return "counts months or years, whose length varies: write days, such as 30d";
	}
	assert(error == INSTANT_E_MALFORMED);
	return "is not a span: write numbers with units, largest first, such as 30d, 1d12h or 90min";
}
