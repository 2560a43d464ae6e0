/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/ask.h"

#include <stdio.h>

#define UID_PORTAL 500
#define UID_KEEPER 600

static const struct access_grant grants[] = {
	{.role = ROLE_SELF_SERVICE, .subject = UID_PORTAL},
	{.role = ROLE_KEEPER, .subject = UID_KEEPER, .keeper = "keeper-0"},
	{.role = ROLE_KEEPER, .subject = UID_KEEPER + 1, .keeper = "keeper-1"},
	{.role = ROLE_KEEPER, .subject = UID_KEEPER + 2, .keeper = "keeper-2"},
};
static_assert(TRUTH_KEEPERS == 3, "each has a grant");

const struct access_rules ask_rules = {grants, ARRAY_LEN(grants)};

void ask_as(struct sim *sim, unsigned who)
{
	static const uid_t uids[] = {0, UID_PORTAL};

	sim->rig.session.peer.uid =
		who < ASK_AS_KEEPER ? uids[who] : UID_KEEPER + (who - ASK_AS_KEEPER);
}

struct pack_writer *ask_begin(struct sim *sim, const char *method)
{
	struct rig *rig = &sim->rig;

	sim_begin(sim);
	pack_writer_reset(&rig->request);
	rpc_write_request(&rig->request, ++rig->msgid, method);
	pack_write_map(&rig->request);
	return &rig->request;
}

void ask_end(struct sim *sim)
{
	struct rig *rig = &sim->rig;

	pack_write_end(&rig->request);
	rpc_write_request_end(&rig->request);
	assert(rig->request.error == 0);
	pack_writer_reset(&rig->answer);
	rig_send_bytes(rig, (struct slice){rig->request.data, rig->request.len});
	sim->report->n_requests++;
}

struct pack_value ask_result(struct sim *sim)
{
	ask_end(sim);
	if (sim->rig.failed) {
		cleanup(freep) char *text = rig_text(&sim->rig, "1");

		sim_violate(sim, INVARIANT_ANSWERS, "refused: %s", text);
	}
	return sim->rig.result;
}

struct pack_value ask_items(struct sim *sim, uint32_t n)
{
	struct pack_value result = ask_result(sim);
	struct pack_value items = value_list(&result, "items");

	SIM_REQUIRE(sim, items.list.n == n, ANSWERS, "%u items are answered for %u", items.list.n,
		    n);
	return items;
}

int64_t value_int(const struct pack_value *map, const char *key, int64_t otherwise)
{
	struct pack_value value;

	return map->type == PACK_MAP && pack_map_get(map, key, &value) && value.type == PACK_INT
		       ? value.integer
		       : otherwise;
}

bool value_bool(const struct pack_value *map, const char *key)
{
	struct pack_value value;

	return map->type == PACK_MAP && pack_map_get(map, key, &value) && value.type == PACK_BOOL &&
	       value.boolean;
}

struct slice value_text(const struct pack_value *map, const char *key)
{
	struct pack_value value;

	return map->type == PACK_MAP && pack_map_get(map, key, &value) && value.type == PACK_TEXT
		       ? value.text
		       : (struct slice){0};
}

struct pack_value value_list(const struct pack_value *map, const char *key)
{
	struct pack_value value;

	return map->type == PACK_MAP && pack_map_get(map, key, &value) &&
			       (value.type == PACK_ARRAY || value.type == PACK_MAP)
		       ? value
		       : (struct pack_value){.type = PACK_ARRAY};
}

bool value_is(const struct pack_value *map, const char *key, const char *text)
{
	return slice_is(value_text(map, key), text);
}

/* Names */

#define NAMES     8
#define NAME_SIZE 160

static char *next_name(void)
{
	static char names[NAMES][NAME_SIZE];
	static unsigned n;

	return names[n++ % NAMES];
}

static const char *numbered(const char *before, uint32_t number, const char *behind)
{
	char *name = next_name();

	(void)snprintf(name, NAME_SIZE, "%s%u%s", before, number, behind);
	return name;
}

const char *name_org(uint8_t org)
{
	return numbered("org-", org, "");
}

const char *name_id(uint8_t id)
{
	return numbered("id-", id, "");
}

const char *name_person(uint8_t person)
{
	return numbered("person-", person, "@home.example");
}

const char *name_upn(uint8_t upn)
{
	return numbered("upn-", upn, "@org.example");
}

const char *name_display(uint8_t name)
{
	return numbered("Name ", name, "");
}

const char *name_keeper(uint32_t keeper)
{
	return numbered("keeper-", keeper, "");
}

const char *name_hold(uint32_t hold)
{
	return numbered("hold-", hold, "");
}

