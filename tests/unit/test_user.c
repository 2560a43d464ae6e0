/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/io/user.h"

#include <criterion/criterion.h>

#include "common/limits.h"

#define NOW INT64_C(5000000)

static struct user_list users;

static void set_up(void)
{
	TAILQ_INIT(&users);
}

static void tear_down(void)
{
	struct user *user;

	while ((user = TAILQ_FIRST(&users))) {
		(void)user_drop(&users, user);
	}
}

TestSuite(user, .init = set_up, .fini = tear_down);

Test(user, connections_of_one_uid_are_one_user)
{
	struct user *user = user_take(&users, 1000);

	cr_assert_eq(user_take(&users, 1000), user);
	cr_assert_eq(user->n_conns, 2);
	cr_assert_neq(user_take(&users, 1001), user);
	(void)user_drop(&users, user);
	cr_assert_eq(user_find(&users, 1000), user);
}

Test(user, one_is_forgotten_with_its_last_connection)
{
	(void)user_drop(&users, user_take(&users, 1000));
	cr_assert_null(user_find(&users, 1000));
}

Test(user, one_alone_shares_nothing)
{
	struct user *user = user_take(&users, 1000);

	cr_assert_not(user_shares_turn(&users, NOW));
	user_served(&users, user, NOW, NOW);
	(void)user_take(&users, 1001);
	cr_assert_not(user_shares_turn(&users, NOW), "the other one has asked for nothing");
}

Test(user, two_share_while_both_were_served_lately)
{
	user_served(&users, user_take(&users, 1000), NOW, NOW);
	user_served(&users, user_take(&users, 1001), NOW, NOW + 5);
	cr_assert(user_shares_turn(&users, NOW + LIMITS_SHARED_SPAN - 1));
	cr_assert_not(user_shares_turn(&users, NOW + LIMITS_SHARED_SPAN));
}

Test(user, who_takes_more_than_its_share_is_heavy_until_it_takes_less)
{
	struct user *user = user_take(&users, 1000);

	user_served(&users, user, NOW, NOW + LIMITS_WORK_OF_UID_PER_TURN);
	cr_assert_not(user->heavy);
	user_served(&users, user, NOW, NOW + LIMITS_WORK_OF_UID_PER_TURN + 1);
	cr_assert(user->heavy);
	user_served(&users, user, NOW, NOW + 1);
	cr_assert_not(user->heavy);
}

Test(user, who_was_served_goes_to_the_end)
{
	struct user *a = user_take(&users, 1000), *b = user_take(&users, 1001);

	user_served(&users, a, NOW, NOW);
	cr_assert_eq(TAILQ_LAST(&users, user_list), a);
	user_served(&users, b, NOW, NOW);
	cr_assert_eq(TAILQ_FIRST(&users), a);
}

Test(user, what_is_read_in_a_turn_has_an_end)
{
	struct user *user = user_take(&users, 1000);

	cr_assert_not(user_has_read(user, 7));
	user->read_for += LIMITS_READ_OF_UID_PER_TURN - 1;
	cr_assert_not(user_has_read(user, 7));
	user->read_for++;
	cr_assert(user_has_read(user, 7));
	cr_assert_not(user_has_read(user, 8), "the next turn begins anew");
}

/* A turn with one request, which ends at @now. */
static void serve(struct user *user, span_t now, span_t took)
{
	user_took(user, took);
	user_served(&users, user, now - took, now);
}

#define LONG (LIMITS_WORK_SLOW + 1)

static void make_slow(struct user *user, span_t now)
{
	serve(user, now - LONG, LONG);
	serve(user, now, LONG);
	cr_assert(user_is_slow(user, now));
}

Test(user, two_long_requests_make_one_slow_for_a_second)
{
	struct user *user = user_take(&users, 1000);

	serve(user, NOW, LIMITS_WORK_SLOW);
	serve(user, NOW + LIMITS_WORK_SLOW, LIMITS_WORK_SLOW);
	cr_assert_not(user_is_slow(user, NOW + LIMITS_WORK_SLOW));
	make_slow(user, NOW);
	serve(user, NOW + 1, 1);
	cr_assert_not(user->heavy);
	cr_assert(user_is_slow(user, NOW + 1), "it may have sent the first bytes of the next one");
	cr_assert_not(user_is_light(user, NOW + 1));
	cr_assert_not(user_is_slow(user, NOW + LIMITS_SLOW_SPAN));
	cr_assert(user_is_light(user, NOW + LIMITS_SLOW_SPAN));
}

Test(user, the_second_long_request_need_not_be_as_long_as_the_first)
{
	struct user *user = user_take(&users, 1000);

	serve(user, NOW, LONG);
	serve(user, NOW + 1, LIMITS_WORK_SLOW_AGAIN);
	cr_assert_not(user_is_slow(user, NOW + 1));
	serve(user, NOW + 2, LIMITS_WORK_SLOW_AGAIN + 1);
	cr_assert(user_is_slow(user, NOW + 2));
}

