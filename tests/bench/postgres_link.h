/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_BENCH_POSTGRES_LINK_H
#define RETENTIOND_TESTS_BENCH_POSTGRES_LINK_H

#include <libpq-fe.h>

#include "tests/bench/target.h"

/* A connection to PostgreSQL with every statement prepared, and how each work is asked for. */

PGconn *postgres_connect(const char *sockets);

/* One statement, on its own; its result is checked and dropped. */
void postgres_execute(PGconn *connection, const char *statement);

struct link *postgres_open_link(const char *sockets);
void postgres_close_link(struct link *link);
int postgres_link_fd(const struct link *link);
void postgres_send(struct link *link, const struct call *call);
bool postgres_flush(struct link *link);
void postgres_fill(struct link *link);
bool postgres_receive(struct link *link, struct answer *ret_answer);

/* Accounts by COPY, with their rows in the audit table, in one transaction. */
void postgres_copy(PGconn *connection, const struct range *range);

#endif
