/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_FUZZ_FUZZ_H
#define RETENTIOND_TESTS_FUZZ_FUZZ_H

#include "common/base.h"

/*
 * What the fuzzers share. Each fuzz_NAME.c is a program: it is given bytes that nobody vouches for,
 * and asserts what must hold of whatever the product makes of them. clang's libFuzzer searches for
 * bytes that break it; replay.c, in its place, tries those of tests/fuzz/corpus/NAME again.
 *
 * The same bytes lead to the same run: random numbers are drawn from a fixed seed, the clock is
 * simulated, and nothing is kept from one input to the next that the next could tell.
 */

/* What libFuzzer calls, once and for each input; the second is what a fuzz_NAME.c defines. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* A fuzzer that knows the form of its input changes it itself, as the first does for the second. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t len, size_t len_max, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t len, size_t len_max);

/**
 * struct feed - an input, eaten from its front; zeros and empty slices when it is used up
 */
struct feed {
	const uint8_t *at;
	size_t left;
};

static inline struct slice feed_bytes(struct feed *feed, size_t len)
{
	struct slice bytes = {(const char *)feed->at, MIN(len, feed->left)};

	feed->at += bytes.len;
	feed->left -= bytes.len;
	return bytes;
}

static inline struct slice feed_rest(struct feed *feed)
{
	return feed_bytes(feed, feed->left);
}

static inline uint8_t feed_u8(struct feed *feed)
{
	struct slice byte = feed_bytes(feed, 1);

	return byte.len == 1 ? (uint8_t)*byte.data : 0;
}

static inline uint16_t feed_u16(struct feed *feed)
{
	uint16_t high = feed_u8(feed);

	return (uint16_t)(high << 8 | feed_u8(feed));
}

static inline uint32_t feed_u32(struct feed *feed)
{
	uint32_t high = feed_u16(feed);

	return high << 16 | feed_u16(feed);
}

/* A length of two bytes, and as many bytes. */
static inline struct slice feed_text(struct feed *feed)
{
	return feed_bytes(feed, feed_u16(feed));
}

/* A file that is written anew for each input; its path lives as long as the process. */
const char *fuzz_file(const char *name);
void fuzz_file_write(const char *path, struct slice bytes);

/**
 * fuzz_damage() - change bytes as the feed says, until it is empty or has said enough
 * @bytes: @len of them are there, and room for @size
 *
 * Three bytes of the feed are one change: where, 2, and what with, 1. Where a byte is, it is
 * changed; behind the last one, as many are cut off, or a byte is added.
 *
 * Return: how many bytes are left.
 */
size_t fuzz_damage(struct feed *feed, uint8_t *bytes, size_t len, size_t size);

/* The same with a file. Return: whether anything is other than before. */
bool fuzz_damage_file(struct feed *feed, const char *path);

/* The bytes, terminated; the caller's. */
char *fuzz_string(struct slice bytes);

#endif
