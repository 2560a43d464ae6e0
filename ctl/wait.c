/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/wait.h"

#include <errno.h>
#include <poll.h>

#include "common/rpc.h"
#include "ctl/interrupt.h"
#include "ctl/json.h"
#include "ctl/monotonic.h"
#include "ctl/wait_target.h"

#define TURN        (SPAN_SECOND / 4) /* how long a Ctrl-C may go unnoticed */
#define RETRY       (SPAN_SECOND / 2) /* between attempts to reach a daemon that restarts */
#define LOOK_FIRST  (SPAN_SECOND / 4)
#define LOOK_MAX    (5 * SPAN_SECOND)
#define LOOK_EVENTS (30 * SPAN_SECOND) /* for states that come by the clock alone */
#define LOOK_SHARE  10 /* looking takes a tenth of the time at most, however many there are */
#define NAMES_MAX   3  /* accounts that a fault names */

/**
 * struct wait - a wait under way; instants are of the monotonic clock
 * @events:      subscribed, on a connection of its own: a call would pass its events over
 * @polling:     we may not subscribe
 * @next:        ledger number of the next event
 * @met:         the daemon has answered before: that it is away now is a restart
 * @away:        said so
 * @look_us:     when to look at everything again
 * @look_wait:   what was waited last for that, when polling
 * @deadline_us: INT64_MAX for none
 * @why:         what was told last of what is waited for
 */
struct wait {
	struct ctl *ctl;
	enum account_state wanted;
	struct wait_target *targets;
	size_t n;
	struct ctl_client *events;
	bool polling;
	int64_t next;
	bool met;
	bool away;
	int64_t look_us;
	span_t look_wait;
	int64_t deadline_us;
	bool terminal;
	size_t n_told;
	char *why;
};

static size_t count(const struct wait *wait, enum wait_standing standing)
{
	return wait_count(wait->targets, wait->n, standing);
}

static void make_stale(struct wait *wait)
{
	for (size_t i = 0; i < wait->n; i++) {
		wait->targets[i].stale = true;
	}
}

/* Subscribe */

static int call_subscribe(struct wait *wait, int64_t from)
{
	struct ctl_fault *fault = &wait->ctl->fault;
	struct pack_writer *writer = ctl_client_begin(
		wait->events, command_table[COMMAND_events_subscribe].method, RPC_FRAME_SMALL_MAX);
	json_t *result = NULL;
	int r;

	pack_write_map(writer);
	if (from > 0) {
		pack_put_int(writer, "from", from);
	}
	pack_write_end(writer);
	r = ctl_client_call(wait->events, &result, fault);
	if (r == 0) {
		wait->next = json_integer_value(json_object_get(result, "from"));
	}
	json_decref(result);
	return r;
}

/* Return: 0 with @wait subscribed or polling, or an exit code. */
static int subscribe(struct wait *wait)
{
	struct ctl *ctl = wait->ctl;
	int r;

	if (wait->polling) {
		return 0;
	}
	r = wait->events ? 0 : ctl_client_new(ctl->args.socket, ctl->args.timeout, &wait->events);
	if (r < 0) {
		return ctl_fault_errno(&ctl->fault, r, "wait");
	}
	r = call_subscribe(wait, wait->next);
	if (r == CTL_EXIT_USAGE && wait->next > 0) {
		/* The ledger is shorter than it was: an older store was restored. */
		make_stale(wait);
		r = call_subscribe(wait, 0);
	}
	if (r == CTL_EXIT_PERMISSION) {
		wait->polling = true;
		r = 0;
	}
	if (r == 0) {
		wait->met = true;
		ctl->fault = (struct ctl_fault){.exit = CTL_EXIT_OK};
	}
	return r;
}

/* Look */

static int look(struct wait *wait, bool *ret_looked)
{
	*ret_looked = false;
	for (size_t i = 0; i < wait->n; i++) {
		int r;

		if (!wait->targets[i].stale || ctl_interrupted()) {
			continue;
		}
		r = wait_look(wait->ctl, wait->wanted, &wait->targets[i]);
		if (r != 0) {
			return r;
		}
		*ret_looked = true;
	}
	return 0;
}

static void plan_next_look(struct wait *wait, span_t took)
{
	span_t pause = LOOK_EVENTS;

	if (wait->polling) {
		wait->look_wait = wait->look_wait ? MIN(wait->look_wait * 2, LOOK_MAX) : LOOK_FIRST;
		pause = wait->look_wait;
	}
	wait->look_us = monotonic_us() + MAX(pause, took * LOOK_SHARE);
}

static const struct wait_target *first(const struct wait *wait, enum wait_standing standing)
{
	for (size_t i = 0; i < wait->n; i++) {
		if (wait->targets[i].standing == standing) {
			return &wait->targets[i];
		}
	}
	return NULL;
}

