/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_OPTIONS_H
#define RETENTIOND_OPTIONS_H

#include "common/base.h"

#include "daemon/config.h"
#include "daemon/core/clock.h"

/* What the daemon exits with; the same numbers as retentionctl's. */
enum daemon_exit {
	DAEMON_EXIT_OK = 0,
	DAEMON_EXIT_FAILURE = 1,
	DAEMON_EXIT_USAGE = 2,
	DAEMON_EXIT_CONFIG = 6,
};

/**
 * struct options - the command line; NULL or 0 where an option is not given
 * @config_file: --config
 * @state_directory, @register_path, @backup_directory, @socket, @map_bytes, @log_level: win over
 *             the configuration; texts are argv's
 * @clock_mode, @simulated_at: --clock
 * @boot_id:   --boot-id; zeros if it is not given
 * @new_register: --new-register
 * @wrap_vault, @unwrap_vault: do that, and end
 */
struct options {
	const char *config_file;
	const char *state_directory;
	const char *register_path;
	const char *backup_directory;
	const char *socket;
	uint64_t map_bytes;
	enum log_level log_level; /* 0 is none of them */
	enum clock_mode clock_mode;
	instant_t simulated_at;
	struct clock_boot_id boot_id;
	bool new_register;
	bool wrap_vault;
	bool unwrap_vault;
	bool check_config;
};

/**
 * options_parse() - read the command line; --help and --version are answered here
 * @ret_options: set when the daemon is to go on
 *
 * Return: true to go on; false to end with *@ret_exit.
 */
must_check bool options_parse(int argc, char **argv, struct options *ret_options,
			      enum daemon_exit *ret_exit);

/*
 * Puts what was given over what the files say. A register and a backup directory that neither names
 * are those of the system, unless --state-directory makes it a daemon of its own: then they are in
 * there. Return: 0 or -ENOMEM.
 */
must_check int options_apply(const struct options *options, struct config *config);

#endif
