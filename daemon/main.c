/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>

#include "common/version.h"

#include "daemon/config.h"
#include "daemon/io/limits.h"
#include "daemon/io/loop.h"
#include "daemon/io/peer.h"
#include "daemon/options.h"
#include "daemon/process.h"
#include "daemon/service.h"
#include "daemon/sockets.h"
#include "daemon/status.h"
#include "daemon/work/engine.h"

/*
 * struct daemon
 * @config:   from the start; all but grants and log_level stay as they are in it
 * @reloaded: whose grants and log_level are in force; NULL before the first reload
 */
struct daemon {
	struct options options;
	struct config *config;
	struct config *reloaded;
	struct engine *engine;
	struct loop *loop;
	struct status status;
};

static void log_fault(void unused *userdata, const char *text)
{
	log_say(LOG_LEVEL_ERROR, "%s", text);
}

static void log_warning(void unused *userdata, const char *text)
{
	log_say(LOG_LEVEL_WARNING, "%s", text);
}

static void print_fault(void unused *userdata, const char *text)
{
	(void)fprintf(stderr, "%s\n", text); /* the exit code tells it too */
}

static int load_config(const struct options *options, struct settings_report *report,
		       struct config **ret_config)
{
	cleanup(config_freep) struct config *config = NULL;
	int error;

	error = config_load(options->config_file, report, &config);
	if (!error) {
		error = options_apply(options, config);
	}
	if (error < 0) {
		log_say(LOG_LEVEL_ERROR, "the configuration cannot be loaded: %s",
			strerror(-error));
	}
	if (error) {
		return error;
	}
	log_set_level(config->log_level);
	*ret_config = TAKE_PTR(config);
	return 0;
}

static int load_first_config(struct daemon *daemon)
{
	struct settings_report report = {.tell = log_fault, .warn = log_warning};
	int error;

	error = load_config(&daemon->options, &report, &daemon->config);
	daemon->status.absent = !error && daemon->config->grants.n_absent > 0;
	return error;
}

/* The disk or the map: which of them, nobody knows any more. */
static const char *advice_if_full(int error)
{
	return error == -ENOSPC || error == -EDQUOT ? "; free space on its disk, or raise map_size"
						    : "";
}

/* Says why a store was not opened. Return: @error, for the callers to hand on. */
static int say_store_fault(const struct config *config, int error)
{
	if (error != 0 && store_fault()[0] != '\0') {
		log_say(LOG_LEVEL_CRITICAL, "%s", store_fault());
	} else if (error != 0) {
		log_say(LOG_LEVEL_CRITICAL, "the store in %s cannot be opened: %s%s",
			config->state_directory, strerror(-error),
			error == -ENOENT ? "; create the directory, for the daemon's user alone"
					 : advice_if_full(error));
	}
	return error;
}

static int open_engine(struct daemon *daemon)
{
	const struct config *config = daemon->config;
	struct engine_options options = {
		.store = {.directory = config->state_directory,
			  .map_bytes = config->map_bytes,
			  .register_path = config->register_path,
			  .new_register = daemon->options.new_register,
			  .progress = {status_tell_progress, &daemon->status}},
		.backup = {.directory = config->backup_directory,
			   .vault_directory = config->vault_backup_directory},
		.clock_mode = daemon->options.clock_mode,
		.simulated_at = daemon->options.simulated_at,
		.boot_id = daemon->options.boot_id,
		.rules = &config->grants.rules,
		.tombstones = config->tombstones,
	};
	struct clock_reading reading;

	if (!clock_boot_id_is_known(&options.boot_id)) {
		loop_read_boot_id(&options.boot_id);
	}
	loop_read_clocks(&reading);
	return say_store_fault(config, engine_open(&options, &reading, &daemon->engine));
}

static void on_turned(void *userdata, span_t now)
{
	struct daemon *daemon = userdata;

	status_tell_turn(&daemon->status, daemon->engine, now);
}

static void take_config(struct daemon *daemon, struct config *config)
{
	const char *names[CONFIG_RESTART_MAX];
	size_t n;

	n = config_restart_wanted(daemon->config, config, names);
	for (size_t i = 0; i < n; i++) {
		log_say(LOG_LEVEL_WARNING, "the new %s takes effect with a restart", names[i]);
	}
	daemon->status.absent = false;
	engine_set_rules(daemon->engine, &config->grants.rules);
	config_free(daemon->reloaded);
	daemon->reloaded = config;
}

/* Who was granted something yesterday keeps it rather than everybody losing it over a slip. */
static void on_reload(void *userdata)
{
	struct daemon *daemon = userdata;
	struct settings_report report = {.tell = log_fault};
	struct config *config;

	service_tell_reloading(limits_now());
	daemon->status.refused = load_config(&daemon->options, &report, &config) != 0;
	if (!daemon->status.refused) {
		take_config(daemon, config);
		log_say(LOG_LEVEL_NOTICE, "configuration reloaded");
	} else {
		log_say(LOG_LEVEL_ERROR,
			"configuration not reloaded; the one before stays in force");
	}
	status_tell_ready(&daemon->status, daemon->engine);
}

/*
 * Peers that a user namespace hides are all the same nobody: a portal that was granted something
 * yesterday would be refused today, by a daemon that looks sound. So it does not start at all.
 */
static int check_users(const struct config *config)
{
	if (peer_all_visible()) {
		return 0;
	}
	if (!config->allow_user_namespace) {
		log_say(LOG_LEVEL_CRITICAL,
			"this process runs in a user namespace that hides users: peers whom it "
			"hides would be nobody and have no role. Take PrivateUsers= out of the "
			"unit, or run it outside of the namespace; in a container whose clients "
			"are all inside it, set allow_user_namespace = yes");
		return -EUSERS;
	}
	log_say(LOG_LEVEL_WARNING,
		"this process runs in a user namespace: peers whose users it hides appear as "
		"nobody and have no role");
	return 0;
}

