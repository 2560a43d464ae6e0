/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/work/receipt.h"

#include <errno.h>
#include <inttypes.h>

#include "daemon/core/lifecycle.h"

static const struct receipt_deed no_deed = {.at = INSTANT_NONE};

void receipt_init(struct receipt *receipt, FILE *trail)
{
	*receipt = (struct receipt){
		.facts = {.deleted_at = INSTANT_NONE, .removal_started_at = INSTANT_NONE},
		.left = no_deed,
		.started = no_deed,
		.trail = trail,
	};
}

static void put_instant(FILE *out, instant_t at)
{
	char text[INSTANT_TEXT_MAX];

	instant_format(at, true, text);
	(void)fputs(text, out); /* a stream remembers its first failure */
}

static void put_actor(FILE *out, enum role role, uint32_t uid)
{
	(void)fputs(role_name(role), out);
	if (role != ROLE_DAEMON) {
		(void)fprintf(out, " uid %" PRIu32, uid);
	}
}

static void put_hex(FILE *out, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		(void)fprintf(out, "%02x", bytes[i]);
	}
}

/* Gathering */

/*
 * Who did it is known by the fact that appeared, not by the event: a purge, the clock, the
 * release of a hold and the leaving of a direct connect user all start a removal. A restore takes
 * a deletion back; one that the clock guard had stamped too old keeps who did it.
 */
static void take_deed(struct receipt_deed *deed, const struct entry *entry, instant_t before,
		      instant_t after)
{
	if (after == INSTANT_NONE) {
		*deed = no_deed;
	} else if (before == INSTANT_NONE) {
		*deed = (struct receipt_deed){after, entry->actor_role, entry->actor_uid};
	} else {
		deed->at = after;
	}
}

static void take_task(struct receipt *receipt, const struct entry *entry)
{
	struct receipt_task *task = &receipt->tasks[entry->keeper - 1];

	*task = (struct receipt_task){
		.deed = {entry->at, entry->actor_role, entry->actor_uid},
		.event = entry->event,
		.result = entry->result,
		.generation = entry->generation,
	};
	memcpy(task->ground, entry->ground, sizeof(task->ground));
}

static void trail_hold(FILE *trail, const char *what, const struct entry *entry)
{
	(void)fprintf(trail, "hold %s: ", what);
	put_instant(trail, entry->at);
	(void)fputc('\n', trail);
}

static void trail_request(FILE *trail, const char *what, const struct entry *entry)
{
	(void)fprintf(trail, "request %" PRIu64 " %s: ", entry->request, what);
	put_instant(trail, entry->at);
	(void)fputs(" by ", trail);
	put_actor(trail, entry->actor_role, entry->actor_uid);
	(void)fputc('\n', trail);
}

static void take_event(struct receipt *receipt, const struct entry *entry)
{
	switch ((int)entry->event) { /* most events say all they say in the facts */
	case EVENT_TASK_CONFIRMED:
	case EVENT_TASK_WAIVED:
		if (entry->keeper != 0 && entry->result != 0) {
			take_task(receipt, entry);
		}
		break;
	case EVENT_HOLD_ADDED:
		trail_hold(receipt->trail, "added", entry);
		break;
	case EVENT_HOLD_REMOVED:
		trail_hold(receipt->trail, "removed", entry);
		break;
	case EVENT_REQUEST_FILED:
		trail_request(receipt->trail, "filed", entry);
		break;
	case EVENT_REQUEST_APPROVED:
		trail_request(receipt->trail, "approved", entry);
		break;
	case EVENT_REQUEST_DENIED:
		trail_request(receipt->trail, "denied", entry);
		break;
	case EVENT_REQUEST_REOPENED:
		trail_request(receipt->trail, "reopened", entry);
		break;
	}
}

