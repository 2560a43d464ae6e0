/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_MAN_SCDOC_H
#define RETENTIOND_MAN_SCDOC_H

#include <stdio.h>

#include "common/base.h"

/*
 * Text of the tables as scdoc(5) has it. Output that fails is found out once, at the end, by
 * whoever opened it.
 */

/* The tabs that a line @depth steps in begins with. */
void scdoc_indent(FILE *out, int depth);

/* A text inside of a line; what scdoc would take for markup is told to be none. */
void scdoc_put(FILE *out, const char *text);

/* *bold* and _underlined_. */
void scdoc_put_bold(FILE *out, const char *text);
void scdoc_put_underlined(FILE *out, const char *text);

/* A paragraph of one text, which gets a full stop if it has none, and an empty line. */
void scdoc_put_sentence(FILE *out, int depth, const char *text);

/*
 * Whole lines of a --help: they flow, but for those that begin with blanks. Those are a list when
 * its first line is a term, two blanks and words; else they stay as they are.
 */
void scdoc_put_lines(FILE *out, int depth, const char *text);

/* Lines that stay as they are: what is typed, between the two. */
void scdoc_begin_literal(FILE *out, int depth);
void scdoc_end_literal(FILE *out, int depth);
void scdoc_put_literal(FILE *out, int depth, struct slice line);

#endif
