/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "tests/sim/ask.h"
#include "tests/sim/pick.h"

/* Commands on accounts, one to three at a time: leave, remove, restore, purge, disable, enable. */

#define ITEMS_MAX   3
#define REPEAT_FOR  SPAN_DAY
#define DRY_ONE_IN  8
#define KEPT_ONE_IN 6
#define NEW_UPN_IN  3

/* What is said to whoever comes too late to restore. */
#define RESTORE_IS_OVER (OUTCOME_BIT(OUTCOME_IRREVOCABLE) | OUTCOME_BIT(OUTCOME_WINDOW_ENDED))

struct change {
	enum truth_command command;
	const char *method;
	enum ask_as as;
};

static void keep_request(struct sim *sim)
{
	struct sim_repeat *repeat = &sim->repeats[sim->n_repeats++ % SIM_REPEATS];
	const struct rig *rig = &sim->rig;

	free(repeat->request);
	free(repeat->answer);
	*repeat = (struct sim_repeat){
		.asker = rig->session.peer.uid,
		.request = malloc(rig->request.len),
		.request_len = rig->request.len,
		.answer = malloc(rig->answer.len),
		.answer_len = rig->answer.len,
		.until = sim->truth.now + REPEAT_FOR,
	};
	assert(repeat->request && repeat->answer);
	memcpy(repeat->request, rig->request.data, rig->request.len);
	memcpy(repeat->answer, rig->answer.data, rig->answer.len);
}

static void expect_change(struct sim *sim, const struct change *change,
			  const struct truth_name *name, const struct pack_value *item,
			  uint8_t new_upn, bool dry)
{
	struct truth_account *account = truth_find(&sim->truth, name);
	struct truth_verdict verdict =
		truth_change(&sim->truth, change->command, account, new_upn, dry);

	sim_tell(sim, "%s %s%s: %s\n", change->method, name_of(name), dry ? ", dry" : "",
		 name_reasons(verdict.reasons));
	SIM_REQUIRE(sim,
		    !(verdict.reasons & RESTORE_IS_OVER) || change->command != TRUTH_RESTORE ||
			    !value_is(item, "outcome", "ok"),
		    IRREVOCABLE, "%s is restored, and it must be %s", name_of(name),
		    name_reasons(verdict.reasons));
	expect_outcome(sim, item, verdict.reasons);
	if (account) {
		expect_dates(sim, item, &verdict.account);
	}
	sim->report->n_restored += change->command == TRUTH_RESTORE && verdict.reasons == 0;
}

/* What is asked of which accounts. @new_upn: TRUTH_NO_UPN for none; @kept: with a request id. */
struct batch {
	struct truth_name names[TRUTH_ACCOUNTS];
	uint32_t n;
	uint8_t new_upn;
	bool dry;
	bool kept;
};

static void put_items(struct pack_writer *out, const struct batch *batch)
{
	pack_put_array(out, "accounts");
	for (uint32_t i = 0; i < batch->n; i++) {
		if (batch->new_upn == TRUTH_NO_UPN) {
			ask_put_name(out, &batch->names[i]);
			continue;
		}
		pack_write_map(out);
		pack_put_cstr(out, "org", name_org(batch->names[i].org));
		pack_put_cstr(out, "id", name_id(batch->names[i].id));
		pack_put_cstr(out, "new_upn", name_upn(batch->new_upn));
		pack_write_end(out);
	}
	pack_write_end(out);
}

static void change_batch(struct sim *sim, const struct step *step, const struct change *change,
			 const struct batch *batch)
{
	struct pack_writer *out;
	struct pack_value items;
	char id[32];

	ask_as(sim, change->as);
	out = ask_begin(sim, change->method);
	put_items(out, batch);
	pack_put_bool(out, "dry_run", batch->dry);
	if (batch->kept) {
		(void)snprintf(id, sizeof(id), "request-%u-%u", sim->step, step->c);
		pack_put_cstr(out, "request_id", id);
	}
	items = ask_items(sim, batch->n);
	truth_guard_begin(&sim->truth);
	for (uint32_t i = 0; i < batch->n; i++) {
		struct pack_value item = pack_array_at(&items, i);

		expect_change(sim, change, &batch->names[i], &item, batch->new_upn, batch->dry);
	}
	if (batch->kept && !batch->dry) {
		keep_request(sim);
	}
}

