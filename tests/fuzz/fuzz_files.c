/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <unistd.h>

#include "daemon/store/journal.h"
#include "daemon/store/kv.h"
#include "daemon/store/register.h"
#include "daemon/store/register_ahead.h"

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/keys.h"
#include "tests/support/temp.h"

/*
 * Files beside the tables, as a disk or a hand may have left them. The first byte says which:
 *
 *     0  a journal, written and then damaged: what is read of it is what was written, in order
 *     1  a journal that was written whole, with changes that nobody would make: a store opens with
 *        them, or refuses them
 *     2  a removal register, written and then damaged: as the journal, and nothing is missing that
 *        the store knows to be there
 *     3  a vault's header
 *     4  a key file
 *     5  a removal register of which so much was written at once that it was written ahead, torn by
 *        a power cut and then damaged: what is ahead and whole makes up for any part that is missing
 *     6  a vault
 *     7  a signing key
 */

#define BODIES_MAX 8
#define BODY_MAX   2048
#define MAP_BYTES  (UINT64_C(1) << 20)

#define RECORDS_FED   64   /* that the feed describes */
#define RECORDS_FIRST 255  /* of a register that was there before */
#define RECORDS_MORE  1024 /* then written at once */
#define RECORDS_MAX   (RECORDS_FIRST + RECORDS_MORE)

#define HEADER_LEN 64 /* of a register; register.h shows it, and its records */
#define RECORD_LEN 32
#define SECTOR_LEN 512
#define AHEAD_LEN  (2 * REGISTER_PAGE_LEN) /* what is longer is written ahead */

static const uint8_t instance[VAULT_INSTANCE_LEN] = "instance-of-ours";
static const uint8_t base[JOURNAL_BASE_LEN] = "a base of ours";

static const char *place(void)
{
	static char *directory;

	directory = directory ? directory : temp_directory_new();
	return directory;
}

