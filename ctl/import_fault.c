/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/import_fault.h"

#include <stdarg.h>

#include "ctl/text.h"

void import_where_format(const struct import_where *where, char text[static IMPORT_WHERE_TEXT_MAX])
{
	char place[64] = "";

	if (where->list) {
		(void)snprintf(place, sizeof(place), ": %s[%zu]", where->list, where->index);
	}
	(void)snprintf(text, IMPORT_WHERE_TEXT_MAX, "%.400s:%zu%s", where->file, where->line,
		       place);
}

void import_faults_add(struct import_faults *faults, const struct import_where *where,
		       const char *field, const char *format, ...)
{
	char place[IMPORT_WHERE_TEXT_MAX];
	char text[1024];
	va_list args;
	size_t len;
	FILE *out;

	/* Counted even if there is no memory left to say more: a faulty file is never imported. */
	if (faults->n++ >= IMPORT_FAULTS_SHOWN_MAX) {
		return;
	}
	out = open_memstream(&faults->shown[faults->n - 1], &len);
	if (!out) {
		return;
	}
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	import_where_format(where, place);
	ctl_text_put(out, slice_of(place));
	if (field) {
		(void)fputs(where->list ? "." : ": ", out);
		ctl_text_put(out, slice_of(field));
	}
	(void)fputs(": ", out);
	ctl_text_put(out, slice_of(text));
	(void)fclose(out); /* without memory the text is shorter */
}

void import_faults_print(const struct import_faults *faults, FILE *out)
{
	for (size_t i = 0; i < MIN(faults->n, IMPORT_FAULTS_SHOWN_MAX); i++) {
		if (faults->shown[i]) {
			(void)fprintf(out, "%s\n", faults->shown[i]);
		}
	}
	if (faults->n > IMPORT_FAULTS_SHOWN_MAX) {
		(void)fprintf(out, "and %zu more\n", faults->n - IMPORT_FAULTS_SHOWN_MAX);
	}
}

void import_faults_done(struct import_faults *faults)
{
	for (size_t i = 0; i < IMPORT_FAULTS_SHOWN_MAX; i++) {
		free(faults->shown[i]);
	}
	*faults = (struct import_faults){.n = 0};
}
