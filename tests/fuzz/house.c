/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/house.h"

#include <dirent.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "daemon/store/inside.h"

#include "tests/support/temp.h"

#define BLOCK 4096

static const char *const contoso[] = {"contoso"};

static const struct access_grant grants[] = {
	{.role = ROLE_ADMIN, .subject = 1001, .orgs = contoso, .n_orgs = ARRAY_LEN(contoso)},
	{.role = ROLE_SELF_SERVICE, .subject = 1002},
	{.role = ROLE_READER, .subject = 1003},
	{.role = ROLE_AUDITOR, .subject = 1004},
	{.role = ROLE_KEEPER, .subject = 1005, .keeper = "crm"},
	{.role = ROLE_KEEPER, .subject = 1006, .keeper = "mail"},
	{.role = ROLE_ADMIN, .subject = ACCESS_UID_NOBODY},
};

static const uid_t peers[HOUSE_PEERS] = {0, 1001, 1002, 1003, 1004, 1005, 1006, ACCESS_UID_NOBODY};

static struct house the_house;

/* Filling it */

static void be(struct rig *rig, uid_t uid)
{
	rig->session.peer = (struct access_peer){.uid = uid, .gid = uid};
}

static void import(struct rig *rig, const char *org, unsigned number, const char *kind)
{
	rig_call(rig, "account.import",
		 "{'accounts': [{'org': '%s', 'id': 'g-%u', 'kind': '%s', 'person':"
		 " 'p%u@home.example', 'upn': 'u%u@%s.example', 'name': 'P %u', 'groups': ['a',"
		 " 'b'], 'permissions': ['read']}]}",
		 org, number, kind, number % 4, number, org, number);
	assert(rig_number(rig, "items.0.uid") == number);
}

static void purge(struct rig *rig, uint64_t uid)
{
	rig_change(rig, "account.remove", uid);
	rig_change(rig, "account.purge", uid);
}

/* crm takes a task, and keeps it. Return: its token, the caller's. */
static char *claim(struct rig *rig)
{
	be(rig, peers[HOUSE_CRM]);
	rig_call(rig, "keeper.claim", "{'keeper': 'crm', 'max': 1}");
	assert(rig_count(rig, "tasks") == 1);
	be(rig, 0);
	return rig_text(rig, "tasks.0.token");
}

static void confirm(struct rig *rig)
{
	cleanup(freep) char *token = claim(rig);

	be(rig, peers[HOUSE_CRM]);
	rig_call(rig, "keeper.confirm",
		 "{'keeper': 'crm', 'tasks': [{'token': '%s', 'result': 'erased'}]}", token);
	assert(rig_is(rig, "items.0.outcome", "ok"));
	be(rig, 0);
}

static void fill_accounts(struct rig *rig)
{
	for (unsigned number = 1; number <= HOUSE_ACCOUNTS; number++) {
		import(rig, number < 10 ? "contoso" : "fabrikam", number,
		       number == 3   ? "member" : number == 9 ? "b2b-direct-connect" : "b2b-collaboration");
	}
	rig_change(rig, "account.disable", 2);
	rig_change(rig, "account.remove", 4);
	rig_change(rig, "account.remove", 5);
	rig_call(rig, "hold.add", "{'accounts': [{'uid': 5}], 'hold': 'case-1'}");
	rig_call(rig, "request.file", "{'accounts': [{'uid': 10}], 'reason': 'please'}");
}

/* Its mass guard lets one pass, and the answer that says so is kept. */
static void fill_fabrikam(struct rig *rig)
{
	rig_call(rig, "org.set",
		 "{'org': 'fabrikam', 'allow_leave': false, 'guard_min': 1, 'guard_percent': 1}");
	rig_call(rig, "account.remove",
		 "{'accounts': [{'uid': 11}, {'uid': 12}], 'request_id': 'r-1'}");
	assert(rig_is(rig, "items.0.outcome", "ok"));
	assert(rig_is(rig, "items.1.outcome", "staged"));
}

static void fill(struct rig *rig)
{
	rig_set_org(rig, "contoso");
	rig_set_org(rig, "fabrikam");
	fill_accounts(rig);
	fill_fabrikam(rig);
	purge(rig, 8);
	rig_idle(rig);
	assert(rig_is_removed(rig, 8));
	rig_set_keeper(rig, "crm");
	rig_set_keeper(rig, "mail");
	purge(rig, 7);
	confirm(rig);
	purge(rig, 6);
	rig_idle(rig);
}

/* Remembering it */

