/* SPDX-License-Identifier: Apache-2.0 */
/*
 * weave: reads the source of a manual page, and writes it with the tables of daemon and client woven
 * in, for scdoc(1).
 *
 *     weave <retentionctl.1.scd | scdoc >retentionctl.1
 *
 * A line "@NAME@" stands for a part of parts.h, "@version@" inside of a line for our version.
 */
#include <stdio.h>

#include "common/base.h"
#include "common/version.h"

#include "packaging/man/parts.h"

#define VERSION_MARK "@version@"

/* clang-format off */
static const struct {
	const char *mark;
	void (*put)(FILE *out);
} parts[] = {
	{"@verbs@",            part_verbs},
	{"@own-verbs@",        part_own_verbs},
	{"@options@",          part_options},
	{"@changing-options@", part_changing_options},
	{"@exit-codes@",       part_exit_codes},
	{"@methods@",          part_methods},
	{"@arguments@",        part_arguments},
	{"@fields@",           part_fields},
	{"@outcomes@",         part_outcomes},
	{"@errors@",           part_errors},
	{"@limits@",           part_limits},
};
/* clang-format on */

static bool put_part(const char *line)
{
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		if (strcmp(line, parts[i].mark) == 0) {
			parts[i].put(stdout);
			return true;
		}
	}
	return false;
}

/* Return: false for a line that is a mark, and none that we know. */
static bool put_line(const char *line)
{
	const char *version = strstr(line, VERSION_MARK);

	if (version) {
		(void)printf("%.*s" RETENTIOND_VERSION "%s\n", (int)(version - line), line,
			     version + strlen(VERSION_MARK));
		return true;
	}
	if (line[0] == '@') {
		return put_part(line);
	}
	(void)puts(line); /* a failure is seen at the end */
	return true;
}

int main(void)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	while ((len = getline(&line, &size, stdin)) >= 0) {
		if (len > 0 && line[len - 1] == '\n') {
			line[len - 1] = '\0';
		}
		if (!put_line(line)) {
			(void)fprintf(stderr, "weave: there is no part %s\n", line);
			free(line);
			return EXIT_FAILURE;
		}
	}
	free(line);
	if (ferror(stdin) || fflush(stdout) != 0 || ferror(stdout)) {
		perror("weave");
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
