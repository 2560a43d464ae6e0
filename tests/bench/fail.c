/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/fail.h"

#include <stdarg.h>
#include <stdio.h>

#define EXIT_BROKEN 1

static printf_like(1, 0) void say(const char *format, va_list arguments)
{
	(void)fflush(stdout);
	(void)fputs("bench: ", stderr);
	(void)vfprintf(stderr, format, arguments);
}

void fail(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(format, arguments);
	va_end(arguments);
	(void)fputc('\n', stderr);
	exit(EXIT_BROKEN);
}

void fail_errno(int error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(format, arguments);
	va_end(arguments);
	(void)fprintf(stderr, ": %s\n", strerror(error < 0 ? -error : error));
	exit(EXIT_BROKEN);
}

void *must_alloc(size_t size)
{
	void *memory = calloc(1, size);

	if (!memory) {
		fail("out of memory");
	}
	return memory;
}
