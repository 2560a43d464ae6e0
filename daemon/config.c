/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/config.h"

#include <errno.h>
#include <stdio.h>

#include "daemon/store/store.h"
#include "daemon/subject.h"
#include "daemon/work/tombstones.h"

#define SECTION_DAEMON "retentiond"

#define LOG_LEVELS "critical, error, warning, notice, info or debug"

bool config_parse_bytes(const char *text, uint64_t *ret_bytes)
{
	static const char units[] = "KMGT";
	const char *unit;
	uint64_t bytes = 0;

	if (*text < '0' || *text > '9') {
		return false;
	}
	for (; *text >= '0' && *text <= '9'; text++) {
		if (__builtin_mul_overflow(bytes, 10, &bytes) ||
		    __builtin_add_overflow(bytes, (uint64_t)(*text - '0'), &bytes)) {
			return false;
		}
	}
	if (*text != '\0') {
		unit = strchr(units, *text++);
		if (!unit || *text != '\0' ||
		    __builtin_mul_overflow(bytes, UINT64_C(1024) << (10 * (unit - units)),
					   &bytes)) {
			return false;
		}
	}
	*ret_bytes = bytes;
	return true;
}

bool config_parse_log_level(const char *text, enum log_level *ret_level)
{
	static const char *const names[] = {
		[LOG_LEVEL_CRITICAL] = "critical", [LOG_LEVEL_ERROR] = "error",
		[LOG_LEVEL_WARNING] = "warning",   [LOG_LEVEL_NOTICE] = "notice",
		[LOG_LEVEL_INFO] = "info",         [LOG_LEVEL_DEBUG] = "debug",
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (names[i] && strcmp(text, names[i]) == 0) {
			*ret_level = (enum log_level)i;
			return true;
		}
	}
	return false;
}

/*
 * [retentiond]
 */

static int set_path(const struct setting *setting, char **path, struct settings_report *report)
{
	char *copy;

	if (setting->value[0] != '/') {
		setting_wrong(report, setting, "an absolute path");
		return 0;
	}
	copy = strdup(setting->value);
	if (!copy) {
		return -ENOMEM;
	}
	free(*path);
	*path = copy;
	return 0;
}

static int set_state_directory(struct config *config, const struct setting *setting,
			       struct settings_report *report)
{
	return set_path(setting, &config->state_directory, report);
}

static int set_register(struct config *config, const struct setting *setting,
			struct settings_report *report)
{
	return set_path(setting, &config->register_path, report);
}

static int set_backup_directory(struct config *config, const struct setting *setting,
				struct settings_report *report)
{
	return set_path(setting, &config->backup_directory, report);
}

static int set_vault_backup_directory(struct config *config, const struct setting *setting,
				      struct settings_report *report)
{
	return set_path(setting, &config->vault_backup_directory, report);
}

static int set_socket(struct config *config, const struct setting *setting,
		      struct settings_report *report)
{
	if (strlen(setting->value) > CONFIG_SOCKET_LEN_MAX) {
		setting_wrong(report, setting, "a path of at most 107 bytes");
		return 0;
	}
	return set_path(setting, &config->socket, report);
}

static int set_socket_mode(struct config *config, const struct setting *setting,
			   struct settings_report *report)
{
	unsigned long mode;
	char *end;

	mode = strtoul(setting->value, &end, 8);
	if (end == setting->value || *end != '\0' || setting->value[0] == '-' || mode > 0777) {
		setting_wrong(report, setting, "an octal number up to 0777, such as 0660");
		return 0;
	}
	config->socket_mode = (mode_t)mode;
	return 0;
}

static int set_socket_group(struct config *config, const struct setting *setting,
			    struct settings_report *report)
{
	uint32_t gid;
	int error;

