/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_SUPPORT_RANDOM_H
#define RETENTIOND_TESTS_SUPPORT_RANDOM_H

#include "common/base.h"

/* splitmix64: numbers that look random and are the same in every run. */
static inline uint64_t random_next(uint64_t *state)
{
	uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* 0 to @n - 1. */
static inline uint32_t random_below(uint64_t *state, uint32_t n)
{
	return (uint32_t)(random_next(state) % n);
}

#endif
