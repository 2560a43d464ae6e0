/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/postgres_link.h"

#include <stdio.h>

#include "tests/bench/fail.h"
#include "tests/bench/text.h"

#define PARAMETERS_MAX 3

/*
 * What the work needs, each as one statement: a change and its row in the audit table are one
 * transaction and one round trip. A row whose change was refused is not counted, and the count is
 * checked. A restore asks for deleted_at rather than due_at, lest the planner, which has last seen
 * due_at when nobody had left, takes the index on it.
 */
/* clang-format off */
static const struct {
	const char *name;
	const char *sql;
} statements[] = {
	{"empty", "SELECT 1"},
	{"get",
	 "SELECT org, id, uid, kind, person, upn, mail, name, enabled, groups, permissions,"
	 " created_at, deleted_at, due_at, removing_since, owed"
	 " FROM accounts WHERE org = $1 AND id = $2"},
	{"organizations",
	 "SELECT o.org, o.name, a.id, a.uid, a.kind, a.deleted_at, a.due_at,"
	 " o.allow_leave AND a.enabled AND a.kind <> 1 AS can_leave, o.privacy_contact"
	 " FROM accounts a JOIN orgs o USING (org)"
	 " WHERE a.person = $1 ORDER BY a.kind <> 1, o.org"},
	{"list",
	 "SELECT org, id, uid, kind, person, upn, name, enabled, deleted_at, due_at,"
	 " removing_since, owed"
	 " FROM accounts WHERE org = $1 AND id > $2 ORDER BY id LIMIT 100"},
	{"leave",
	 "WITH changed AS (UPDATE accounts"
	 " SET deleted_at = now(), due_at = now() + interval '30 days'"
	 " WHERE org = $1 AND id = $2 AND deleted_at IS NULL AND enabled AND kind <> 1"
	 " RETURNING uid)"
	 " INSERT INTO audit (at, uid, event, actor) SELECT now(), uid, 2, 0 FROM changed"},
	{"restore",
	 "WITH changed AS (UPDATE accounts SET deleted_at = NULL, due_at = NULL"
	 " WHERE org = $1 AND id = $2 AND removing_since IS NULL"
	 " AND deleted_at > now() - interval '30 days' RETURNING uid)"
	 " INSERT INTO audit (at, uid, event, actor) SELECT now(), uid, 3, 0 FROM changed"},
	{"leave_many",
	 "WITH changed AS (UPDATE accounts a"
	 " SET deleted_at = now(), due_at = now() + interval '30 days'"
	 " FROM unnest($1::text[], $2::text[]) AS named (org, id)"
	 " WHERE a.org = named.org AND a.id = named.id"
	 " AND a.deleted_at IS NULL AND a.enabled AND a.kind <> 1 RETURNING a.uid)"
	 " INSERT INTO audit (at, uid, event, actor) SELECT now(), uid, 2, 0 FROM changed"},
	{"restore_many",
	 "WITH changed AS (UPDATE accounts a SET deleted_at = NULL, due_at = NULL"
	 " FROM unnest($1::text[], $2::text[]) AS named (org, id)"
	 " WHERE a.org = named.org AND a.id = named.id AND a.removing_since IS NULL"
	 " AND a.deleted_at > now() - interval '30 days' RETURNING a.uid)"
	 " INSERT INTO audit (at, uid, event, actor) SELECT now(), uid, 3, 0 FROM changed"},
	/* A sweep's now is 31 days from now: nobody waits for it. */
	{"sweep_start",
	 "WITH changed AS (UPDATE accounts"
	 " SET removing_since = now(), owed = 1, due_at = now() + interval '61 days'"
	 " WHERE ctid = ANY (ARRAY(SELECT ctid FROM accounts"
	 " WHERE due_at <= now() + interval '31 days' AND removing_since IS NULL"
	 " ORDER BY due_at LIMIT 10000 FOR UPDATE SKIP LOCKED)) RETURNING uid)"
	 " INSERT INTO audit (at, uid, event, actor) SELECT now(), uid, 4, 0 FROM changed"},
	{"sweep_remove",
	 "WITH changed AS (DELETE FROM accounts"
	 " WHERE ctid = ANY (ARRAY(SELECT ctid FROM accounts"
	 " WHERE due_at <= now() + interval '31 days' AND owed = 0"
	 " ORDER BY due_at LIMIT 10000 FOR UPDATE SKIP LOCKED)) RETURNING uid)"
	 " INSERT INTO audit (at, uid, event, actor) SELECT now(), uid, 5, 0 FROM changed"},
};
/* clang-format on */

/**
 * struct link
 * @work, @n: what the call that is out asks for, and of how many accounts
 * @answer: what has come of it
 * @texts:  its parameters
 * @org, @after: where WORK_LIST goes on
 */
