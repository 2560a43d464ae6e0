/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>

#include "common/version.h"

#include "daemon/store/store.h"

#define SIMULATED "simulated:"

/* getopt_long()'s answers; behind the characters that it answers itself. */
enum {
	OPTION_CONFIG = 256,
	OPTION_STATE_DIRECTORY,
	OPTION_REGISTER,
	OPTION_NEW_REGISTER,
	OPTION_BACKUP_DIRECTORY,
	OPTION_SOCKET,
	OPTION_CLOCK,
	OPTION_BOOT_ID,
	OPTION_MAP_SIZE,
	OPTION_LOG_LEVEL,
	OPTION_CHECK_CONFIG,
	OPTION_WRAP_VAULT,
	OPTION_UNWRAP_VAULT,
	OPTION_HELP,
	OPTION_VERSION,
};

static const struct option long_options[] = {
	{"config", required_argument, NULL, OPTION_CONFIG},
	{"state-directory", required_argument, NULL, OPTION_STATE_DIRECTORY},
	{"register", required_argument, NULL, OPTION_REGISTER},
	{"new-register", no_argument, NULL, OPTION_NEW_REGISTER},
	{"backup-directory", required_argument, NULL, OPTION_BACKUP_DIRECTORY},
	{"socket", required_argument, NULL, OPTION_SOCKET},
	{"clock", required_argument, NULL, OPTION_CLOCK},
	{"boot-id", required_argument, NULL, OPTION_BOOT_ID},
	{"map-size", required_argument, NULL, OPTION_MAP_SIZE},
	{"log-level", required_argument, NULL, OPTION_LOG_LEVEL},
	{"check-config", no_argument, NULL, OPTION_CHECK_CONFIG},
	{"wrap-vault", no_argument, NULL, OPTION_WRAP_VAULT},
	{"unwrap-vault", no_argument, NULL, OPTION_UNWRAP_VAULT},
	{"help", no_argument, NULL, OPTION_HELP},
	{"version", no_argument, NULL, OPTION_VERSION},
	{NULL, 0, NULL, 0},
};

static const char help_text[] =
	"Usage: retentiond [OPTION...]\n"
	"\n"
	"Keeps the retention promises for guest accounts: takes commands on a local socket and runs\n"
	"the clock. retentionctl(1) speaks to it.\n"
	"\n"
	"  --config=FILE             instead of " CONFIG_FILE_DEFAULT ";\n"
	"                            FILE.d/*.conf is read after it\n"
	"  --state-directory=DIR     where the store is; must exist\n"
	"  --register=PATH           the removal register, DIR/register if DIR is given; must be in no\n"
	"                            backup\n"
	"  --new-register            begin a removal register where it is lost\n"
	"  --backup-directory=DIR    where retentionctl backup puts data; the keys go to DIR-vault\n"
	"  --socket=PATH             where to listen, unless systemd passes a socket\n"
	"  --map-size=BYTES          address space for the store, with K, M, G or T\n"
	"  --clock=simulated:INSTANT a clock that stands still until it is moved; for tests\n"
	"  --boot-id=ID              which boot this is, where /proc does not show it: 32 digits\n"
	"  --log-level=LEVEL         critical, error, warning, notice, info or debug\n"
	"  --check-config            say what is wrong with the configuration, and end\n"
	"  --wrap-vault              wrap the vault with the master key, and end\n"
	"  --unwrap-vault            the reverse\n"
	"  --help                    this\n"
	"  --version                 which version this is\n"
	"\n"
	"Of the service manager's credentials in $CREDENTIALS_DIRECTORY, signing-key signs receipts\n"
	"and master-key wraps the vault: each is a file of 32 bytes or 64 hexadecimal digits.\n"
	"\n"
	"Exits with 0 when asked to end, 1 on failure, 2 on a wrong command line, 6 on a wrong\n"
	"configuration or credential.\n";

/* Return: false, for the callers to hand on. */
static bool refuse(const char *option, const char *value, const char *what)
{
	(void)fprintf(stderr, "retentiond: --%s=%s: %s\n", option, value, what);
	return false;
}

/* A relative instant would count from another now at each start. */
static bool is_relative(struct slice text)
{
	return slice_is(text, "now") || (text.len > 0 && strchr("+-", text.data[0]));
}

static bool parse_simulated(const char *value, instant_t *ret_at)
{
	struct slice text;
	int error;

	if (strncmp(value, SIMULATED, strlen(SIMULATED)) != 0) {
		return refuse("clock", value, "must be simulated:INSTANT");
	}
	text = slice_of(value + strlen(SIMULATED));
	error = is_relative(text) ? INSTANT_E_MALFORMED : instant_parse(text, 0, ret_at);
	if (error == INSTANT_E_MALFORMED) {
		return refuse(
			"clock", value,
			"must be an absolute instant, such as simulated:2026-03-01T12:00:00Z");
	}
	return error ? refuse("clock", value, instant_fault(error)) : true;
}

static bool parse_clock(const char *value, struct options *options)
{
	options->clock_mode = CLOCK_MODE_SIMULATED;
	return parse_simulated(value, &options->simulated_at);
}

