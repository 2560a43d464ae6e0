/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/work/deadlines.h"

#include <stdio.h>

#include "daemon/core/deadline.h"
#include "daemon/core/lifecycle.h"
#include "daemon/work/engine.h"
#include "daemon/work/log.h"

static void take_older(instant_t *oldest, instant_t due_at)
{
	*oldest = *oldest == INSTANT_NONE ? due_at : MIN(*oldest, due_at);
}

static void count_removal(struct deadline_counts *counts, const struct facts *facts, instant_t now)
{
	switch (lifecycle_sla(facts, now)) {
	case ACCOUNT_SLA_DUE_SOON:
		counts->n_removals_due_soon++;
		break;
	case ACCOUNT_SLA_OVERDUE:
		take_older(&counts->oldest_removal_due_at, lifecycle_removal_due_at(facts, now));
		break;
	case ACCOUNT_SLA_NONE:
	case ACCOUNT_SLA_ON_TRACK:
	case _ACCOUNT_SLA_MAX:
		break;
	}
}

static int count_removals(struct engine *engine, struct deadline_counts *counts)
{
	struct due_position position = {0};
	struct account account;
	int r = 0;

	for (uint32_t i = 0; i < DEADLINES_EXAMINED_MAX && r != STORE_E_NONE; i++) {
		r = store_next_owed(engine->store, &position, &account);
		if (r < 0) {
			return r;
		}
		if (r == 0) {
			count_removal(counts, &account.facts, engine->now);
		}
	}
	return 0;
}

static int is_open(struct store *store, const struct removal_request *request, bool *ret_open)
{
	struct account account;
	int r = store_get_account(store, request->uid, &account);

	*ret_open = r == 0 && account.open_request == request->number;
	return r < 0 ? r : 0;
}

/* Requests fall due in the order of their numbers: the walk ends at the first that has time. */
static int count_requests(struct engine *engine, struct deadline_counts *counts)
{
	struct deadlines *deadlines = &engine->deadlines;
	uint64_t number = deadlines->first_open > 0 ? deadlines->first_open - 1 : 0;
	bool all_closed = true;

	for (uint32_t i = 0; i < DEADLINES_EXAMINED_MAX; i++) {
		struct removal_request request;
		enum account_sla sla;
		bool open;
		int r = store_next_request(engine->store, &number, &request);

		if (r == STORE_E_CORRUPT) {
			all_closed =
				false; /* it may be open; those behind it are told all the same */
			continue;
		}
		if (r != 0) {
			return r < 0 ? r : 0;
		}
		r = is_open(engine->store, &request, &open);
		if (r < 0) {
			return r;
		}
		all_closed = all_closed && !open;
		if (all_closed) {
			deadlines->first_open = number + 1;
		}
		sla = deadline_sla(request.due_at, engine->now);
		if (sla == ACCOUNT_SLA_ON_TRACK) {
			return 0;
		}
		if (open && sla == ACCOUNT_SLA_OVERDUE) {
			counts->n_requests_overdue++;
			take_older(&counts->oldest_request_due_at, request.due_at);
		}
		counts->n_requests_due_soon += open && sla == ACCOUNT_SLA_DUE_SOON;
	}
	return 0;
}

int deadlines_count(struct engine *engine, struct deadline_counts *ret_counts)
{
	int r;

	*ret_counts = (struct deadline_counts){
		.oldest_removal_due_at = INSTANT_NONE,
		.oldest_request_due_at = INSTANT_NONE,
	};
	r = count_removals(engine, ret_counts);
	return r < 0 ? r : count_requests(engine, ret_counts);
}

static void tell_overdue(uint32_t n)
{
	char overdue[16];
	const struct log_field fields[] = {{"MESSAGE_ID", LOG_OVERDUE_ID},
					   {"RETENTIOND_OVERDUE_REQUESTS", overdue}};

	(void)snprintf(overdue, sizeof(overdue), "%u", n);
	log_say_fields(LOG_LEVEL_ERROR, fields, ARRAY_LEN(fields),
		       "%s removal requests are past their deadline and wait for a decision; see "
		       "retentionctl requests --overdue",
		       overdue);
}

int deadlines_tell(struct engine *engine)
{
	struct deadlines *deadlines = &engine->deadlines;
	struct deadline_counts counts = {.oldest_request_due_at = INSTANT_NONE};
	int r;

	if (deadlines->looked_at != INSTANT_NONE &&
	    engine->now < deadlines->looked_at + SPAN_MINUTE) {
		return 0;
	}
	deadlines->looked_at = engine->now;
	r = count_requests(engine, &counts);
	if (r == 0 && counts.n_requests_overdue > deadlines->n_told) {
		tell_overdue(counts.n_requests_overdue);
	}
	deadlines->n_told = counts.n_requests_overdue;
	return r;
}

void deadlines_look_from(struct deadlines *deadlines, uint64_t number)
{
	deadlines->first_open = MIN(deadlines->first_open, number);
}
