/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/crash/deeds.h"

#include <stdarg.h>
#include <stdio.h>

#include "daemon/store/staged.h"

#include "tests/support/random.h"

#define MANY  260 /* accounts in one call: more changes than the journal takes in one record */
#define TIGHT 7   /* more than the tight guard lets pass */

static const char *const keepers[] = {"crm", "files"};
static const char *const orgs[] = {"contoso", "fabrikam", "litware"}; /* whose guard is tight */

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

/* Those who come by the hundred are not held back. */
static const char *org_of(uint64_t i, uint32_t n)
{
	return n == MANY ? orgs[i % 2] : n == TIGHT ? orgs[2] : orgs[i % ARRAY_LEN(orgs)];
}

static const char *guests(struct life *life, uint64_t first, uint32_t n)
{
	static const char *const kinds[] = {"b2b-collaboration", "b2b-collaboration", "member",
					    "b2b-direct-connect"};

	life->len = 0;
	for (uint64_t i = first; i < first + n; i++) {
		const char *org = org_of(i, n);

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
	life_end_turn(life);
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
	     orgs[below(life, ARRAY_LEN(orgs))], (long long)(1 + below(life, 60)) * SPAN_DAY);
}

static void overdo(struct life *life)
{
	import(life, TIGHT);
	CALL(life, "account.remove", "{'accounts': [%s]}",
	     these(life, (uint32_t)n_uids(life) + 1 - TIGHT, TIGHT));
}

/* What the tight guard holds back: done, or discarded, with what persons asked for. */
static void release_guard(struct life *life)
{
	struct engine *engine = life->rig.engine;
	struct guarding_held held =
		guarding_held_of(engine, store_org_by_id(engine->store, SLICE_LITERAL("litware")));
	bool discard = below(life, 3) == 0;
	uint64_t n = held.n_commands + (discard ? 0 : held.n_removals);

	if (n > 0 && guard_n_decided(&store_guard(engine->store, held.org->number)->guard) == 0) {
		CALL(life, "guard.release",
		     "{'guard': 'mass', 'org': 'litware', 'expect': %llu, 'discard': %s,"
		     " 'include_persons': %s}",
		     (unsigned long long)n, discard ? "true" : "false", discard ? "true" : "false");
	}
}

/* Rows are settled in a quiet moment. */
static void be_quiet(struct life *life)
{
	for (int i = 0; i < 3; i++) {
		life->rig.reading.boot += SPAN_SECOND;
		life_turn(life);
	}
}

static void let_time_pass(struct life *life)
{
	CALL(life, "clock.advance", "{'by_us': %lld}", (long long)(1 + below(life, 20)) * SPAN_DAY);
	life_idle(life);
	be_quiet(life);
}

static void back_up(struct life *life)
{
	CALL(life, "backup.create", "{}");
	while (backups_running(life->rig.engine)) {
		life_turn(life);
	}
}

static void pause_sweep(struct life *life)
{
	CALL(life, "sweep.pause", "{}");
	CALL(life, "clock.advance", "{'by_us': %lld}", (long long)SPAN_DAY);
	CALL(life, "sweep.resume", "{}");
	life_idle(life);
}

/* How often each, of their sum. */
static const struct deed {
	void (*deed)(struct life *life);
	uint32_t often;
} deeds[] = {
	{import_few, 10},    {import_again, 4}, {change_few, 24},   {change_many, 3},
	{purge_many, 2},     {hold, 5},         {request, 3},       {repeat_request, 3},
	{share_a_turn, 6},   {set_keeper, 3},   {set_org, 2},       {work_for_keeper, 10},
	{let_time_pass, 10}, {be_quiet, 6},     {waive, 2},         {back_up, 1},
	{pause_sweep, 1},    {overdo, 3},       {release_guard, 5},
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

/* The parts of a life */

void deeds_begin(struct life *life)
{
	for (size_t i = 0; i < ARRAY_LEN(orgs); i++) {
		CALL(life, "org.set", "{'org': '%s', 'privacy_contact': 'privacy@org.example'}",
		     orgs[i]);
	}
	CALL(life, "org.set", "{'org': 'litware', 'guard_min': 3, 'guard_percent': 1}");
	import(life, 6);
	overdo(life);
	live(life, 25);
}

void deeds_grow(struct life *life)
{
	import(life, MANY);
	purge_newest(life, MANY);
	import(life, MANY);
	purge_many(life);
	CALL(life, "keeper.set", "{'keeper': 'crm'}");
	live(life, 40);
	back_up(life);
}

void deeds_go_on(struct life *life)
{
	live(life, 40);
	life_idle(life);
}