void receipt_take(void *userdata, const struct entry *entry,
		  const uint8_t hash[static ROWS_DIGEST_LEN])
{
	struct receipt *receipt = userdata;
	const struct facts *before = &receipt->facts, *after = &entry->facts;

	take_deed(&receipt->left, entry, before->deleted_at, after->deleted_at);
	take_deed(&receipt->started, entry, before->removal_started_at, after->removal_started_at);
	receipt->keepers |= after->owed;
	take_event(receipt, entry);
	receipt->facts = *after;
	receipt->last.seq = entry->seq;
	memcpy(receipt->last.hash, hash, ROWS_DIGEST_LEN);
	if (receipt->first.seq == 0) {
		receipt->first = receipt->last;
	}
}

/* Printing */

static void print_deed(FILE *out, const char *key, const struct receipt_deed *deed)
{
	(void)fprintf(out, "%s: ", key);
	if (deed->at == INSTANT_NONE) {
		(void)fputs("not yet\n", out);
		return;
	}
	put_instant(out, deed->at);
	(void)fputs(" by ", out);
	put_actor(out, deed->role, deed->uid);
	(void)fputc('\n', out);
}

static void print_instant(FILE *out, const char *key, instant_t at, const char *otherwise)
{
	(void)fprintf(out, "%s: ", key);
	if (at == INSTANT_NONE) {
		(void)fputs(otherwise, out);
	} else {
		put_instant(out, at);
	}
	(void)fputc('\n', out);
}

static void print_account(const struct receipt_frame *frame, const struct facts *facts, FILE *out)
{
	const struct account *account = frame->account;

	(void)fprintf(out, "%s\ninstance: %s\naccount: %" PRIu64 "\norganization: %s\nid hash: ",
		      RECEIPT_TITLE, frame->instance, account->uid, frame->org);
	put_hex(out, account->hash_id, sizeof(account->hash_id));
	(void)fprintf(out, "\nkind: %s\nstate: %s\n", account_kind_name(facts->kind),
		      account_state_name(lifecycle_state(facts, frame->now)));
}

/* A finished removal was on time or late; one that runs is as it stands now. */
static const char *sla_of(const struct facts *facts, instant_t now)
{
	switch (lifecycle_state(facts, now)) {
	case ACCOUNT_STATE_REMOVED:
		return lifecycle_is_late(facts, now) ? "late" : "on time";
	case ACCOUNT_STATE_REMOVING:
		return account_sla_name(lifecycle_sla(facts, now));
	case ACCOUNT_STATE_ACTIVE:
	case ACCOUNT_STATE_SOFT_DELETED:
	case _ACCOUNT_STATE_MAX:
		break;
	}
	return "not yet";
}

/* A window that has ended starts the removal before any sweep has recorded it. */
static struct receipt_deed start_of(const struct receipt *receipt, instant_t now)
{
	instant_t at = lifecycle_removal_started_at(&receipt->facts, now);

	if (receipt->started.at == INSTANT_NONE && at != INSTANT_NONE) {
		return (struct receipt_deed){at, ROLE_DAEMON, 0};
	}
	return receipt->started;
}

static void print_dates(const struct receipt *receipt, instant_t now, FILE *out)
{
	const struct facts *facts = &receipt->facts;
	const struct receipt_deed started = start_of(receipt, now);

	print_deed(out, "left", &receipt->left);
	print_instant(out, "window ends", lifecycle_window_ends_at(facts), "no window");
	print_deed(out, "removal started", &started);
	print_instant(out, "removal due", lifecycle_removal_due_at(facts, now), "not yet");
	print_instant(out, "removal completed", facts->removed_at, "not complete");
	(void)fprintf(out, "sla: %s\n", sla_of(facts, now));
}

static void print_settled(const struct receipt_task *task, FILE *out)
{
	if (task->event == EVENT_TASK_WAIVED) {
		(void)fputs("waived by ", out);
		put_actor(out, task->deed.role, task->deed.uid);
		(void)fputs(" at ", out);
		put_instant(out, task->deed.at);
		(void)fputc('\n', out);
		return;
	}
	(void)fprintf(out, "%s at ", task_result_name(task->result));
	put_instant(out, task->deed.at);
	if (task->ground[0] != '\0') {
		(void)fprintf(out, " ground %s", task->ground);
	}
	(void)fprintf(out, " (attempt %" PRIu32 ")\n", task->generation);
}

