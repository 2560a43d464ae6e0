/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/work/events.h"

#include <criterion/criterion.h>
#include <signal.h>

#include "daemon/store/schema.h"

#include "tests/support/rig.h"

#define READER   990
#define NARROW   991
#define STRANGER 992

static const char *const orgs[] = {"contoso"};
static const struct access_grant grants[] = {
	{.role = ROLE_READER, .subject = READER},
	{.role = ROLE_READER, .subject = NARROW, .orgs = orgs, .n_orgs = 1},
};

static struct rig rig;
static struct pack_writer told; /* the last notifications */
static bool more;

static void set_up(void)
{
	rig_open(&rig, CLOCK_MODE_SIMULATED);
	rig.rules = (struct access_rules){grants, ARRAY_LEN(grants)};
	pack_writer_init(&told, EVENTS_PER_TURN * EVENTS_BYTES_MAX);
	rig_set_org(&rig, "contoso");
}

static void tear_down(void)
{
	pack_writer_done(&told);
	rig_close(&rig);
}

TestSuite(events, .init = set_up, .fini = tear_down);

static void be(uid_t uid)
{
	rig.session.peer = (struct access_peer){.uid = uid, .gid = uid};
}

static int try_write(struct session *session)
{
	pack_writer_reset(&told);
	return events_write(rig.engine, session, &told, &more);
}

static void write_all(struct session *session)
{
	cr_assert_eq(try_write(session), 0);
	cr_assert_eq(told.error, 0);
}

/* The entry in the notification that begins at *@at, which moves behind it; false behind the last. */
static bool next_told(size_t *at, struct pack_value *ret_entry)
{
	static const struct pack_limits limits = {EVENTS_BYTES_MAX, 1000, PACK_DEPTH_MAX};
	struct pack_scanner scanner = {0};
	struct pack_value message, params;
	size_t len;

	if (*at == told.len) {
		return false;
	}
	cr_assert_eq(pack_scan(&scanner, &limits, told.data + *at, told.len - *at, &len), 0);
	cr_assert_eq(pack_read(rig.reader, told.data + *at, len, &message), 0);
	*at += len;
	cr_assert_eq(message.list.n, 3);
	cr_assert_eq(pack_array_at(&message, 0).integer, RPC_NOTIFICATION);
	cr_assert(slice_is(pack_array_at(&message, 1).text, "event"));
	params = pack_array_at(&message, 2);
	cr_assert_eq(params.list.n, 1);
	*ret_entry = pack_array_at(&params, 0);
	return true;
}

static int64_t number_of(const struct pack_value *entry, const char *key)
{
	struct pack_value value;

	return pack_map_get(entry, key, &value) ? value.integer : -1;
}

static bool text_is(const struct pack_value *entry, const char *key, const char *text)
{
	struct pack_value value;

	return pack_map_get(entry, key, &value) && slice_is(value.text, text);
}

/* What was told is every entry from @first to @last, in order, and nothing else. */
static bool told_are(uint64_t first, uint64_t last)
{
	struct pack_value entry;
	size_t at = 0;

	for (uint64_t seq = first; seq <= last; ++seq) {
		if (!next_told(&at, &entry) || number_of(&entry, "seq") != (int64_t)seq) {
			return false;
		}
	}
	return at == told.len;
}

/* As many entries as @n, none of which names an account. */
static void happen(unsigned n)
{
	rig_begin(&rig);
	for (unsigned i = 0; i < n; ++i) {
		rig_send(&rig, "org.set", "{'org': 'contoso', 'name': 'Contoso %u'}", i);
		cr_assert(rig_is(&rig, "outcome", "ok"));
	}
	rig_end(&rig);
}

/* Subscribing */

Test(events, a_subscription_begins_with_what_happens_next)
{
	uint64_t head = rig_head(&rig);

	rig_call(&rig, "events.subscribe", "{}");
	cr_assert_eq(rig_number(&rig, "from"), (int64_t)head + 1);
	write_all(&rig.session);
	cr_assert_eq(told.len, 0);
	cr_assert_not(more);
	happen(2);
	write_all(&rig.session);
	cr_assert(told_are(head + 1, head + 2));
}

Test(events, a_subscription_may_begin_with_the_first_entry_of_all)
{
	rig_call(&rig, "events.subscribe", "{'from': 1}");
	cr_assert_eq(rig_number(&rig, "from"), 1);
	write_all(&rig.session);
	cr_assert(told_are(1, rig_head(&rig)));
}