struct link {
	PGconn *connection;
	enum work work;
	uint32_t n;
	struct answer answer;
	struct text texts[PARAMETERS_MAX];
	uint32_t org;
	char after[SAMPLE_ID_LEN + 1];
};

static _Noreturn void fail_postgres(PGconn *connection)
{
	fail("PostgreSQL: %s", PQerrorMessage(connection));
}

PGconn *postgres_connect(const char *sockets)
{
	const char *const keys[] = {"host", "user", "dbname", NULL};
	const char *const values[] = {sockets, "bench", "postgres", NULL};
	PGconn *connection = PQconnectdbParams(keys, values, 0);

	if (PQstatus(connection) != CONNECTION_OK) {
		fail_postgres(connection);
	}
	return connection;
}

void postgres_execute(PGconn *connection, const char *statement)
{
	PGresult *result = PQexec(connection, statement);
	ExecStatusType status = PQresultStatus(result);

	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_COPY_IN) {
		fail_postgres(connection);
	}
	PQclear(result);
}

struct link *postgres_open_link(const char *sockets)
{
	struct link *link = must_alloc(sizeof(*link));

	link->connection = postgres_connect(sockets);
	for (size_t i = 0; i < ARRAY_LEN(statements); i++) {
		PGresult *result =
			PQprepare(link->connection, statements[i].name, statements[i].sql, 0, NULL);

		if (PQresultStatus(result) != PGRES_COMMAND_OK) {
			fail_postgres(link->connection);
		}
		PQclear(result);
	}
	if (PQsetnonblocking(link->connection, 1) != 0) {
		fail_postgres(link->connection);
	}
	return link;
}

void postgres_close_link(struct link *link)
{
	PQfinish(link->connection);
	for (size_t i = 0; i < PARAMETERS_MAX; i++) {
		text_done(&link->texts[i]);
	}
	free(link);
}

int postgres_link_fd(const struct link *link)
{
	return PQsocket(link->connection);
}

static void send_statement(struct link *link, const char *name, uint32_t n_parameters)
{
	const char *values[PARAMETERS_MAX] = {NULL};

	for (uint32_t i = 0; i < n_parameters; i++) {
		values[i] = link->texts[i].data;
	}
	if (!PQsendQueryPrepared(link->connection, name, (int)n_parameters, values, NULL, NULL,
				 0)) {
		fail_postgres(link->connection);
	}
}

static void send_one_name(struct link *link, const char *name, uint32_t account)
{
	struct sample sample;

	sample_name(account, &sample);
	text_add(&link->texts[0], sample.org);
	text_add(&link->texts[1], sample.id);
	send_statement(link, name, 2);
}

/* {org-01,org-02} and {id,id}: nothing in them needs quotes. */
static void send_names(struct link *link, const char *name, const struct call *call)
{
	for (uint32_t i = 0; i < call->n; i++) {
		struct sample sample;

		sample_name(call->accounts[i], &sample);
		text_add(&link->texts[0], i == 0 ? "{" : ",");
		text_add(&link->texts[0], sample.org);
		text_add(&link->texts[1], i == 0 ? "{" : ",");
		text_add(&link->texts[1], sample.id);
	}
	text_add(&link->texts[0], "}");
	text_add(&link->texts[1], "}");
	send_statement(link, name, 2);
}

static void send_person(struct link *link, uint32_t account)
{
	struct sample sample;

	sample_person(account, &sample);
	text_add(&link->texts[0], sample.person);
	send_statement(link, "organizations", 1);
}

static void send_page(struct link *link)
{
	char org[SAMPLE_ORG_LEN + 1];

	sample_org(link->org, org);
	text_add(&link->texts[0], org);
	text_add(&link->texts[1], link->after);
	send_statement(link, "list", 2);
}

void postgres_send(struct link *link, const struct call *call)
{
	link->work = call->work;
	link->n = call->n;
	link->answer = (struct answer){0};
	for (size_t i = 0; i < PARAMETERS_MAX; i++) {
		text_reset(&link->texts[i]);
	}
	switch (call->work) {
	case WORK_EMPTY:
		send_statement(link, "empty", 0);
		return;
	case WORK_GET:
		send_one_name(link, "get", call->accounts[0]);
		return;
	case WORK_ORGANIZATIONS:
		send_person(link, call->accounts[0]);
		return;
	case WORK_LIST:
		send_page(link);
		return;
	case WORK_LEAVE:
		if (call->n == 1) {
			send_one_name(link, "leave", call->accounts[0]);
		} else {
			send_names(link, "leave_many", call);
		}
		return;
	case WORK_RESTORE:
		if (call->n == 1) {
			send_one_name(link, "restore", call->accounts[0]);
		} else {
			send_names(link, "restore_many", call);
		}
		return;
	case WORK_SWEEP_START:
		send_statement(link, "sweep_start", 0);
		return;
	case WORK_SWEEP_REMOVE:
		send_statement(link, "sweep_remove", 0);
		return;
	case WORK_IMPORT:
	case WORK_ERASE:
	case WORK_BACKUP:
	case _WORK_MAX:
		break;
	}
	abort();
}

