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
	user->read_bytes += LIMITS_READ_BYTES_OF_UID_PER_TURN - 1;
	cr_assert_not(user_has_read(user, 7));
	user->read_bytes++;
	cr_assert(user_has_read(user, 7));
	cr_assert_not(user_has_read(user, 8), "the next turn begins anew");
}

Test(user, who_takes_more_than_two_milliseconds_is_slow_for_a_second)
{
	struct user *user = user_take(&users, 1000);

	user_served(&users, user, NOW, NOW + LIMITS_WORK_SLOW);
	cr_assert_not(user_is_slow(user, NOW + LIMITS_WORK_SLOW));
	user_served(&users, user, NOW - LIMITS_WORK_SLOW - 1, NOW);
	cr_assert(user_is_slow(user, NOW));
	user_served(&users, user, NOW, NOW + 1);
	cr_assert_not(user->heavy);
	cr_assert(user_is_slow(user, NOW + 1), "it may have sent the first bytes of the next one");
	cr_assert_not(user_is_light(user, NOW + 1));
	cr_assert_not(user_is_slow(user, NOW + LIMITS_SLOW_SPAN));
	cr_assert(user_is_light(user, NOW + LIMITS_SLOW_SPAN));
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

static void serve(struct user_rest *rest, struct user *user, span_t now, span_t took)
{
	user_served(&users, user, now - took, now);
	user_rest_note(rest, user);
}

Test(user, a_slow_user_rests_for_the_sake_of_others_and_not_for_its_own)
{
	struct user *slow = user_take(&users, 1000), *light = user_take(&users, 1001);
	struct user_rest rest = {0};

	serve(&rest, slow, NOW, 1);
	serve(&rest, slow, NOW, LIMITS_WORK_SLOW + 1);
	cr_assert_eq(user_rest_left(&rest, NOW), 0);
	serve(&rest, light, NOW, 1);
	cr_assert_gt(user_rest_left(&rest, NOW), 0);
	for (uint32_t i = 0; i < 2 * LIMITS_SLOW_REST_TURNS; i++) {
		serve(&rest, slow, NOW, 1);
	}
	cr_assert_gt(user_rest_left(&rest, NOW), 0, "it is not light");
	for (uint32_t i = 0; i < LIMITS_SLOW_REST_TURNS; i++) {
		serve(&rest, light, NOW, 1);
	}
	cr_assert_eq(user_rest_left(&rest, NOW), 0);
	serve(&rest, slow, NOW, LIMITS_WORK_SLOW + 1);
	cr_assert_gt(user_rest_left(&rest, NOW), 0, "and begins again after each long turn");
}
