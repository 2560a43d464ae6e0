/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/work/timekeeper.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "daemon/work/log.h"

#include "tests/support/rig.h"

static struct rig rig;
static enum log_level loudest;
static char last_line[1100];

static void listen(enum log_level level, const char *text, unused const struct log_field *fields,
		   unused size_t n_fields)
{
	loudest = MIN(loudest, level);
	(void)snprintf(last_line, sizeof(last_line), "%s", text);
}

static void hush(void)
{
	loudest = LOG_LEVEL_DEBUG;
	last_line[0] = '\0';
}

static bool was_said(enum log_level level, const char *words)
{
	return loudest == level && strstr(last_line, words);
}

static void open_real(void)
{
	rig_open(&rig, CLOCK_MODE_REAL);
	rig_set_org(&rig, "fabrikam");
	(void)rig_import(&rig, "fabrikam", "g-1");
	(void)rig_import(&rig, "fabrikam", "g-2");
	hush();
	log_set_sink(listen);
}

static void tear_down(void)
{
	log_set_sink(NULL);
	rig_close(&rig);
}

TestSuite(timekeeper, .init = open_real, .fini = tear_down);

static void change(const char *method, uint64_t uid)
{
	rig_call(&rig, method, "{'accounts': [{'uid': %llu}]}", (unsigned long long)uid);
	cr_assert(rig_is(&rig, "items.0.outcome", "ok"));
}

static bool is_in_state(uint64_t uid, const char *state)
{
	rig_call(&rig, "account.get", "{'uid': %llu}", (unsigned long long)uid);
	return rig_is(&rig, "account.state", state);
}

static bool timed_work_is_stopped(void)
{
	rig_call(&rig, "sweep.status", "{}");
	return rig_true(&rig, "paused");
}

static bool is_trusted(void)
{
	rig_call(&rig, "retention.info", "{}");
	return rig_true(&rig, "clock.trusted");
}

static void reboot_ahead(span_t ahead)
{
	rig.reading.wall += ahead;
	rig_reboot(&rig);
	rig_idle(&rig);
}

static void release(void)
{
	rig_call(&rig, "guard.release", "{'guard': 'clock'}");
	cr_assert_not(rig.failed);
	cr_assert(rig_true(&rig, "released"));
	rig_idle(&rig);
}

/* The newest entry but @back others. */
static struct entry entry_back(uint64_t back)
{
	struct entry entry;

	cr_assert_eq(store_get_entry(rig.engine->store, rig_head(&rig) - back, &entry, NULL), 0);
	return entry;
}

/* Within a boot */

Test(timekeeper, a_wall_that_jumps_changes_nothing_while_it_runs_and_is_told)
{
	instant_t before = rig_now(&rig);

	rig_advance(&rig, SPAN_SECOND);
	rig.reading.wall += 55 * SPAN_DAY;
	rig_turn(&rig);
	cr_assert_eq(rig_now(&rig), before + SPAN_SECOND);
	cr_assert(was_said(LOG_LEVEL_WARNING, "set ahead by 55d"));
	cr_assert(strstr(last_line, "no deadline moves"));
	hush();
	rig_turn(&rig);
	cr_assert_str_empty(last_line);
	rig.reading.wall -= 60 * SPAN_DAY;
	rig_turn(&rig);
	cr_assert(was_said(LOG_LEVEL_WARNING, "set back by 60d"));
	rig.reading.wall += 2 * SPAN_SECOND;
	hush();
	rig_turn(&rig);
	cr_assert(was_said(LOG_LEVEL_NOTICE, "set ahead by 2s"));
	rig_call(&rig, "stats.get", "{}");
	cr_assert_eq(rig_number(&rig, "clock_steps"), 3);
}

Test(timekeeper, a_wall_that_jumps_changes_nothing_over_restarts_within_the_boot)
{
	instant_t begin = rig_now(&rig);

	change("account.leave", 1);
	rig.reading.wall += 55 * SPAN_DAY;
	for (int hour = 1; hour <= 20; hour++) {
		rig_advance(&rig, SPAN_HOUR);
		if (hour % 2) {
			rig_restart(&rig);
		} else {
			rig_reopen(&rig);
		}
		rig_idle(&rig);
		cr_assert_eq(rig_now(&rig), begin + hour * SPAN_HOUR);
	}
	cr_assert(is_trusted());
	cr_assert(is_in_state(1, "soft-deleted"));
}

