/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/fault.h"

#include <jansson.h>
#include <stdarg.h>

#include "common/error.h"
#include "common/rpc.h"
#include "ctl/text.h"

int ctl_fault_set(struct ctl_fault *fault, enum ctl_exit exit, const char *code, const char *format,
		  ...)
{
	va_list args;

	assert(exit != CTL_EXIT_OK);
	fault->exit = exit;
	(void)snprintf(fault->code, sizeof(fault->code), "%s", code);
	va_start(args, format);
	(void)vsnprintf(fault->text, sizeof(fault->text), format, args);
	va_end(args);
	return exit;
}

void ctl_fault_add(struct ctl_fault *fault, const char *format, ...)
{
	size_t len = strlen(fault->text);
	va_list args;

	assert(fault->exit != CTL_EXIT_OK);
	va_start(args, format);
	(void)vsnprintf(fault->text + len, sizeof(fault->text) - len, format, args);
	va_end(args);
}

int ctl_fault_errno(struct ctl_fault *fault, int error, const char *what)
{
	return ctl_fault_set(fault, CTL_EXIT_FAILURE, "failed", "%s: %s", what,
			     strerror(error < 0 ? -error : error));
}

/* A code that is newer than this client is a failure like any other. */
static enum ctl_exit exit_of_code(const char *code)
{
	static const enum ctl_exit exits[_ERROR_MAX] = {
		[ERROR_UNKNOWN_METHOD] = CTL_EXIT_USAGE,
		[ERROR_INVALID_ARGUMENT] = CTL_EXIT_USAGE,
		[ERROR_PERMISSION_DENIED] = CTL_EXIT_PERMISSION,
		[ERROR_TOO_LARGE] = CTL_EXIT_FAILURE,
		[ERROR_BUSY] = CTL_EXIT_FAILURE,
		[ERROR_STORE_FULL] = CTL_EXIT_FAILURE,
		[ERROR_DAMAGED] = CTL_EXIT_FAILURE,
		[ERROR_REAL_CLOCK] = CTL_EXIT_FAILURE,
		[ERROR_CLOCK_NOT_TRUSTED] = CTL_EXIT_GUARD,
		[ERROR_ORG_NOT_FOUND] = CTL_EXIT_NOT_FOUND,
		[ERROR_KEEPER_NOT_FOUND] = CTL_EXIT_NOT_FOUND,
		[ERROR_GUARD_COUNT] = CTL_EXIT_GUARD,
	};
	enum error error;

	return error_from_code(slice_of(code), &error) ? exits[error] : CTL_EXIT_FAILURE;
}

int ctl_fault_of_error(const struct pack_value *error, struct ctl_fault *fault)
{
	struct pack_value text = *error;
	char code[CTL_FAULT_CODE_MAX] = "failed";
	const char *colon;

	if (error->type == PACK_ARRAY && error->list.n == 2) {
		text = pack_array_at(error, 1);
	}
	if (text.type != PACK_TEXT) {
		return ctl_fault_set(fault, CTL_EXIT_FAILURE, "failed",
				     "retentiond answered with an error of no known form");
	}
	colon = memmem(text.text.data, text.text.len, ": ", 2);
	if (colon && colon - text.text.data < (ptrdiff_t)sizeof(code)) {
		(void)snprintf(code, sizeof(code), "%.*s", (int)(colon - text.text.data),
			       text.text.data);
		text.text.len -= (size_t)(colon + 2 - text.text.data);
		text.text.data = colon + 2;
	}
	return ctl_fault_set(fault, exit_of_code(code), code, "%.*s", SLICE_ARG(text.text));
}

/* What people see, which is text whatever bytes it was made of; NULL without memory. */
static char *readable(const char *text)
{
	char *copy = NULL;
	size_t len;
	FILE *out = open_memstream(&copy, &len);

	if (!out) {
		return NULL;
	}
	ctl_text_put(out, slice_of(text));
	if (fclose(out) != 0) {
		free(copy);
		return NULL;
	}
	return copy;
}

static bool print_json(const struct ctl_fault *fault, FILE *out)
{
	cleanup(freep) char *code = readable(fault->code);
	cleanup(freep) char *text = readable(fault->text);
	json_t *document = json_pack("{s:{s:s*,s:s*,s:i}}", "error", "code", code, "text", text,
				     "exit", (int)fault->exit);
	bool done = document && json_dumpf(document, out, JSON_ENSURE_ASCII) == 0;

	json_decref(document);
	if (done) {
		(void)fputc('\n', out);
	}
	return done;
}

void ctl_fault_print(const struct ctl_fault *fault, bool json, FILE *out)
{
	if (json && print_json(fault, out)) {
		return;
	}
	(void)fputs("retentionctl: ", out);
	ctl_text_put(out, slice_of(fault->text));
	(void)fputc('\n', out);
}
