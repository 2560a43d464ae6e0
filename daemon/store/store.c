/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/store.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/statvfs.h>

#include "daemon/store/inside.h"

/*
 * A disk with less than this left counts as full for growth; what deletions write fits in many
 * times.
 */
#define DISK_RESERVE (UINT64_C(16) << 20)

/* With less than this nothing grows, whatever the data file has: the vault must grow with it. */
#define DISK_LEAST (UINT64_C(2) << 20)

static char fault_text[512];

int store_say_fault(int error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(fault_text, sizeof(fault_text), format, arguments); /* cut when longer */
	va_end(arguments);
	return error;
}

int store_path(const char *directory, const char *name, char path[static PATH_MAX])
{
	int n = snprintf(path, PATH_MAX, "%s/%s", directory, name);

	return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

const char *store_fault(void)
{
	return fault_text;
}

/* Transactions */

int store_reading(struct store *store, struct kv_txn **ret_txn)
{
	if (!store->txn) {
		int r = kv_begin(store->kv, false, &store->txn);

		if (r < 0) {
			store->txn = NULL;
			return r;
		}
		store->writing = false;
	}
	*ret_txn = store->txn;
	return 0;
}

int store_writing(struct store *store, struct kv_txn **ret_txn)
{
	if (store->txn && !store->writing) {
		store_end_turn(store);
	}
	if (!store->txn) {
		int r = kv_begin(store->kv, true, &store->txn);

		if (r < 0) {
			store->txn = NULL;
			return r;
		}
		store->writing = true;
	}
	*ret_txn = store->txn;
	return 0;
}

void store_end_turn(struct store *store)
{
	store->txn = kv_abort(store->txn);
	store->writing = false;
	store->last_read.uid = 0;
}

bool store_dirty(const struct store *store)
{
	return store->writing;
}

int store_commit_answer(int kv_error)
{
	if (kv_error <= 0) {
		return kv_error;
	}
	return kv_error == KV_E_FULL ? -ENOSPC : -EIO;
}

/* The last rows of a turn. Return: 0, or why the transaction cannot be committed. */
static int put_last(struct store *store)
{
	store_put_state(store->txn, &store->state, store->keepers.n);
	store_put_head(store->txn, &store->head);
	if (store->guards.urgent) {
		guards_put(&store->guards, store->txn, store->head.seq);
	}
	store_put_register_mark(store);
	return store_commit_answer(kv_txn_error(store->txn));
}

static int commit_data(struct store *store)
{
	int r = store_commit_answer(kv_commit(TAKE_PTR(store->txn)));

	store->writing = false;
	store->last_read.uid = 0;
	if (r == 0) {
		store->durable_seq = store->head.seq;
	}
	return r;
}

/*
 * What is known to have failed by now ends here, before anything of it is irrevocable: a removal
 * that the register has is carried out by the next start, whatever the data says.
 *
 * The register first: it has every start and every completion of this turn on disk before the
 * vault overwrites the first key for them. So there is never a key destroyed whose removal is not
 * on record: killed anywhere from there on, the next start finds it there and carries it out.
 *
 * Then the vault, then the data: a row whose key is not on disk could never be read; a key whose
 * row is not there harms nobody.
 */
int store_commit(struct store *store)
{
	int r;

	store->room_known = false;
	if (!store->writing) {
		store_end_turn(store);
		return 0;
	}
	r = put_last(store);
	if (r == 0) {
		r = store_sync_removals(store);
	}
	if (r == 0) {
		r = vault_sync(store->vault);
	}
	return r == 0 ? commit_data(store) : r;
}

/* Room */

uint64_t store_reserve_each(const struct store *store)
{
	return STORE_RESERVE_EACH + store->keepers.n * (uint64_t)STORE_RESERVE_TASK;
}

static uint64_t store_reserve_bytes(const struct store *store, uint64_t map_bytes)
{
	const struct store_counts *counts = &store->state.counts;
	uint64_t n = counts->n_active + counts->n_soft_deleted + counts->n_removing;

	return MIN(map_bytes / 8, STORE_RESERVE_MAX) + n * store_reserve_each(store) +
	       overlay_n_rows(store->overlay) * (uint64_t)STORE_RESERVE_ROW;
}

int store_usage(struct store *store, struct kv_usage *ret_usage, uint64_t *ret_reserve_bytes)
{
	struct kv_usage usage;
	struct kv_txn *txn;
	int r = store_reading(store, &txn);

	if (r == 0) {
		r = kv_usage(txn, &usage);
	}
	if (r != 0) {
		return r < 0 ? r : -EIO;
	}
	*ret_reserve_bytes = store_reserve_bytes(store, usage.map_bytes);
	*ret_usage = usage;
	return 0;
}

static uint64_t store_disk_bytes(const struct store *store)
{
	struct statvfs fs;

	if (statvfs(store->directory, &fs) < 0) {
		return 0;
	}
	return (uint64_t)fs.f_bavail * fs.f_frsize;
}

/* Whichever ends first: the map, or what the file has and can still get. */
int store_measure_room(struct store *store, uint64_t *ret_room_bytes)
{
	struct kv_usage usage;
	uint64_t reserve, limit, disk = store_disk_bytes(store);
	int r = store_usage(store, &usage, &reserve);

	if (r < 0) {
		return r;
	}
	limit = usage.own_bytes + (disk > DISK_RESERVE ? disk - DISK_RESERVE : 0);
	limit = MIN(limit, usage.map_bytes);
	reserve += usage.used_bytes;
	*ret_room_bytes = limit > reserve && disk >= DISK_LEAST ? limit - reserve : 0;
	return 0;
}

int store_has_room(struct store *store, uint64_t bytes, bool *ret_room)
{
	if (!store->room_known) {
		int r = store_measure_room(store, &store->room_bytes);

		if (r < 0) {
			return r;
		}
		store->room_known = true;
	}
	*ret_room = store->room_bytes > bytes;
	store->room_bytes -= *ret_room ? bytes : 0;
	return 0;
}

/* Small answers */

const char *store_instance(const struct store *store)
{
	return store->instance;
}

const struct store_counts *store_counts(const struct store *store)
{
	return &store->state.counts;
}

const struct org *store_org(const struct store *store, uint32_t number)
{
	return orgs_get(&store->orgs, number);
}

const struct org *store_org_by_id(const struct store *store, struct slice id)
{
	return orgs_find(&store->orgs, id);
}

uint32_t store_n_orgs(const struct store *store)
{
	return store->orgs.n;
}

uint64_t store_n_uids(const struct store *store)
{
	return store->state.next_uid - 1;
}

bool store_is_durable(const struct store *store, const struct account *account)
{
	return account->last_seq <= store->durable_seq;
}

const struct ledger_head *store_head(const struct store *store)
{
	return &store->head;
}

bool store_sweep_paused(const struct store *store)
{
	return store->state.paused;
}

bool store_keys_locked(const struct store *store)
{
	return vault_is_locked(store->vault);
}