static int check_surroundings(const struct daemon *daemon)
{
	if (daemon->options.clock_mode == CLOCK_MODE_SIMULATED) {
		log_say(LOG_LEVEL_WARNING,
			"the clock is simulated and stands still until it is moved on");
	}
	return check_users(daemon->config);
}

static int open_daemon(struct daemon *daemon)
{
	const struct loop_hooks hooks = {
		.reload = on_reload,
		.turned = on_turned,
		.turn_every = daemon->status.alive_every,
		.userdata = daemon,
	};
	int error;

	error = check_surroundings(daemon);
	if (error) {
		return error;
	}
	error = open_engine(daemon);
	if (error) {
		return error;
	}
	error = loop_new(daemon->engine, &hooks, &daemon->loop);
	if (error) {
		log_say(LOG_LEVEL_CRITICAL, "the loop cannot be set up: %s", strerror(-error));
		return error;
	}
	return sockets_open(daemon->config, daemon->loop);
}

/* What the store holds is doubtful then: nothing may touch it, nor may an answer leave. */
static _Noreturn void fail_at_once(int error)
{
	log_say(LOG_LEVEL_CRITICAL,
		"the store failed: %s%s. Ending without an answer; the next start verifies it",
		strerror(-error), advice_if_full(error));
	_exit(DAEMON_EXIT_FAILURE);
}

static void run_daemon(struct daemon *daemon)
{
	int error;

	log_say(LOG_LEVEL_NOTICE, "retentiond " RETENTIOND_VERSION " is ready; its store is in %s",
		daemon->config->state_directory);
	status_tell_ready(&daemon->status, daemon->engine);
	error = loop_run(daemon->loop);
	if (!error) {
		service_tell_stopping();
		error = loop_drain(daemon->loop);
	}
	if (error) {
		fail_at_once(error);
	}
}

static int close_daemon(struct daemon *daemon)
{
	int error = 0;

	process_hold_signals();
	daemon->loop = loop_free(daemon->loop);
	if (daemon->engine) {
		error = engine_close(daemon->engine);
	}
	if (error) {
		log_say(LOG_LEVEL_CRITICAL, "the store was not settled: %s. The next start does it",
			strerror(-error));
	}
	daemon->reloaded = config_free(daemon->reloaded);
	daemon->config = config_free(daemon->config);
	return error;
}

/* What the machine failed at may go well the next time; what somebody wrote stays wrong. */
static enum daemon_exit exit_of_config(int error)
{
	return error < 0 ? DAEMON_EXIT_FAILURE : DAEMON_EXIT_CONFIG;
}

static enum daemon_exit check_config(const struct options *options)
{
	cleanup(config_freep) struct config *config = NULL;
	struct settings_report report = {.tell = print_fault};
	int error;

	error = load_config(options, &report, &config);
	if (error) {
		return exit_of_config(error);
	}
	(void)puts("configuration ok"); /* the exit code says it too */
	return DAEMON_EXIT_OK;
}

static enum daemon_exit exit_of(int error)
{
	if (error == 0) {
		return DAEMON_EXIT_OK;
	}
	/* What a start again would meet again, until somebody changes how the daemon is run. */
	return error == STORE_E_CREDENTIAL || error == -EUSERS ? DAEMON_EXIT_CONFIG
							       : DAEMON_EXIT_FAILURE;
}

static enum daemon_exit rewrap_vault(struct daemon *daemon)
{
	const struct store_options options = {
		.directory = daemon->config->state_directory,
		.progress = {status_log_progress, &daemon->status},
	};
	bool wrap = daemon->options.wrap_vault;
	int error;

	error = say_store_fault(daemon->config, store_rewrap(&options, wrap));
	if (error == 0) {
		log_say(LOG_LEVEL_NOTICE,
			"the vault in %s is %s; make a backup, and destroy the "
			"copies of the vault that were made before",
			daemon->config->state_directory, wrap ? "wrapped" : "not wrapped any more");
	}
	daemon->config = config_free(daemon->config);
	return exit_of(error);
}

/* For a data file that was cut short, or a disk that fails, while the daemon reads it as memory. */
static void prepare_for_bus_error(void)
{
	static char line[512];

	service_format_line(LOG_LEVEL_CRITICAL,
			    "the store failed: a part of a file that was there is gone, or the "
			    "disk cannot read it (SIGBUS). Ending without an answer; the next "
			    "start verifies it, and refuses what is damaged: restore a backup then",
			    line, sizeof(line));
	process_set_last_words(line);
}

int main(int argc, char **argv)
{
	struct daemon daemon = {0};
	enum daemon_exit code;
	int error, closed;

	log_set_sink(service_log_sink());
	process_harden();
	prepare_for_bus_error();
	if (!options_parse(argc, argv, &daemon.options, &code)) {
		return code;
	}
	if (daemon.options.check_config) {
		return check_config(&daemon.options);
	}
	error = load_first_config(&daemon);
	if (error) {
		return exit_of_config(error);
	}
	if (daemon.options.wrap_vault || daemon.options.unwrap_vault) {
		return rewrap_vault(&daemon);
	}
	status_init(&daemon.status);
	error = open_daemon(&daemon);
	if (!error) {
		run_daemon(&daemon);
	}
	closed = close_daemon(&daemon);
	return exit_of(error ? error : closed);
}
