/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/io/user.h"

#include "daemon/io/limits.h"

/* At most LIMITS_CONNECTIONS_MAX to walk, and connections are opened far more rarely than used. */
struct user *user_find(const struct user_list *users, uid_t uid)
{
	struct user *user;

	TAILQ_FOREACH(user, users, in_users) {
		if (user->uid == uid) {
			return user;
		}
	}
	return NULL;
}

struct user *user_take(struct user_list *users, uid_t uid)
{
	struct user *user = user_find(users, uid);

	if (!user) {
		user = calloc(1, sizeof(*user));
		if (!user) {
			return NULL;
		}
		user->uid = uid;
		TAILQ_INIT(&user->busy);
		TAILQ_INSERT_HEAD(users, user, in_users);
	}
	user->n_conns++;
	return user;
}

struct user *user_drop(struct user_list *users, struct user *user)
{
	assert(user->n_conns > 0);
	if (--user->n_conns == 0) {
		assert(TAILQ_EMPTY(&user->busy));
		TAILQ_REMOVE(users, user, in_users);
		free(user);
	}
	return NULL;
}

static bool user_is_about(const struct user *user, span_t now)
{
	return !TAILQ_EMPTY(&user->busy) ||
	       (user->seen_at > 0 && now - user->seen_at < LIMITS_SHARED_SPAN);
}

bool user_shares_turn(const struct user_list *users, span_t now)
{
	const struct user *user;
	size_t n = 0;

	TAILQ_FOREACH(user, users, in_users) {
		n += user_is_about(user, now);
		if (n > 1) {
			return true;
		}
	}
	return false;
}

bool user_has_read(struct user *user, uint64_t turn)
{
	if (user->turn != turn) {
		user->turn = turn;
		user->read_for = 0;
	}
	return user->read_for >= LIMITS_READ_OF_UID_PER_TURN;
}

static bool is_recent(span_t at, span_t now)
{
	return at > 0 && now - at < LIMITS_SLOW_SPAN;
}

bool user_is_suspect(const struct user *user, span_t now)
{
	return is_recent(user->long_at, now);
}

/* A large request comes in pieces, and turns that only read one say nothing of the user. */
static void user_judge(struct user *user, span_t now)
{
	bool is_suspect = user_is_suspect(user, now);

	if (user->longest > (is_suspect ? LIMITS_WORK_SLOW_AGAIN : LIMITS_WORK_SLOW)) {
		user->slow_at = is_suspect ? now : user->slow_at;
		user->long_at = now;
	}
	user->longest = 0;
}

void user_served(struct user_list *users, struct user *user, span_t began, span_t now)
{
	user->seen_at = now;
	user->heavy = now - began > LIMITS_WORK_OF_UID_PER_TURN;
	user_judge(user, now);
	user->waited = false;
	TAILQ_REMOVE(users, user, in_users);
	TAILQ_INSERT_TAIL(users, user, in_users);
}

/* In which of its requests it was lost is not known, so it is the longest one: who is slow takes long
 * by itself. */
void user_forgive(struct user *user, span_t lost)
{
	user->longest -= lost;
}

bool user_is_slow(const struct user *user, span_t now)
{
	return is_recent(user->slow_at, now);
}

bool user_is_light(const struct user *user, span_t now)
{
	return !user->heavy && !user_is_slow(user, now);
}

/* Who was light until now, and is slow, does not rest for its own sake. */
void user_rest_note(struct user_rest *rest, const struct user *user)
{
	if (user->slow_at == user->seen_at) {
		rest->since = user->seen_at;
		rest->n_light = 0;
		rest->light_at = rest->light_uid == user->uid ? 0 : rest->light_at;
	} else if (user_is_light(user, user->seen_at)) {
		rest->n_light++;
		rest->light_at = user->seen_at;
		rest->light_uid = user->uid;
	}
}

/* For nobody's sake when no light user has asked lately. */
span_t user_rest_left(const struct user_rest *rest, span_t now)
{
	span_t until =
		MIN(rest->since + LIMITS_SLOW_REST_SPAN, rest->light_at + LIMITS_SHARED_SPAN);

	return rest->n_light >= LIMITS_SLOW_REST_TURNS ? 0 : MAX(until - now, 0);
}