bool postgres_flush(struct link *link)
{
	int r = PQflush(link->connection);

	if (r < 0) {
		fail_postgres(link->connection);
	}
	return r == 0;
}

void postgres_fill(struct link *link)
{
	if (!PQconsumeInput(link->connection)) {
		fail_postgres(link->connection);
	}
}

static void take_rows(struct link *link, const PGresult *result)
{
	uint32_t n = (uint32_t)PQntuples(result);

	link->answer.n_done = n;
	if (link->work == WORK_GET && n != 1) {
		fail("PostgreSQL does not find an account");
	}
	if (link->work == WORK_LIST) {
		link->after[0] = '\0';
		if (n == 100) {
			(void)snprintf(link->after, sizeof(link->after), "%s",
				       PQgetvalue(result, (int)n - 1, 1));
		} else {
			link->org = (link->org + 1) % SAMPLE_ORGS;
		}
	}
}

static void take_changes(struct link *link, PGresult *result)
{
	uint32_t n = (uint32_t)strtoul(PQcmdTuples(result), NULL, 10);
	bool sweep = link->work == WORK_SWEEP_START || link->work == WORK_SWEEP_REMOVE;

	link->answer = (struct answer){.n_done = n, .last = sweep && n == 0};
	if (!sweep && n != link->n) {
		fail("PostgreSQL changed %u accounts instead of %u", n, link->n);
	}
}

bool postgres_receive(struct link *link, struct answer *ret_answer)
{
	while (!PQisBusy(link->connection)) {
		PGresult *result = PQgetResult(link->connection);

		if (!result) {
			*ret_answer = link->answer;
			return true;
		}
		switch (PQresultStatus(result)) {
		case PGRES_TUPLES_OK:
			take_rows(link, result);
			break;
		case PGRES_COMMAND_OK:
			take_changes(link, result);
			break;
		default:
			fail_postgres(link->connection);
		}
		PQclear(result);
	}
	return false;
}

static void add_list(struct text *row, const char *items, size_t item_size, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		text_add(row, i == 0 ? "\t{" : ",");
		text_add(row, items + i * item_size);
	}
	text_add(row, "}");
}

/* A line of COPY's text format. */
static void add_row(struct text *rows, uint32_t account)
{
	struct sample sample;
	const char *const fields[] = {sample.id,   "\t2\t", sample.person, "\t", sample.upn, "\t",
				      sample.mail, "\t",    sample.name,   "\tt"};

	sample_fill(account, &sample);
	text_add(rows, sample.org);
	text_add(rows, "\t");
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		text_add(rows, fields[i]);
	}
	add_list(rows, sample.groups[0], sizeof(sample.groups[0]), SAMPLE_GROUPS);
	add_list(rows, sample.permissions[0], sizeof(sample.permissions[0]), SAMPLE_PERMISSIONS);
	text_add(rows, "\n");
}

/* Accounts are imported in their order, so uids are counted as they are. */
void postgres_copy(PGconn *connection, const struct range *range)
{
	struct text rows = {0};
	char audit[160];

	(void)snprintf(audit, sizeof(audit),
		       "INSERT INTO audit (at, uid, event, actor)"
		       " SELECT now(), uid, 1, 0 FROM accounts WHERE uid > %u",
		       range->base);
	postgres_execute(connection, "BEGIN");
	postgres_execute(connection,
			 "COPY accounts (org, id, kind, person, upn, mail, name, enabled,"
			 " groups, permissions) FROM STDIN");
	for (uint32_t i = 0; i < range->n; i++) {
		add_row(&rows, range->base + i);
		if (rows.len >= 64 * 1024 || i + 1 == range->n) {
			if (PQputCopyData(connection, rows.data, (int)rows.len) != 1) {
				fail_postgres(connection);
			}
			text_reset(&rows);
		}
	}
	if (PQputCopyEnd(connection, NULL) != 1) {
		fail_postgres(connection);
	}
	for (PGresult *result; (result = PQgetResult(connection));) {
		if (PQresultStatus(result) != PGRES_COMMAND_OK) {
			fail_postgres(connection);
		}
		PQclear(result);
	}
	postgres_execute(connection, audit);
	postgres_execute(connection, "COMMIT");
	text_done(&rows);
}
