/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/crash/workload.h"

#include <sched.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/wait.h>

#include "tests/crash/recorder.h"
#include "tests/support/random.h"
#include "tests/support/rig.h"

#define MANY 260 /* accounts in one call: more changes than the journal takes in one record */

static const struct access_grant grants[] = {
	{.role = ROLE_KEEPER, .subject = 0, .keeper = "crm"},
	{.role = ROLE_KEEPER, .subject = 0, .keeper = "files"},
};

static const char *const keepers[] = {"crm", "files"};
static const char *const orgs[] = {"contoso", "fabrikam"};

struct life {
	struct rig rig;
	struct workload *workload;
	struct picture picture;
	uint64_t chance;
	char text[1 << 17];
	size_t len;
};

/* Numbers by chance */

static uint64_t random_state;

static uint32_t random_word(void)
{
	return (uint32_t)(random_next(&random_state) >> 32);
}

static const char *random_name(void)
{
	return "repeatable";
}

static void random_fill(void *buffer, size_t len)
{
	uint8_t *bytes = buffer;

	for (size_t i = 0; i < len; i++) {
		bytes[i] = (uint8_t)random_word();
	}
}

void workload_be_random(uint64_t seed)
{
	static randombytes_implementation repeatable = {
		.implementation_name = random_name,
		.random = random_word,
		.buf = random_fill,
	};

	random_state = seed;
	(void)randombytes_set_implementation(&repeatable); /* always 0 */
}

struct engine_options workload_options(const char *directory, instant_t now)
{
	return (struct engine_options){
		.store = {.directory = directory, .map_bytes = WORKLOAD_MAP_BYTES},
		.clock_mode = CLOCK_MODE_SIMULATED,
		.simulated_at = now,
		.tombstones = TOMBSTONES_SPAN_MIN,
	};
}

/* Turns */

static void end_turn(struct life *life)
{
	struct workload *workload = life->workload;
	struct engine *engine = life->rig.engine;
	const struct picture *last =
		workload->n_pictures > 0 ? &workload->pictures[workload->n_pictures - 1] : NULL;
	int r = engine_work(engine);

	if (r == 0) {
		r = engine_commit(engine);
	}
	assert(r == 0);
	picture_take(engine, &life->picture);
	if (!last || memcmp(last->whole, life->picture.whole, PICTURE_HASH_LEN) != 0) {
		assert(workload->n_pictures < WORKLOAD_PICTURES_MAX);
		workload->pictures[workload->n_pictures++] = life->picture;
	}
	recorder_ack(workload->n_pictures - 1);
	r = engine_settle(engine);
	assert(r == 0);
}

static void turn(struct life *life)
{
	rig_begin(&life->rig);
	end_turn(life);
}

static void idle(struct life *life)
{
	do {
		turn(life);
	} while (engine_sleep(life->rig.engine) == 0);
}

#define SEND(life, ...)                                                                            \
	do {                                                                                       \
		(life)->workload->n_requests++;                                                    \
		rig_send(&(life)->rig, __VA_ARGS__);                                               \
		assert(!(life)->rig.failed); /* every request is one that can be processed */      \
	} while (0)

#define CALL(life, ...)                                                                            \
	do {                                                                                       \
		rig_begin(&(life)->rig);                                                           \
		SEND(life, __VA_ARGS__);                                                           \
		end_turn(life);                                                                    \
	} while (0)

/* Arguments */

static uint32_t below(struct life *life, uint32_t n)
{
	return random_below(&life->chance, n);
}

static void printf_like(2, 3) add_text(struct life *life, const char *format, ...)
{
	va_list arguments;
	int n;

	va_start(arguments, format);
	n = vsnprintf(life->text + life->len, sizeof(life->text) - life->len, format, arguments);
	va_end(arguments);
	assert(n >= 0 && (size_t)n < sizeof(life->text) - life->len);
	life->len += (size_t)n;
}

static const char *guests(struct life *life, uint64_t first, uint32_t n)
{
	static const char *const kinds[] = {"b2b-collaboration", "b2b-collaboration", "member",
					    "b2b-direct-connect"};

	life->len = 0;
	for (uint64_t i = first; i < first + n; i++) {
		const char *org = orgs[i % ARRAY_LEN(orgs)];

		add_text(life,
			 "%s{'org': '%s', 'id': 'g-%llu', 'kind': '%s',"
			 " 'person': 'g-%llu@home.example', 'upn': 'g-%llu@%s.example',"
			 " 'name': 'Guest %u', 'groups': ['%0*u']}",
			 i > first ? ", " : "", org, (unsigned long long)i,
			 n == MANY ? kinds[0] : kinds[i % ARRAY_LEN(kinds)], (unsigned long long)i,
			 (unsigned long long)i, org, below(life, 1000), 1 + (int)below(life, 60),
			 7u);
	}
	return life->text;
}

static uint64_t n_uids(const struct life *life)
{
	return store_n_uids(life->rig.engine->store);
}

/* @n accounts that follow each other; from anywhere. */
static const char *these(struct life *life, uint32_t first, uint32_t n)
{
	life->len = 0;
	for (uint32_t i = 0; i < n; i++) {
		add_text(life, "%s{'uid': %u}", i > 0 ? ", " : "", first + i);
	}
	return life->text;
}

