/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/work/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#define LINE_MAX_BYTES 1024
#define ESCAPE_LEN     (sizeof("\\x0a") - 1)

static log_sink_fn *log_sink;
static enum log_level log_level = LOG_LEVEL_INFO;

void log_set_sink(log_sink_fn *sink)
{
	log_sink = sink;
}

void log_set_level(enum log_level level)
{
	log_level = level;
}

size_t log_format_field(const struct log_field *field, char text[static LOG_FIELD_SIZE])
{
	int len = snprintf(text, LOG_FIELD_SIZE, "%s=%s", field->name, field->value);

	assert(len >= 0);
	return MIN((size_t)len, LOG_FIELD_SIZE - 1);
}

static bool byte_is_control(unsigned char byte)
{
	return byte < 0x20 || byte == 0x7f;
}

/*
 * A line break in a text would begin a line that the daemon never said, and an escape sequence
 * would steer the terminal it is read on.
 */
static void line_escape(const char *from, char to[static LINE_MAX_BYTES + 1])
{
	size_t len = 0;

	for (; *from; from++) {
		bool escaped = byte_is_control((unsigned char)*from);

		if (len + (escaped ? ESCAPE_LEN : 1) > LINE_MAX_BYTES) {
			/*
			 * Look at the first byte that is left off: it tells whether it begins
			 * anew.
			 */
			to[len] = *from;
			len = utf8_cut(to, len);
			break;
		}
		if (escaped) {
			(void)snprintf(to + len, ESCAPE_LEN + 1, "\\x%02x", (unsigned char)*from);
			len += ESCAPE_LEN;
		} else {
			to[len++] = *from;
		}
	}
	to[len] = '\0';
}

/* Callers say things on their way out of a failure: its errno is left as it was. */
static void printf_like(4, 0) log_say_va(enum log_level level, const struct log_field *fields,
					 size_t n_fields, const char *format, va_list arguments)
{
	/* One byte more than a line has, so that what is cut here is cut again with care below. */
	char text[LINE_MAX_BYTES + 2];
	char line[LINE_MAX_BYTES + 1];
	int saved_errno = errno;

	assert(n_fields <= LOG_FIELDS_MAX);

	if (!log_sink || level > log_level) {
		return;
	}
	if (vsnprintf(text, sizeof(text), format, arguments) >= 0) {
		line_escape(text, line);
		log_sink(level, line, fields, n_fields);
	}
	errno = saved_errno;
}

void log_say(enum log_level level, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	log_say_va(level, NULL, 0, format, arguments);
	va_end(arguments);
}

void log_say_fields(enum log_level level, const struct log_field *fields, size_t n_fields,
		    const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	log_say_va(level, fields, n_fields, format, arguments);
	va_end(arguments);
}