Test(events, a_subscription_may_begin_with_the_entry_that_comes_next)
{
	uint64_t head = rig_head(&rig);

	rig_call(&rig, "events.subscribe", "{'from': %d}", (int)head + 1);
	happen(1);
	write_all(&rig.session);
	cr_assert(told_are(head + 1, head + 1));
}

Test(events, a_subscription_beyond_the_end_of_the_ledger_is_refused)
{
	rig_call(&rig, "events.subscribe", "{'from': %d}", (int)rig_head(&rig) + 2);
	cr_assert(rig_refused(&rig, "invalid-argument", "from: lies beyond the end"));
	cr_assert_eq(rig.session.next_seq, 0);
}

Test(events, a_subscription_from_zero_is_refused)
{
	rig_call(&rig, "events.subscribe", "{'from': 0}");
	cr_assert(rig_refused(&rig, "invalid-argument", "from"));
	cr_assert_eq(rig.session.next_seq, 0);
}

Test(events, who_subscribes_again_begins_where_it_says)
{
	happen(5);
	rig_call(&rig, "events.subscribe", "{'from': 1}");
	write_all(&rig.session);
	rig_call(&rig, "events.subscribe", "{'from': 4}");
	write_all(&rig.session);
	cr_assert(told_are(4, rig_head(&rig)));
}

Test(events, a_subscription_changes_nothing)
{
	uint64_t head = rig_head(&rig);

	rig_call(&rig, "events.subscribe", "{}");
	cr_assert_eq(rig_head(&rig), head);
}

/* Being told */

Test(events, an_event_is_what_the_ledger_says)
{
	uint64_t uid = rig_import(&rig, "contoso", "g-1");
	uint64_t head = rig_head(&rig);
	struct pack_value entry, hash;
	size_t at = 0;

	rig_call(&rig, "account.remove", "{'accounts': [{'uid': %d}]}", (int)uid);
	rig.session.next_seq = head + 1;
	write_all(&rig.session);
	cr_assert(next_told(&at, &entry));
	cr_assert_eq(number_of(&entry, "seq"), (int64_t)head + 1);
	cr_assert_eq(number_of(&entry, "at_us"), rig_now(&rig));
	cr_assert(text_is(&entry, "event", "deleted"));
	cr_assert_eq(number_of(&entry, "uid"), (int64_t)uid);
	cr_assert(text_is(&entry, "org", "contoso"));
	cr_assert(text_is(&entry, "role", "admin"));
	cr_assert_eq(number_of(&entry, "actor_uid"), 0);
	cr_assert(text_is(&entry, "state", "soft-deleted"));
	cr_assert(pack_map_get(&entry, "hash", &hash));
	cr_assert_eq(hash.text.len, 2 * ROWS_DIGEST_LEN);
	cr_assert_eq(entry.list.n, 9);
}

Test(events, no_event_tells_personal_data)
{
	rig_call(&rig, "account.import",
		 "{'accounts': [{'org': 'contoso', 'id': 'secret-1', 'kind': 'b2b-collaboration',"
		 " 'person': 'secret@home.example', 'upn': 'secret-2', 'name': 'secret-3'}],"
		 " 'reason': 'secret-4', 'ref': 'secret-5'}");
	rig_call(&rig, "account.leave",
		 "{'accounts': [{'org': 'contoso', 'id': 'secret-1'}], 'reason': 'secret-6'}");
	rig.session.next_seq = 1;
	write_all(&rig.session);
	cr_assert(told_are(1, rig_head(&rig)));
	cr_assert_null(memmem(told.data, told.len, "secret", strlen("secret")));
}

Test(events, what_the_clock_does_is_told_as_well)
{
	struct pack_value entry;
	size_t at = 0;

	(void)rig_import(&rig, "contoso", "g-1");
	rig_call(&rig, "account.remove", "{'accounts': [{'org': 'contoso', 'id': 'g-1'}]}");
	rig_call(&rig, "events.subscribe", "{}");
	rig_advance(&rig, 31 * SPAN_DAY);
	rig_idle(&rig);
	write_all(&rig.session);
	cr_assert(next_told(&at, &entry));
	cr_assert(text_is(&entry, "event", "removal-started"));
	cr_assert(text_is(&entry, "role", "daemon"));
	cr_assert(next_told(&at, &entry));
	cr_assert(text_is(&entry, "event", "removal-completed"));
	cr_assert(text_is(&entry, "state", "removed"));
}

Test(events, what_was_told_is_not_told_again)
{
	uint64_t head = rig_head(&rig);

	rig.session.next_seq = 1;
	write_all(&rig.session);
	write_all(&rig.session);
	cr_assert_eq(told.len, 0);
	happen(1);
	write_all(&rig.session);
	cr_assert(told_are(head + 1, head + 1));
}

