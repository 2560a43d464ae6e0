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

/* Where the words of "exit 0         erased" begin; 0 if they do not. */
static size_t words_of(struct slice line)
{
	for (size_t i = 1; i + 2 < line.len; i++) {
		if (line.data[i] == ' ' && line.data[i + 1] == ' ') {
			return i + blanks_of((struct slice){line.data + i, line.len - i});
		}
	}
	return 0;
}

static size_t term_len(struct slice line, size_t words)
{
	while (words > 0 && line.data[words - 1] == ' ') {
		words--;
	}
	return words;
}

static void put_words(FILE *out, int depth, struct slice words)
{
	if (words.len > 0) {
		put_line_begin(out, depth, words.data[0]);
		put_slice(out, words);
	}
	(void)fputc('\n', out);
}

/* A row of a list: its term, and words that a line with nothing but blanks before them continues. */
static void put_row(FILE *out, int depth, struct slice line, bool first)
{
	size_t begin = blanks_of(line);

	if (begin == 0) {
		begin = words_of(line);
		(void)fputs(first ? "" : "\n", out);
		put_words(out, depth, (struct slice){line.data, term_len(line, begin)});
	}
	put_words(out, depth + 1, (struct slice){line.data + begin, line.len - begin});
}

/* What stands in lines that begin with blanks: a list, or what stays as it is. */
static void put_block(FILE *out, int depth, const char **text)
{
	struct slice first = {*text, strcspn(*text, "\n")};
	size_t indent = blanks_of(first);
	bool list = words_of((struct slice){first.data + indent, first.len - indent}) > 0;
	const char *begin = *text;

	if (!list) {
		scdoc_begin_literal(out, depth);
	}
	while (**text == ' ') {
		bool is_first = *text == begin;
		struct slice line = next_line(text);
		size_t cut = MIN(indent, blanks_of(line));

		line = (struct slice){line.data + cut, line.len - cut};
		if (list) {
			put_row(out, depth, line, is_first);
		} else {
			scdoc_put_literal(out, depth, line);
		}
	}
	if (list) {
		(void)fputc('\n', out);
	} else {
		scdoc_end_literal(out, depth);
	}
}

void scdoc_put_lines(FILE *out, int depth, const char *text)
{
	while (*text) {
		if (*text == ' ') {
			put_block(out, depth, &text);
		} else {
			put_words(out, depth, next_line(&text));
		}
	}
	(void)fputc('\n', out);
}
