/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_WORK_LOG_H
#define RETENTIOND_WORK_LOG_H

#include "common/base.h"

/*
 * What the daemon says to its administrator. Lines carry numbers (uid, ledger number,
 * organization), never names of people. The journal is a mirror for the administrator, never the
 * record: the record is the ledger.
 *
 * core, store and common never log. main gives the sink: the journal under systemd, stderr else.
 */

/* syslog's priorities. */
enum log_level {
	LOG_LEVEL_CRITICAL = 2,
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_NOTICE = 5,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7,
};

/* A journal field: "RETENTIOND_UID", an account's, "17". Both texts are borrowed for the call. */
struct log_field {
	const char *name;
	const char *value;
};

#define LOG_FIELDS_MAX 8
#define LOG_NAME_MAX   31  /* bytes */
#define LOG_VALUE_MAX  255 /* bytes; the longest is a list of keepers */
#define LOG_FIELD_SIZE (LOG_NAME_MAX + sizeof("=") + LOG_VALUE_MAX)

/* "RETENTIOND_UID=17", as the journal takes it; cut if it has more. Return: its length. */
size_t log_format_field(const struct log_field *field, char text[static LOG_FIELD_SIZE]);

/* MESSAGE_ID of every line about something overdue; systemd/retentiond.catalog explains it. */
#define LOG_OVERDUE_ID "1d7a4f0e6c2b4b0e9a5c3f8e2d6b7a90"

/* And of those about the mass guard, */
#define LOG_MASS_GUARD_ID "e9b56d7038e076fbf4b2cd0a3238a185"

/* of the one about removals that started late, */
#define LOG_LATE_ID "fdc12d2d7c854edaa6f48ba190541211"

/* and of the one that the clock guard is engaged. */
#define LOG_CLOCK_ID "12ae3566cfe546dabce804bde1549215"

typedef void log_sink_fn(enum log_level level, const char *text, const struct log_field *fields,
			 size_t n_fields);

void log_set_sink(log_sink_fn *sink);
void log_set_level(enum log_level level); /* lines above it are dropped; LOG_LEVEL_INFO at first */

/* One line; at most 1024 bytes, the rest is cut. */
void log_say(enum log_level level, const char *format, ...) printf_like(2, 3);

/* One line with journal fields; at most LOG_FIELDS_MAX. */
void log_say_fields(enum log_level level, const struct log_field *fields, size_t n_fields,
		    const char *format, ...) printf_like(4, 5);

#endif