const char *name_of(const struct truth_name *name)
{
	char *text = next_name();

	switch (name->by) {
	case TRUTH_BY_UID:
		(void)snprintf(text, NAME_SIZE, "uid:%llu", (unsigned long long)name->uid);
		break;
	case TRUTH_BY_ID:
		(void)snprintf(text, NAME_SIZE, "org-%u/id-%u", name->org, name->id);
		break;
	case TRUTH_BY_PERSON:
		(void)snprintf(text, NAME_SIZE, "org-%u/person-%u", name->org, name->person);
		break;
	case _TRUTH_NAMING_MAX:
		abort();
	}
	return text;
}

const char *name_span(span_t span)
{
	char *text = next_name();
	char format[SPAN_TEXT_MAX];

	span_format(span < 0 ? -span : span, format);
	(void)snprintf(text, NAME_SIZE, "%s%s", span < 0 ? "-" : "", format);
	return text;
}

const char *name_reasons(outcome_set_t reasons)
{
	char *text = next_name();
	size_t len = 0;

	(void)snprintf(text, NAME_SIZE, "ok");
	for (enum outcome reason = 0; reason < _OUTCOME_MAX; reason++) {
		if (reasons & OUTCOME_BIT(reason) && len < NAME_SIZE - 1) {
			len += (size_t)snprintf(text + len, NAME_SIZE - len, "%s%s",
						len > 0 ? " " : "", outcome_code(reason));
		}
	}
	return text;
}

void ask_put_name(struct pack_writer *out, const struct truth_name *name)
{
	pack_write_map(out);
	switch (name->by) {
	case TRUTH_BY_UID:
		pack_put_uint(out, "uid", name->uid);
		break;
	case TRUTH_BY_ID:
		pack_put_cstr(out, "org", name_org(name->org));
		pack_put_cstr(out, "id", name_id(name->id));
		break;
	case TRUTH_BY_PERSON:
		pack_put_cstr(out, "org", name_org(name->org));
		pack_put_cstr(out, "person", name_person(name->person));
		break;
	case _TRUTH_NAMING_MAX:
		abort();
	}
	pack_write_end(out);
}

/* What must be answered */

static outcome_set_t reasons_of(const struct pack_value *item)
{
	struct pack_value reasons = value_list(item, "reasons");
	outcome_set_t set = 0;

	for (uint32_t i = 0; i < reasons.list.n; i++) {
		struct slice text = pack_array_at(&reasons, i).text;

		for (enum outcome reason = 0; reason < _OUTCOME_MAX; reason++) {
			set |= slice_is(text, outcome_code(reason)) ? OUTCOME_BIT(reason) : 0;
		}
	}
	return set;
}

void expect_outcome(struct sim *sim, const struct pack_value *item, outcome_set_t reasons)
{
	struct slice outcome = value_text(item, "outcome");
	bool ok = reasons == 0 && slice_is(outcome, "ok");
	bool refused = reasons != 0 && reasons_of(item) == reasons &&
		       slice_is(outcome, outcome_code((enum outcome)__builtin_ctz(reasons)));

	SIM_REQUIRE(sim, ok || refused, ANSWERS, "the outcome is %.*s (%s), and must be %s",
		    SLICE_ARG(outcome), name_reasons(reasons_of(item)), name_reasons(reasons));
}

static void expect_instant(struct sim *sim, const struct pack_value *item, const char *key,
			   instant_t at)
{
	instant_t told = value_int(item, key, INSTANT_NONE);

	SIM_REQUIRE(sim, told == at, ANSWERS, "%s is %lld, and must be %lld", key, (long long)told,
		    (long long)at);
}

void expect_dates(struct sim *sim, const struct pack_value *item,
		  const struct truth_account *account)
{
	enum account_state state = truth_state(account, sim->truth.now);
	bool started = state >= ACCOUNT_STATE_REMOVING;
	struct slice told = value_text(item, "state");

	SIM_REQUIRE(sim, slice_is(told, account_state_name(state)), ANSWERS,
		    "uid %llu is told to be %.*s, and is %s", (unsigned long long)account->uid,
		    SLICE_ARG(told), account_state_name(state));
	expect_instant(sim, item, "deleted_at_us", account->deleted_at);
	expect_instant(sim, item, "window_ends_us", truth_window_ends(account));
	expect_instant(sim, item, "removal_started_us",
		       started ? truth_start(account) : INSTANT_NONE);
	expect_instant(sim, item, "removal_due_us", started ? truth_due(account) : INSTANT_NONE);
	expect_instant(sim, item, "removed_at_us", account->removed_at);
	if (state == ACCOUNT_STATE_REMOVING) {
		bool overdue = truth_is_overdue(account, sim->truth.now);

		SIM_REQUIRE(sim, value_is(item, "sla", "overdue") == overdue, ANSWERS,
			    "uid %llu is %soverdue, and is told not so",
			    (unsigned long long)account->uid, overdue ? "" : "not ");
	}
}
