/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/postgres.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/sysinfo.h>

#include "tests/bench/child.h"
#include "tests/bench/directory.h"
#include "tests/bench/fail.h"
#include "tests/bench/postgres_link.h"

#define PROGRAMS_DEFAULT "/usr/lib/postgresql/15/bin"
#define USER             "postgres" /* it refuses to run as root */

#define READY_LOOK_MS 20
#define READY_LOOKS   3000

/* A quarter of the memory, as its manual advises; no more than all that is stored here. */
#define BUFFERS_MB_MAX 4096

struct postgres {
	pid_t pid;
	PGconn *control;
	bool vacuum; /* after a load, as the manual advises */
	char programs[192];
	char cluster[320];
	char log[320];
};

/*
 * As its manual advises for a machine that does nothing else: checkpoints far apart, random reads
 * that cost little, no planning for what is short. What it promises stays on: fsync,
 * full_page_writes, synchronous_commit.
 */
/* clang-format off */
static const char settings[] =
	"listen_addresses = ''\n"
	"max_connections = 100\n"
	"fsync = on\n"
	"full_page_writes = on\n"
	"synchronous_commit = on\n"
	"wal_level = minimal\n"
	"max_wal_senders = 0\n"
	"wal_compression = lz4\n"
	"wal_buffers = 64MB\n"
	"min_wal_size = 2GB\n"
	"max_wal_size = 16GB\n"
	"checkpoint_timeout = 30min\n"
	"checkpoint_completion_target = 0.9\n"
	"maintenance_work_mem = 512MB\n"
	"work_mem = 64MB\n"
	"random_page_cost = 1.1\n"
	"effective_io_concurrency = 200\n"
	"huge_pages = try\n"
	"jit = off\n"
	"autovacuum = on\n";
/* clang-format on */

/*
 * The fields that retentiond stores, and no more indexes than the work needs. due_at is what is
 * due next: the window's end, then the removal's deadline. owed has a bit for each keeper.
 */
static const char *const schema[] = {
	"CREATE TABLE orgs (org text PRIMARY KEY, name text, privacy_contact text,"
	" allow_leave boolean NOT NULL DEFAULT true)",
	"CREATE TABLE accounts (uid bigint GENERATED ALWAYS AS IDENTITY, org text NOT NULL,"
	" id text NOT NULL, kind smallint NOT NULL, person text NOT NULL, upn text, mail text,"
	" name text, enabled boolean NOT NULL, groups text[], permissions text[],"
	" created_at timestamptz NOT NULL DEFAULT now(), deleted_at timestamptz,"
	" due_at timestamptz, removing_since timestamptz, owed bigint NOT NULL DEFAULT 0,"
	" UNIQUE (org, id)) WITH (fillfactor = 85)",
	"CREATE INDEX accounts_person ON accounts (person)",
	"CREATE INDEX accounts_due ON accounts (due_at) WHERE due_at IS NOT NULL",
	"CREATE TABLE audit (seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
	" at timestamptz NOT NULL, uid bigint NOT NULL, event smallint NOT NULL,"
	" actor integer NOT NULL)",
	"INSERT INTO orgs SELECT 'org-' || to_char(n, 'FM00'), 'Organization', 'privacy@x.example'"
	" FROM generate_series(0, 99) AS n",
};

static unsigned long memory_mb(void)
{
	struct sysinfo info;

	if (sysinfo(&info) < 0) {
		fail_errno(errno, "sysinfo");
	}
	return info.totalram / 1024 * info.mem_unit / 1024;
}

