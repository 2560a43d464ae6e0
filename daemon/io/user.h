/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_IO_USER_H
#define RETENTIOND_IO_USER_H

#include <sys/queue.h>
#include <sys/types.h>

#include "common/base.h"
#include "common/instant.h"

/*
 * The users at the other ends, and whose connections are served next. A turn is shared by users,
 * not by connections: one with 64 of them and dear requests takes no more of it than one with a
 * single connection.
 *
 * A user alone has the whole of a turn. Where others have asked for something lately, turns are
 * short, each user has a share, and who takes little goes first: a user whose last turn was longer
 * than its share is heavy, and waits for every second turn when somebody light was served in this
 * one. So a light user waits for one request of a heavy one at most, and no heavy one for ever.
 *
 * A request can be longer than that, and is not cut. It is requests that make a user slow, not turns,
 * which the many short ones of a user alone fill up: one over LIMITS_WORK_SLOW, and within
 * LIMITS_SLOW_SPAN of it another one over LIMITS_WORK_SLOW_AGAIN. The first may only have met a moment in
 * which the machine ran something else; so it makes a suspect, of whose turns such moments are measured,
 * and taken off. A slow user is not light for LIMITS_SLOW_SPAN, whatever else it asks for, and all slow
 * users together rest after each long request while light ones ask.
 */

struct conn;

TAILQ_HEAD(conn_list, conn);

/**
 * struct user - one uid with its connections
 * @n_conns: that are open; freed with the last
 * @busy:    those that this turn, or the next one, has to look at
 * @turn, @read_for: us that were spent on reading from it, and in which turn
 * @seen_at: limits_now() when it was served last; 0 if never
 * @heavy:   it took more than its share when it was served last
 * @longest: us that its longest request took since it was served last
 * @long_at: limits_now() when a request of it last was long; 0 if none ever was
 * @slow_at: the same of one that soon followed another; 0 if none ever did
 * @waited:  the turn before this one passed it over
 */
struct user {
	TAILQ_ENTRY(user) in_users;
	uid_t uid;
	size_t n_conns;
	struct conn_list busy;
	uint64_t turn;
	span_t read_for;
	span_t seen_at;
	bool heavy;
	span_t longest;
	span_t long_at;
	span_t slow_at;
	bool waited;
};

TAILQ_HEAD(user_list, user);

/**
 * struct user_rest - of the slow users; zeros to begin
 * @since:   limits_now() when a long request of one ended last
 * @n_light: turns since in which a light user was served
 * @light_at: limits_now() of the last of them; 0 if there was none
 * @light_uid: who that was
 */
struct user_rest {
	span_t since;
	uint32_t n_light;
	span_t light_at;
	uid_t light_uid;
};

/**
 * user_rest_note() - take down that a user was served, at @user->seen_at
 * @user: after user_served()
 *
 * A slow user with a long request begins the rest anew; one that is light takes part in ending it.
 */
void user_rest_note(struct user_rest *rest, const struct user *user);

/**
 * user_rest_left() - how long the slow users still rest
 * @now: limits_now()
 *
 * Return: us; 0 if they may be served: enough turns of light users have passed, or enough time, or none
 * of those has asked lately.
 */
span_t user_rest_left(const struct user_rest *rest, span_t now);

/**
 * user_is_slow() - whether a user has to rest with the slow ones
 * @now: limits_now()
 */
bool user_is_slow(const struct user *user, span_t now);

/**
 * user_is_light() - whether a user goes first: it is neither heavy nor slow
 * @now: limits_now()
 */
bool user_is_light(const struct user *user, span_t now);

/* The user of a uid; NULL if it has no connection, or, from user_take(), without memory. */
struct user *user_find(const struct user_list *users, uid_t uid);
struct user *user_take(struct user_list *users, uid_t uid);         /* for one more connection */
struct user *user_drop(struct user_list *users, struct user *user); /* one connection less */

/* Whether more than one user has been served within LIMITS_SHARED_SPAN, or waits to be. */
bool user_shares_turn(const struct user_list *users, span_t now);

/* Whether no more may be read from a user in this turn, of those who share it. */
bool user_has_read(struct user *user, uint64_t turn);

/* Takes down how long one request took. */
static inline void user_took(struct user *user, span_t span)
{
	user->longest = MAX(user->longest, span);
}

/**
 * user_is_suspect() - whether a long request of a user is recent
 * @now: limits_now() before it is served: limits_run_lost() of what follows is wanted then
 */
bool user_is_suspect(const struct user *user, span_t now);

/**
 * user_forgive() - take off what its requests took without its doing
 * @lost: us, from limits_run_lost(); before user_served()
 */
void user_forgive(struct user *user, span_t lost);

/**
 * user_served() - take down what a user took of a turn, and judge it
 * @began, @now: limits_now() before and after it
 *
 * It goes to the end of the line.
 */
void user_served(struct user_list *users, struct user *user, span_t began, span_t now);

#endif
