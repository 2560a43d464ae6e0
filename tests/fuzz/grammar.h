/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_FUZZ_GRAMMAR_H
#define RETENTIOND_TESTS_FUZZ_GRAMMAR_H

#include "common/base.h"

/*
 * Requests that are nearly right, made from the table of commands, so that a method that is added
 * there is searched from then on. Bytes changed blindly rarely come past the first refusal.
 */

/**
 * grammar_mutate() - change an input of fuzz_wire.c by whole requests
 * @data: two bytes of the fuzzer's own, then a stream of messages
 *
 * Return: its new length, at most @len_max.
 */
size_t grammar_mutate(uint8_t *data, size_t len, size_t len_max, unsigned seed);

#endif
