# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What is broken on purpose: mutant NAME SOURCE EXPRESSION...

# Windows, and what may be undone

mutant window-ends-an-hour-early daemon/core/lifecycle.c \
	's/now < window_end\(facts\) \|\|/now < window_end(facts) - SPAN_HOUR ||/' \
	's/\*ret_at = removal_start\(facts\);/*ret_at = removal_start(facts) - SPAN_HOUR;/'
mutant window-is-not-redated daemon/work/timekeeper.c \
	's/r = redate_all\(engine, move\);/r = 0;/'
mutant removal-is-restored daemon/core/lifecycle.c \
	's/(\[LIFECYCLE_RESTORE\].*)irrevocable, ( *)irrevocable/\1restore_all, \2irrevocable/' \
	's/^static outcome_set_t purge\(/static outcome_set_t restore_all(struct step *step)\n{\n\tbool enabled = step->facts.enabled;\n\tstep->facts = facts_active(step->facts.kind, enabled);\n\treturn 0;\n}\n\nstatic outcome_set_t purge(/'
mutant removed-is-restored-after-window daemon/core/lifecycle.c \
	's/if \(step->now >= window_end\(&step->facts\)\) \{/if (0) {/'
mutant hold-does-not-hold daemon/core/lifecycle.c \
	's/if \(lifecycle_is_held\(&step->facts, step->now\)\) \{/if (0) {/'
mutant new-window-for-old-deletions daemon/core/lifecycle.c \
	's/facts->window = policy->window;/facts->window = MODEL_WINDOW_MIN;/'

# Time

mutant clock-stands-over-a-start daemon/core/clock.c \
	's/mark->at \+ \(reading->boot - mark->reading.boot\)/mark->at/'
mutant clock-asks-in-each-start daemon/core/clock.c \
	's/same && mark->doubted_since == INSTANT_NONE/0/'
mutant clock-believes-two-weeks daemon/core/clock.c \
	's/wall - now > CLOCK_AHEAD_MAX/wall - now > 2 * CLOCK_AHEAD_MAX/'
mutant clock-forgets-since-when daemon/core/clock.c \
	's/\.stamped_since = clock->doubted_since/.stamped_since = INSTANT_NONE/'
mutant clock-goes-back daemon/core/clock.c \
	's/clock_settle\(clock, reading, MAX\(now, reading->wall\), ret_move\)/clock_settle(clock, reading, reading->wall, ret_move)/'
mutant clock-follows-the-wall daemon/core/clock.c \
	's/return clock->base \+ \(reading->boot - clock->boot_base\);/return MAX(clock->base + (reading->boot - clock->boot_base), reading->wall);/'
mutant guard-does-not-stop-the-sweep daemon/work/sweep.c \
	's/return sweep->paused \|\| sweep->doubted;/return sweep->paused;/'
mutant mark-is-not-kept daemon/work/timekeeper.c \
	's/engine->now - kept < MARK_EVERY/true/'

# What is on the disk

mutant journal-is-refused daemon/store/journal.c \
	's/return is_followed\(journal, from\) \? JOURNAL_E_CORRUPT : JOURNAL_E_NONE;/return JOURNAL_E_CORRUPT;/'
mutant last-entry-is-not-replayed daemon/store/open.c \
	's/seq <= store->head.seq && r == 0/seq < store->head.seq \&\& r == 0/'
mutant register-is-not-carried-out daemon/store/removals.c \
	's/facts->removal_started_at = record->at;/facts->removal_started_at = INSTANT_NONE;/'
mutant key-is-not-destroyed daemon/store/erase.c \
	's/int r = vault_destroy_key\(store->vault, uid\);/int r = 0;/'
mutant request-stays-open-in-the-ledger daemon/store/changes.c \
	's/account->open_request = 0; .*/;/'
mutant late-is-not-told-by-the-ledger daemon/store/history.c \
	's/^(\tstore_take_entry\(&retelling->account, entry\);)/\1\n\tretelling->account.facts.enabled = true;/'
mutant holds-are-not-counted daemon/store/changes.c \
	's/counts->n_held \+= .*/;/'

# What the clock does