static void remember_file(struct house *house, const char *path)
{
	struct house_file *file = &house->files[house->n_files++];
	bool is_data = strcmp(strrchr(path, '/'), "/data.mdb") == 0;

	assert(house->n_files <= HOUSE_FILES_MAX);
	file->bytes = temp_file_read(path);
	file->used = file->bytes.len;
	while (is_data && file->used > BLOCK &&
	       sodium_is_zero((const uint8_t *)file->bytes.data + file->used - BLOCK, BLOCK)) {
		file->used -= BLOCK;
	}
	file->fd = open(path, O_RDWR | O_CLOEXEC);
	assert(file->fd >= 0);
	file->map = mmap(NULL, file->bytes.len, PROT_READ | PROT_WRITE, MAP_SHARED, file->fd, 0);
	assert(file->map != MAP_FAILED);
}

static void remember(struct house *house, const char *directory)
{
	DIR *dir = opendir(directory);
	struct dirent *entry;

	assert(dir);
	while ((entry = readdir(dir))) {
		cleanup(freep) char *path = temp_path_new(directory, entry->d_name);
		struct stat st;
		int r = lstat(path, &st);

		assert(r == 0);
		if (S_ISDIR(st.st_mode) && entry->d_name[0] != '.') {
			remember(house, path);
		} else if (S_ISREG(st.st_mode) && st.st_size > 0) {
			remember_file(house, path);
		}
	}
	(void)closedir(dir); /* it was only read */
}

/* What has no row here, nobody damages. */
static void prove_tables(struct rig *rig)
{
	struct kv_txn *txn;
	int r = store_reading(rig->engine->store, &txn);

	assert(r == 0);
	for (enum kv_table table = 0; table < _KV_TABLE_MAX; table++) {
		cleanup(kv_cursor_closep) struct kv_cursor *cursor = NULL;

		r = kv_cursor_open(txn, table, &cursor);
		assert(r == 0);
		r = kv_cursor_seek(cursor, (struct slice){0}, NULL, NULL);
		assert(r == 0);
	}
	store_end_turn(rig->engine->store);
}

static void make(struct house *house)
{
	rig_open_map(&house->rig, CLOCK_MODE_SIMULATED, HOUSE_MAP_BYTES);
	house->rig.rules = (struct access_rules){grants, ARRAY_LEN(grants)};
	fill(&house->rig);
	house->token = claim(&house->rig);
	rig_reopen(&house->rig); /* every row is in its table, and nothing in the journal */
	prove_tables(&house->rig);
	house->began = house->rig.engine->clock.base;
	house->reading = house->rig.reading;
	rig_kill(&house->rig);
	remember(house, house->rig.directory);
	rig_start(&house->rig);
}

/* Putting it back */

static void put_back_file(const struct house_file *file)
{
	int r = ftruncate(file->fd, (off_t)file->bytes.len);

	assert(r == 0);
	for (size_t at = 0; at < file->used; at += BLOCK) {
		size_t len = MIN(file->used - at, (size_t)BLOCK);

		if (memcmp(file->map + at, file->bytes.data + at, len) != 0) {
			memcpy(file->map + at, file->bytes.data + at, len);
		}
	}
}

int __wrap_store_check(const char *directory, uint64_t map_bytes)
{
	if (the_house.n_files == 0) {
		return __real_store_check(directory, map_bytes);
	}
	return the_house.damaged ? store_check_rows(directory, map_bytes) : 0;
}

static void put_back(struct house *house)
{
	if (house->rig.engine) {
		rig_kill(&house->rig);
	}
	for (size_t i = 0; i < house->n_files; i++) {
		put_back_file(&house->files[i]);
	}
	house->damaged = false;
	house->rig.options.simulated_at = house->began;
	house->rig.reading = house->reading;
	rig_start(&house->rig);
	house->dirty = false;
}

struct house *house_enter(void)
{
	struct house *house = &the_house;

	if (house->n_files == 0) {
		make(house);
	} else if (house->dirty) {
		put_back(house);
	}
	for (size_t i = 0; i < HOUSE_PEERS; i++) {
		house->sessions[i] =
			(struct session){.peer = {.uid = peers[i], .gid = peers[i], .pid = 1}};
	}
	return house;
}

void house_commit(struct house *house)
{
	struct engine *engine = house->rig.engine;
	int r = engine_work(engine);

	assert(r == 0);
	house->dirty |= store_dirty(engine->store);
	r = engine_commit(engine);
	assert(r == 0);
}
