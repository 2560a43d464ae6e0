/* SPDX-License-Identifier: Apache-2.0 */
#include "common/error.h"

static const struct {
	const char *code;
	enum rpc_error_kind kind;
	const char *text;
} errors[] = {
#define ERROR(symbol, code, kind, text) [ERROR_##symbol] = {code, RPC_ERROR_##kind, text},
#include "common/error.def"
#undef ERROR
};

static_assert(ARRAY_LEN(errors) == _ERROR_MAX, "every error has a row");

const char *error_code(enum error error)
{
	assert(error < _ERROR_MAX);
	return errors[error].code;
}

const char *error_text(enum error error)
{
	assert(error < _ERROR_MAX);
	return errors[error].text;
}

enum rpc_error_kind error_kind(enum error error)
{
	assert(error < _ERROR_MAX);
	return errors[error].kind;
}

bool error_from_code(struct slice code, enum error *ret_error)
{
	for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
		if (slice_is(code, errors[i].code)) {
			*ret_error = (enum error)i;
			return true;
		}
	}
	return false;
}
