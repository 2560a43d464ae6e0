/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/truth.h"

/* What keepers owe, and what becomes of what they say. */

static bool owes(const struct truth_account *account, uint32_t keeper)
{
	return account->owed >> keeper & 1;
}

static bool is_leased(const struct truth_task *task, instant_t now)
{
	return task->lease_until > now;
}

bool truth_can_claim(const struct truth *truth, const struct truth_account *account,
		     uint32_t keeper)
{
	const struct truth_task *task = &account->tasks[keeper];

	return owes(account, keeper) && !is_leased(task, truth->now) && task->next_at <= truth->now;
}

/* The same confirmation twice is fine; another one, or one under an old token, is not. */
static enum outcome fence_settled(const struct truth_task *task, uint32_t generation,
				  enum task_result result)
{
	switch (task->settled) {
	case TRUTH_SETTLED_NOT:
		return OUTCOME_NOT_OWED;
	case TRUTH_SETTLED_CONFIRMED:
		return generation != task->settled_generation ? OUTCOME_LEASE_EXPIRED
		       : result == task->result               ? OUTCOME_OK
							      : OUTCOME_ALREADY_SETTLED;
	case TRUTH_SETTLED_WAIVED:
		return OUTCOME_ALREADY_SETTLED;
	}
	abort();
}

enum outcome truth_fence(const struct truth *truth, const struct truth_account *account,
			 uint32_t keeper, uint32_t generation, enum task_result result)
{
	const struct truth_task *task;

	if (!account) {
		return OUTCOME_TOKEN_UNKNOWN;
	}
	task = &account->tasks[keeper];
	if (!owes(account, keeper)) {
		return fence_settled(task, generation, result);
	}
	return task->generation == generation && is_leased(task, truth->now)
		       ? OUTCOME_OK
		       : OUTCOME_LEASE_EXPIRED;
}

void truth_settle(unused struct truth *truth, struct truth_account *account, uint32_t keeper,
		  enum truth_settled how, enum task_result result)
{
	struct truth_task *task = &account->tasks[keeper];

	account->owed &= ~(1U << keeper);
	task->settled = how;
	task->settled_generation = task->generation;
	task->result = result;
}

struct truth_verdict truth_waive(struct truth *truth, struct truth_account *account,
				 uint32_t keeper, bool dry)
{
	struct truth_verdict verdict = {.reasons = OUTCOME_BIT(OUTCOME_NOT_FOUND)};

	if (!account) {
		return verdict;
	}
	verdict = (struct truth_verdict){OUTCOME_BIT(OUTCOME_NOT_OWED), *account};
	if (owes(account, keeper)) {
		verdict.reasons = 0;
		truth_settle(truth, &verdict.account, keeper, TRUTH_SETTLED_WAIVED,
			     TASK_RESULT_WAIVED);
	}
	if (!dry) {
		*account = verdict.account;
	}
	return verdict;
}

/* Owed again, it is nobody's, and no token of before is worth anything. */
static void owe_again(struct truth_account *account, uint32_t keeper)
{
	account->owed |= 1U << keeper;
	account->tasks[keeper].lease_until = INSTANT_NONE;
	account->tasks[keeper].next_at = 0;
}

/* Once the start of its removal is recorded. */
static bool will_owe(const struct truth *truth, const struct truth_account *account,
		     uint32_t keeper)
{
	return truth_keepers_of(truth, account->org) >> keeper & 1;
}

struct truth_verdict truth_owe(struct truth *truth, struct truth_account *account, uint32_t keeper,
			       bool dry)
{
	struct truth_verdict verdict = {.reasons = OUTCOME_BIT(OUTCOME_NOT_FOUND)};

	if (!account) {
		return verdict;
	}
	verdict.account = *account;
	switch (truth_state(account, truth->now)) {
	case ACCOUNT_STATE_ACTIVE:
	case ACCOUNT_STATE_SOFT_DELETED:
		verdict.reasons = OUTCOME_BIT(OUTCOME_NOT_SOFT_DELETED);
		break;
	case ACCOUNT_STATE_REMOVING:
		verdict.reasons = 0;
		if (account->started_at == INSTANT_NONE) {
			verdict.reasons = will_owe(truth, account, keeper)
						  ? 0
						  : OUTCOME_BIT(OUTCOME_NOT_STARTED);
		} else if (!owes(account, keeper)) {
			owe_again(&verdict.account, keeper);
		}
		break;
	case ACCOUNT_STATE_REMOVED:
	case _ACCOUNT_STATE_MAX:
		break;
	}
	if (!dry) {
		*account = verdict.account;
	}
	return verdict;
}
