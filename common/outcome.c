/* SPDX-License-Identifier: Apache-2.0 */
#include "common/outcome.h"

static const struct {
	const char *code;
	const char *text;
} outcomes[] = {
#define OUTCOME(symbol, code, text) [OUTCOME_##symbol] = {code, text},
#include "common/outcome.def"
#undef OUTCOME
};

static_assert(ARRAY_LEN(outcomes) == _OUTCOME_MAX, "every outcome has a row");

const char *outcome_code(enum outcome outcome)
{
	assert(outcome < _OUTCOME_MAX);
	return outcomes[outcome].code;
}

const char *outcome_text(enum outcome outcome)
{
	assert(outcome < _OUTCOME_MAX);
	return outcomes[outcome].text;
}

bool outcome_from_code(struct slice code, enum outcome *ret_outcome)
{
	for (size_t i = 0; i < ARRAY_LEN(outcomes); i++) {
		if (slice_is(code, outcomes[i].code)) {
			*ret_outcome = (enum outcome)i;
			return true;
		}
	}
	return false;
}
