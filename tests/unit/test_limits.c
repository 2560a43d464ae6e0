/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/io/limits.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define SOMEBODY 1000
#define ROOT     0

Test(limits, a_user_may_have_64_connections)
{
	cr_assert(limits_admit(SOMEBODY, 100, 0));
	cr_assert(limits_admit(SOMEBODY, 100, 63));
	cr_assert_not(limits_admit(SOMEBODY, 100, 64));
}

Test(limits, root_may_have_256_connections)
{
	cr_assert(limits_admit(ROOT, 300, 255));
	cr_assert_not(limits_admit(ROOT, 300, 256));
}

Test(limits, the_last_16_connections_are_kept_for_root)
{
	cr_assert(limits_admit(SOMEBODY, 495, 0));
	cr_assert_not(limits_admit(SOMEBODY, 496, 0));
	cr_assert(limits_admit(ROOT, 496, 0));
	cr_assert(limits_admit(ROOT, 511, 0));
}

Test(limits, nobody_gets_connection_513)
{
	cr_assert_not(limits_admit(ROOT, 512, 0));
	cr_assert_not(limits_admit(SOMEBODY, 512, 0));
}

Test(limits, a_notice_is_due_at_first_and_then_once_a_minute)
{
	struct limits_notice notice = {0};
	uint64_t n = 99;

	cr_assert(limits_notice_due(&notice, 5, &n));
	cr_assert_eq(n, 0);
	cr_assert_not(limits_notice_due(&notice, 6, &n));
	cr_assert_not(limits_notice_due(&notice, 4 + SPAN_MINUTE, &n));
	cr_assert(limits_notice_due(&notice, 5 + SPAN_MINUTE, &n));
	cr_assert_eq(n, 2, "the two that were kept quiet are counted");
}

Test(limits, a_notice_counts_anew_after_it_was_said)
{
	struct limits_notice notice = {0};
	uint64_t n;

	cr_assert(limits_notice_due(&notice, 0, &n));
	cr_assert_not(limits_notice_due(&notice, 1, &n));
	cr_assert(limits_notice_due(&notice, SPAN_MINUTE, &n));
	cr_assert(limits_notice_due(&notice, 2 * SPAN_MINUTE, &n));
	cr_assert_eq(n, 0);
}

Test(limits, a_span_becomes_seconds_and_microseconds)
{
	struct timeval value = limits_timeval(2 * SPAN_SECOND + 7);

	cr_assert_eq(value.tv_sec, 2);
	cr_assert_eq(value.tv_usec, 7);
}

static void bind_to_one_cpu(void)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(sched_getcpu(), &cpus);
	cr_assert_eq(sched_setaffinity(0, sizeof(cpus), &cpus), 0);
}

/* Until the machine has run something else for @least, or some seconds have passed. */
static span_t spin_until_lost(span_t least)
{
	span_t until = limits_now() + 10 * SPAN_SECOND, lost = 0;

	while (lost < least && limits_now() < until) {
		struct limits_run run;
		span_t began = limits_now(), span = 0;

		limits_run_read(&run); /* anew each time, should we have waited of ourselves */
		for (lost = 0; lost < least && span < SPAN_SECOND; span = limits_now() - began) {
			lost = limits_run_lost(&run, span);
		}
	}
	return lost;
}

Test(limits, what_another_process_ran_in_our_place_is_lost)
{
	pid_t other;
	span_t lost;

	bind_to_one_cpu();
	other = fork();
	cr_assert_geq(other, 0);
	while (other == 0) {
	}
	lost = spin_until_lost(LIMITS_WORK_SLOW);
	(void)kill(other, SIGKILL);
	(void)waitpid(other, NULL, 0);
	cr_assert_geq(lost, LIMITS_WORK_SLOW);
}

Test(limits, what_we_waited_of_ourselves_is_not_lost)
{
	struct limits_run run;
	span_t began = limits_now();

	limits_run_read(&run);
	(void)poll(NULL, 0, 5);
	cr_assert_eq(limits_run_lost(&run, limits_now() - began), 0);
}

Test(limits, no_more_is_lost_than_has_passed)
{
	struct limits_run run;

	limits_run_read(&run);
	cr_assert_leq(limits_run_lost(&run, 1), 1);
	cr_assert_eq(limits_run_lost(&run, 0), 0);
}
