/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/status.h"

#include <inttypes.h>
#include <stdio.h>

#include "daemon/io/limits.h"
#include "daemon/service.h"
#include "daemon/work/log.h"

#define STATUS_SPAN   SPAN_MINUTE
#define PROGRESS_SPAN SPAN_SECOND

/*
 * What a start or a stop may take until it tells the next progress: a slice of it takes some
 * milliseconds, and this much on a disk that others wear out.
 */
#define PROGRESS_EXTENDS (30 * SPAN_SECOND)

/* A turn may come just too early for a sign of life; the next one is still in good time then. */
#define ALIVE_SHARE 4

void status_init(struct status *status)
{
	status->alive_every = service_watchdog() / ALIVE_SHARE;
}

static void tell(struct status *status, const struct engine *engine, void (*service)(const char *))
{
	const struct store_counts *counts = store_counts(engine->store);
	char text[512];

	(void)snprintf(text, sizeof(text),
		       "%s%s%s%" PRIu64 " active, %" PRIu64 " soft-deleted, %" PRIu64
		       " removing, %" PRIu64 " removed; %" PRIu64 " connections",
		       status->refused ? "The new configuration is wrong, the one before is in "
					 "force; see the journal. "
				       : "",
		       status->absent ? "Grants name users or groups that are not there; see the "
					"journal. "
				      : "",
		       clock_is_doubted(&engine->clock)
			       ? "The clock guard is engaged, see retentionctl status. "
			       : "",
		       counts->n_active, counts->n_soft_deleted, counts->n_removing,
		       counts->n_removed, engine->meters.n_connections);
	service(text);
	status->told_at = limits_now();
}

void status_tell_ready(struct status *status, const struct engine *engine)
{
	tell(status, engine, service_tell_ready);
}

void status_tell_turn(struct status *status, const struct engine *engine, span_t now)
{
	if (status->alive_every > 0 && now - status->alive_at >= status->alive_every) {
		status->alive_at = now;
		service_tell_alive();
	}
	if (now - status->told_at >= STATUS_SPAN) {
		tell(status, engine, service_tell_status);
	}
}

#define PROGRESS_TEXT_MAX 256

/* Return: whether it is time to tell it. */
static bool format_progress(struct status *status, char text[static PROGRESS_TEXT_MAX],
			    const char *what, const char *unit, uint64_t n_done, uint64_t n_all)
{
	span_t now = limits_now();

	if (what == status->stage && now - status->stage_at < PROGRESS_SPAN) {
		return false;
	}
	status->stage = what;
	status->stage_at = now;
	if (unit) {
		(void)snprintf(text, PROGRESS_TEXT_MAX, "%s: %" PRIu64 " of %" PRIu64 " %s", what,
			       n_done, n_all, unit);
	} else {
		(void)snprintf(text, PROGRESS_TEXT_MAX, "%s", what);
	}
	return true;
}

void status_tell_progress(void *userdata, const char *what, const char *unit, uint64_t n_done,
			  uint64_t n_all)
{
	char text[PROGRESS_TEXT_MAX];

	if (format_progress(userdata, text, what, unit, n_done, n_all)) {
		service_tell_progress(text, PROGRESS_EXTENDS);
	}
}

void status_log_progress(void *userdata, const char *what, const char *unit, uint64_t n_done,
			 uint64_t n_all)
{
	char text[PROGRESS_TEXT_MAX];

	if (format_progress(userdata, text, what, unit, n_done, n_all)) {
		log_say(LOG_LEVEL_INFO, "%s", text);
	}
}
