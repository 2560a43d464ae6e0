/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_COMMON_OUTCOME_H
#define RETENTIOND_COMMON_OUTCOME_H

#include "common/base.h"

/* OUTCOME_OK, OUTCOME_NOT_FOUND, …: one for each row of outcome.def. */
enum outcome {
#define OUTCOME(symbol, code, text) OUTCOME_##symbol,
#include "common/outcome.def"
#undef OUTCOME
	_OUTCOME_MAX
};

/* A set of outcomes, one bit each: a refusal tells every reason at once. */
typedef uint32_t outcome_set_t;
#define OUTCOME_BIT(outcome) (UINT32_C(1) << (outcome))
static_assert(_OUTCOME_MAX <= 32, "a set of outcomes has one bit for each");

/* The code on the wire ("already-left") and the sentence for people; static, never NULL. */
const char *outcome_code(enum outcome outcome);
const char *outcome_text(enum outcome outcome);

/**
 * outcome_from_code() - the reverse of outcome_code()
 *
 * Return: true and *@ret_outcome set, or false for an unknown code.
 */
must_check bool outcome_from_code(struct slice code, enum outcome *ret_outcome);

#endif