static void make_cluster(const struct postgres *postgres, const char *sockets)
{
	char program[256], directory[384], path[384];
	const char *const argv[] = {
		program,           directory, "--username=bench", "--auth=trust", "--no-locale",
		"--encoding=UTF8", NULL};
	const struct child_options options = {
		.argv = argv, .log = postgres->log, .user = USER, .end_signal = SIGTERM};
	FILE *file;

	(void)snprintf(program, sizeof(program), "%s/initdb", postgres->programs);
	(void)snprintf(directory, sizeof(directory), "--pgdata=%s", postgres->cluster);
	child_run(&options);
	(void)snprintf(path, sizeof(path), "%s/postgresql.auto.conf", postgres->cluster);
	file = fopen(path, "ae");
	if (!file) {
		fail_errno(errno, "%s", path);
	}
	(void)fputs(settings, file);
	(void)fprintf(file, "unix_socket_directories = '%s'\nshared_buffers = %luMB\n", sockets,
		      MIN(memory_mb() / 4, BUFFERS_MB_MAX));
	(void)fprintf(file, "effective_cache_size = %luMB\n", memory_mb() / 2);
	if (fclose(file) != 0) {
		fail_errno(errno, "%s", path);
	}
}

static void await_ready(const struct postgres *postgres, const char *sockets)
{
	const char *const keys[] = {"host", "user", "dbname", NULL};
	const char *const values[] = {sockets, "bench", "postgres", NULL};

	for (uint32_t i = 0; i < READY_LOOKS; i++) {
		if (PQpingParams(keys, values, 0) == PQPING_OK) {
			return;
		}
		if (!child_is_running(postgres->pid)) {
			break;
		}
		(void)poll(NULL, 0, READY_LOOK_MS);
	}
	child_fail("PostgreSQL", postgres->log);
}

static void run_server(struct postgres *postgres, const char *sockets)
{
	char program[256];
	const char *const argv[] = {program, "-D", postgres->cluster, NULL};
	/* SIGQUIT: its immediate shutdown. */
	const struct child_options options = {
		.argv = argv, .log = postgres->log, .user = USER, .end_signal = SIGQUIT};

	(void)snprintf(program, sizeof(program), "%s/postgres", postgres->programs);
	postgres->pid = child_start(&options);
	await_ready(postgres, sockets);
}

static void postgres_start(struct target *target)
{
	struct postgres *postgres = must_alloc(sizeof(*postgres));
	const char *programs = getenv("POSTGRES_PROGRAMS");

	target->state = postgres;
	(void)snprintf(postgres->programs, sizeof(postgres->programs), "%s",
		       programs ? programs : PROGRAMS_DEFAULT);
	(void)snprintf(postgres->cluster, sizeof(postgres->cluster), "%s/cluster",
		       target->directory);
	(void)snprintf(postgres->log, sizeof(postgres->log), "%s/log", target->directory);
	directory_make(target->directory, USER);
	directory_make(target->sockets, USER);
	make_cluster(postgres, target->sockets);
	run_server(postgres, target->sockets);
	postgres->control = postgres_connect(target->sockets);
	(void)snprintf(target->version, sizeof(target->version), "%s",
		       PQparameterStatus(postgres->control, "server_version"));
	for (size_t i = 0; i < ARRAY_LEN(schema); i++) {
		postgres_execute(postgres->control, schema[i]);
	}
}

static void postgres_stop(struct target *target)
{
	struct postgres *postgres = target->state;

	PQfinish(postgres->control);
	child_end(postgres->pid, SIGINT);
	free(postgres);
	target->state = NULL;
}

static void postgres_quiesce(struct target *target)
{
	struct postgres *postgres = target->state;

	if (postgres->vacuum) {
		postgres_execute(postgres->control, "VACUUM (ANALYZE) accounts");
		postgres->vacuum = false;
	}
	postgres_execute(postgres->control, "CHECKPOINT");
}

static void postgres_import(struct target *target, const struct range *range)
{
	struct postgres *postgres = target->state;

	postgres_copy(postgres->control, range);
	postgres->vacuum = true;
}

static struct link *open_link(struct target *target)
{
	return postgres_open_link(target->sockets);
}

const struct target_class postgres_class = {
	.name = "PostgreSQL",
	.depth_max = 1,
	.start = postgres_start,
	.stop = postgres_stop,
	.quiesce = postgres_quiesce,
	.import = postgres_import,
	.open_link = open_link,
	.close_link = postgres_close_link,
	.link_fd = postgres_link_fd,
	.send = postgres_send,
	.flush = postgres_flush,
	.fill = postgres_fill,
	.receive = postgres_receive,
};
