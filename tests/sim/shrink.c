/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/shrink.h"

#include <stdio.h>

#include "tests/sim/crew.h"

#define TRIES_MAX 600

struct shrinking {
	const struct plan *plan;
	enum invariant invariant;
	uint32_t n_tries;
	bool kept[STEPS_MAX];
};

static uint32_t count_kept(const struct shrinking *shrinking)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < shrinking->plan->n; i++) {
		n += shrinking->kept[i];
	}
	return n;
}

/* Without @n kept steps from number @from on, counted among those kept: does it still fail? */
static bool try_without(struct shrinking *shrinking, uint32_t from, uint32_t n)
{
	static bool before[STEPS_MAX];
	struct report report;
	uint32_t at = 0;

	memcpy(before, shrinking->kept, sizeof(before));
	for (uint32_t i = 0; i < shrinking->plan->n; i++) {
		if (before[i]) {
			shrinking->kept[i] = at < from || at >= from + n;
			at++;
		}
	}
	shrinking->n_tries++;
	(void)crew_try(shrinking->plan, shrinking->kept, false, &report);
	if (report.invariant == shrinking->invariant) {
		return true;
	}
	memcpy(shrinking->kept, before, sizeof(before));
	return false;
}

/* Ever smaller pieces are left out, the last ones first: what came early is built upon. */
static void shrink(struct shrinking *shrinking)
{
	for (uint32_t piece = MAX(count_kept(shrinking) / 2, 1U); piece > 0; piece /= 2) {
		uint32_t end = count_kept(shrinking);

		while (end > 0 && shrinking->n_tries < TRIES_MAX) {
			uint32_t from = end > piece ? end - piece : 0;

			(void)try_without(shrinking, from, end - from);
			end = from;
		}
	}
}

void shrink_and_tell(struct plan *plan, const struct report *report)
{
	static struct shrinking shrinking;
	struct report last;

	shrinking = (struct shrinking){.plan = plan, .invariant = report->invariant};
	plan->n = MIN(report->step + 1, plan->n);
	for (uint32_t i = 0; i < plan->n; i++) {
		shrinking.kept[i] = true;
	}
	shrink(&shrinking);
	(void)printf("seed %llu, %u of its %u steps are enough:\n", (unsigned long long)plan->seed,
		     count_kept(&shrinking), plan->n);
	(void)crew_try(plan, shrinking.kept, true, &last);
	if (last.invariant == INVARIANT_SURVIVES) {
		(void)printf("VIOLATED  survives: %s\n", last.text);
	}
}
