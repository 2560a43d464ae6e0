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
