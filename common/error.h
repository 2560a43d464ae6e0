/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_COMMON_ERROR_H
#define RETENTIOND_COMMON_ERROR_H

#include "common/base.h"
#include "common/rpc.h"

/* ERROR_BUSY, …: one for each row of error.def. */
enum error {
#define ERROR(symbol, code, kind, text) ERROR_##symbol,
#include "common/error.def"
#undef ERROR
	_ERROR_MAX
};

/* The code on the wire ("busy") and what it means; static, never NULL. */
const char *error_code(enum error error);
const char *error_text(enum error error);
enum rpc_error_kind error_kind(enum error error);

/**
 * error_from_code() - the reverse of error_code()
 *
 * Return: true and *@ret_error set, or false for an unknown code.
 */
must_check bool error_from_code(struct slice code, enum error *ret_error);

#endif
