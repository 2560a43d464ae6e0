/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CONFIG_H
#define RETENTIOND_CONFIG_H

#include <sys/types.h>

#include "common/base.h"
#include "common/instant.h"

#include "daemon/grants.h"
#include "daemon/settings.h"
#include "daemon/work/log.h"

/*
 * The configuration: where the daemon lives, and who may do what.
 *
 *     [retentiond]
 *     socket_group = retention
 *
 *     [grant helpdesk]
 *     role = admin
 *     groups = helpdesk
 *     organizations = contoso fabrikam
 */

#define CONFIG_FILE_DEFAULT            "/etc/retentiond/retentiond.conf"
#define CONFIG_STATE_DIRECTORY_DEFAULT "/var/lib/retentiond"
#define CONFIG_REGISTER_DEFAULT        "/var/lib/retentiond-register/register"
#define CONFIG_BACKUP_DEFAULT          "/var/backups/retentiond"
#define CONFIG_SOCKET_DEFAULT          "/run/retentiond/retentiond.sock"
#define CONFIG_SOCKET_MODE_DEFAULT     0660
#define CONFIG_SOCKET_LEN_MAX          107 /* bytes; what sun_path holds */
#define CONFIG_GID_NONE                ((gid_t)-1)

enum {
	CONFIG_E_INVALID = 1, /* the report was told what is wrong */
};

/**
 * struct config - what the files say, with defaults for what they do not
 * @state_directory, @socket: absolute paths
 * @register_path, @backup_directory: absolute paths, or NULL: then options_apply() decides
 * @vault_backup_directory: an absolute path, or NULL for the backup directory's with "-vault"
 * @socket_gid: CONFIG_GID_NONE if none is given
 * @map_bytes:  0 for the store's default
 * @tombstones: how long what is left of a removed account is kept; 0 for the engine's default
 * @allow_user_namespace: start though users are hidden
 * @grants:     who may do what
 */
struct config {
	char *state_directory;
	char *register_path;
	char *backup_directory;
	char *vault_backup_directory;
	char *socket;
	mode_t socket_mode;
	gid_t socket_gid;
	uint64_t map_bytes;
	span_t tombstones;
	bool allow_user_namespace;
	enum log_level log_level;
	struct grants grants;
};

/**
 * config_load() - read the files and look up users and groups
 * @file:   NULL for CONFIG_FILE_DEFAULT, which may be missing; a file that is named may not
 * @report: told of every fault, with its line. With a @warn, users and groups of grants that are not
 *          there are passed over
 *
 * FILE first, then FILE.d/[name].conf in the order of their names. A key that comes later wins.
 *
 * Return: 0, CONFIG_E_INVALID, or a negative errno.
 */
must_check int config_load(const char *file, struct settings_report *report,
			   struct config **ret_config);
struct config *config_free(struct config *config);
void config_freep(struct config **config);

#define CONFIG_RESTART_MAX 10

/**
 * config_restart_wanted() - which keys differ that are only looked at when the daemon starts
 * @running: what it started with
 * @names:   set to their names
 *
 * Grants and log_level take effect at once. Return: how many differ.
 */
size_t config_restart_wanted(const struct config *running, const struct config *loaded,
			     const char *names[static CONFIG_RESTART_MAX]);

/* "64G": a number of bytes with K, M, G or T (1024 each); false if it is not one, or too large. */
must_check bool config_parse_bytes(const char *text, uint64_t *ret_bytes);

/* "critical" to "debug". */
must_check bool config_parse_log_level(const char *text, enum log_level *ret_level);

#endif