Test(timekeeper, a_restart_under_a_wall_that_was_set_says_by_how_much_it_is_off)
{
	rig.reading.wall += 2 * SPAN_DAY;
	rig_restart(&rig);
	cr_assert(was_said(LOG_LEVEL_WARNING, "2d ahead of trusted time"));
}

#define MANY 10000

static void import_many(void)
{
	for (uint32_t done = 0; done < MANY;) {
		cleanup(freep) char *items = malloc(1000 * 160);
		size_t len = 0;

		cr_assert(items);
		for (uint32_t i = 0; i < 1000; i++, done++) {
			len += (size_t)sprintf(items + len,
					       "%s{'org':'fabrikam','id':'m-%u','kind':"
					       "'b2b-collaboration','upn':'m-%u@x.example',"
					       "'deleted_at_us':%lld}",
					       i ? "," : "", done, done, (long long)rig_now(&rig));
		}
		rig_call(&rig, "account.import", "{'accounts': [%s]}", items);
		cr_assert_not(rig.failed);
	}
	rig_idle(&rig);
	cr_assert_eq(store_counts(rig.engine->store)->n_soft_deleted, MANY);
}

Test(timekeeper, a_wall_55_days_ahead_for_an_hour_starts_no_removal_of_ten_thousand)
{
	const struct store_counts *counts;

	import_many();
	rig.reading.wall += 55 * SPAN_DAY;
	for (int minute = 0; minute < 60; minute++) {
		rig_advance(&rig, SPAN_MINUTE);
		switch (minute % 20) { /* and all that may happen to a machine meanwhile */
		case 5:
			rig_restart(&rig);
			break;
		case 10:
			rig_reopen(&rig);
			break;
		case 15:
			rig_reboot(&rig);
			break;
		}
		rig_idle(&rig);
	}
	rig.reading.wall -= 55 * SPAN_DAY;
	rig_idle(&rig);
	counts = store_counts(rig.engine->store);
	cr_assert_eq(counts->n_soft_deleted, MANY);
	cr_assert_eq(counts->n_removing + counts->n_removed, 0);
	cr_assert(is_trusted());
	cr_assert_eq(rig_now(&rig), RIG_BEGIN + SPAN_HOUR);
}

/* The guard */

Test(timekeeper, a_wall_far_ahead_at_a_boot_removes_nobody_until_it_is_accepted)
{
	change("account.leave", 1);
	hush();
	reboot_ahead(40 * SPAN_DAY);
	cr_assert(was_said(LOG_LEVEL_CRITICAL, "retentionctl release-guard clock"));
	cr_assert(strstr(last_line, "40d ahead of 2026-03-01T12:00:00Z"));
	cr_assert(timed_work_is_stopped());
	cr_assert(rig_is(&rig, "guard", "clock"));
	cr_assert(is_in_state(1, "soft-deleted"));
	rig_call(&rig, "sweep.run", "{}");
	cr_assert(rig_refused(&rig, "clock-not-trusted", "40d ahead"));
	rig_call(&rig, "sweep.resume", "{}");
	cr_assert(rig_refused(&rig, "clock-not-trusted", "retentionctl release-guard clock"));
	rig_call(&rig, "retention.info", "{}");
	cr_assert_not(rig_true(&rig, "clock.trusted"));
	cr_assert(rig_is(&rig, "clock.doubt", "ahead"));
	cr_assert_eq(rig_number(&rig, "clock.wall_us"), RIG_BEGIN + 40 * SPAN_DAY);
	cr_assert_eq(rig_number(&rig, "clock.now_us"), RIG_BEGIN);
	release();
	cr_assert(is_trusted());
	cr_assert(is_in_state(1, "removed"));
}

Test(timekeeper, a_release_says_what_it_would_do_and_does_it)
{
	change("account.leave", 1);
	change("account.leave", 2);
	reboot_ahead(40 * SPAN_DAY);
	rig_call(&rig, "guard.release", "{'guard': 'clock', 'dry_run': true}");
	cr_assert(rig_true(&rig, "released"));
	cr_assert_eq(rig_number(&rig, "was_us"), RIG_BEGIN);
	cr_assert_eq(rig_number(&rig, "now_us"), RIG_BEGIN + 40 * SPAN_DAY);
	cr_assert_eq(rig_number(&rig, "due_now"), 2);
	rig_idle(&rig);
	cr_assert(timed_work_is_stopped());
	release();
	rig_call(&rig, "guard.release", "{'guard': 'clock'}");
	cr_assert_not(rig_true(&rig, "released"));
	cr_assert_eq(rig_number(&rig, "was_us"), rig_number(&rig, "now_us"));
}