	error = subject_find(setting, true, setting->value, report, &gid);
	if (!error) {
		config->socket_gid = gid;
	}
	if (error == SUBJECT_E_UNKNOWN) {
		setting_fault(report, setting,
			      "there is no group '%s'; create it, or write its number",
			      setting->value);
	}
	return error < 0 ? error : 0;
}

static int set_map_size(struct config *config, const struct setting *setting,
			struct settings_report *report)
{
	uint64_t bytes;

	static_assert(STORE_MAP_MIN == UINT64_C(8) << 20, "the sentence says 8M");
	if (!config_parse_bytes(setting->value, &bytes) || bytes < STORE_MAP_MIN) {
		setting_wrong(report, setting, "a number of bytes with K, M, G or T, at least 8M");
		return 0;
	}
	config->map_bytes = bytes;
	return 0;
}

static int set_tombstones(struct config *config, const struct setting *setting,
			  struct settings_report *report)
{
	span_t span;

	static_assert(TOMBSTONES_SPAN_MIN == 30 * SPAN_DAY, "the sentence says 30d");
	if (span_parse(slice_of(setting->value), &span) != 0 || span < TOMBSTONES_SPAN_MIN) {
		setting_wrong(report, setting, "a span such as 400d, at least 30d");
		return 0;
	}
	config->tombstones = span;
	return 0;
}

static int set_allow_user_namespace(struct config *config, const struct setting *setting,
				    struct settings_report *report)
{
	bool yes = strcmp(setting->value, "yes") == 0;

	if (!yes && strcmp(setting->value, "no") != 0) {
		setting_wrong(report, setting, "yes or no");
		return 0;
	}
	config->allow_user_namespace = yes;
	return 0;
}

static int set_log_level(struct config *config, const struct setting *setting,
			 struct settings_report *report)
{
	if (!config_parse_log_level(setting->value, &config->log_level)) {
		setting_wrong(report, setting, LOG_LEVELS);
	}
	return 0;
}

static const struct daemon_key {
	const char *name;
	int (*set)(struct config *config, const struct setting *setting,
		   struct settings_report *report);
} daemon_keys[] = {
	{"state_directory", set_state_directory},
	{"register", set_register},
	{"backup_directory", set_backup_directory},
	{"vault_backup_directory", set_vault_backup_directory},
	{"socket", set_socket},
	{"socket_mode", set_socket_mode},
	{"socket_group", set_socket_group},
	{"map_size", set_map_size},
	{"tombstones", set_tombstones},
	{"allow_user_namespace", set_allow_user_namespace},
	{"log_level", set_log_level},
};

static int apply_daemon(struct config *config, const struct setting *setting,
			struct settings_report *report)
{
	for (size_t i = 0; i < ARRAY_LEN(daemon_keys); i++) {
		if (strcmp(setting->key, daemon_keys[i].name) == 0) {
			return daemon_keys[i].set(config, setting, report);
		}
	}
	setting_fault(report, setting,
		      "[retentiond] has no key %s; it has state_directory, register, "
		      "backup_directory, vault_backup_directory, socket, socket_mode, "
		      "socket_group, map_size, tombstones, allow_user_namespace and log_level",
		      setting->key);
	return 0;
}

/*
 * The whole
 */

static int apply_header(struct config *config, const struct settings *settings,
			const struct setting *header, struct settings_report *report)
{
	if (grants_own_section(header->section)) {
		return grants_add(&config->grants, settings, header, report);
	}
	if (strcmp(header->section, SECTION_DAEMON) != 0) {
		setting_fault(report, header,
			      "there is no section [%s]; there are [retentiond] and [grant NAME]",
			      header->section);
	}
	return 0;
}

/* Every section has a setting of its own, for its header: grants are made of their keys there. */
static int apply_settings(struct config *config, const struct settings *settings,
			  struct settings_report *report)
{
	int error = 0;

