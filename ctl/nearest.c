/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/nearest.h"

#define NAME_LEN_MAX 48 /* longer than any verb or option; what is longer is near to nothing */

/* Edits that make one name of the other: insert, drop, change a letter, swap two neighbours. */
static size_t edit_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t row[NAME_LEN_MAX + 1][NAME_LEN_MAX + 1];

	for (size_t i = 0; i <= a_len; i++) {
		row[i][0] = i;
	}
	for (size_t j = 0; j <= b_len; j++) {
		row[0][j] = j;
	}
	for (size_t i = 1; i <= a_len; i++) {
		for (size_t j = 1; j <= b_len; j++) {
			size_t cost = a[i - 1] != b[j - 1];
			size_t best = MIN(row[i - 1][j] + 1, row[i][j - 1] + 1);

			best = MIN(best, row[i - 1][j - 1] + cost);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
				best = MIN(best, row[i - 2][j - 2] + 1);
			}
			row[i][j] = best;
		}
	}
	return row[a_len][b_len];
}

void ctl_nearest_offer(struct ctl_nearest *nearest, const char *written, const char *name)
{
	size_t written_len = strlen(written);
	size_t name_len = strlen(name);
	size_t distance;

	if (written_len == 0 || written_len > NAME_LEN_MAX || name_len > NAME_LEN_MAX) {
		return;
	}
	distance = edit_distance(written, written_len, name, name_len);
	/* The beginning of a name is nearer to it than its missing letters say. */
	if (written_len >= 3 && strncmp(written, name, written_len) == 0) {
		distance = 1;
	}
	if (distance > 1 + written_len / 4) {
		return;
	}
	if (!nearest->best || distance < nearest->distance) {
		*nearest = (struct ctl_nearest){.best = name, .distance = distance};
	}
}
