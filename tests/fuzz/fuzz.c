/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/fuzz.h"

#include <sodium.h>

#include "daemon/work/log.h"

#include "tests/support/random.h"
#include "tests/support/temp.h"

#define CHANGES_MAX 64
#define DAMAGE_MAX  (UINT16_MAX + 1) /* bytes from a file's beginning that damage reaches */

static char *directory; /* of everything that is written; gone at the end */

static const char *random_name(void)
{
	return "fixed";
}

static void random_fill(void *to, const size_t len)
{
	static uint64_t state = 1;
	uint8_t *bytes = to;

	for (size_t i = 0; i < len; i++) {
		bytes[i] = (uint8_t)random_next(&state);
	}
}

static uint32_t random_number(void)
{
	uint32_t number;

	random_fill(&number, sizeof(number));
	return number;
}

static struct randombytes_implementation fixed_random = {
	.implementation_name = random_name,
	.random = random_number,
	.buf = random_fill,
};

static void say_nothing(unused enum log_level level, unused const char *text,
			unused const struct log_field *fields, unused size_t n_fields)
{
}

static void clean_up(void)
{
	directory = temp_directory_free(directory);
}

int LLVMFuzzerInitialize(unused int *argc, unused char ***argv)
{
	int r = randombytes_set_implementation(&fixed_random);

	assert(r == 0);
	r = sodium_init();
	assert(r >= 0);
	log_set_sink(say_nothing);
	r = setenv("TZ", "UTC", 1);
	assert(r == 0);
	directory = temp_directory_new();
	r = setenv("TMPDIR", directory, 1);
	assert(r == 0);
	r = atexit(clean_up);
	assert(r == 0);
	return 0;
}

const char *fuzz_file(const char *name)
{
	static char *paths[8];
	static size_t n_paths;

	assert(n_paths < ARRAY_LEN(paths));
	paths[n_paths] = temp_path_new(directory, name);
	return paths[n_paths++];
}

void fuzz_file_write(const char *path, struct slice bytes)
{
	temp_file_write(path, bytes);
}

size_t fuzz_damage(struct feed *feed, uint8_t *bytes, size_t len, size_t size)
{
	for (size_t i = 0; i < CHANGES_MAX && feed->left > 0; i++) {
		uint16_t at = feed_u16(feed);
		uint8_t with = feed_u8(feed);

		if (at < len) {
			bytes[at] ^= with;
		} else if (with % 2 == 0) {
			len -= MIN(len, (size_t)with);
		} else if (len < size) {
			bytes[len++] = with;
		}
	}
	return len;
}

bool fuzz_damage_file(struct feed *feed, const char *path)
{
	struct slice file = temp_file_read(path);
	size_t head = MIN(file.len, (size_t)DAMAGE_MAX), len;
	uint8_t *bytes = malloc(file.len + DAMAGE_MAX);
	bool changed;

	assert(bytes);
	memcpy(bytes, file.data, file.len);
	len = fuzz_damage(feed, bytes, head, head < file.len ? head : file.len + DAMAGE_MAX);
	if (head < file.len && len == head) {
		len = file.len; /* the tail is still there */
	}
	changed = len != file.len || memcmp(bytes, file.data, len) != 0;
	if (changed) {
		temp_file_write(path, (struct slice){(const char *)bytes, len});
	}
	free(bytes);
	free((char *)file.data);
	return changed;
}

char *fuzz_string(struct slice bytes)
{
	char *text = malloc(bytes.len + 1);

	assert(text);
	if (bytes.len > 0) {
		memcpy(text, bytes.data, bytes.len);
	}
	text[bytes.len] = '\0';
	return text;
}