	for (size_t i = 0; i < settings->n && !error; i++) {
		const struct setting *setting = &settings->items[i];

		if (!setting->key) {
			error = apply_header(config, settings, setting, report);
		} else if (strcmp(setting->section, SECTION_DAEMON) == 0) {
			error = apply_daemon(config, setting, report);
		}
	}
	return error;
}

static int read_files(const char *file, struct settings *settings, struct settings_report *report)
{
	const char *path = file ? file : CONFIG_FILE_DEFAULT;
	cleanup(freep) char *directory = NULL;
	int error;

	if (asprintf(&directory, "%s.d", path) < 0) {
		directory = NULL;
		return -ENOMEM;
	}
	error = settings_read(settings, path, report);
	if (error == SETTINGS_E_MISSING && file) {
		settings_fault(report, path, 0, "cannot be read: %s", strerror(ENOENT));
	}
	return error < 0 ? error : settings_read_directory(settings, directory, report);
}

static int config_new(struct config **ret_config)
{
	cleanup(config_freep) struct config *config = NULL;

	config = calloc(1, sizeof(*config));
	if (!config) {
		return -ENOMEM;
	}
	config->state_directory = strdup(CONFIG_STATE_DIRECTORY_DEFAULT);
	config->socket = strdup(CONFIG_SOCKET_DEFAULT);
	config->socket_mode = CONFIG_SOCKET_MODE_DEFAULT;
	config->socket_gid = CONFIG_GID_NONE;
	config->log_level = LOG_LEVEL_INFO;
	if (!config->state_directory || !config->socket) {
		return -ENOMEM;
	}
	*ret_config = TAKE_PTR(config);
	return 0;
}

int config_load(const char *file, struct settings_report *report, struct config **ret_config)
{
	cleanup(config_freep) struct config *config = NULL;
	struct settings settings = {0};
	int error;

	error = config_new(&config);
	if (error) {
		return error;
	}
	error = read_files(file, &settings, report);
	if (!error) {
		error = apply_settings(config, &settings, report);
	}
	settings_done(&settings);
	if (error) {
		return error;
	}
	if (report->n_faults > 0) {
		return CONFIG_E_INVALID;
	}
	*ret_config = TAKE_PTR(config);
	return 0;
}

struct config *config_free(struct config *config)
{
	if (!config) {
		return NULL;
	}
	grants_done(&config->grants);
	free(config->socket);
	free(config->vault_backup_directory);
	free(config->backup_directory);
	free(config->register_path);
	free(config->state_directory);
	free(config);
	return NULL;
}

void config_freep(struct config **config)
{
	*config = config_free(*config);
}

/* Two paths, of which NULL stands for a default. */
static bool paths_differ(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) != 0 : a != b;
}

size_t config_restart_wanted(const struct config *running, const struct config *loaded,
			     const char *names[static CONFIG_RESTART_MAX])
{
	size_t n = 0;

	if (strcmp(running->state_directory, loaded->state_directory) != 0) {
		names[n++] = "state_directory";
	}
	if (paths_differ(running->register_path, loaded->register_path)) {
		names[n++] = "register";
	}
	if (paths_differ(running->backup_directory, loaded->backup_directory)) {
		names[n++] = "backup_directory";
	}
	if (paths_differ(running->vault_backup_directory, loaded->vault_backup_directory)) {
		names[n++] = "vault_backup_directory";
	}
	if (strcmp(running->socket, loaded->socket) != 0) {
		names[n++] = "socket";
	}
	if (running->socket_mode != loaded->socket_mode) {
		names[n++] = "socket_mode";
	}
	if (running->socket_gid != loaded->socket_gid) {
		names[n++] = "socket_group";
	}
	if (running->map_bytes != loaded->map_bytes) {
		names[n++] = "map_size";
	}
	if (running->tombstones != loaded->tombstones) {
		names[n++] = "tombstones";
	}
	if (running->allow_user_namespace != loaded->allow_user_namespace) {
		names[n++] = "allow_user_namespace";
	}
	return n;
}