static int place_fd(void)
{
	static int fd = -1;

	fd = fd >= 0 ? fd : open(place(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert(fd >= 0);
	return fd;
}

/* The journal */

struct bodies {
	struct slice body[BODIES_MAX];
	size_t n;
};

static void feed_bodies(struct feed *feed, struct bodies *bodies)
{
	bodies->n = feed_u8(feed) % (BODIES_MAX + 1);
	for (size_t i = 0; i < bodies->n; i++) {
		bodies->body[i] = feed_bytes(feed, MIN(feed_u16(feed), BODY_MAX));
	}
}

static void write_journal(const uint8_t follows[static JOURNAL_BASE_LEN],
			  const struct bodies *bodies)
{
	struct journal *journal;
	int r = journal_create(place_fd());

	assert(r == 0);
	r = journal_open(place_fd(), &journal);
	assert(r == 0);
	journal_restart(journal, follows);
	for (size_t i = 0; i < bodies->n; i++) {
		journal_add(journal, bodies->body[i].data, bodies->body[i].len);
		r = journal_commit(journal);
		assert(r == 0);
	}
	(void)journal_close(journal); /* NULL */
}

static void read_journal(const struct bodies *bodies, bool changed)
{
	struct journal *journal;
	struct slice body;
	size_t at = 0, n = 0;
	int r = journal_open(place_fd(), &journal);

	assert(r == 0 || (changed && r == JOURNAL_E_CORRUPT));
	if (r != 0) {
		return;
	}
	journal_restart(journal, base);
	while ((r = journal_next(journal, &at, &body)) == 0) {
		assert(n < bodies->n && slice_equal(body, bodies->body[n]));
		n++;
	}
	assert(r == JOURNAL_E_NONE || r == JOURNAL_E_CORRUPT);
	assert(changed || (r == JOURNAL_E_NONE && n == bodies->n));
	(void)journal_close(journal); /* NULL */
}

static void try_journal(struct feed *feed)
{
	static const char *path;
	struct bodies bodies;

	path = path ? path : temp_path_new(place(), JOURNAL_NAME);
	feed_bodies(feed, &bodies);
	write_journal(base, &bodies);
	read_journal(&bodies, fuzz_damage_file(feed, path));
}

/* A journal's changes */

/* An empty store. @ret_base: what its journal follows. */
static void make_store(uint8_t ret_base[static JOURNAL_BASE_LEN])
{
	struct kv_txn *txn;
	struct slice row;
	struct kv *kv;
	int r = kv_create(place(), MAP_BYTES);

	assert(r == 0);
	r = kv_open(place(), MAP_BYTES, false, &kv);
	assert(r == 0);
	r = kv_begin(kv, true, &txn);
	assert(r == 0);
	kv_put(txn, KV_META, SLICE_LITERAL("a"), SLICE_LITERAL("b"));
	r = kv_commit(txn); /* the first one goes to the data file */
	assert(r == 0);
	r = kv_begin(kv, false, &txn);
	assert(r == 0);
	r = kv_get(txn, KV_META, SLICE_LITERAL("journal"), &row);
	assert(r == 0 && row.len == 1 + JOURNAL_BASE_LEN);
	memcpy(ret_base, row.data + 1, JOURNAL_BASE_LEN);
	(void)kv_abort(txn); /* NULL */
	(void)kv_close(kv);  /* NULL */
}

static void walk(struct kv *kv)
{
	struct kv_txn *txn;
	int r = kv_begin(kv, false, &txn);

	assert(r == 0);
	for (enum kv_table table = 0; table < _KV_TABLE_MAX; table++) {
		cleanup(kv_cursor_closep) struct kv_cursor *cursor = NULL;
		struct slice key, row;

		r = kv_cursor_open(txn, table, &cursor);
		assert(r == 0);
		r = kv_cursor_seek(cursor, (struct slice){0}, &key, &row);
		while (r == 0) {
			assert(key.len > 0 && key.len <= KV_KEY_LEN_MAX);
			r = kv_cursor_next(cursor, &key, &row);
		}
		assert(r == KV_E_NONE);
	}
	(void)kv_abort(txn); /* NULL */
}

/* Nothing reaches the data file, so that the store is the same for the next input. */
static void try_changes(struct feed *feed)
{
	static uint8_t store_base[JOURNAL_BASE_LEN];
	static bool made;
	struct bodies bodies;
	struct kv *kv;
	int r;

	if (!made) {
		make_store(store_base);
		made = true;
	}
	feed_bodies(feed, &bodies);
	write_journal(store_base, &bodies);
	r = kv_open(place(), MAP_BYTES, false, &kv);
	if (r == 0) {
		walk(kv);
		(void)kv_close(kv); /* NULL */
	}
}

/* The register */

struct records {
	struct register_record record[RECORDS_MAX];
	size_t n;
	struct register_mark mark;
};

static void feed_records(struct feed *feed, struct records *records)
{
	records->n = feed_u8(feed) % (RECORDS_FED + 1);
	for (size_t i = 0; i < records->n; i++) {
		records->record[i] = (struct register_record){
			.kind = feed_u8(feed) % 2 ? REGISTER_STARTED : REGISTER_COMPLETED,
			.uid = 1 + (uint64_t)feed_u16(feed),
			.at = feed_u16(feed) * SPAN_DAY,
			.removal = feed_u8(feed) % 31 * SPAN_DAY,
		};
	}
}

/* @n_first: synced before the others are added */
static void write_register(const char *path, struct records *records, size_t n_marked,
			   size_t n_first)
{
	struct removal_register *removals;
	int r = register_create(path, instance, &removals);

	assert(r == 0);
	for (size_t i = 0; i < records->n; i++) {
		if (i == n_marked) {
			register_get_mark(removals, &records->mark);
		}
		if (i == n_first) {
			r = register_sync(removals);
			assert(r == 0);
		}
		r = register_add(removals, &records->record[i]);
		assert(r == 0);
	}
	if (n_marked >= records->n) {
		register_get_mark(removals, &records->mark);
	}
	r = register_sync(removals);
	assert(r == 0);
	(void)register_close(removals); /* NULL */
}

static bool record_is(const struct register_record *a, const struct register_record *b)
{
	return a->kind == b->kind && a->uid == b->uid && a->at == b->at && a->removal == b->removal;
}

static void read_register(const char *path, const struct records *records, bool changed)
{
	struct removal_register *removals;
	struct register_record record;
	uint64_t unknown, n;
	int r = register_open(path, instance, &records->mark, &removals);

	assert(r >= 0 && (r == 0 || changed));
	if (r != 0) {
		return;
	}
	register_bounds(removals, &unknown, &n);
	assert(n <= records->n && n >= records->mark.n && unknown == records->mark.n);
	assert(changed || n == records->n);
	for (uint64_t i = unknown; i < n; i++) {
		r = register_get(removals, i, &record);
		assert(r == 0 && record_is(&record, &records->record[i]));
	}
	(void)register_close(removals); /* NULL */
}

static void try_register(struct feed *feed)
{
	static const char *path;
	struct records records = {.n = 0};
	uint8_t n_marked = feed_u8(feed);

	path = path ? path : fuzz_file("register");
	feed_records(feed, &records);
	write_register(path, &records, n_marked, records.n);
	read_register(path, &records, fuzz_damage_file(feed, path));
}

/* Written at once */

static void make_records(struct records *records, size_t n)
{
	records->n = n;
	for (size_t i = 0; i < n; i++) {
		records->record[i] = (struct register_record){
			.kind = i % 2 == 0 ? REGISTER_STARTED : REGISTER_COMPLETED,
			.uid = 1 + i / 2,
			.at = (instant_t)i * SPAN_HOUR,
			.removal = (span_t)(i % 31) * SPAN_DAY,
		};
	}
}

/*
 * A power cut: of the sectors that were being written from @from on, those of a bit are not. Return:
 * whether anything is missing.
 */
static bool tear(const char *path, size_t from, uint32_t sectors)
{
	struct slice file = temp_file_read(path);
	uint8_t *bytes = (uint8_t *)file.data;
	size_t at = from;

	for (; at < file.len && sectors != 0; sectors >>= 1) {
		size_t end = MIN((at / SECTOR_LEN + 1) * SECTOR_LEN, file.len);

		if (sectors & 1) {
			memset(bytes + at, 0, end - at);
			from = SIZE_MAX;
		}
		at = end;
	}
	if (from == SIZE_MAX) {
		temp_file_write(path, file);
	}
	free(bytes);
	return from == SIZE_MAX;
}

static void try_ahead(struct feed *feed)
{
	static const char *path, *ahead;
	static struct records records;
	size_t n_first = feed_u8(feed), n_more = feed_u16(feed) % (RECORDS_MORE + 1);
	size_t n_marked = feed_u16(feed);
	uint32_t sectors = feed_u32(feed);
	struct slice on_register = feed_text(feed);
	struct feed damage = {(const uint8_t *)on_register.data, on_register.len};
	bool is_ahead = n_more * RECORD_LEN > AHEAD_LEN, torn, changed;

	path = path ? path : fuzz_file("register-long");
	ahead = ahead ? ahead : fuzz_file("register-long.ahead");
	(void)unlink(ahead); /* of the input before */
	make_records(&records, n_first + n_more);
	write_register(path, &records, n_marked, n_first);
	assert((access(ahead, F_OK) == 0) == is_ahead);
	torn = tear(path, HEADER_LEN + n_first * RECORD_LEN, sectors);
	changed = fuzz_damage_file(&damage, path);
	if (!is_ahead || fuzz_damage_file(feed, ahead)) {
		changed |= torn;
	}
	read_register(path, &records, changed);
}

static void (*const kinds[])(struct feed *feed) = {
	try_journal,   try_changes, try_register,   keys_try_header,
	keys_try_file, try_ahead,   keys_try_slots, keys_try_signer,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct feed feed = {data, len};

	kinds[feed_u8(&feed) % ARRAY_LEN(kinds)](&feed);
	return 0;
}
