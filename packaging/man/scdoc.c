/* SPDX-License-Identifier: Apache-2.0 */
#include "packaging/man/scdoc.h"

#define FENCE "```"

void scdoc_indent(FILE *out, int depth)
{
	for (int i = 0; i < depth; i++) {
		(void)fputc('\t', out);
	}
}

static void put_slice(FILE *out, struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (strchr("\\*_`", text.data[i])) {
			(void)fputc('\\', out);
		}
		(void)fputc(text.data[i], out);
	}
}

void scdoc_put(FILE *out, const char *text)
{
	put_slice(out, slice_of(text));
}

void scdoc_put_bold(FILE *out, const char *text)
{
	(void)fputc('*', out);
	scdoc_put(out, text);
	(void)fputc('*', out);
}

void scdoc_put_underlined(FILE *out, const char *text)
{
	(void)fputc('_', out);
	scdoc_put(out, text);
	(void)fputc('_', out);
}

/* A mark that begins a line would make it a heading, a list, a table or a comment. */
static void put_line_begin(FILE *out, int depth, char first)
{
	scdoc_indent(out, depth);
	if (first != '\0' && strchr("#-.|[];:", first)) {
		(void)fputc('\\', out);
	}
}

void scdoc_put_sentence(FILE *out, int depth, const char *text)
{
	size_t len = strlen(text);
	bool ended = len > 0 && text[len - 1] == '.';

	put_line_begin(out, depth, text[0]);
	scdoc_put(out, text);
	(void)fputs(ended ? "\n\n" : ".\n\n", out);
}

void scdoc_begin_literal(FILE *out, int depth)
{
	scdoc_indent(out, depth);
	(void)fputs(FENCE "\n", out);
}

void scdoc_end_literal(FILE *out, int depth)
{
	scdoc_indent(out, depth);
	(void)fputs(FENCE "\n\n", out);
}

void scdoc_put_literal(FILE *out, int depth, struct slice line)
{
	scdoc_indent(out, depth);
	for (size_t i = 0; i < line.len; i++) {
		if (line.data[i] == '\\') {
			(void)fputc('\\', out);
		}
		(void)fputc(line.data[i], out);
	}
	(void)fputc('\n', out);
}

static struct slice next_line(const char **text)
{
	struct slice line = {*text, strcspn(*text, "\n")};

	*text += line.len + ((*text)[line.len] == '\n');
	return line;
}

static size_t blanks_of(struct slice line)
{
	size_t n = 0;

	while (n < line.len && line.data[n] == ' ') {
		n++;
	}
	return n;
}

void scdoc_put_lines(FILE *out, int depth, const char *text)
{
	size_t literal = 0; /* blanks of the block's first line; 0 outside of one */

	while (*text) {
		struct slice line = next_line(&text);
		size_t blanks = blanks_of(line);

		if (blanks > 0 && literal == 0) {
			scdoc_begin_literal(out, depth);
			literal = blanks;
		} else if (blanks == 0 && literal > 0) {
			scdoc_end_literal(out, depth);
			literal = 0;
		}
		if (literal > 0) {
			size_t cut = MIN(literal, blanks);

			scdoc_put_literal(out, depth,
					  (struct slice){line.data + cut, line.len - cut});
		} else if (line.len > 0) {
			put_line_begin(out, depth, line.data[0]);
			put_slice(out, line);
			(void)fputc('\n', out);
		} else {
			(void)fputc('\n', out);
		}
	}
	if (literal > 0) {
		scdoc_end_literal(out, depth);
	} else {
		(void)fputc('\n', out);
	}
}
