/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/text.h"

static size_t sequence_len(unsigned char first, uint32_t *ret_bits)
{
	if (first < 0x80) {
		*ret_bits = first;
		return 1;
	}
	if (first >= 0xc2 && first <= 0xdf) {
		*ret_bits = first & 0x1f;
		return 2;
	}
	if (first >= 0xe0 && first <= 0xef) {
		*ret_bits = first & 0x0f;
		return 3;
	}
	if (first >= 0xf0 && first <= 0xf4) {
		*ret_bits = first & 0x07;
		return 4;
	}
	return 0;
}

size_t ctl_text_sequence(struct slice text, uint32_t *ret_code)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	uint32_t code = 0;
	size_t len;

	len = text.len ? sequence_len((unsigned char)text.data[0], &code) : 0;
	if (len == 0 || len > text.len) {
		return 0;
	}
	for (size_t i = 1; i < len; i++) {
		if (((unsigned char)text.data[i] & 0xc0) != 0x80) {
			return 0;
		}
		code = code << 6 | ((unsigned char)text.data[i] & 0x3f);
	}
	if (code < smallest[len] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
		return 0;
	}
	*ret_code = code;
	return len;
}

static bool is_harmless(uint32_t code)
{
	return code >= 0x20 && !(code >= 0x7f && code <= 0x9f) && code != 0x061c &&
	       code != 0x200e && code != 0x200f && !(code >= 0x2028 && code <= 0x202e) &&
	       !(code >= 0x2066 && code <= 0x2069);
}

bool ctl_text_is_harmless(struct slice text)
{
	while (text.len > 0) {
		uint32_t code;
		size_t len = ctl_text_sequence(text, &code);

		if (len == 0 || !is_harmless(code)) {
			return false;
		}
		text.data += len;
		text.len -= len;
	}
	return true;
}

void ctl_text_put(FILE *out, struct slice text)
{
	while (text.len > 0) {
		uint32_t code;
		size_t len = ctl_text_sequence(text, &code);

		if (len > 0 && is_harmless(code)) {
			(void)fwrite(text.data, 1, len, out);
		} else {
			len = len ? len : 1;
			for (size_t i = 0; i < len; i++) {
				(void)fprintf(out, "\\x%02x", (unsigned char)text.data[i]);
			}
		}
		text.data += len;
		text.len -= len;
	}
}