/* Why it takes so long, for who looks on; told again only when it has changed. */
static void tell_why(struct wait *wait)
{
	const struct wait_target *target = first(wait, WAIT_PENDING);
	char *why = NULL;
	size_t len;
	FILE *out = target ? open_memstream(&why, &len) : NULL;

	if (!out) {
		return;
	}
	wait_put_why(wait->ctl, target, out);
	if (fclose(out) != 0 || (wait->why && strcmp(why, wait->why) == 0)) {
		free(why);
		return;
	}
	(void)fprintf(stderr, "\r\033[K%s", why);
	free(wait->why);
	wait->why = why;
	wait->n_told = SIZE_MAX; /* its line is gone */
}

static void tell_progress(struct wait *wait)
{
	size_t n_reached = count(wait, WAIT_REACHED);

	if (!wait->terminal) {
		return;
	}
	tell_why(wait);
	if (n_reached != wait->n_told) {
		(void)fprintf(stderr, "\r\033[K%zu of %zu %s %s", n_reached, wait->n,
			      n_reached == 1 ? "is" : "are", account_state_name(wait->wanted));
		(void)fflush(stderr);
		wait->n_told = n_reached;
	}
}

static int look_and_tell(struct wait *wait)
{
	int64_t began_us = monotonic_us();
	bool looked;
	int r;

	if (began_us >= wait->look_us) {
		make_stale(wait);
	}
	r = look(wait, &looked);
	if (r == 0 && looked) {
		tell_progress(wait);
	}
	if (r == 0 && began_us >= wait->look_us) {
		plan_next_look(wait, monotonic_us() - began_us);
	}
	return r;
}

/* Await */

static void take_event(struct wait *wait, const json_t *event)
{
	int64_t uid = json_integer_value(json_object_get(event, "uid"));

	wait->next = json_integer_value(json_object_get(event, "seq")) + 1;
	for (size_t i = 0; uid > 0 && i < wait->n; i++) {
		if (wait->targets[i].uid == uid) {
			wait->targets[i].stale = true;
		}
	}
}

/* The first event is waited for; what came with it is taken too. */
static int await_events(struct wait *wait, int64_t until_us)
{
	struct ctl_fault *fault = &wait->ctl->fault;
	json_t *event = NULL;
	int r;

	while ((r = ctl_client_await_event(wait->events, until_us, &event, fault)) == 0) {
		take_event(wait, event);
		json_decref(event);
		until_us = 0;
	}
	if (r == CTL_EXIT_TIMEOUT) {
		*fault = (struct ctl_fault){.exit = CTL_EXIT_OK};
		r = 0;
	}
	return r;
}

static int await(struct wait *wait)
{
	int64_t until_us = MIN(MIN(wait->deadline_us, wait->look_us), monotonic_us() + TURN);

	if (!wait->polling) {
		return await_events(wait, until_us);
	}
	(void)poll(NULL, 0, (int)(MAX(until_us - monotonic_us(), 0) / 1000) + 1);
	return 0;
}

/* The daemon is away: both connections are begun anew. */
static int begin_anew(struct wait *wait)
{
	struct ctl *ctl = wait->ctl;
	int r;

	if (!wait->away && !ctl->args.quiet) {
		(void)fprintf(stderr,
			      "%sretentionctl: the daemon is not reachable; waiting for it\n",
			      wait->terminal ? "\r\033[K" : "");
	}
	wait->away = true;
	(void)poll(NULL, 0, (int)(MIN(RETRY, MAX(wait->deadline_us - monotonic_us(), 0)) / 1000));
	ctl->fault = (struct ctl_fault){.exit = CTL_EXIT_OK};
	wait->events = ctl_client_free(wait->events);
	ctl->client = ctl_client_free(ctl->client);
	r = ctl_client_new(ctl->args.socket, ctl->args.timeout, &ctl->client);
	return r < 0 ? ctl_fault_errno(&ctl->fault, r, "wait") : 0;
}

/* One turn: subscribed if need be, everything that is stale looked at, then what comes next. */
static int turn(struct wait *wait, bool *ret_done)
{
	int r = wait->events || wait->polling ? 0 : subscribe(wait);

	r = r ? r : look_and_tell(wait);
	if (r == 0) {
		wait->away = false;
		*ret_done = count(wait, WAIT_REACHED) == wait->n || first(wait, WAIT_UNKNOWN) ||
			    first(wait, WAIT_NEVER);
	}
	return r || *ret_done ? r : await(wait);
}

/* End */

static void put_names(const struct wait *wait, enum wait_standing standing, FILE *out)
{
	size_t n = count(wait, standing);
	size_t told = 0;

	for (size_t i = 0; i < wait->n && told < NAMES_MAX; i++) {
		if (wait->targets[i].standing == standing) {
			(void)fputs(told++ ? ", " : "", out);
			wait_put_name(&wait->targets[i], out);
		}
	}
	if (told < n) {
		(void)fprintf(out, " and %zu more", n - told);
	}
}

/* A fault that names those that are the reason. */
static int fault_of(struct wait *wait, enum ctl_exit exit, const char *code,
		    enum wait_standing standing, const char *behind)
{
	char *names = NULL;
	size_t len;
	FILE *out = open_memstream(&names, &len);

