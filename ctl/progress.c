/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/progress.h"

#include "ctl/monotonic.h"

#define DRAW_EVERY_US (SPAN_SECOND / 10)
#define MOMENT_US     (2 * SPAN_SECOND) /* work that is done sooner needs no progress in a log */
#define BAR_LEN       24

void ctl_progress_begin(struct ctl_progress *progress, const char *what, size_t total, bool quiet)
{
	*progress = (struct ctl_progress){
		.what = what,
		.total = total,
		.began_us = monotonic_us(),
		.quiet = quiet,
		.terminal = isatty(STDERR_FILENO),
	};
}

static void draw(struct ctl_progress *progress, size_t done, int64_t now_us)
{
	double seconds = (double)(now_us - progress->began_us) / (double)SPAN_SECOND;
	double rate = seconds > 0 ? (double)done / seconds : 0;
	char left[SPAN_TEXT_MAX] = "-";
	size_t filled;

	if (progress->total == 0) {
		(void)fprintf(stderr, "\r\033[K%s: %zu, %.0f/s", progress->what, done, rate);
	} else {
		if (rate > 0) {
			span_format((span_t)((double)(progress->total - done) / rate) * SPAN_SECOND,
				    left);
		}
		filled = (size_t)((double)BAR_LEN * (double)done / (double)progress->total);
		(void)fprintf(stderr, "\r\033[K%s [%.*s%*s] %zu of %zu, %.0f/s, %s left",
			      progress->what, (int)filled, "########################",
			      (int)(BAR_LEN - filled), "", done, progress->total, rate, left);
	}
	(void)fflush(stderr);
	progress->drawn_us = now_us;
	progress->drawn = true;
}

void ctl_progress_tell(struct ctl_progress *progress, size_t done)
{
	int64_t now_us = monotonic_us();

	if (progress->quiet) {
		return;
	}
	if (progress->terminal) {
		if (now_us - progress->drawn_us >= DRAW_EVERY_US) {
			draw(progress, done, now_us);
		}
		return;
	}
	if (progress->total > 0 && now_us - progress->began_us >= MOMENT_US &&
	    done * 10 / progress->total > progress->told) {
		progress->told = done * 10 / progress->total;
		(void)fprintf(stderr, "%s: %zu of %zu\n", progress->what, done, progress->total);
	}
}

void ctl_progress_end(struct ctl_progress *progress)
{
	if (progress->drawn) {
		(void)fputs("\r\033[K", stderr);
		(void)fflush(stderr);
	}
}