Test(events, a_long_backlog_is_told_in_parts)
{
	uint64_t seq = 1;

	happen(2 * EVENTS_PER_TURN);
	rig.session.next_seq = seq;
	do {
		uint64_t last = MIN(seq + EVENTS_PER_TURN - 1, rig_head(&rig));

		write_all(&rig.session);
		cr_assert(told_are(seq, last));
		cr_assert_eq(more, last < rig_head(&rig));
		seq = last + 1;
	} while (more);
	cr_assert_eq(seq, rig_head(&rig) + 1);
}

Test(events, subscribers_do_not_disturb_each_other)
{
	struct session fast = {.next_seq = 1}, slow = {.next_seq = 1};

	write_all(&fast);
	happen(3);
	write_all(&fast);
	cr_assert(told_are(rig_head(&rig) - 2, rig_head(&rig)));
	write_all(&slow);
	cr_assert(told_are(1, rig_head(&rig)));
}

Test(events, a_subscriber_goes_on_where_it_stopped_after_a_kill_of_the_daemon)
{
	uint64_t stopped;

	rig.session.next_seq = 1;
	write_all(&rig.session);
	stopped = rig_head(&rig);
	happen(2);
	rig_restart(&rig);
	rig.session.next_seq = 0;
	rig_call(&rig, "events.subscribe", "{'from': %d}", (int)stopped + 1);
	write_all(&rig.session);
	cr_assert(told_are(stopped + 1, stopped + 2));
}

Test(events, nothing_is_told_before_it_is_on_disk, .signal = SIGABRT)
{
	rig.session.next_seq = rig_head(&rig) + 1;
	rig_begin(&rig);
	rig_send(&rig, "org.set", "{'org': 'contoso', 'name': 'Contoso'}");
	(void)try_write(&rig.session);
}

/* Whoever reads on after the telling would keep old pages of the store in use. */
Test(events, the_telling_leaves_the_store_as_it_was)
{
	rig.session.next_seq = 1;
	write_all(&rig.session);
	cr_assert_eq(store_settle(rig.engine->store, STORE_SETTLE_SLICE), 0);
	cr_assert_eq(store_commit(rig.engine->store), 0);
}

/* Who may */

Test(events, a_reader_of_everything_may_subscribe)
{
	be(READER);
	rig_call(&rig, "events.subscribe", "{'from': 1}");
	cr_assert_not(rig.failed);
	write_all(&rig.session);
	cr_assert(told_are(1, rig_head(&rig)));
}

Test(events, a_reader_of_one_organization_may_not_subscribe)
{
	be(NARROW);
	rig_call(&rig, "events.subscribe", "{}");
	cr_assert(rig_refused(&rig, "permission-denied", "over all organizations"));
	cr_assert_eq(rig.session.next_seq, 0);
}

Test(events, a_stranger_may_not_subscribe)
{
	be(STRANGER);
	rig_call(&rig, "events.subscribe", "{}");
	cr_assert(rig_refused(&rig, "permission-denied", "the role reader"));
	cr_assert_eq(rig.session.next_seq, 0);
}

Test(events, who_loses_the_role_is_told_no_more)
{
	static const struct access_rules none = {0};

	be(READER);
	rig_call(&rig, "events.subscribe", "{}");
	engine_set_rules(rig.engine, &none);
	write_all(&rig.session);
	rig_begin(&rig);
	rig.session.peer.uid = 0;
	rig_send(&rig, "org.set", "{'org': 'contoso', 'name': 'Contoso'}");
	rig_end(&rig);
	be(READER);
	cr_assert_eq(try_write(&rig.session), SESSION_E_FORBIDDEN);
	cr_assert_eq(told.len, 0);
}

/* Damage */

static void damage_entry(uint64_t seq)
{
	rig_reopen(&rig);
	rig_tamper(&rig, KV_LEDGER, key_u64(seq), SLICE_LITERAL("?"));
}

/* A start looks at the newest entries only. */
Test(events, before_a_damaged_entry_the_telling_stops)
{
	uint64_t damaged;

	happen(10);
	damaged = rig_head(&rig);
	for (unsigned i = 0; i < 10; ++i) {
		happen(500);
	}
	damage_entry(damaged);
	rig.session.next_seq = damaged - 2;
	cr_assert_eq(try_write(&rig.session), SESSION_E_DAMAGED);
	cr_assert(told_are(damaged - 2, damaged - 1));
	cr_assert_eq(rig.session.next_seq, damaged);
	cr_assert_eq(store_settle(rig.engine->store, STORE_SETTLE_SLICE), 0);
	cr_assert_eq(store_commit(rig.engine->store), 0);
}