static void do_change(struct sim *sim, const struct step *step, const struct change *change)
{
	bool renames = change->command == TRUTH_RESTORE && step->c % NEW_UPN_IN == 1;
	struct batch batch = {
		.n = 1 + step->d / DRY_ONE_IN % ITEMS_MAX,
		.new_upn = renames ? (uint8_t)(step->b % TRUTH_UPNS) : TRUTH_NO_UPN,
		.dry = step->d % DRY_ONE_IN == 0,
		.kept = step->c % KEPT_ONE_IN == 0,
	};

	for (uint32_t i = 0; i < batch.n; i++) {
		batch.names[i] =
			pick_name(sim, step->a + i * 7, renames ? TRUTH_BY_ID : step->b + i);
	}
	change_batch(sim, step, change, &batch);
}

void do_leave(struct sim *sim, const struct step *step)
{
	static const struct change change = {TRUTH_LEAVE, "account.leave", ASK_AS_PORTAL};

	do_change(sim, step, &change);
}

void do_remove(struct sim *sim, const struct step *step)
{
	static const struct change change = {TRUTH_REMOVE, "account.remove", ASK_AS_ADMIN};

	do_change(sim, step, &change);
}

void do_restore(struct sim *sim, const struct step *step)
{
	static const struct change change = {TRUTH_RESTORE, "account.restore", ASK_AS_ADMIN};

	do_change(sim, step, &change);
}

void do_purge(struct sim *sim, const struct step *step)
{
	static const struct change change = {TRUTH_PURGE, "account.purge", ASK_AS_ADMIN};

	do_change(sim, step, &change);
}

void do_disable(struct sim *sim, const struct step *step)
{
	static const struct change change = {TRUTH_DISABLE, "account.disable", ASK_AS_ADMIN};

	do_change(sim, step, &change);
}

void do_enable(struct sim *sim, const struct step *step)
{
	static const struct change change = {TRUTH_ENABLE, "account.enable", ASK_AS_ADMIN};

	do_change(sim, step, &change);
}

/* A script gone wild: the same for all of an organization. */
void do_mass(struct sim *sim, const struct step *step)
{
	static const struct change changes[] = {
		{TRUTH_LEAVE, "account.leave", ASK_AS_PORTAL},
		{TRUTH_REMOVE, "account.remove", ASK_AS_ADMIN},
		{TRUTH_PURGE, "account.purge", ASK_AS_ADMIN},
	};
	struct batch batch = {
		.new_upn = TRUTH_NO_UPN,
		.dry = step->d % DRY_ONE_IN == 0,
		.kept = step->c % KEPT_ONE_IN == 0,
	};

	for (uint32_t i = 0; i < sim->truth.n_accounts; i++) {
		const struct truth_account *account = &sim->truth.accounts[i];

		if (account->org == step->a % TRUTH_ORGS && account->removed_at == INSTANT_NONE) {
			batch.names[batch.n++] =
				(struct truth_name){.by = TRUTH_BY_UID, .uid = account->uid};
		}
	}
	if (batch.n > 0) {
		change_batch(sim, step, &changes[step->b % ARRAY_LEN(changes)], &batch);
	}
}

/* The same request again: the first answer, to the byte, also after a crash. */
void do_repeat(struct sim *sim, const struct step *step)
{
	struct sim_repeat *repeat = &sim->repeats[step->a % SIM_REPEATS];
	struct rig *rig = &sim->rig;

	sim_begin(sim);
	if (!repeat->acked || sim->truth.now >= repeat->until) {
		return;
	}
	sim_tell(sim, "an answered request is sent again\n");
	rig->session.peer.uid = repeat->asker;
	pack_writer_reset(&rig->answer);
	rig_send_bytes(rig, (struct slice){repeat->request, repeat->request_len});
	SIM_REQUIRE(sim,
		    rig->answer.len == repeat->answer_len &&
			    memcmp(rig->answer.data, repeat->answer, repeat->answer_len) == 0,
		    REPEATS, "another answer to the same request id");
}

/* Import */

static instant_t import_deleted_at(const struct sim *sim, const struct step *step)
{
	switch (step->d / 16 % 8) {
	case 0:
		return sim->truth.now - (span_t)(step->c % 40) * SPAN_DAY;
	case 1:
		return sim->truth.now;
	default:
		return INSTANT_NONE;
	}
}