Test(user, one_long_request_may_be_the_doing_of_the_machine)
{
	struct user *user = user_take(&users, 1000);

	serve(user, NOW, LONG);
	cr_assert_not(user_is_slow(user, NOW));
	serve(user, NOW + LIMITS_SLOW_SPAN, LONG);
	cr_assert_not(user_is_slow(user, NOW + LIMITS_SLOW_SPAN), "the first is long ago");
	serve(user, NOW + LIMITS_SLOW_SPAN + 1, 1);
	serve(user, NOW + 2 * LIMITS_SLOW_SPAN - 1, LONG);
	cr_assert(user_is_slow(user, NOW + 2 * LIMITS_SLOW_SPAN - 1),
		  "short ones between them change nothing");
}

Test(user, many_short_requests_in_a_long_turn_make_nobody_slow)
{
	struct user *user = user_take(&users, 1000);

	for (int turn = 0; turn < 3; turn++) {
		span_t now = NOW + turn * LIMITS_WORK_PER_TURN;

		for (span_t i = 0; i < LIMITS_WORK_PER_TURN; i += LIMITS_WORK_SLOW) {
			user_took(user, LIMITS_WORK_SLOW);
		}
		user_served(&users, user, now - LIMITS_WORK_PER_TURN, now);
		cr_assert(user->heavy);
		cr_assert_not(user_is_slow(user, now));
	}
}

Test(user, what_the_machine_took_of_a_suspects_turn_is_not_held_against_it)
{
	struct user *user = user_take(&users, 1000);

	cr_assert_not(user_is_suspect(user, NOW));
	serve(user, NOW, LONG);
	cr_assert(user_is_suspect(user, NOW + LIMITS_SLOW_SPAN - 1));
	cr_assert_not(user_is_suspect(user, NOW + LIMITS_SLOW_SPAN));
	user_took(user, 2 * LONG);
	user_forgive(user, 2 * LONG - LIMITS_WORK_SLOW_AGAIN);
	user_served(&users, user, NOW, NOW + 2 * LONG);
	cr_assert_not(user_is_slow(user, NOW + 2 * LONG));
	user_took(user, 2 * LONG);
	user_forgive(user, 2 * LONG - LIMITS_WORK_SLOW_AGAIN - 1);
	user_served(&users, user, NOW, NOW + 2 * LONG);
	cr_assert(user_is_slow(user, NOW + 2 * LONG));
}

Test(user, the_longest_request_of_a_turn_counts_and_not_the_last)
{
	struct user *user = user_take(&users, 1000);

	for (int turn = 0; turn < 2; turn++) {
		user_took(user, LONG);
		serve(user, NOW, 1);
	}
	cr_assert(user_is_slow(user, NOW));
}

Test(user, slow_users_rest_until_light_ones_were_served_often)
{
	struct user_rest rest = {.since = NOW, .light_at = NOW};

	cr_assert_gt(user_rest_left(&rest, NOW), 0);
	rest.n_light = LIMITS_SLOW_REST_TURNS - 1;
	cr_assert_gt(user_rest_left(&rest, NOW), 0);
	rest.n_light = LIMITS_SLOW_REST_TURNS;
	cr_assert_eq(user_rest_left(&rest, NOW), 0);
}

Test(user, slow_users_do_not_rest_for_ever)
{
	struct user_rest rest = {.since = NOW, .light_at = NOW + LIMITS_SLOW_REST_SPAN};

	cr_assert_eq(user_rest_left(&rest, NOW), LIMITS_SLOW_REST_SPAN);
	cr_assert_eq(user_rest_left(&rest, NOW + LIMITS_SLOW_REST_SPAN - 1), 1);
	cr_assert_eq(user_rest_left(&rest, NOW + LIMITS_SLOW_REST_SPAN), 0);
}

Test(user, slow_users_rest_for_nobody_who_has_not_asked_lately)
{
	struct user_rest rest = {0};

	cr_assert_eq(user_rest_left(&rest, NOW), 0, "nobody ever asked");
	rest = (struct user_rest){.since = NOW, .light_at = NOW};
	cr_assert_eq(user_rest_left(&rest, NOW), LIMITS_SHARED_SPAN);
	cr_assert_eq(user_rest_left(&rest, NOW + LIMITS_SHARED_SPAN), 0);
}

static void serve_and_note(struct user_rest *rest, struct user *user, span_t took)
{
	serve(user, NOW, took);
	user_rest_note(rest, user);
}

Test(user, a_slow_user_rests_for_the_sake_of_others_and_not_for_its_own)
{
	struct user *slow = user_take(&users, 1000), *light = user_take(&users, 1001);
	struct user_rest rest = {0};

	serve_and_note(&rest, slow, 1);
	serve_and_note(&rest, slow, LONG);
	serve_and_note(&rest, slow, LONG);
	cr_assert_eq(user_rest_left(&rest, NOW), 0);
	serve_and_note(&rest, light, 1);
	cr_assert_gt(user_rest_left(&rest, NOW), 0);
	for (uint32_t i = 0; i < 2 * LIMITS_SLOW_REST_TURNS; i++) {
		serve_and_note(&rest, slow, 1);
	}
	cr_assert_gt(user_rest_left(&rest, NOW), 0, "it is not light");
	for (uint32_t i = 0; i < LIMITS_SLOW_REST_TURNS; i++) {
		serve_and_note(&rest, light, 1);
	}
	cr_assert_eq(user_rest_left(&rest, NOW), 0);
	serve_and_note(&rest, slow, LONG);
	cr_assert_gt(user_rest_left(&rest, NOW), 0, "and begins again after each long request");
}
