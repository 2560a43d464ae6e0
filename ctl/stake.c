/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/stake.h"

#include <errno.h>

#include "common/outcome.h"

#include "ctl/batch.h"
#include "ctl/json.h"
#include "ctl/mass.h"
#include "ctl/option.h"
#include "ctl/request.h"
#include "ctl/show_items.h"

#define DUE_COUNTED_MAX 1000 /* the daemon counts no further */

#define FOR_GOOD " Nobody can stop it, and\nnothing brings them back."
#define STARTS   ", whose removal starts at once"

static struct ctl_stake no_stake(void)
{
	return (struct ctl_stake){
		.before = "The removal of ", .behind = " starts at once." FOR_GOOD, .why = STARTS};
}

/* The number of a request, where @name is NULL, would look like the number of accounts. */
static void add_name(struct ctl_stake *stake, const char *name)
{
	if (name && stake->n_names < CTL_STAKE_NAMES_MAX) {
		stake->names[stake->n_names++] = name;
	}
	stake->n++;
}

static bool is_certain(const struct ctl *ctl, struct ctl_stake *stake)
{
	enum command_symbol command = ctl_option_command(ctl->args.command);

	if (command == COMMAND_account_purge) {
		stake->before = "Permanent deletion of ";
		stake->behind = " is about to start." FOR_GOOD;
	} else if (command == COMMAND_keeper_waive) {
		stake->before = "Nobody will prove that the keeper has erased the data of ";
		stake->behind = ": it is\ngiven up, and the receipt says so for good.";
	} else {
		return false;
	}
	stake->why = "";
	return true;
}

static bool may_start_removals(const struct ctl *ctl)
{
	enum command_symbol command = ctl_option_command(ctl->args.command);

	return command == COMMAND_account_leave || command == COMMAND_account_remove ||
	       command == COMMAND_hold_remove || command == COMMAND_request_approve;
}

/* Whether --yes answers it: not for accounts that nobody named. */
static bool is_answered(const struct ctl *ctl)
{
	return ctl->args.yes && !ctl->operands.accounts.from_stdin;
}

/* The same as a dry run. The request id is left for the command itself. */
static int foresee(struct ctl *ctl, int (*call)(struct ctl *ctl, json_t *answers), json_t *answers)
{
	const char **argument = ctl->args.argument;
	const char *dry_run = argument[ARGUMENT_dry_run];
	const char *request_id = argument[ARGUMENT_request_id];
	int r;

	if (!answers) {
		return ctl_fault_errno(&ctl->fault, -ENOMEM, "a dry run");
	}
	argument[ARGUMENT_dry_run] = "yes";
	argument[ARGUMENT_request_id] = NULL;
	r = call(ctl, answers);
	r = r ? r : ctl_mass_plan(ctl, answers);
	argument[ARGUMENT_dry_run] = dry_run;
	argument[ARGUMENT_request_id] = request_id;
	return r;
}

static const char *name_of(const struct ctl *ctl, size_t i)
{
	return i < ctl->operands.accounts.n ? ctl->operands.accounts.items[i].written : NULL;
}

/* Those whose removal would start. Return: how many the mass guard would hold back. */
static size_t add_starting(const struct ctl *ctl, const json_t *items, struct ctl_stake *stake)
{
	struct show_tally tally = {0};
	size_t i;
	const json_t *item;

	json_array_foreach(items, i, item) {
		struct slice state = slice_of(ctl_json_text(item, "state"));

		show_tally_add(&tally, item);
		if (show_is_ok(item) &&
		    slice_is(state, account_state_name(ACCOUNT_STATE_REMOVING))) {
			add_name(stake, name_of(ctl, i));
		}
	}
	stake->n_all = tally.n;
	return tally.outcome[OUTCOME_STAGED];
}