Test(timekeeper, a_release_takes_nothing_that_is_the_mass_guards)
{
	static const char *const arguments[] = {"'org': 'fabrikam'", "'expect': 3",
						"'discard': true"};

	reboot_ahead(40 * SPAN_DAY);
	for (size_t i = 0; i < ARRAY_LEN(arguments); i++) {
		rig_call(&rig, "guard.release", "{'guard': 'clock', %s}", arguments[i]);
		cr_assert(rig_refused(&rig, "invalid-argument", "the clock guard takes no"));
	}
	rig_call(&rig, "guard.release", "{'guard': 'door'}");
	cr_assert(rig_refused(&rig, "invalid-argument", "must be clock or mass"));
	rig_call(&rig, "guard.release", "{}");
	cr_assert(rig_refused(&rig, "invalid-argument", "guard"));
}

Test(timekeeper, engaging_and_releasing_are_in_the_ledger_with_the_time_before_and_after)
{
	struct entry entry;

	reboot_ahead(40 * SPAN_DAY);
	entry = entry_back(0);
	cr_assert_eq(entry.event, EVENT_GUARD_ENGAGED);
	cr_assert_eq(entry.actor_role, ROLE_DAEMON);
	rig_advance(&rig, SPAN_MINUTE);
	release();
	entry = entry_back(1);
	cr_assert_eq(entry.event, EVENT_GUARD_RELEASED);
	cr_assert_eq(entry.actor_role, ROLE_ADMIN);
	cr_assert_eq(entry.at, RIG_BEGIN + SPAN_MINUTE);
	entry = entry_back(0);
	cr_assert_eq(entry.event, EVENT_CLOCK_SET);
	cr_assert_eq(entry.actor_role, ROLE_ADMIN);
	cr_assert_eq(entry.at, RIG_BEGIN + 40 * SPAN_DAY + SPAN_MINUTE);
}

Test(timekeeper, the_guard_outlasts_kills_stops_and_what_is_entered_under_it)
{
	change("account.leave", 1);
	reboot_ahead(40 * SPAN_DAY);
	rig_call(&rig, "org.set", "{'org': 'another'}");
	rig_restart(&rig);
	rig_idle(&rig);
	cr_assert(timed_work_is_stopped());
	rig_reopen(&rig);
	rig_idle(&rig);
	cr_assert(timed_work_is_stopped());
	rig_reboot(&rig);
	rig_idle(&rig);
	cr_assert(timed_work_is_stopped());
	cr_assert(is_in_state(1, "soft-deleted"));
	release();
	rig_restart(&rig);
	cr_assert_not(timed_work_is_stopped());
	cr_assert_eq(rig.engine->now, RIG_BEGIN + 40 * SPAN_DAY);
}

Test(timekeeper, the_guard_is_in_the_ledger_once_however_often_it_starts)
{
	uint64_t head;

	reboot_ahead(40 * SPAN_DAY);
	head = rig_head(&rig);
	for (int i = 0; i < 3; i++) {
		rig_advance(&rig, SPAN_DAY);
		rig_reboot(&rig);
		rig_idle(&rig);
	}
	cr_assert_eq(rig_head(&rig), head);
}

Test(timekeeper, the_guard_ends_by_itself_when_the_wall_is_set_right)
{
	change("account.leave", 1);
	reboot_ahead(40 * SPAN_DAY);
	rig.reading.wall -= 40 * SPAN_DAY;
	rig_advance(&rig, SPAN_HOUR);
	rig_idle(&rig);
	cr_assert(strstr(last_line, "the clock guard is released"));
	cr_assert_not(timed_work_is_stopped());
	cr_assert(is_trusted());
	cr_assert_eq(rig_now(&rig), RIG_BEGIN + SPAN_HOUR);
	cr_assert_eq(entry_back(0).event, EVENT_GUARD_RELEASED);
	cr_assert_eq(entry_back(0).actor_role, ROLE_DAEMON);
	change("account.restore", 1);
}

Test(timekeeper, the_guard_ends_with_a_boot_under_a_right_wall)
{
	reboot_ahead(40 * SPAN_DAY);
	reboot_ahead(-40 * SPAN_DAY);
	cr_assert_not(timed_work_is_stopped());
	cr_assert_eq(entry_back(0).event, EVENT_GUARD_RELEASED);
}

