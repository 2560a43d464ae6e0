/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "daemon/core/lifecycle.h"
#include "daemon/store/inside.h"

/*
 * Every change, in one way: an entry is appended to the ledger, and the row that it leads to is
 * projected. Replay on start projects with the same functions.
 */

static struct slice org_part(uint32_t org, uint8_t bytes[static 4])
{
	store_be32(bytes, org);
	return (struct slice){(const char *)bytes, 4};
}

void store_hash_id(const struct store *store, uint32_t org, struct slice id,
		   uint8_t ret_hash[static ROWS_HASH_LEN])
{
	uint8_t bytes[4];
	struct slice parts[] = {org_part(org, bytes), id};

	vault_hash(store->vault, 'i', parts, ARRAY_LEN(parts), ret_hash);
}

void store_hash_person(const struct store *store, struct slice person,
		       uint8_t ret_hash[static ROWS_HASH_LEN])
{
	char lower[MODEL_ADDRESS_LEN_MAX + 1];
	struct slice parts[] = {model_lower(person, lower, sizeof(lower))};

	vault_hash(store->vault, 'p', parts, ARRAY_LEN(parts), ret_hash);
}

void store_hash_upn(const struct store *store, uint32_t org, struct slice upn,
		    uint8_t ret_hash[static ROWS_HASH_LEN])
{
	char lower[MODEL_ADDRESS_LEN_MAX + 1];
	uint8_t bytes[4];
	struct slice parts[] = {org_part(org, bytes), model_lower(upn, lower, sizeof(lower))};

	vault_hash(store->vault, 'u', parts, ARRAY_LEN(parts), ret_hash);
}

/* The counter of states that an account is counted in, by what is recorded of it. */
static uint64_t *counter_of(struct store_counts *counts, const struct facts *facts)
{
	if (facts->removed_at != INSTANT_NONE) {
		return &counts->n_removed;
	}
	if (facts->removal_started_at != INSTANT_NONE) {
		return &counts->n_removing;
	}
	return facts->deleted_at != INSTANT_NONE ? &counts->n_soft_deleted : &counts->n_active;
}

static void count_account(struct store_counts *counts, const struct account *account, int64_t by)
{
	const struct facts *facts = &account->facts;
	bool removed = facts->removed_at != INSTANT_NONE;

	*counter_of(counts, facts) += (uint64_t)by;
	counts->n_overdue += (uint64_t)(facts->late && !removed ? by : 0);
	counts->n_held += (uint64_t)(facts->held_until == INSTANT_MAX && !removed ? by : 0);
	counts->n_requests_open += (uint64_t)(account->open_request != 0 ? by : 0);
	for (uint64_t owed = facts->owed; owed != 0; owed &= owed - 1) {
		counts->n_owed[__builtin_ctzll(owed)] += (uint64_t)by;
	}
}

static bool is_due_as_before(const struct facts *before, const struct facts *facts)
{
	instant_t at, before_at;

	return lifecycle_next(before, &before_at) == lifecycle_next(facts, &at) && before_at == at;
}

int store_project(struct store *store, const struct account *account, bool is_new)
{
	struct account before;

	if (!is_new) {
		int r = store_get_account(store, account->uid, &before);

		if (r != 0) {
			return r;
		}
		count_account(&store->state.counts, &before, -1);
	}
	count_account(&store->state.counts, account, 1);
	if (is_new || !is_due_as_before(&before.facts, &account->facts)) {
		store_note_early(store, account);
	}
	due_front_lower(&store->due_front, account);
	return overlay_put(store->overlay, account, is_new ? NULL : &before);
}

