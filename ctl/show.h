/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_SHOW_H
#define RETENTIOND_CTL_SHOW_H

#include <jansson.h>
#include <stdio.h>

#include "common/instant.h"

/**
 * struct show - how results are told to people
 * @out:    where to
 * @now:    of the daemon, for "in 29d 23h"; INSTANT_NONE if it is not known
 * @utc:    times in UTC instead of local time
 * @legend: headings and closing lines
 * @color:  @out is a terminal that shows colours
 * @fit:    @out is a terminal: tables are made to fit it
 */
struct show {
	FILE *out;
	instant_t now;
	bool utc;
	bool legend;
	bool color;
	bool fit;
};

/* Escape sequences, or nothing where colours are not wanted. */
const char *show_red(const struct show *show);
const char *show_bold(const struct show *show);
const char *show_plain(const struct show *show);

/* "87 143": digits in groups of three. */
void show_count(int64_t n, FILE *out);

/* "2026-12-21T20:12:00Z (in 29d 23h)", to the second. */
void show_instant(const struct show *show, instant_t at, FILE *out);

/* The instant under a key; false if there is none. */
must_check bool show_instant_of(const json_t *object, const char *key, instant_t *ret_at);

/**
 * show_value() - one value as people read it
 * @key:   its name says what a number counts: …_us an instant or a span, …_bytes bytes
 * @value: NULL and null are "-"
 * @out:   written without control characters
 */
void show_value(const struct show *show, const char *key, const json_t *value, FILE *out);

/* The value under a key. */
void show_key(const struct show *show, const json_t *object, const char *key);

/* Words and the instant under a key; nothing if there is none. */
void show_when(const struct show *show, const char *words, const json_t *object, const char *key);

/*
 * Of the clock of an answer, where the wall clock stands if trusted time is another: "; the wall clock
 * shows …, 40d ahead". Nothing while they agree to a minute.
 */
void show_wall(const struct show *show, const char *words, const json_t *clock);

/**
 * show_rows() - an array of maps as a table; columns that hold nothing are left out
 * @columns: keys in order, ended by NULL; or NULL for every key there is
 *
 * Return: 0 or -ENOMEM.
 */
must_check int show_rows(const struct show *show, const json_t *rows, const char *const *columns);

/* "window ends" of window_ends_us: what people read for a key; cut to @size. */
void show_label(const char *key, char *label, size_t size);

/* A map as "key: value" lines; arrays of maps in it follow as tables. Return: 0 or -ENOMEM. */
must_check int show_map(const struct show *show, const json_t *object);

/* Any result: a map, an array or a lone value. Return: 0 or -ENOMEM. */
must_check int show_result(const struct show *show, const json_t *result);

#endif
