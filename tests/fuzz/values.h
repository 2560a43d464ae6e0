/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_FUZZ_VALUES_H
#define RETENTIOND_TESTS_FUZZ_VALUES_H

#include "common/base.h"
#include "common/commands.h"
#include "common/pack.h"

/**
 * struct values - where values of arguments are written, and what they are drawn from
 * @state:  of the random numbers
 * @keeper: the name that most keepers' names are; or NULL
 */
struct values {
	uint64_t state;
	struct pack_writer *out;
	const char *keeper;
};

/*
 * A value of a type that is no list of items: mostly one that the house of house.h knows, now and
 * then anything.
 */
void values_write(struct values *values, enum argument_type type);

/* Every type has values of its own: a new one that has none is told at the first input. */
void values_prove(void);

/* True once in @n times. */
bool values_one_in(struct values *values, uint32_t n);

#endif
