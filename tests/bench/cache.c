/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/cache.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

#include "daemon/store/store.h"

#include "tests/bench/acts.h"
#include "tests/bench/directory.h"
#include "tests/bench/fail.h"
#include "tests/bench/stopwatch.h"

/* What an account takes on disk, as measured, and something to spare. */
#define ACCOUNT_BYTES 1200
#define STORE_BYTES   (UINT64_C(16) << 20)

/* How often a terminal is told how far an import is, and a log. */
#define IMPORT_PARTS 100
#define LOG_PARTS    10

static void name_store(const struct bench *bench, const struct entrant *entrant,
		       char ret_path[static sizeof(entrant->target.store)])
{
	int len = snprintf(ret_path, sizeof(entrant->target.store), "%s/store-%u", bench->home,
			   entrant->accounts.n);

	assert(len > 0 && (size_t)len < sizeof(entrant->target.store));
}

static void name_marker(const char *store, char *ret_path, size_t size)
{
	(void)snprintf(ret_path, size, "%s/import.json", store);
}

/* Whether a store is what an import would make now. */
static bool is_usable(const struct entrant *entrant, const char *store, double *ret_seconds)
{
	char path[320];
	int n_accounts, format, generator;
	json_t *marker;
	bool usable;

	name_marker(store, path, sizeof(path));
	marker = json_load_file(path, 0, NULL);
	usable = marker &&
		 json_unpack(marker, "{s:i, s:i, s:i, s:F}", "accounts", &n_accounts, "format",
			     &format, "generator", &generator, "seconds", ret_seconds) == 0 &&
		 (uint32_t)n_accounts == entrant->accounts.n && format == STORE_FORMAT &&
		 generator == SAMPLE_VERSION;
	json_decref(marker);
	return usable;
}

/* Nothing but a store that is complete has the name; an old one gives its room back first. */
static void find_store(const struct bench *bench, struct entrant *entrant)
{
	char store[sizeof(entrant->target.store)];

	name_store(bench, entrant, store);
	if (is_usable(entrant, store, &entrant->import_seconds)) {
		memcpy(entrant->target.store, store, sizeof(store));
	} else {
		directory_remove(store);
	}
}

/* The store itself if it is not there yet, the copy that is worked on, and who comes and goes. */
static uint64_t bytes_needed(const struct bench *bench)
{
	uint64_t largest = 0, all = 0;

	for (uint32_t i = 0; i < bench->n_entrants; i++) {
		const struct entrant *entrant = &bench->entrants[i];
		uint64_t bytes = STORE_BYTES + (uint64_t)entrant->accounts.n * ACCOUNT_BYTES;

		all += entrant->target.store[0] == '\0' ? 2 * bytes : bytes;
		all += (uint64_t)act_n_due(bench) * ACCOUNT_BYTES;
		largest = MAX(largest, bytes);
	}
	return all + largest; /* with a backup */
}

static void check_room(const struct bench *bench)
{
	uint64_t needed = bytes_needed(bench);
	uint64_t there = directory_free_bytes(bench->home);

	if (there < needed) {
		fail("%s has %.1f GiB free, and two stores of %u and %u accounts, their copies and "
		     "a backup take %.1f GiB more; free some, or choose fewer accounts or another "
		     "--directory",
		     bench->home, (double)there / (1 << 30), bench->entrants[0].accounts.n,
		     bench->entrants[1].accounts.n, (double)needed / (1 << 30));
	}
}

static void tell_progress(const struct entrant *entrant, uint64_t from, uint64_t to,
			  uint64_t begin_ns)
{
	uint64_t n = entrant->accounts.n;
	bool terminal = isatty(STDERR_FILENO);

	if (terminal || to * LOG_PARTS / n > from * LOG_PARTS / n) {
		(void)fprintf(stderr, "%simporting %u accounts: %3u %%, %.0f s%s",
			      terminal ? "\r" : "", entrant->accounts.n,
			      (unsigned int)(to * 100 / n), stopwatch_seconds_since(begin_ns),
			      terminal && to < n ? "" : "\n");
	}
}

/* A part at a time, in whole calls. */
static void import_in_parts(struct entrant *entrant)
{
	uint64_t begin = stopwatch_ns();
	uint64_t n = entrant->accounts.n;
	uint64_t part = (n / IMPORT_PARTS / BULK + 1) * BULK;

	for (uint64_t from = 0, to; from < n; from = to) {
		to = MIN(from + part, n);
		act_work_through(entrant, WORK_IMPORT, &entrant->accounts, from, to);
		tell_progress(entrant, from, to, begin);
	}
	entrant->import_seconds = stopwatch_seconds_since(begin);
}

static void write_marker(const struct bench *bench, const struct entrant *entrant)
{
	char path[320];
	json_t *marker = json_pack("{s:i, s:i, s:i, s:f, s:s, s:s}", "accounts",
				   (int)entrant->accounts.n, "format", STORE_FORMAT, "generator",
				   SAMPLE_VERSION, "seconds", entrant->import_seconds, "date",
				   bench->machine.date, "version", entrant->target.version);

	name_marker(entrant->target.directory, path, sizeof(path));
	if (!marker || json_dump_file(marker, path, JSON_REAL_PRECISION(6)) < 0) {
		fail("%s cannot be written", path);
	}
	json_decref(marker);
}

static void import_store(const struct bench *bench, struct entrant *entrant)
{
	struct target *target = &entrant->target;
	char store[sizeof(target->store)];

	name_store(bench, entrant, store);
	bench_start_entrant(bench, entrant);
	import_in_parts(entrant);
	target->class->quiesce(target);
	target->class->stop(target);
	directory_remove(target->sockets);
	write_marker(bench, entrant);
	directory_sync(target->directory);
	if (rename(target->directory, store) < 0) {
		fail_errno(errno, "%s", store);
	}
	memcpy(target->store, store, sizeof(store));
}

void cache_prepare(struct bench *bench)
{
	for (uint32_t i = 0; i < bench->n_entrants; i++) {
		find_store(bench, &bench->entrants[i]);
	}
	check_room(bench);
	for (uint32_t i = 0; i < bench->n_entrants; i++) {
		if (bench->entrants[i].target.store[0] == '\0') {
			import_store(bench, &bench->entrants[i]);
		}
	}
}
