/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/work/backups.h"

#include "daemon/work/engine.h"
#include "daemon/work/log.h"

int backups_ask(struct engine *engine, const struct actor *actor,
		const struct backup_status **ret_status)
{
	struct backups *backups = &engine->backups;
	const struct backup_status *status = backup_status(backups->backup);
	bool told = !backups->untold || engine->reading.boot - backups->ended > BACKUPS_TOLD_FOR;
	int r = 0;

	if (!status->running) {
		backups->untold = false;
	}
	if (!status->running && told) {
		r = backup_begin(backups->backup, engine->now);
		backups->actor = (struct actor){.role = actor->role, .uid = actor->uid};
	}
	*ret_status = status;
	return r;
}

int backups_work(struct engine *engine)
{
	struct backups *backups = &engine->backups;
	const struct backup_status *status = backup_status(backups->backup);

	if (!backup_look(backups->backup, engine->now)) {
		return 0;
	}
	backups->untold = true;
	backups->ended = engine->reading.boot;
	if (status->error[0] != '\0') {
		log_say(LOG_LEVEL_ERROR, "no backup was made: %s", status->error);
		return 0;
	}
	log_say(LOG_LEVEL_NOTICE, "a backup was made in %s", status->directory);
	backups->actor.at = engine->now;
	return store_note_backup(engine->store, &backups->actor);
}

bool backups_running(const struct engine *engine)
{
	return backup_status(engine->backups.backup)->running;
}
