/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_WORK_BACKUPS_H
#define RETENTIOND_WORK_BACKUPS_H

#include "common/base.h"
#include "common/instant.h"

#include "daemon/store/backup.h"

/* The backup that an administrator asked for, between the request and its end. */

#define BACKUPS_LOOK_EVERY (SPAN_SECOND / 20) /* while one runs: a copy's end is noticed soon */

/* For so long an end that nobody has asked for is told instead of beginning anew. */
#define BACKUPS_TOLD_FOR (10 * SPAN_SECOND)

/**
 * struct backups - where it stands
 * @actor:    who asked for it
 * @untold:   it has ended, and nobody has been told
 * @ended:    boot clock when it was seen to have ended
 */
struct backups {
	struct backup *backup;
	struct actor actor;
	bool untold;
	span_t ended;
};

struct engine;

/**
 * backups_ask() - begin a backup, unless one runs, or has ended a moment ago and was not told yet
 * @ret_status: always set on 0; valid until the next call
 *
 * So whoever asks again and again until it does not run any more is told how the one that the
 * first question began has ended. Return: 0 or a negative errno: none could be begun.
 */
must_check int backups_ask(struct engine *engine, const struct actor *actor,
			   const struct backup_status **ret_status);

/* Looks at one that runs, and records its end. Return: 0 or a negative errno. */
must_check int backups_work(struct engine *engine);

bool backups_running(const struct engine *engine);

#endif
