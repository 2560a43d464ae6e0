/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_WORK_LINE_H
#define RETENTIOND_CTL_WORK_LINE_H

#include "common/model.h"

/**
 * struct work_line - the last line of what a command writes that is not blank
 * @text:  its beginning: what is longer is cut
 * @ended: its end has come: what is not blank begins another
 *
 * Zero it to begin.
 */
struct work_line {
	char text[MODEL_NOTE_LEN_MAX];
	size_t len;
	bool ended;
};

/* Takes what came next; however much it is, a line is all that is kept. */
void work_line_add(struct work_line *line, struct slice bytes);

/**
 * work_line_text() - the line as text that model_note_fault() accepts, or empty
 *
 * Control characters and bytes that are not UTF-8 come out as "?".
 *
 * Return: a slice of @line.
 */
struct slice work_line_text(struct work_line *line);

#endif