void store_take_entry(struct account *account, const struct entry *entry)
{
	account->facts = entry->facts;
	account->last_seq = entry->seq;
	if (entry->event == EVENT_IMPORTED || entry->event == EVENT_UPDATED) {
		memcpy(account->hash_id, entry->hash_id, ROWS_HASH_LEN);
		memcpy(account->hash_person, entry->hash_person, ROWS_HASH_LEN);
		memcpy(account->hash_upn, entry->hash_upn, ROWS_HASH_LEN);
	}
	if (entry->event == EVENT_REQUEST_FILED || entry->event == EVENT_REQUEST_REOPENED) {
		account->open_request = entry->request;
	} else if (entry->event == EVENT_REQUEST_APPROVED || entry->event == EVENT_REQUEST_DENIED ||
		   entry->facts.deleted_at != INSTANT_NONE) {
		account->open_request = 0; /* decided, or fulfilled in another way */
	}
	if (entry->facts.removed_at != INSTANT_NONE) {
		memset(account->hash_upn, 0, ROWS_HASH_LEN);
	}
}

int store_replay_entry(struct store *store, const struct entry *entry)
{
	struct account account, before;
	bool is_new;
	int r;

	if (entry->uid == 0) {
		return 0;
	}
	if (entry->uid >= store->state.next_uid || !store_org(store, entry->org)) {
		return STORE_E_CORRUPT;
	}
	r = store_get_account(store, entry->uid, &account);
	is_new = r == STORE_E_NONE;
	if (r == 0) {
		before = account;
	}
	if (is_new && entry->event == EVENT_IMPORTED) {
		account = (struct account){
			.uid = entry->uid, .org = entry->org, .created_at = entry->at};
	} else if (r != 0) {
		return r == STORE_E_NONE ? STORE_E_CORRUPT : r;
	} else if (account.last_seq >= entry->seq) {
		return 0; /* settled before the crash */
	}
	store_take_entry(&account, entry);
	return overlay_put(store->overlay, &account, is_new ? NULL : &before);
}

static int store_put_note(struct store *store, const struct entry *entry, const struct note *note)
{
	uint8_t plain[ROWS_NOTE_LEN_MAX];
	struct key key = key_note(entry->uid, entry->seq);
	struct slice bytes = {(const char *)plain, rows_encode_note(note, plain)};
	int r = vault_seal(store->vault, entry->uid, VAULT_PURPOSE_NOTE, bytes, store->sealed);

	if (r == VAULT_E_NONE) {
		return 0; /* the vault is damaged there: the note is lost, its entry is not */
	}
	if (r != 0) {
		return r < 0 ? r : -EIO; /* a living account has its key: the vault is damaged */
	}
	kv_put(store->txn, KV_NOTES, key_slice(&key),
	       (struct slice){(const char *)store->sealed, bytes.len + VAULT_SEAL_OVERHEAD});
	return 0;
}

void store_spend(struct store *store, size_t bytes)
{
	store->room_bytes -= MIN(store->room_bytes, 1024 + 2 * bytes);
}

int store_append(struct store *store, struct entry *entry, const struct actor *actor)
{
	struct kv_txn *txn;
	int r = store_writing(store, &txn);

	if (r < 0) {
		return r;
	}
	entry->actor_role = actor->role;
	entry->actor_uid = actor->uid;
	entry->at = actor->at;
	entry->decision = event_has_decision(entry->event) ? actor->decision : 0;
	ledger_append(txn, &store->head, entry);
	store_spend(store, ROWS_ENTRY_LEN_MAX);
	if (actor->note.reason.len > 0 || actor->note.ref.len > 0) {
		return store_put_note(store, entry, &actor->note);
	}
	return 0;
}

/* Removals that the register starts again are no work of this day. */
static void store_guard_take(struct store *store, const struct entry *entry)
{
	if (!store->replaying || entry->event == EVENT_REMOVAL_COMPLETED) {
		guards_take(&store->guards, entry);
	}
	if (store->replaying) {
		guards_slot(&store->guards, entry->org)->changed = true;
		store->guards.urgent = true; /* the ledger does not say so */
	}
}