static struct truth_import pick_import(const struct sim *sim, const struct step *step)
{
	static const enum account_kind kinds[] = {
		ACCOUNT_KIND_MEMBER, ACCOUNT_KIND_B2B_COLLABORATION, ACCOUNT_KIND_B2B_COLLABORATION,
		ACCOUNT_KIND_B2B_COLLABORATION, ACCOUNT_KIND_B2B_DIRECT_CONNECT};

	return (struct truth_import){
		.org = (uint8_t)(step->a % TRUTH_ORGS),
		.id = (uint8_t)(step->a / TRUTH_ORGS % TRUTH_IDS),
		.person = (uint8_t)(step->b % TRUTH_PERSONS),
		.upn = (uint8_t)(step->b / TRUTH_PERSONS % TRUTH_UPNS),
		.name = (uint8_t)(step->c % TRUTH_NAMES),
		.kind = kinds[step->c / TRUTH_NAMES % ARRAY_LEN(kinds)],
		.enabled = step->c / 16 % 4 != 0,
		.deleted_at = import_deleted_at(sim, step),
		.new_incarnation = step->d / 128 % 4 == 0,
	};
}

static void put_import(struct pack_writer *out, const struct truth_import *import)
{
	pack_put_array(out, "accounts");
	pack_write_map(out);
	pack_put_cstr(out, "org", name_org(import->org));
	pack_put_cstr(out, "id", name_id(import->id));
	pack_put_cstr(out, "kind", account_kind_name(import->kind));
	pack_put_cstr(out, "person", name_person(import->person));
	pack_put_cstr(out, "upn", name_upn(import->upn));
	pack_put_cstr(out, "name", name_display(import->name));
	pack_put_bool(out, "enabled", import->enabled);
	if (import->deleted_at != INSTANT_NONE) {
		pack_put_int(out, "deleted_at_us", import->deleted_at);
	}
	pack_write_end(out);
	pack_write_end(out);
	pack_put_bool(out, "new_incarnation", import->new_incarnation);
}

/* A uid is never given twice; it may skip some that a crash has burnt. */
static void expect_new_uid(struct sim *sim, uint64_t uid)
{
	const struct truth *truth = &sim->truth;
	uint64_t last = truth->n_accounts > 0 ? truth->accounts[truth->n_accounts - 1].uid : 0;

	SIM_REQUIRE(sim, uid > last, ANSWERS, "the new account has uid %llu, and %llu was given",
		    (unsigned long long)uid, (unsigned long long)last);
}

void do_import(struct sim *sim, const struct step *step)
{
	bool dry = step->d % DRY_ONE_IN == 0;
	struct truth_import import;
	struct truth_imported imported;
	struct pack_value items, item;
	struct pack_writer *out;
	uint64_t uid;

	if (sim->truth.n_accounts == TRUTH_ACCOUNTS) {
		return;
	}
	ask_as(sim, ASK_AS_ADMIN);
	out = ask_begin(sim, "account.import");
	import = pick_import(sim, step);
	put_import(out, &import);
	pack_put_bool(out, "dry_run", dry);
	items = ask_items(sim, 1);
	item = pack_array_at(&items, 0);
	uid = (uint64_t)value_int(&item, "uid", 0);
	truth_guard_begin(&sim->truth);
	imported = truth_import(&sim->truth, &import, uid, true);
	sim_tell(sim, "account.import org-%u/id-%u of person-%u, %s%s%s: %s %s\n", import.org,
		 import.id, import.person, account_kind_name(import.kind),
		 import.deleted_at != INSTANT_NONE ? ", deleted" : "", dry ? ", dry" : "",
		 name_reasons(imported.reasons), imported.change ? imported.change : "");
	expect_outcome(sim, &item, imported.reasons);
	SIM_REQUIRE(sim, !imported.change || value_is(&item, "change", imported.change), ANSWERS,
		    "the import must have %s it", imported.change);
	if (imported.change && strcmp(imported.change, "created") == 0 && !dry) {
		expect_new_uid(sim, uid);
	}
	if (!dry) {
		(void)truth_import(&sim->truth, &import, uid, false);
	}
	if (imported.change) {
		expect_dates(sim, &item, &imported.account);
	}
}
