/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/work.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>

#include "ctl/monotonic.h"
#include "ctl/work_inside.h"

#define LEAVE (10 * SPAN_SECOND) /* for telling a daemon that is away, when all have ended */

size_t work_count(const struct work *work, enum work_slot_state state)
{
	size_t n = 0;

	for (size_t i = 0; i < work->n_slots; i++) {
		n += work->slots[i].state == state;
	}
	return n;
}

void work_stop(struct work *work, span_t grace)
{
	work->term_us = MIN(work->term_us, monotonic_us() + grace);
}

/* Wait */

static int64_t next_us(const struct work *work)
{
	int64_t at = work_speak_us(work);

	for (size_t i = 0; i < work->n_slots; i++) {
		const struct work_slot *slot = &work->slots[i];

		at = MIN(at, slot->kill_us);
		if (slot->state == WORK_SLOT_RUNNING && !slot->stopped) {
			at = MIN(at, work->term_us);
		}
	}
	return at;
}

static int timeout_ms(const struct work *work)
{
	int64_t at = next_us(work);
	int64_t left_ms;

	if (at == INT64_MAX) {
		return -1;
	}
	left_ms = (at - monotonic_us() + 999) / 1000;
	return (int)MIN(MAX(left_ms, 0), INT_MAX);
}

static void take_signals(struct work *work)
{
	struct signalfd_siginfo info;

	while (read(work->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo != SIGCHLD) {
			work_stop(work, work_is_stopping(work) ? 0 : WORK_GRACE);
		}
	}
}

static void wait_for_news(struct work *work)
{
	struct pollfd fds[1 + 2 * CTL_PARALLEL_MAX] = {{.fd = work->signals, .events = POLLIN}};
	nfds_t n = 1;

	for (size_t i = 0; i < work->n_slots; i++) {
		const struct work_slot *slot = &work->slots[i];

		/* poll(2) passes over what is -1. */
		if (slot->state == WORK_SLOT_RUNNING) {
			fds[n++] = (struct pollfd){.fd = slot->child.out, .events = POLLIN};
			fds[n++] = (struct pollfd){.fd = slot->child.err, .events = POLLIN};
		}
	}
	(void)poll(fds, n, timeout_ms(work)); /* whatever it says, everything is looked at */
	take_signals(work);
}

static void look_at_commands(struct work *work)
{
	int64_t now_us = monotonic_us();

	for (size_t i = 0; i < work->n_slots; i++) {
		struct work_slot *slot = &work->slots[i];

		if (slot->state == WORK_SLOT_RUNNING && now_us >= work->term_us) {
			work_slot_stop(slot, now_us);
		}
		work_slot_enforce(slot, now_us);
		if (slot->state == WORK_SLOT_RUNNING) {
			work_slot_poll(slot);
		}
		if (slot->state == WORK_SLOT_ENDED && work->refused) {
			work_slot_free(slot);
		}
	}
}

/* End */

/* Nobody waits for ever: with --once no longer than the leases last. */
static bool is_given_up(const struct work *work)
{
	int64_t lost_us = work->talk.lost_us;
	int64_t now_us = monotonic_us();

	if (lost_us == 0) {
		return false;
	}
	if (work_is_stopping(work)) {
		return now_us >= work->term_us + WORK_KILL_AFTER + LEAVE;
	}
	return work->ctl->args.once && now_us >= lost_us + work->talk.lease;
}

static bool is_done(const struct work *work)
{
	if (work_count(work, WORK_SLOT_RUNNING) > 0) {
		return false;
	}
	if (work_count(work, WORK_SLOT_ENDED) > 0) {
		return is_given_up(work);
	}
	return work_is_stopping(work) ||
	       (work->ctl->args.once && (work->drained || work->talk.lost_us != 0));
}

static int exit_of(struct work *work)
{
	struct ctl_fault away = work->ctl->fault;
	size_t n_untold = work_count(work, WORK_SLOT_ENDED);

	work->ctl->fault = work->fault;
	if (work->fault.exit != CTL_EXIT_OK) {
		return work->fault.exit;
	}
	if (n_untold > 0) {
		return ctl_fault_set(&work->ctl->fault, CTL_EXIT_UNREACHABLE, away.code,
				     "what became of %zu tasks could not be told; they are given "
				     "again when their leases have ended: %.500s",
				     n_untold, away.text);
	}
	if (!work->ctl->args.once || work_is_stopping(work)) {
		return 0;
	}
	if (work->talk.lost_us != 0) {
		work->ctl->fault = away;
		return away.exit;
	}
	return work->n_undone == 0 ? CTL_EXIT_OK
	       : work->n_done > 0  ? CTL_EXIT_PARTIAL
				   : CTL_EXIT_FAILURE;
}

static int run(struct work *work)
{
	int r;

	while (!is_done(work)) {
		work_speak(work);
		if (is_done(work)) {
			break;
		}
		wait_for_news(work);
		look_at_commands(work);
	}
	r = exit_of(work);
	for (size_t i = 0; i < work->n_slots; i++) {
		work_slot_free(&work->slots[i]);
	}
	return r;
}

/* From here on signals are read, not delivered; a reader that goes away is no reason to end. */
static int open_signals(struct work *work)
{
	sigset_t set;

	(void)sigemptyset(&set); /* none of these fails for a set of our own */
	(void)sigaddset(&set, SIGCHLD);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	work->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return work->signals < 0 ? ctl_fault_errno(&work->ctl->fault, errno, "signalfd") : 0;
}

/* Before any task is claimed: the first one would be lost to a mistyped path. */
static int check_command(struct ctl *ctl, const char *command)
{
	int r = work_child_check(command);

	return r == 0 ? 0
		      : ctl_fault_set(&ctl->fault, CTL_EXIT_CONFIGURATION, "configuration",
				      "cannot run %s: %s; name a program that this user may "
				      "execute, by its path if it is not in $PATH",
				      command, strerror(-r));
}

static int check_operands(struct ctl *ctl)
{
	const char *wrong;

	if (ctl->args.n_operands < 2) {
		return ctl_fault_set(&ctl->fault, CTL_EXIT_USAGE, "usage",
				     "usage: retentionctl work KEEPER [OPTIONS] -- COMMAND [ARGS]");
	}
	wrong = model_keeper_fault(slice_of(ctl->args.operands[0]));
	if (wrong) {
		return ctl_fault_set(&ctl->fault, CTL_EXIT_USAGE, "usage", "the keeper %s %s",
				     ctl->args.operands[0], wrong);
	}
	return check_command(ctl, ctl->args.operands[1]);
}

int ctl_work_run(struct ctl *ctl)
{
	struct work *work;
	int r = check_operands(ctl);

	if (r != 0) {
		return r;
	}
	work = calloc(1, sizeof(*work));
	if (!work) {
		return ctl_fault_errno(&ctl->fault, -ENOMEM, "work");
	}
	work->ctl = ctl;
	work->talk = (struct work_talk){
		.ctl = ctl, .keeper = ctl->args.operands[0], .lease = ctl->args.lease};
	work->command = ctl->args.operands + 1; /* as argv it ends with NULL */
	work->n_slots = ctl->args.parallel;
	work->term_us = INT64_MAX;
	for (size_t i = 0; i < work->n_slots; i++) {
		work->slots[i].kill_us = INT64_MAX;
	}
	r = open_signals(work);
	r = r ? r : run(work);
	closep(&work->signals);
	free(work);
	return r;
}
