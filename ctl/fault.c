/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/fault.h"

#include <jansson.h>
#include <stdarg.h>

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

static enum ctl_exit exit_of_code(const char *code)
{
	static const struct {
		const char *code;
		enum ctl_exit exit;
	} exits[] = {
		{"permission-denied", CTL_EXIT_PERMISSION},
		{"invalid-argument", CTL_EXIT_USAGE},
		{"unknown-method", CTL_EXIT_USAGE},
	};

	for (size_t i = 0; i < ARRAY_LEN(exits); i++) {
		if (strcmp(exits[i].code, code) == 0) {
			return exits[i].exit;
		}
	}
	return CTL_EXIT_FAILURE;
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

static bool print_json(const struct ctl_fault *fault, FILE *out)
{
	json_t *document =
		json_pack("{s:{s:s,s:s}}", "error", "code", fault->code, "text", fault->text);
	bool done;

	/* Text that was cut inside a character is no JSON string: people's form tells it then. */
	done = document && json_dumpf(document, out, JSON_ENSURE_ASCII) == 0;
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