Test(timekeeper, a_pause_of_an_administrator_outlasts_the_guard)
{
	rig_call(&rig, "sweep.pause", "{}");
	reboot_ahead(40 * SPAN_DAY);
	release();
	cr_assert(timed_work_is_stopped());
	cr_assert_not(rig_has(&rig, "guard"));
	rig_call(&rig, "sweep.resume", "{}");
	cr_assert_not(timed_work_is_stopped());
}

Test(timekeeper, a_wall_behind_at_a_boot_goes_on_from_the_record_and_stops_timed_work)
{
	rig_advance(&rig, SPAN_DAY);
	change("account.leave", 1);
	reboot_ahead(-10 * SPAN_DAY);
	cr_assert(was_said(LOG_LEVEL_CRITICAL, "10d behind 2026-03-02T12:00:00Z"));
	cr_assert(timed_work_is_stopped());
	rig_advance(&rig, SPAN_MINUTE);
	change("account.leave", 2);
	cr_assert_eq(rig_row(&rig, 2).facts.deleted_at, RIG_BEGIN + SPAN_DAY + SPAN_MINUTE);
	release();
	cr_assert_not(timed_work_is_stopped());
	cr_assert_eq(rig_now(&rig), RIG_BEGIN + SPAN_DAY + SPAN_MINUTE);
	cr_assert_eq(entry_back(0).event, EVENT_GUARD_RELEASED);
	rig_reboot(&rig);
	cr_assert_not(timed_work_is_stopped());
}

Test(timekeeper, a_wall_minutes_behind_at_a_boot_alarms_nobody)
{
	rig_advance(&rig, SPAN_HOUR);
	change("account.leave", 1);
	hush();
	reboot_ahead(-30 * SPAN_MINUTE);
	cr_assert_str_empty(last_line);
	cr_assert_not(timed_work_is_stopped());
	cr_assert_eq(rig_now(&rig), RIG_BEGIN + SPAN_HOUR);
}

Test(timekeeper, a_week_without_an_entry_raises_no_doubt)
{
	reboot_ahead(7 * SPAN_DAY);
	cr_assert_not(timed_work_is_stopped());
	cr_assert_eq(rig_now(&rig), RIG_BEGIN + 7 * SPAN_DAY);
}

Test(timekeeper, a_long_time_without_an_entry_raises_no_doubt_after_a_kill)
{
	for (int hour = 0; hour < 20 * 24; hour++) {
		rig_advance(&rig, SPAN_HOUR);
		rig_turn(&rig);
	}
	rig_reboot(&rig);
	rig_idle(&rig);
	cr_assert_not(timed_work_is_stopped());
}

Test(timekeeper, a_stop_leaves_a_mark_of_its_own_time)
{
	rig_advance(&rig, 59 * SPAN_MINUTE);
	rig_turn(&rig);
	cr_assert_eq(engine_close(rig.engine), 0);
	rig.options.boot_id.bytes[0]++;
	rig.reading.wall -= 5 * SPAN_MINUTE;
	rig_start(&rig);
	cr_assert_eq(rig_now(&rig), RIG_BEGIN + 59 * SPAN_MINUTE);
}

/* Deleted under the guard */

Test(timekeeper, who_left_under_the_guard_has_the_whole_window_after_its_release)
{
	change("account.leave", 1);
	rig_advance(&rig, SPAN_HOUR);
	reboot_ahead(40 * SPAN_DAY);
	rig_advance(&rig, SPAN_HOUR);
	change("account.leave", 2);
	rig_call(&rig, "guard.release", "{'guard': 'clock', 'dry_run': true}");
	cr_assert_eq(rig_number(&rig, "due_now"), 1);
	release();
	cr_assert(is_in_state(1, "removed"));
	cr_assert(is_in_state(2, "soft-deleted"));
	cr_assert_eq(rig_row(&rig, 2).facts.deleted_at, rig_now(&rig));
	cr_assert_eq(rig_row(&rig, 1).facts.deleted_at, RIG_BEGIN);
	rig_advance(&rig, 30 * SPAN_DAY - 1);
	rig_idle(&rig);
	cr_assert(is_in_state(2, "soft-deleted"));
	rig_advance(&rig, 1);
	rig_idle(&rig);
	cr_assert(is_in_state(2, "removed"));
}

