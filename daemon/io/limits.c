/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/io/limits.h"

#include <sys/resource.h>
#include <time.h>

#define UID_ROOT 0

static_assert(LIMITS_CONNECTIONS_OF_ROOT <= LIMITS_CONNECTIONS_MAX, "root fits into the whole");
static_assert(LIMITS_CONNECTIONS_KEPT_FOR_ROOT < LIMITS_CONNECTIONS_OF_ROOT,
	      "and uses what is kept");

bool limits_notice_due(struct limits_notice *notice, span_t now, uint64_t *ret_n_untold)
{
	if (now < notice->quiet_until) {
		notice->n_untold++;
		return false;
	}
	*ret_n_untold = notice->n_untold;
	*notice = (struct limits_notice){.quiet_until = now + LIMITS_NOTICE_SPAN};
	return true;
}

bool limits_admit(uid_t uid, size_t n_open, size_t n_of_uid)
{
	if (uid == UID_ROOT) {
		return n_open < LIMITS_CONNECTIONS_MAX && n_of_uid < LIMITS_CONNECTIONS_OF_ROOT;
	}
	return n_open < LIMITS_CONNECTIONS_MAX - LIMITS_CONNECTIONS_KEPT_FOR_ROOT &&
	       n_of_uid < LIMITS_CONNECTIONS_OF_UID;
}

static span_t read_clock(clockid_t clock)
{
	struct timespec now;
	int error;

	error = clock_gettime(clock, &now);
	assert(error == 0);
	return now.tv_sec * SPAN_SECOND + now.tv_nsec / 1000;
}

span_t limits_now(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

/* Not the CPU time in the usage, which is only as new as the kernel's last tick. */
void limits_run_read(struct limits_run *run)
{
	struct rusage usage;
	int error;

	error = getrusage(RUSAGE_THREAD, &usage);
	assert(error == 0);
	*run = (struct limits_run){read_clock(CLOCK_THREAD_CPUTIME_ID), usage.ru_nvcsw};
}

span_t limits_run_lost(const struct limits_run *since, span_t span)
{
	struct limits_run run;

	limits_run_read(&run);
	return run.n_waits == since->n_waits ? MAX(span - (run.cpu - since->cpu), 0) : 0;
}

struct timeval limits_timeval(span_t span)
{
	return (struct timeval){.tv_sec = span / SPAN_SECOND, .tv_usec = span % SPAN_SECOND};
}