static const char *some(struct life *life, uint32_t n)
{
	return these(life, 1 + below(life, (uint32_t)n_uids(life)), n);
}

/* Deeds */

static void import(struct life *life, uint32_t n)
{
	if (n_uids(life) + n < PICTURE_UIDS_MAX) {
		CALL(life, "account.import", "{'accounts': [%s]}",
		     guests(life, n_uids(life) + 1, n));
	}
}

static void import_few(struct life *life)
{
	import(life, 1 + below(life, 4));
}

static void import_again(struct life *life)
{
	CALL(life, "account.import", "{'accounts': [%s], 'new_incarnation': true}",
	     guests(life, 1 + below(life, (uint32_t)n_uids(life)), 2));
}

static void change_few(struct life *life)
{
	static const char *const methods[] = {"account.leave",   "account.remove", "account.remove",
					      "account.restore", "account.purge",  "account.purge",
					      "account.disable", "account.enable"};

	CALL(life, methods[below(life, ARRAY_LEN(methods))],
	     "{'accounts': [%s], 'reason': 'because', 'ref': 'T-%u'}",
	     some(life, 1 + below(life, 3)), below(life, 100));
}

static void change_many(struct life *life)
{
	static const char *const methods[] = {"account.remove", "account.restore", "account.purge"};

	CALL(life, methods[below(life, ARRAY_LEN(methods))], "{'accounts': [%s]}",
	     some(life, 20 + below(life, 100)));
}

static void purge_many(struct life *life)
{
	const char *accounts = some(life, 40 + below(life, 40));

	CALL(life, "account.remove", "{'accounts': [%s]}", accounts);
	CALL(life, "account.purge", "{'accounts': [%s]}", accounts);
}

/* More removals in one commit than the register takes in order: they are written ahead of it. */
static void purge_newest(struct life *life, uint32_t n)
{
	const char *accounts = these(life, (uint32_t)n_uids(life) + 1 - n, n);

	CALL(life, "account.remove", "{'accounts': [%s]}", accounts);
	CALL(life, "account.purge", "{'accounts': [%s]}", accounts);
}

static void repeat_request(struct life *life)
{
	const char *accounts = some(life, 2);
	uint64_t id = life->workload->n_requests;

	for (int i = 0; i < 2; i++) {
		CALL(life, "account.leave", "{'accounts': [%s], 'request_id': 'r-%llu'}", accounts,
		     (unsigned long long)id);
	}
}

/* One commit for all of them. */
static void share_a_turn(struct life *life)
{
	rig_begin(&life->rig);
	for (uint32_t i = 0; i < 5; i++) {
		SEND(life, i % 2 ? "account.remove" : "account.purge", "{'accounts': [%s]}",
		     some(life, 1));
	}
	end_turn(life);
}

static void hold(struct life *life)
{
	bool release = below(life, 2) == 0;

	CALL(life, release ? "hold.remove" : "hold.add",
	     "{'accounts': [%s], 'hold': 'case-%u', 'reason': 'a law'}", some(life, 2),
	     below(life, 3));
}

static void request(struct life *life)
{
	static const char *const methods[] = {"request.approve", "request.deny"};

	CALL(life, "request.file", "{'accounts': [%s], 'reason': 'please'}", some(life, 1));
	CALL(life, methods[below(life, 2)], "{'requests': [{'request': %u}], 'reason': 'so be it'}",
	     1 + below(life, 8));
}

static void set_keeper(struct life *life)
{
	CALL(life, "keeper.set", "{'keeper': '%s', 'enabled': %s}", keepers[below(life, 2)],
	     below(life, 4) > 0 ? "true" : "false");
}

static void settle_task(struct life *life, const char *keeper, const char *token)
{
	if (below(life, 4) == 0) {
		CALL(life, "keeper.fail",
		     "{'keeper': '%s', 'tasks': [{'token': '%s', 'error': 'not now'}]}", keeper,
		     token);
		return;
	}
	CALL(life, "keeper.confirm",
	     "{'keeper': '%s', 'tasks': [{'token': '%s', 'result': 'erased'}]}", keeper, token);
}

/* NULL if it is not registered yet. */
static const char *some_keeper(struct life *life)
{
	const char *keeper = keepers[below(life, 2)];

	return store_keeper_by_name(life->rig.engine->store, slice_of(keeper)) ? keeper : NULL;
}

static void work_for_keeper(struct life *life)
{
	const char *keeper = some_keeper(life);
	char *tokens[8];
	uint32_t n;

	if (!keeper) {
		return;
	}
	CALL(life, "keeper.claim", "{'keeper': '%s', 'max': 6}", keeper);
	n = MIN(rig_count(&life->rig, "tasks"), (uint32_t)ARRAY_LEN(tokens));
	for (uint32_t i = 0; i < n; i++) {
		char path[32];

		(void)snprintf(path, sizeof(path), "tasks.%u.token", i);
		tokens[i] = rig_text(&life->rig, path);
	}
	for (uint32_t i = 0; i < n; i++) {
		settle_task(life, keeper, tokens[i]);
		free(tokens[i]);
	}
}