	if (!out) {
		return ctl_fault_errno(&wait->ctl->fault, errno, "wait");
	}
	put_names(wait, standing, out);
	if (fclose(out) == 0) {
		(void)ctl_fault_set(&wait->ctl->fault, exit, code, "%s: %s", names, behind);
	} else {
		(void)ctl_fault_errno(&wait->ctl->fault, -ENOMEM, "wait");
	}
	free(names);
	return (int)wait->ctl->fault.exit;
}

static int judge_end(struct wait *wait)
{
	char behind[160];

	if (first(wait, WAIT_UNKNOWN)) {
		return fault_of(wait, CTL_EXIT_NOT_FOUND, "not-found", WAIT_UNKNOWN,
				"no such account is known here; what is removed is found by "
				"ORG/ID or uid:N only");
	}
	(void)snprintf(behind, sizeof(behind), "can never be %s any more",
		       account_state_name(wait->wanted));
	return first(wait, WAIT_NEVER)
		       ? fault_of(wait, CTL_EXIT_REFUSED, "never", WAIT_NEVER, behind)
		       : 0;
}

static int timed_out(struct wait *wait)
{
	char span[SPAN_TEXT_MAX];
	char behind[160];

	span_format(wait->ctl->args.whole, span);
	(void)snprintf(behind, sizeof(behind), "not %s after %s; retentionctl explain says why",
		       account_state_name(wait->wanted), span);
	return fault_of(wait, CTL_EXIT_TIMEOUT, "timeout", WAIT_PENDING, behind);
}

static int follow(struct wait *wait)
{
	bool done = false;
	int r = 0;

	while (r == 0 && !done) {
		r = turn(wait, &done);
		if (r == CTL_EXIT_UNREACHABLE && wait->met) {
			r = begin_anew(wait);
		}
		if (r == 0 && !done && ctl_interrupted()) {
			return fault_of(wait, CTL_EXIT_INTERRUPTED, "interrupted", WAIT_PENDING,
					"interrupted while waiting");
		}
		if (r == 0 && !done && monotonic_us() >= wait->deadline_us) {
			return timed_out(wait);
		}
	}
	return r ? r : judge_end(wait);
}

static void tell_end(struct wait *wait, int r)
{
	if (wait->terminal) {
		(void)fputs("\r\033[K", stderr);
		(void)fflush(stderr);
	}
	if (wait->ctl->args.json && wait->met) {
		wait_print_json(wait->targets, wait->n, wait->wanted, wait->ctl->show.out);
	} else if (!wait->ctl->args.json && r == 0 && !wait->ctl->args.quiet) {
		ctl_learn_now(wait->ctl, NULL);
		wait_print_sentences(&wait->ctl->show, wait->targets, wait->n, wait->wanted);
	}
}

/* Begin */

static int take_command_line(struct ctl *ctl, enum account_state *ret_wanted)
{
	struct ctl_accounts *accounts = &ctl->operands.accounts;
	int r = 0;

	if (!ctl->args.wait_for ||
	    !account_state_from_name(slice_of(ctl->args.wait_for), ret_wanted)) {
		return ctl_fault_set(&ctl->fault, CTL_EXIT_USAGE, "usage",
				     "wait needs --for=STATE: active, soft-deleted, removing or "
				     "removed");
	}
	for (size_t i = 0; i < ctl->args.n_operands && r == 0; i++) {
		r = ctl_accounts_take(accounts, ctl->args.operands[i], &ctl->fault);
	}
	if (r == 0 && accounts->n == 0) {
		return ctl_fault_set(&ctl->fault, CTL_EXIT_USAGE, "usage",
				     "there is no account to wait for");
	}
	return r;
}

static int run(struct wait *wait)
{
	const struct ctl_accounts *accounts = &wait->ctl->operands.accounts;
	int r;

	wait->n = accounts->n;
	wait->targets = calloc(wait->n, sizeof(*wait->targets));
	if (!wait->targets) {
		return ctl_fault_errno(&wait->ctl->fault, -ENOMEM, "wait");
	}
	for (size_t i = 0; i < wait->n; i++) {
		wait->targets[i].account = &accounts->items[i];
	}
	ctl_interrupt_catch();
	r = follow(wait);
	tell_end(wait, r);
	return r;
}

static void done(struct wait *wait)
{
	for (size_t i = 0; wait->targets && i < wait->n; i++) {
		json_decref(wait->targets[i].answer);
	}
	free(wait->targets);
	free(wait->why);
	(void)ctl_client_free(wait->events);
}

int ctl_wait_run(struct ctl *ctl)
{
	struct wait wait = {
		.ctl = ctl,
		.deadline_us = ctl->args.whole ? monotonic_us() + ctl->args.whole : INT64_MAX,
		.terminal = isatty(STDERR_FILENO) && !ctl->args.quiet,
		.n_told = SIZE_MAX,
	};
	int r = take_command_line(ctl, &wait.wanted);

	r = r ? r : run(&wait);
	done(&wait);
	return r;
}