/* Said before many are sent, to whoever may still think again. */
static void tell_mass(const struct ctl *ctl, size_t n_staged)
{
	size_t n = ctl->operands.accounts.n;

	if (n_staged > 0 && n > 1 && isatty(STDERR_FILENO) && !ctl->args.quiet) {
		(void)fprintf(
			stderr,
			"retentionctl: the mass guard lets %zu of %zu accounts pass, and "
			"would hold %zu back until somebody decides: see retentionctl guards\n",
			n - n_staged, n, n_staged);
	}
}

static int foresee_items(struct ctl *ctl, int (*call)(struct ctl *ctl, json_t *items),
			 struct ctl_stake *stake)
{
	json_t *items = json_array();
	int r = foresee(ctl, call, items);

	if (r == 0) {
		tell_mass(ctl, add_starting(ctl, items, stake));
	}
	json_decref(items);
	return r;
}

/* What only whoever watches a terminal wants to know is asked for no one else. */
static int count_by_name(struct ctl *ctl)
{
	bool wanted = ctl->operands.accounts.n > 1 && isatty(STDERR_FILENO) && !ctl->args.quiet;
	size_t n_staged = 0;
	int r = wanted ? ctl_mass_count(ctl, &n_staged) : 0;

	if (r == 0) {
		tell_mass(ctl, n_staged);
	}
	return r;
}

int ctl_stake_of_accounts(struct ctl *ctl, struct ctl_stake *ret_stake)
{
	*ret_stake = no_stake();
	if (ctl_says_yes(ctl, ARGUMENT_dry_run)) {
		return 0;
	}
	if (may_start_removals(ctl) && !is_answered(ctl)) {
		return foresee_items(ctl, ctl_batch_call, ret_stake);
	}
	if (is_certain(ctl, ret_stake)) {
		ret_stake->n_all = ctl->operands.accounts.n;
		for (size_t i = 0; i < ret_stake->n_all; i++) {
			add_name(ret_stake, name_of(ctl, i));
		}
	}
	return count_by_name(ctl);
}

int ctl_stake_of_requests(struct ctl *ctl, int (*decide)(struct ctl *ctl, json_t *items),
			  struct ctl_stake *ret_stake)
{
	*ret_stake = no_stake();
	if (ctl_says_yes(ctl, ARGUMENT_dry_run) || !may_start_removals(ctl) || is_answered(ctl)) {
		return 0;
	}
	return foresee_items(ctl, decide, ret_stake);
}

static int call_once(struct ctl *ctl, json_t *answers)
{
	struct ctl_request request = CTL_REQUEST_FIRST;
	json_t *answer = NULL;
	int r = ctl_request_call(ctl, &request, &answer);

	if (r == 0 && json_array_append_new(answers, answer) < 0) {
		r = ctl_fault_errno(&ctl->fault, -ENOMEM, "a dry run");
	}
	return r;
}

static bool releases_clock(const struct ctl *ctl)
{
	const char *guard = ctl->args.argument[ARGUMENT_guard];

	return ctl_option_command(ctl->args.command) == COMMAND_guard_release && guard &&
	       strcmp(guard, guard_name(GUARD_CLOCK)) == 0;
}

int ctl_stake_of_release(struct ctl *ctl, struct ctl_stake *ret_stake)
{
	json_t *answers;
	const json_t *answer;
	int r;

	*ret_stake = no_stake();
	if (!releases_clock(ctl) || ctl_says_yes(ctl, ARGUMENT_dry_run) || is_answered(ctl)) {
		return 0;
	}
	answers = json_array();
	r = foresee(ctl, call_once, answers);
	answer = json_array_get(answers, 0);
	if (r == 0 && json_is_true(json_object_get(answer, "released"))) {
		ret_stake->n = (size_t)json_integer_value(json_object_get(answer, "due_now"));
		ret_stake->n_all = ret_stake->n;
		ret_stake->or_more = ret_stake->n >= DUE_COUNTED_MAX;
	}
	json_decref(answers);
	return r;
}