/* The row's part of a change, without what is projected of it. */
static int store_append_step(struct store *store, struct account *account, struct entry *entry,
			     const struct actor *actor)
{
	int r;

	entry->org = account->org;
	entry->uid = account->uid;
	entry->prev_seq = account->last_seq;
	entry->facts = account->facts;
	r = store_append(store, entry, actor);
	if (r == 0) {
		store_take_entry(account, entry);
		store_guard_take(store, entry);
	}
	return r;
}

static int store_append_for(struct store *store, struct account *account, struct entry *entry,
			    const struct actor *actor)
{
	int r = store_append_step(store, account, entry, actor);

	if (r == 0) {
		r = store_record_removal(store, account);
	}
	if (r == 0) {
		r = store_project(store, account, entry->prev_seq == 0);
	}
	if (r == 0) {
		r = store_outdate_staged(store, account);
	}
	return r > 0 ? -EIO : r; /* the row was read a moment ago */
}

static int store_seal_profile(struct store *store, uint64_t uid, const struct profile *profile,
			      struct slice *ret_sealed)
{
	struct slice plain = {(const char *)store->plain, rows_profile_len(profile)};
	int r;

	assert(plain.len <= sizeof(store->plain));
	rows_encode_profile(profile, store->plain);
	r = vault_seal(store->vault, uid, VAULT_PURPOSE_PROFILE, plain, store->sealed);
	explicit_bzero(store->plain, plain.len);
	if (r != 0) {
		return r < 0 ? r : -EIO;
	}
	*ret_sealed = (struct slice){(const char *)store->sealed, plain.len + VAULT_SEAL_OVERHEAD};
	return 0;
}

static int store_begin_account(struct store *store, struct account *account,
			       const struct actor *actor)
{
	if (account->uid != 0) {
		return 0;
	}
	account->uid = store->state.next_uid++;
	account->created_at = actor->at;
	account->last_seq = 0;
	return vault_new_key(store->vault, account->uid);
}

int store_import(struct store *store, struct account *account, const struct names *names,
		 const struct profile *profile, enum event event, const struct actor *actor)
{
	struct entry entry = {.event = event};
	struct slice sealed;
	struct kv_txn *txn;
	struct key key;
	int r = store_writing(store, &txn);

	assert((account->uid == 0) == (event == EVENT_IMPORTED));
	if (r == 0) {
		r = store_begin_account(store, account, actor);
	}
	if (r == 0) {
		r = store_seal_profile(store, account->uid, profile, &sealed);
	}
	if (r < 0) {
		return r;
	}
	key = key_u64(account->uid);
	if (event == EVENT_IMPORTED) {
		kv_append(txn, KV_PROFILES, key_slice(&key), sealed);
	} else {
		kv_put(txn, KV_PROFILES, key_slice(&key), sealed);
	}
	store_spend(store, sealed.len);
	ledger_digest(sealed, entry.digest);
	memcpy(entry.hash_id, names->id, ROWS_HASH_LEN);
	memcpy(entry.hash_person, names->person, ROWS_HASH_LEN);
	store_hash_upn(store, account->org, profile->upn, entry.hash_upn);
	return store_append_for(store, account, &entry, actor);
}

static void entry_take(struct entry *entry, const struct particulars *particulars)
{
	entry->keeper = particulars->keeper;
	entry->result = particulars->result;
	entry->generation = particulars->generation;
	entry->request = particulars->request;
	assert(particulars->ground.len <= MODEL_GROUND_LEN_MAX);
	if (particulars->ground.len > 0) {
		memcpy(entry->ground, particulars->ground.data, particulars->ground.len);
	}
}

int store_change_with(struct store *store, struct account *account, enum event event,
		      const struct particulars *particulars, const struct actor *actor)
{
	struct entry entry = {.event = event};
	int r = 0;

	if (event == EVENT_REMOVAL_COMPLETED) {
		assert(account->facts.removed_at != INSTANT_NONE);
		assert(store_is_durable(store, account));
		r = store_erase_notes(store, account->uid);
		if (r == 0) {
			r = store_erase(store, account->uid, true);
		}
	}
	entry_take(&entry, particulars);
	return r != 0 ? r : store_append_for(store, account, &entry, actor);
}