static void waive(struct life *life)
{
	const char *keeper = some_keeper(life);

	if (keeper) {
		CALL(life, "keeper.waive",
		     "{'keeper': '%s', 'accounts': [%s], 'reason': 'it is gone'}", keeper,
		     some(life, 8));
	}
}

static void set_org(struct life *life)
{
	CALL(life, "org.set",
	     "{'org': '%s', 'privacy_contact': 'privacy@org.example', 'window_us': %lld}",
	     orgs[below(life, 2)], (long long)(1 + below(life, 60)) * SPAN_DAY);
}

/* Rows are settled in a quiet moment. */
static void be_quiet(struct life *life)
{
	for (int i = 0; i < 3; i++) {
		life->rig.reading.boot += SPAN_SECOND;
		turn(life);
	}
}

static void let_time_pass(struct life *life)
{
	CALL(life, "clock.advance", "{'by_us': %lld}", (long long)(1 + below(life, 20)) * SPAN_DAY);
	idle(life);
	be_quiet(life);
}

static void back_up(struct life *life)
{
	CALL(life, "backup.create", "{}");
	while (backups_running(life->rig.engine)) {
		(void)sched_yield();
		turn(life);
	}
}

static void pause_sweep(struct life *life)
{
	CALL(life, "sweep.pause", "{}");
	CALL(life, "clock.advance", "{'by_us': %lld}", (long long)SPAN_DAY);
	CALL(life, "sweep.resume", "{}");
	idle(life);
}

/* How often each, of their sum. */
static const struct deed {
	void (*deed)(struct life *life);
	uint32_t often;
} deeds[] = {
	{import_few, 10},    {import_again, 4}, {change_few, 24}, {change_many, 3},
	{purge_many, 2},     {hold, 5},         {request, 3},     {repeat_request, 3},
	{share_a_turn, 6},   {set_keeper, 3},   {set_org, 2},     {work_for_keeper, 10},
	{let_time_pass, 10}, {be_quiet, 6},     {waive, 2},       {back_up, 1},
	{pause_sweep, 1},
};

static void do_something(struct life *life)
{
	uint32_t sum = 0, at;

	for (size_t i = 0; i < ARRAY_LEN(deeds); i++) {
		sum += deeds[i].often;
	}
	at = below(life, sum);
	for (size_t i = 0; i < ARRAY_LEN(deeds); i++) {
		if (at < deeds[i].often) {
			deeds[i].deed(life);
			return;
		}
		at -= deeds[i].often;
	}
}

static void live(struct life *life, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		do_something(life);
	}
}

/* The parts of a life: each goes on where the one before ended. */

static void begin(struct life *life)
{
	for (size_t i = 0; i < ARRAY_LEN(orgs); i++) {
		CALL(life, "org.set", "{'org': '%s', 'privacy_contact': 'privacy@org.example'}",
		     orgs[i]);
	}
	import(life, 6);
	live(life, 25);
}

static void grow(struct life *life)
{
	import(life, MANY);
	purge_newest(life, MANY);
	import(life, MANY);
	purge_many(life);
	CALL(life, "keeper.set", "{'keeper': 'crm'}");
	live(life, 40);
	back_up(life);
}

static void go_on(struct life *life)
{
	live(life, 40);
	idle(life);
}

static const struct part {
	void (*live)(struct life *life);
	bool stops; /* it does not end by a kill */
} parts[] = {{begin, false}, {grow, true}, {go_on, false}};

static _Noreturn void live_part(const struct part *part, uint64_t seed, const char *directory,
				int log_fd, struct workload *workload)
{
	struct life *life = calloc(1, sizeof(*life));
	instant_t now = workload->n_pictures > 0 ? workload->pictures[workload->n_pictures - 1].now
						 : RIG_BEGIN;

	assert(life);
	life->workload = workload;
	life->chance = seed ^ UINT64_C(0x6c69666520697320);
	workload_be_random(seed);
	rig_prepare(&life->rig, strdup(directory), CLOCK_MODE_SIMULATED, WORKLOAD_MAP_BYTES);
	life->rig.options = workload_options(life->rig.directory, now);
	life->rig.options.rules = &life->rig.rules;
	life->rig.rules = (struct access_rules){grants, ARRAY_LEN(grants)};
	recorder_begin(log_fd, directory);
	rig_start(&life->rig);
	turn(life); /* an answer can leave from now on */
	part->live(life);
	if (part->stops && engine_close(life->rig.engine) != 0) {
		abort();
	}
	_exit(0);
}

void workload_record(uint64_t seed, const char *directory, int log_fd, struct workload *workload)
{
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		int status;
		pid_t child = fork();

		assert(child >= 0);
		if (child == 0) {
			live_part(&parts[i], seed * ARRAY_LEN(parts) + i, directory, log_fd,
				  workload);
		}
		assert(waitpid(child, &status, 0) == child);
		if (status != 0) {
			(void)fprintf(stderr, "the workload of seed %llu ended badly\n",
				      (unsigned long long)seed);
			abort();
		}
	}
}