mutant sweep-waits-for-ever daemon/work/sweep.c \
	's/\(sweep->busy \|\| sweep->changed \|\| sweep_wanted_at\(sweep\) <= now\)/sweep->busy/'
mutant sweep-leaves-half daemon/work/sweep.c \
	's/^(\tsweep->position = next;)/\1\n\tif (next.uid % 2 == 1) {\n\t\treturn 0;\n\t}/'

# Keepers

mutant old-token-confirms daemon/work/cmd_task.c \
	's/fenced->task.generation == fenced->token.generation &&/1 \&\&/'
mutant lease-has-no-end daemon/work/cmd_task.c \
	's/return task->lease_until != INSTANT_NONE && now < task->lease_until;/return task->lease_until != INSTANT_NONE;/'
mutant lease-is-extended-without-end daemon/work/cmd_task.c \
	's/MIN\(call->engine->now \+ lease, INSTANT_MAX\) : INSTANT_NONE;/call->engine->now + 1000 * SPAN_DAY : INSTANT_NONE;/'
mutant task-is-given-twice daemon/work/cmd_task.c \
	's/r == 0 && \(task_is_leased\(&task, engine->now\) \|\| engine->now < task.next_at\)/0/'
mutant keeper-of-another-organization daemon/store/keepers.c \
	's/enabled && keeper_covers\(.*\)\)/enabled)/'
mutant keeper-is-owed-in-vain daemon/core/lifecycle.c \
	's/return step->context->keepers & step->context->keeper \? 0/return 1 ? 0/'

# Answers

mutant disabled-person-leaves daemon/core/lifecycle.c \
	's/if \(!step->facts.enabled\) \{/if (0) {/'
mutant list-forgets-what-is-owed daemon/work/cmd_list.c \
	's/\*position = \(struct list_position\)\{.order = LIST_BY_OWED\};/return false;/'
mutant forecast-forgets-what-is-owed daemon/work/cmd_due.c \
	's/struct forecast forecast = \{.now = call->engine->now, .owed = true\};/struct forecast forecast = {.now = call->engine->now};/'
mutant dry-run-is-real daemon/work/cmd_account.c \
	's/if \(call->request->dry_run \|\| !verdict->changed\) \{/if (!verdict->changed) {/'
mutant name-of-another-is-restored daemon/core/lifecycle.c \
	's/if \(step->context->name_taken\) \{/if (0) {/'
mutant decision-is-not-kept daemon/work/cmd_request.c \
	's/^\t\trequest->state = decision->state;/\t\t;/'
mutant answer-is-not-kept daemon/work/dispatch.c \
	's/r == 0 && wants_replay\(call\) && call->out->error == 0/0/'
mutant answer-is-forgotten-soon daemon/work/replay.c \
	's/call->engine->now \+ REPLAY_KEPT_FOR/call->engine->now + SPAN_MINUTE/'
mutant person-is-told-when-removed daemon/work/answer.c \
	's/^\tif \(profile\) \{$/\tpack_put_text(out, "person", SLICE_LITERAL("nobody"));\n\tif (profile) {/'

# The mass guard

mutant mass-guard-holds-no-command daemon/work/guarding.c \
	's/\*ret_staged = left_of\(call->engine, account->org, asked.kind\) == 0;/*ret_staged = false;/'
mutant mass-guard-holds-no-removal daemon/work/guarding.c \
	's/\*ret_held = left_of\(engine, account->org, GUARD_KIND_SWEEP\) == 0;/*ret_held = false;/'
mutant mass-guard-lets-the-next-pass daemon/core/guard.c \
	's/return guard_is_engaged\(guard, kind\) \|\| done >= limit \? 0/return done >= limit ? 0/'
mutant mass-guard-counts-one-hour-less daemon/core/guard.c \
	's/hour_of\(now\) - GUARD_HOURS \+ 1;/hour_of(now) - GUARD_HOURS + 2;/'
mutant mass-guard-never-forgets daemon/core/guard.c \
	's/hour <= to; hour\+\+/hour < to; hour++/'