int store_change(struct store *store, struct account *account, enum event event,
		 const struct actor *actor)
{
	return store_change_with(store, account, event, &(struct particulars){0}, actor);
}

/* A removal that has many notes starts now; its completion takes turns of its own. */
static int start_alone(struct store *store, struct account *account, const struct actor *actor)
{
	int r = store_change(store, account, EVENT_REMOVAL_STARTED, actor);

	return r < 0 ? r : STORE_E_MORE;
}

int store_remove(struct store *store, struct account *account, const struct facts *removed,
		 const struct actor *actor)
{
	struct entry started = {.event = EVENT_REMOVAL_STARTED};
	struct entry completed = {.event = EVENT_REMOVAL_COMPLETED};
	int r = store_erase_notes(store, account->uid);

	assert(account->facts.removal_started_at != INSTANT_NONE);
	assert(removed->removed_at != INSTANT_NONE);
	if (r == STORE_E_MORE) {
		return start_alone(store, account, actor);
	}
	if (r == 0) {
		r = store_append_step(store, account, &started, actor);
	}
	if (r == 0) {
		r = store_erase(store, account->uid, false);
	}
	if (r < 0) {
		return r;
	}
	account->facts = *removed;
	return store_append_for(store, account, &completed, actor);
}

int store_note_event(struct store *store, enum event event, const struct actor *actor)
{
	struct entry entry = {.event = event};

	if (event == EVENT_SWEEP_PAUSED || event == EVENT_SWEEP_RESUMED) {
		store->state.paused = event == EVENT_SWEEP_PAUSED;
	}
	return store_append(store, &entry, actor);
}

int store_put_org(struct store *store, struct org *org, const struct actor *actor)
{
	uint8_t bytes[ROWS_ORG_LEN_MAX];
	struct entry entry = {.event = EVENT_ORG_SET};
	struct slice row = {(const char *)bytes, 0};
	struct key key;
	int r;

	if (org->number == 0) {
		if (store->orgs.n >= STORE_ORGS_MAX) {
			return STORE_E_NONE;
		}
		org->number = store->orgs.n + 1;
	}
	org->last_seq = store->head.seq + 1;
	row.len = rows_encode_org(org, bytes);
	entry.org = org->number;
	ledger_digest(row, entry.digest);
	r = store_append(store, &entry, actor);
	if (r < 0) {
		return r;
	}
	key = key_org(org->number);
	kv_put(store->txn, KV_ORGS, key_slice(&key), row);
	r = orgs_put(&store->orgs, org);
	return r < 0 ? r : guards_ensure(&store->guards, store->orgs.n);
}

int store_put_keeper(struct store *store, struct keeper *keeper, const struct actor *actor)
{
	uint8_t bytes[ROWS_KEEPER_LEN_MAX];
	struct entry entry = {.event = EVENT_KEEPER_SET};
	struct slice row = {(const char *)bytes, 0};
	struct key key;
	int r;

	if (keeper->number == 0) {
		if (store->keepers.n >= MODEL_KEEPERS_MAX) {
			return STORE_E_NONE;
		}
		keeper->number = store->keepers.n + 1;
	}
	keeper->last_seq = store->head.seq + 1;
	row.len = rows_encode_keeper(keeper, bytes);
	entry.keeper = keeper->number;
	ledger_digest(row, entry.digest);
	r = store_append(store, &entry, actor);
	if (r < 0) {
		return r;
	}
	key = key_keeper(keeper->number);
	kv_put(store->txn, KV_KEEPERS, key_slice(&key), row);
	keepers_put(&store->keepers, keeper);
	return 0;
}
