/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/import_file.h"

#include <errno.h>
#include <fcntl.h>

#include "ctl/import_csv.h"
#include "ctl/import_json.h"

#define MARK     "\xef\xbb\xbf" /* byte order mark, which spreadsheets write before UTF-8 */
#define READ_MIN (256 * 1024)
#define FILE_MAX                                                                                   \
	(1024 * 1024 * 1024) /* two million users: what is larger is cut up by whoever made it */

bool import_format_from_name(const char *name, enum import_format *ret_format)
{
	static const char *const names[] = {
		[IMPORT_FORMAT_AUTO] = "auto",
		[IMPORT_FORMAT_CSV] = "csv",
		[IMPORT_FORMAT_JSONL] = "jsonl",
		[IMPORT_FORMAT_GRAPH] = "graph",
	};

	static_assert(ARRAY_LEN(names) == _IMPORT_FORMAT_MAX, "every format has a name");
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(names[i], name) == 0) {
			*ret_format = (enum import_format)i;
			return true;
		}
	}
	return false;
}

enum import_format import_format_of(const char *text, size_t len)
{
	size_t i = 0;

	while (i < len &&
	       (text[i] == ' ' || text[i] == '\t' || text[i] == '\r' || text[i] == '\n')) {
		i++;
	}
	if (i < len && text[i] == '[') {
		return IMPORT_FORMAT_GRAPH;
	}
	if (i < len && text[i] == '{') {
		return import_json_is_document(text + i, len - i) ? IMPORT_FORMAT_GRAPH
								  : IMPORT_FORMAT_JSONL;
	}
	return IMPORT_FORMAT_CSV;
}

int import_text_read(struct import_set *set, const char *name, enum import_format format,
		     char *text, size_t len, bool *ret_incomplete)
{
	if (len >= strlen(MARK) && memcmp(text, MARK, strlen(MARK)) == 0) {
		text += strlen(MARK);
		len -= strlen(MARK);
	}
	if (format == IMPORT_FORMAT_AUTO) {
		format = import_format_of(text, len);
	}
	*ret_incomplete = false;
	switch (format) {
	case IMPORT_FORMAT_GRAPH:
		return import_json_read_document(set, name, text, len, ret_incomplete);
	case IMPORT_FORMAT_JSONL:
		return import_json_read_lines(set, name, text, len);
	case IMPORT_FORMAT_CSV:
		return import_csv_read(set, name, text, len);
	case IMPORT_FORMAT_AUTO:
	case _IMPORT_FORMAT_MAX:
		break;
	}
	assert(false); /* a format that was found is one */
}

/* All bytes of a file; it may be a pipe. */
static int read_all(int fd, char **ret_text, size_t *ret_len)
{
	cleanup(freep) char *text = NULL;
	size_t size = 0;
	size_t len = 0;
	ssize_t n;

	do {
		if (size - len < READ_MIN) {
			char *more = realloc(text, size = MAX(size * 2, 4 * READ_MIN));

			if (!more) {
				return -ENOMEM;
			}
			text = more;
		}
		n = read(fd, text + len, size - len);
		if (n < 0 && errno != EINTR) {
			return -errno;
		}
		len += n > 0 ? (size_t)n : 0;
		if (len > FILE_MAX) {
			return -EFBIG;
		}
	} while (n != 0);
	*ret_text = TAKE_PTR(text);
	*ret_len = len;
	return 0;
}

int import_file_read(struct import_set *set, const char *path, enum import_format format,
		     bool *ret_incomplete, struct ctl_fault *fault)
{
	bool is_stdin = strcmp(path, "-") == 0;
	cleanup(closep) int opened = is_stdin ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	cleanup(freep) char *text = NULL;
	size_t len = 0;
	int r;

	if (!is_stdin && opened < 0) {
		return ctl_fault_errno(fault, errno, path);
	}
	r = read_all(is_stdin ? STDIN_FILENO : opened, &text, &len);
	r = r ? r
	      : import_text_read(set, is_stdin ? "standard input" : path, format, text, len,
				 ret_incomplete);
	return r ? ctl_fault_errno(fault, r, path) : 0;
}
