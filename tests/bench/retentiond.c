/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/retentiond.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/instant.h"

#include "tests/bench/child.h"
#include "tests/bench/directory.h"
#include "tests/bench/fail.h"
#include "tests/bench/load.h"
#include "tests/bench/retentiond_link.h"
#include "tests/bench/stopwatch.h"

#define READY_SECONDS_MAX 60
#define READY_LOOK_MS     100 /* whether it still runs; it is heard at once */
#define SETTLE_LOOK_MS    150 /* beside others it settles a slice each 100 ms */
#define SWEEP_AHEAD       (31 * SPAN_DAY)

/**
 * struct retentiond - a running daemon
 * @notify:   its service manager's socket, which we are
 * @control:  a link for everything that is not measured
 */
struct retentiond {
	pid_t pid;
	int notify;
	struct link *control;
	struct sweep_goal goal;
	char socket[128];
	char config[320];
	char log[320];
	char state[320];
	char backup[320];
	char environment[160];
};

static void write_config(const struct retentiond *daemon)
{
	FILE *file = fopen(daemon->config, "we");

	if (!file) {
		fail_errno(errno, "%s", daemon->config);
	}
	(void)fprintf(file, "[grant bench]\nrole = admin\nusers = %u\n", getuid());
	for (uint32_t i = 1; i <= RETENTIOND_KEEPERS; i++) {
		(void)fprintf(file, "[grant k%u]\nrole = keeper k%u\nusers = %u\n", i, i, getuid());
	}
	if (fclose(file) != 0) {
		fail_errno(errno, "%s", daemon->config);
	}
}

static void open_notify(struct retentiond *daemon, const char *sockets)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/notify", sockets);
	(void)unlink(address.sun_path);
	(void)snprintf(daemon->environment, sizeof(daemon->environment), "NOTIFY_SOCKET=%s",
		       address.sun_path);
	daemon->notify = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (daemon->notify < 0 ||
	    bind(daemon->notify, (struct sockaddr *)&address, sizeof(address)) < 0) {
		fail_errno(errno, "%s", address.sun_path);
	}
}

/* It tells its service manager lines, of which one is READY=1. */
static bool says_ready(const struct retentiond *daemon)
{
	struct pollfd fd = {.fd = daemon->notify, .events = POLLIN};
	char text[1024];
	ssize_t n;

	if (poll(&fd, 1, READY_LOOK_MS) <= 0) {
		return false;
	}
	n = recv(daemon->notify, text, sizeof(text) - 1, 0);
	if (n < 0) {
		fail_errno(errno, "recv");
	}
	text[n] = '\0';
	return strstr(text, "READY=1");
}

static void await_ready(const struct retentiond *daemon)
{
	uint64_t begin = stopwatch_ns();

	while (!says_ready(daemon)) {
		if (!child_is_running(daemon->pid) ||
		    stopwatch_seconds_since(begin) > READY_SECONDS_MAX) {
			child_fail("retentiond", daemon->log);
		}
	}
}

static double run(struct retentiond *daemon)
{
	const char *program = getenv("RETENTIOND");
	char config[384], state[384], backup[384], listen[384];
	const char *const argv[] = {
		program ? program : "build/default/retentiond",
		"--clock=simulated:2026-01-01T00:00:00Z",
		config,
		state,
		backup,
		listen,
		NULL,
	};
	const struct child_options options = {
		.argv = argv,
		.log = daemon->log,
		.environment = daemon->environment,
		.end_signal = SIGKILL,
	};
	uint64_t begin;

	(void)snprintf(config, sizeof(config), "--config=%s", daemon->config);
	(void)snprintf(state, sizeof(state), "--state-directory=%s", daemon->state);
	(void)snprintf(backup, sizeof(backup), "--backup-directory=%s", daemon->backup);
	(void)snprintf(listen, sizeof(listen), "--socket=%s", daemon->socket);
	begin = stopwatch_ns();
	daemon->pid = child_start(&options);
	await_ready(daemon);
	daemon->control = retentiond_connect(daemon->socket, &daemon->goal);
	return stopwatch_seconds_since(begin);
}

static void take_version(struct retentiond *daemon, struct target *target)
{
	struct rpc_message message;
	struct pack_value version;

	(void)retentiond_ask(daemon->control, "retention.info");
	retentiond_hear(daemon->control, &message);
	if (pack_map_get(&message.result, "version", &version) && version.type == PACK_TEXT) {
		(void)snprintf(target->version, sizeof(target->version), "%.*s",
			       SLICE_ARG(version.text));
	}
}

/* All that is set of an organization; a copied store gets it anew. */
static void put_org(struct pack_writer *writer, uint32_t number)
{
	char org[SAMPLE_ORG_LEN + 1];

	sample_org(number, org);
	pack_put_cstr(writer, "org", org);
	pack_put_cstr(writer, "privacy_contact", "privacy@contoso.example");
	pack_put_uint(writer, "guard_percent", 100); /* everybody leaves */
}

static void set_orgs(struct retentiond *daemon)
{
	struct rpc_message message;

	for (uint32_t i = 0; i < SAMPLE_ORGS; i++) {
		put_org(retentiond_ask(daemon->control, "org.set"), i);
		retentiond_hear(daemon->control, &message);
	}
}