static bool parse_boot_id(const char *value, struct options *options)
{
	return clock_parse_boot_id(slice_of(value), &options->boot_id) ||
	       refuse("boot-id", value,
		      "must be 32 hexadecimal digits, not all 0, as in "
		      "/proc/sys/kernel/random/boot_id");
}

static bool parse_map_size(const char *value, struct options *options)
{
	static_assert(STORE_MAP_MIN == UINT64_C(8) << 20, "the sentence says 8M");
	if (!config_parse_bytes(value, &options->map_bytes) || options->map_bytes < STORE_MAP_MIN) {
		return refuse("map-size", value,
			      "must be a number of bytes with K, M, G or T, at least 8M");
	}
	return true;
}

static bool parse_log_level(const char *value, struct options *options)
{
	if (!config_parse_log_level(value, &options->log_level)) {
		return refuse("log-level", value,
			      "must be critical, error, warning, notice, info or debug");
	}
	return true;
}

static bool parse_socket(const char *value, struct options *options)
{
	if (strlen(value) > CONFIG_SOCKET_LEN_MAX) {
		return refuse("socket", value, "must be a path of at most 107 bytes");
	}
	options->socket = value;
	return true;
}

/*
 * Return: whether the option is understood; getopt_long() has complained about one that is not
 * there.
 */
static bool parse_option(int option, const char *value, struct options *options)
{
	switch (option) {
	case OPTION_CONFIG:
		options->config_file = value;
		return true;
	case OPTION_STATE_DIRECTORY:
		options->state_directory = value;
		return true;
	case OPTION_REGISTER:
		options->register_path = value;
		return true;
	case OPTION_NEW_REGISTER:
		options->new_register = true;
		return true;
	case OPTION_BACKUP_DIRECTORY:
		options->backup_directory = value;
		return true;
	case OPTION_SOCKET:
		return parse_socket(value, options);
	case OPTION_CLOCK:
		return parse_clock(value, options);
	case OPTION_BOOT_ID:
		return parse_boot_id(value, options);
	case OPTION_MAP_SIZE:
		return parse_map_size(value, options);
	case OPTION_LOG_LEVEL:
		return parse_log_level(value, options);
	case OPTION_CHECK_CONFIG:
		options->check_config = true;
		return true;
	case OPTION_WRAP_VAULT:
		options->wrap_vault = true;
		return true;
	case OPTION_UNWRAP_VAULT:
		options->unwrap_vault = true;
		return true;
	}
	return false;
}

static enum daemon_exit wrong_usage(void)
{
	(void)fputs("Try 'retentiond --help'.\n", stderr);
	return DAEMON_EXIT_USAGE;
}

static enum daemon_exit print(const char *text)
{
	return fputs(text, stdout) < 0 || fflush(stdout) != 0 ? DAEMON_EXIT_FAILURE
							      : DAEMON_EXIT_OK;
}

bool options_parse(int argc, char **argv, struct options *ret_options, enum daemon_exit *ret_exit)
{
	struct options options = {.clock_mode = CLOCK_MODE_REAL};
	int option;

	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (option == OPTION_HELP) {
			*ret_exit = print(help_text);
			return false;
		}
		if (option == OPTION_VERSION) {
			*ret_exit = print("retentiond " RETENTIOND_VERSION "\n");
			return false;
		}
		if (!parse_option(option, optarg, &options)) {
			*ret_exit = wrong_usage();
			return false;
		}
	}
	if (optind < argc) {
		(void)fprintf(stderr, "retentiond: '%s' is no option\n", argv[optind]);
		*ret_exit = wrong_usage();
		return false;
	}
	if (options.wrap_vault && options.unwrap_vault) {
		(void)fputs("retentiond: --wrap-vault and --unwrap-vault exclude each other\n",
			    stderr);
		*ret_exit = wrong_usage();
		return false;
	}
	*ret_options = options;
	return true;
}

static int replace(char **text, const char *with)
{
	char *copy;

	if (!with) {
		return 0;
	}
	copy = strdup(with);
	if (!copy) {
		return -ENOMEM;
	}
	free(*text);
	*text = copy;
	return 0;
}

static int take_places_of_system(struct config *config)
{
	if (!config->register_path &&
	    replace(&config->register_path, CONFIG_REGISTER_DEFAULT) < 0) {
		return -ENOMEM;
	}
	return config->backup_directory ? 0
					: replace(&config->backup_directory, CONFIG_BACKUP_DEFAULT);
}

int options_apply(const struct options *options, struct config *config)
{
	if (options->map_bytes > 0) {
		config->map_bytes = options->map_bytes;
	}
	if (options->log_level > 0) {
		config->log_level = options->log_level;
	}
	if (replace(&config->state_directory, options->state_directory) < 0) {
		return -ENOMEM;
	}
	if (replace(&config->register_path, options->register_path) < 0 ||
	    replace(&config->backup_directory, options->backup_directory) < 0 ||
	    replace(&config->socket, options->socket) < 0) {
		return -ENOMEM;
	}
	return options->state_directory ? 0 : take_places_of_system(config);
}