mutant mass-guard-takes-purges-for-deletions daemon/store/guards.c \
	's/started_at != INSTANT_NONE \? GUARD_KIND_PURGE : GUARD_KIND_DELETION/GUARD_KIND_DELETION/'
mutant limit-shrinks-with-the-removed daemon/core/guard.c \
	's/guard->n_accounts \+ sum_at\(guard, &guard->completed, now\);/guard->n_accounts;/'
mutant counts-of-the-guard-are-lost-in-a-crash daemon/store/settle.c \
	's/^\tstore->guards.urgent = true;.*$//'
mutant counts-of-the-guard-are-doubled-by-a-start daemon/store/guards.c \
	's/if \(entry->seq <= slot->row.seq\) \{/if (0) {/'
mutant staged-command-is-forgotten-by-the-guard daemon/store/staged.c \
	's/^(\tslot->changed = true;)$/\1\n\treturn;/'
mutant staged-command-does-not-outlast-another daemon/store/staged.c \
	's/if \(r == 0 && !staged_fits\(&staged, &account->facts\)\) \{/if (r == 0) {/'
mutant outdated-command-stays-staged daemon/store/staged.c \
	's/if \(r == 0 && !staged_fits\(&staged, &account->facts\)\) \{/if (0) {/'
mutant released-without-looking daemon/work/release_mass.c \
	's/return call->request->expect == count\(.*\) \? 0 : refuse_count\(call, held\);/return 0;/'
mutant dry-release-is-real daemon/work/release_mass.c \
	's/if \(r == 0 && !request->dry_run\) \{/if (r == 0) {/'
mutant decided-twice daemon/work/release_mass.c \
	's/if \(guard_n_decided\(guard\) > 0\) \{/if (0) {/'
mutant discarded-command-is-done daemon/work/decisions.c \
	's/return row->discards \? decisions_discard\(/return 0 ? decisions_discard(/'
mutant released-command-is-lost daemon/work/decisions.c \
	's/return row->discards \? decisions_discard\(/return 1 ? decisions_discard(/'
mutant discarded-request-is-lost daemon/work/guarding.c \
	's/r = decisions_discard\(engine, &before, account\);/r = 0;/'
mutant released-soft-deletion-is-a-removal daemon/work/decisions.c \
	's/return verdict->changed && staged->kind ==/return 0 \&\& staged->kind ==/'
mutant release-raises-no-limit daemon/core/guard.c \
	's/^\t\tadd\(guard, &guard->released\[kind\], guard->n_staged\[kind\]\);$//'
mutant released-removals-are-swallowed daemon/core/guard.c \
	's/^\t\trelease_excess\(.*$//'
mutant removals-are-discarded daemon/core/guard.c \
	's/kind < GUARD_KIND_SWEEP; kind\+\+/kind < _GUARD_KIND_MAX; kind++/'
mutant decision-waits-for-a-start daemon/work/guarding.c \
	's/^\tengine->guarding.busy = true;$//'
mutant decision-is-lost-by-a-start daemon/work/guarding.c \
	's/\.busy = true, /.busy = false, /'
mutant dry-run-of-many-is-of-each daemon/work/guarding.c \
	's/guarded->n_planned\[kind\]\+\+;/;/'
mutant guard-switched-off-holds-on daemon/work/cmd_org.c \
	's/^\tif \(ends\) \{/\tif (0) {/'
mutant what-persons-asked-for-is-discarded-with-the-rest daemon/store/staged.c \
	's/bool kept = row->discards && .*;/bool kept = false;/'
mutant what-persons-asked-for-counts-as-the-rest daemon/core/guard.c \
	's/guard->n_staged\[kind\] - guard->n_owed\[kind\];/guard->n_staged[kind];/'
mutant leave-is-lost-behind-a-removal daemon/work/guarding.c \
	's/\(\(staged_is_owed\(asked\) && !staged_is_owed\(before\)\) \|\|/(/'
mutant discarded-request-stays-approved daemon/work/decisions.c \
	's/if \(r == 0 && staged->request != 0\) \{/if (0) {/'
mutant request-is-filed-beside-one-that-is-staged daemon/work/cmd_request.c \
	's/\*ret_number = staged.request;/;/'