static void make_state(const struct retentiond *daemon, const struct target *target)
{
	char store[320];

	if (target->store[0] == '\0') {
		directory_make(daemon->state, NULL);
		return;
	}
	(void)snprintf(store, sizeof(store), "%s/state", target->store);
	directory_copy(store, daemon->state, daemon->log);
}

static void retentiond_start(struct target *target)
{
	struct retentiond *daemon = must_alloc(sizeof(*daemon));

	target->state = daemon;
	(void)snprintf(daemon->socket, sizeof(daemon->socket), "%s/retentiond", target->sockets);
	(void)snprintf(daemon->config, sizeof(daemon->config), "%s/config", target->directory);
	(void)snprintf(daemon->log, sizeof(daemon->log), "%s/log", target->directory);
	(void)snprintf(daemon->state, sizeof(daemon->state), "%s/state", target->directory);
	(void)snprintf(daemon->backup, sizeof(daemon->backup), "%s/backup", target->directory);
	directory_make(target->directory, NULL);
	directory_make(target->sockets, NULL);
	make_state(daemon, target);
	write_config(daemon);
	open_notify(daemon, target->sockets);
	(void)run(daemon);
	take_version(daemon, target);
	set_orgs(daemon);
}

static void end(struct retentiond *daemon, int signal)
{
	retentiond_close_link(daemon->control);
	child_end(daemon->pid, signal);
}

static void retentiond_stop(struct target *target)
{
	struct retentiond *daemon = target->state;

	end(daemon, SIGTERM);
	closep(&daemon->notify);
	free(daemon);
	target->state = NULL;
}

static uint64_t ask_number(struct retentiond *daemon, const char *method, const char *path)
{
	struct rpc_message message;

	(void)retentiond_ask(daemon->control, method);
	retentiond_hear(daemon->control, &message);
	return retentiond_number(&message, path);
}

uint64_t retentiond_unsettled(struct target *target)
{
	return ask_number(target->state, "stats.get", "ledger.unsettled");
}

static void retentiond_quiesce(struct target *target)
{
	while (retentiond_unsettled(target) > 0) {
		(void)poll(NULL, 0, SETTLE_LOOK_MS);
	}
}

/* A removal that starts is one entry of the ledger, one that is completed another. */
static void retentiond_prepare_sweep(struct target *target, enum work work, uint32_t n_due)
{
	struct retentiond *daemon = target->state;
	bool start = work == WORK_SWEEP_START;

	daemon->goal = (struct sweep_goal){
		.by_us = SWEEP_AHEAD,
		.key = start ? "started" : "completed",
		.n_due = n_due,
	};
	daemon->goal.begin = ask_number(daemon, "sweep.status", daemon->goal.key);
	daemon->goal.first_seq = ask_number(daemon, "ledger.head", "seq");
	daemon->goal.seq = daemon->goal.first_seq + (start ? 1 : 2) * n_due;
}

static struct link *retentiond_open_link(struct target *target)
{
	struct retentiond *daemon = target->state;

	return retentiond_connect(daemon->socket, &daemon->goal);
}

void retentiond_set_keepers(struct target *target, uint32_t n)
{
	struct retentiond *daemon = target->state;
	struct rpc_message message;

	for (uint32_t i = 1; i <= RETENTIOND_KEEPERS; i++) {
		struct pack_writer *writer = retentiond_ask(daemon->control, "keeper.set");
		char keeper[16];

		(void)snprintf(keeper, sizeof(keeper), "k%u", i);
		pack_put_cstr(writer, "keeper", keeper);
		pack_put_bool(writer, "enabled", i <= n);
		retentiond_hear(daemon->control, &message);
	}
}

double retentiond_restart(struct target *target, int signal)
{
	struct retentiond *daemon = target->state;

	end(daemon, signal);
	closep(&daemon->notify);
	open_notify(daemon, target->sockets);
	return run(daemon);
}

void retentiond_remove_backups(const struct target *target)
{
	const struct retentiond *daemon = target->state;
	char keys[352];

	(void)snprintf(keys, sizeof(keys), "%s-vault", daemon->backup);
	directory_remove(daemon->backup);
	directory_remove(keys);
}

uint64_t retentiond_private_bytes(const struct target *target)
{
	const struct retentiond *daemon = target->state;
	unsigned long long kilobytes = 0;
	char path[64], line[128];
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)daemon->pid);
	file = fopen(path, "re");
	if (!file) {
		fail_errno(errno, "%s", path);
	}
	while (fgets(line, sizeof(line), file) && sscanf(line, "RssAnon: %llu", &kilobytes) != 1) {
	}
	(void)fclose(file);
	return kilobytes * 1024;
}

const struct target_class retentiond_class = {
	.name = "retentiond",
	.depth_max = DEPTH_MAX,
	.start = retentiond_start,
	.stop = retentiond_stop,
	.quiesce = retentiond_quiesce,
	.prepare_sweep = retentiond_prepare_sweep,
	.open_link = retentiond_open_link,
	.close_link = retentiond_close_link,
	.link_fd = retentiond_link_fd,
	.send = retentiond_send,
	.flush = retentiond_flush,
	.fill = retentiond_fill,
	.receive = retentiond_receive,
};