/* A keeper that was let off and then owed again owes. */
static void print_keepers(const struct receipt *receipt, const struct receipt_frame *frame,
			  FILE *out)
{
	for (unsigned i = 0; i < MODEL_KEEPERS_MAX; i++) {
		const char *name = frame->keeper_names[i];
		uint64_t bit = UINT64_C(1) << i;

		if (!(receipt->keepers & bit)) {
			continue;
		}
		(void)fprintf(out, "keeper %s: ", name ? name : "unknown");
		if ((receipt->facts.owed & bit) || receipt->tasks[i].event == 0) {
			(void)fputs("owes\n", out);
		} else {
			print_settled(&receipt->tasks[i], out);
		}
	}
}

static void print_mark(FILE *out, const char *key, uint64_t seq, const uint8_t *hash)
{
	(void)fprintf(out, "ledger %s: %" PRIu64 " ", key, seq);
	put_hex(out, hash, ROWS_DIGEST_LEN);
	(void)fputc('\n', out);
}

void receipt_print(const struct receipt *receipt, const struct receipt_frame *frame, FILE *out)
{
	print_account(frame, &receipt->facts, out);
	print_dates(receipt, frame->now, out);
	print_keepers(receipt, frame, out);
	(void)fwrite(frame->trail.data, 1, frame->trail.len, out);
	print_mark(out, "first", receipt->first.seq, receipt->first.hash);
	print_mark(out, "last", receipt->last.seq, receipt->last.hash);
	print_mark(out, "head", frame->head->seq, frame->head->hash);
	print_instant(out, "made at", frame->now, "not yet");
}

/* Making */

/* Text written to a stream in memory. */
struct memory {
	char *text;
	size_t len;
	FILE *out;
};

static int memory_open(struct memory *memory)
{
	memory->out = open_memstream(&memory->text, &memory->len);
	return memory->out ? 0 : -errno;
}

/* The text is whole after it. */
static int memory_close(struct memory *memory)
{
	bool failed = ferror(memory->out);

	return fclose(TAKE_PTR(memory->out)) != 0 || failed ? -ENOMEM : 0;
}

static void memory_done(struct memory *memory)
{
	if (memory->out) {
		(void)fclose(memory->out); /* what it holds is thrown away */
	}
	free(memory->text);
}

static void frame_take_store(struct receipt_frame *frame, const struct store *store)
{
	const struct org *org = store_org(store, frame->account->org);

	frame->instance = store_instance(store);
	frame->org = org ? org->id : "unknown";
	frame->head = store_head(store);
	for (uint8_t n = 1; n <= store_n_keepers(store); n++) {
		frame->keeper_names[n - 1] = store_keeper(store, n)->name;
	}
}

static int gather(struct store *store, const struct account *account, struct memory *trail,
		  struct receipt *receipt)
{
	int closed, r = memory_open(trail);

	if (r < 0) {
		return r;
	}
	receipt_init(receipt, trail->out);
	r = store_walk_history(store, account->uid, account->last_seq, receipt_take, receipt);
	closed = memory_close(trail);
	return r != 0 ? r : closed;
}

int receipt_make(struct store *store, const struct account *account, instant_t now, char **ret_text,
		 size_t *ret_len)
{
	cleanup(memory_done) struct memory trail = {0}, text = {0};
	struct receipt_frame frame = {.account = account, .now = now};
	struct receipt receipt;
	int r = gather(store, account, &trail, &receipt);

	if (r == 0) {
		r = memory_open(&text);
	}
	if (r != 0) {
		return r;
	}
	frame_take_store(&frame, store);
	frame.trail = (struct slice){trail.text, trail.len};
	receipt_print(&receipt, &frame, text.out);
	r = memory_close(&text);
	if (r == 0) {
		*ret_len = text.len;
		*ret_text = TAKE_PTR(text.text);
	}
	return r;
}
