/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/work_line.h"

#include "ctl/text.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static void add_byte(struct work_line *line, char c)
{
	if (c == '\n') {
		line->ended = true;
		return;
	}
	if (line->ended || line->len == 0) {
		if (is_blank(c)) {
			return; /* the line before counts until something is written */
		}
		line->len = 0;
		line->ended = false;
	}
	if (line->len < sizeof(line->text)) {
		line->text[line->len++] = c;
	}
}

void work_line_add(struct work_line *line, struct slice bytes)
{
	for (size_t i = 0; i < bytes.len; i++) {
		add_byte(line, bytes.data[i]);
	}
}

static bool is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code <= 0x9f);
}

/* Each character that is refused gives way to a shorter one, so that this works in place. */
static size_t clean(char *text, size_t len)
{
	size_t to = 0;

	for (size_t from = 0; from < len;) {
		uint32_t code;
		size_t n = ctl_text_sequence((struct slice){text + from, len - from}, &code);

		if (n == 0 || is_control(code)) {
			text[to++] = '?';
			from += n ? n : 1;
			continue;
		}
		memmove(text + to, text + from, n);
		to += n;
		from += n;
	}
	return to;
}

struct slice work_line_text(struct work_line *line)
{
	struct slice text;

	while (line->len > 0 && is_blank(line->text[line->len - 1])) {
		line->len--;
	}
	line->len = clean(line->text, line->len);
	text = (struct slice){line->text, line->len};
	return text.len > 0 && !model_note_fault(text) ? text : (struct slice){line->text, 0};
}
