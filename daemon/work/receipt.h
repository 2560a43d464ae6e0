/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_WORK_RECEIPT_H
#define RETENTIOND_WORK_RECEIPT_H

#include <stdio.h>

#include "common/base.h"
#include "common/instant.h"

#include "daemon/store/store.h"

/*
 * The evidence of one removal, computed from the account's entries in the ledger. A text of lines
 * "key: value" in fixed order, which people read and programs parse; nothing in it is personal
 * data. Instants are RFC 3339 in UTC.
 *
 *     retentiond receipt 1
 *     instance: 5d1c0a4e6f0b4c3f9a7e2b8d1c0f3a55
 *     account: 1042
 *     organization: contoso
 *     id hash: 0b6c2f0e7d9a4c31a8e5f2b4d6c80911
 *     kind: b2b-collaboration
 *     state: removed
 *     left: 2026-01-01T12:00:00Z by self-service uid 1001
 *     window ends: 2026-01-31T12:00:00Z
 *     removal started: 2026-01-31T12:00:00Z by daemon
 *     removal due: 2026-03-02T12:00:00Z
 *     removal completed: 2026-02-03T08:15:00Z
 *     sla: on time
 *     keeper crm: erased at 2026-02-01T00:00:03Z (attempt 1)
 *     keeper invoices: retained at 2026-02-03T08:15:00Z ground hgb-257 (attempt 2)
 *     keeper old-wiki: waived by admin uid 0 at 2026-02-02T10:00:00Z
 *     hold added: 2026-01-05T09:00:00Z
 *     hold removed: 2026-01-20T09:00:00Z
 *     request 7 filed: 2026-01-01T11:00:00Z by self-service uid 1001
 *     request 7 approved: 2026-01-01T12:00:00Z by admin uid 1000
 *     ledger first: 17 8f0e…
 *     ledger last: 230 41aa…
 *     ledger head: 1205 c07d…
 *     made at: 2026-02-10T00:00:00Z
 *
 * Whatever has not happened says "not yet" ("removal completed: not complete"); a keeper that has
 * not settled says "owes". The last deletion is told: what a restore undid is in the ledger. A
 * request is "filed", "approved", "denied", or "reopened": approved, and its removal discarded.
 */

#define RECEIPT_TITLE "retentiond receipt 1"

/* Who did something, and when; @at INSTANT_NONE: nobody yet. */
struct receipt_deed {
	instant_t at;
	enum role role;
	uint32_t uid;
};

/* How a keeper settled; its event is 0 while it has not. */
struct receipt_task {
	struct receipt_deed deed;
	enum event event;
	enum task_result result;
	uint32_t generation;
	char ground[MODEL_GROUND_LEN_MAX + 1];
};

/* An entry's place in the ledger. */
struct receipt_mark {
	uint64_t seq;
	uint8_t hash[ROWS_DIGEST_LEN];
};

/**
 * struct receipt - what is gathered from the entries
 * @facts:   after the last entry
 * @keepers: who owed the erasure at any time: bit n - 1 for keeper n
 * @trail:   where lines about holds and requests are gathered; the caller's
 */
struct receipt {
	struct facts facts;
	struct receipt_deed left;
	struct receipt_deed started;
	uint64_t keepers;
	struct receipt_task tasks[MODEL_KEEPERS_MAX];
	struct receipt_mark first;
	struct receipt_mark last;
	FILE *trail;
};

void receipt_init(struct receipt *receipt, FILE *trail);

/* Takes the account's entries, oldest first. A store_history_fn; @userdata is the receipt. */
void receipt_take(void *userdata, const struct entry *entry,
		  const uint8_t hash[static ROWS_DIGEST_LEN]);

/**
 * struct receipt_frame - what does not come from the account's entries
 * @keeper_names: of keeper n at [n - 1]
 * @trail:        what was gathered there
 * @now:          when the receipt is made
 */
struct receipt_frame {
	const char *instance;
	const char *org;
	const char *keeper_names[MODEL_KEEPERS_MAX];
	const struct account *account;
	const struct ledger_head *head;
	struct slice trail;
	instant_t now;
};

void receipt_print(const struct receipt *receipt, const struct receipt_frame *frame, FILE *out);

/**
 * receipt_make() - an account's receipt
 * @account:  of the store, not active at @now
 * @ret_text: set on 0; the caller's to free
 *
 * The same head of the ledger at the same instant gives the same bytes.
 *
 * Return: 0; STORE_E_CORRUPT or STORE_E_TOO_LONG of the account's history; or a negative errno.
 */
must_check int receipt_make(struct store *store, const struct account *account, instant_t now,
			    char **ret_text, size_t *ret_len);

#endif
