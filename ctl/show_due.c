/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/show_due.h"

#include <sys/ioctl.h>

#define WIDTH_DEFAULT 80
#define BAR_MIN       10
#define COUNT_WIDTH   9

static int64_t integer_of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key)); /* 0 if it is not there */
}

static int width_of(FILE *out)
{
	struct winsize size;

	return ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col
									     : WIDTH_DEFAULT;
}

static int64_t longest(const json_t *buckets)
{
	int64_t most = 1;
	size_t i;
	const json_t *bucket;

	json_array_foreach(buckets, i, bucket) {
		most = MAX(most,
			   integer_of(bucket, "windows_end") + integer_of(bucket, "removals_due"));
	}
	return most;
}

static void put_marks(FILE *out, char mark, int64_t n, int64_t most, int room)
{
	int64_t len = n > 0 ? MAX(n * room / most, 1) : 0;

	for (int64_t i = 0; i < len; i++) {
		(void)fputc(mark, out);
	}
}

int show_due(const struct show *show, const json_t *buckets)
{
	const struct show absolute = {.now = INSTANT_NONE, .utc = show->utc};
	int room = MAX(width_of(show->out) - INSTANT_TEXT_MAX - 2 * COUNT_WIDTH, BAR_MIN);
	int64_t most = longest(buckets);
	size_t i;
	const json_t *bucket;

	if (show->legend && json_array_size(buckets) > 0) {
		(void)fprintf(show->out, "%sFROM%*s%*s%*s%s\n", show_bold(show), 21, "",
			      COUNT_WIDTH, "WINDOWS", COUNT_WIDTH, "REMOVALS", show_plain(show));
	}
	json_array_foreach(buckets, i, bucket) {
		int64_t n_windows = integer_of(bucket, "windows_end");
		int64_t n_removals = integer_of(bucket, "removals_due");

		show_instant(&absolute, integer_of(bucket, "from_us"), show->out);
		(void)fprintf(show->out, "%*s%*lld%*lld  ", show->utc ? 5 : 0, "", COUNT_WIDTH,
			      (long long)n_windows, COUNT_WIDTH, (long long)n_removals);
		put_marks(show->out, '#', n_windows, most, room);
		put_marks(show->out, '=', n_removals, most, room);
		(void)fputc('\n', show->out);
	}
	if (show->legend && json_array_size(buckets) > 0) {
		(void)fputs("\n# windows that end   = removals that are to be finished\n",
			    show->out);
	}
	return 0;
}
