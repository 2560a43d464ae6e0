/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_BENCH_TEXT_H
#define RETENTIOND_TESTS_BENCH_TEXT_H

#include "tests/bench/fail.h"

/**
 * struct text - a text that grows; for parameters, of which the longest is reused
 * @data: terminated
 */
struct text {
	char *data;
	size_t len;
	size_t size;
};

static inline void text_reset(struct text *text)
{
	text->len = 0;
}

static inline void text_done(struct text *text)
{
	free(text->data);
	*text = (struct text){0};
}

static inline void text_add(struct text *text, const char *more)
{
	size_t len = strlen(more);

	if (text->size - text->len <= len) {
		text->size = 2 * text->size + len + 64;
		text->data = realloc(text->data, text->size);
		if (!text->data) {
			fail("out of memory");
		}
	}
	memcpy(text->data + text->len, more, len + 1);
	text->len += len;
}

#endif