Test(timekeeper, who_left_under_the_guard_has_the_whole_window_after_a_boot_that_ends_it)
{
	reboot_ahead(-10 * SPAN_DAY);
	change("account.leave", 1);
	reboot_ahead(16 * SPAN_DAY);
	cr_assert_not(timed_work_is_stopped());
	cr_assert_eq(rig_row(&rig, 1).facts.deleted_at, RIG_BEGIN + 6 * SPAN_DAY);
	cr_assert_eq(entry_back(0).event, EVENT_REDATED);
	rig_reopen(&rig);
	cr_assert_eq(rig_row(&rig, 1).facts.deleted_at, RIG_BEGIN + 6 * SPAN_DAY);
}

/* Else a removal of that turn, which is in the register first, would tell of the new time alone. */
Test(timekeeper, a_release_outlasts_a_kill_of_its_own_turn)
{
	reboot_ahead(40 * SPAN_DAY);
	rig_advance(&rig, SPAN_HOUR);
	change("account.leave", 1);
	rig_begin(&rig);
	rig_send(&rig, "guard.release", "{'guard': 'clock'}");
	rig_restart(&rig);
	cr_assert(is_trusted());
	cr_assert_eq(rig_row(&rig, 1).facts.deleted_at, rig_now(&rig));
}

Test(timekeeper, what_was_brought_back_or_purged_under_the_guard_is_left_alone)
{
	reboot_ahead(40 * SPAN_DAY);
	change("account.leave", 1);
	change("account.restore", 1);
	change("account.leave", 2);
	change("account.purge", 2);
	release();
	cr_assert(is_in_state(1, "active"));
	cr_assert(is_in_state(2, "removed"));
	cr_assert_eq(rig_row(&rig, 2).facts.deleted_at, RIG_BEGIN);
}

Test(timekeeper, a_window_that_a_directory_began_is_left_as_the_directory_dated_it)
{
	reboot_ahead(40 * SPAN_DAY);
	rig_call(&rig, "account.import",
		 "{'accounts': [{'org': 'fabrikam', 'id': 'd-1', 'kind': 'b2b-collaboration', "
		 "'upn': 'd-1@x.example', 'deleted_at_us': %lld}]}",
		 (long long)(RIG_BEGIN - SPAN_DAY));
	cr_assert(rig_is(&rig, "items.0.outcome", "ok"));
	release();
	cr_assert(is_in_state(3, "removed"));
}

Test(timekeeper, the_ledger_proves_what_was_redated)
{
	reboot_ahead(40 * SPAN_DAY);
	change("account.leave", 1);
	release();
	rig_call(&rig, "ledger.verify", "{}");
	cr_assert(rig_true(&rig, "ok"));
	rig_restart(&rig);
	cr_assert_eq(rig_row(&rig, 1).facts.deleted_at, RIG_BEGIN + 40 * SPAN_DAY);
}

/* The mark on the disk */

static int open_with_mark(const char *bytes, size_t len)
{
	struct key key = {0};

	rig_close(&rig);
	rig_open(&rig, CLOCK_MODE_REAL);
	key_add_bytes(&key, "clock", strlen("clock"));
	rig_put_row(&rig, KV_META, key, (struct slice){bytes, len});
	return engine_open(&rig.options, &rig.reading, &rig.engine);
}

#define MARK_LEN 57 /* form, three times, the boot, two more */

Test(timekeeper, a_mark_that_is_none_is_refused_whatever_is_wrong_with_it)
{
	char mark[MARK_LEN + 1] = {1};

	memset(mark + 41, 0x7f, 8); /* engaged since long after the mark */
	cr_assert_eq(open_with_mark(mark, MARK_LEN), STORE_E_CORRUPT);
	memset(mark + 41, 0, 8);
	cr_assert_eq(open_with_mark(mark, MARK_LEN - 1), STORE_E_CORRUPT);
	cr_assert_eq(open_with_mark(mark, MARK_LEN + 1), STORE_E_CORRUPT);
	mark[0] = 2;
	cr_assert_eq(open_with_mark(mark, MARK_LEN), STORE_E_CORRUPT);
	mark[0] = 1;
	mark[1] = '\xff'; /* before 1970 */
	cr_assert_eq(open_with_mark(mark, MARK_LEN), STORE_E_CORRUPT);
	mark[1] = 0;
	cr_assert_eq(open_with_mark(mark, MARK_LEN), 0);
}
