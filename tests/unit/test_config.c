/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/config.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/subject.h"

#include "tests/support/temp.h"

static char *directory;
static char *file;
static char faults[4096]; /* each with its line break, without the directory */
static char warnings[4096];
static struct config *config;

static void begin(void)
{
	directory = temp_directory_new();
	file = temp_path_new(directory, "c.conf");
}

static void end(void)
{
	config = config_free(config);
	free(file);
	directory = temp_directory_free(directory);
}

TestSuite(config, .init = begin, .fini = end);

static void note(char lines[static 4096], const char *text)
{
	size_t skip = strlen(directory) + 1;

	cr_assert_eq(strncmp(text, directory, strlen(directory)), 0, "%s", text);
	(void)snprintf(lines + strlen(lines), 4096 - strlen(lines), "%s\n", text + skip);
}

static void note_fault(void unused *userdata, const char *text)
{
	note(faults, text);
}

static void note_warning(void unused *userdata, const char *text)
{
	note(warnings, text);
}

static int load(void)
{
	struct settings_report report = {.tell = note_fault};

	return config_load(file, &report, &config);
}

static void write_file(const char *text)
{
	temp_file_write(file, slice_of(text));
}

/* FILE.d/NAME */
static void write_part(const char *name, const char *text)
{
	cleanup(freep) char *parts = temp_path_new(directory, "c.conf.d");
	cleanup(freep) char *path = temp_path_new(parts, name);

	(void)mkdir(parts, 0700); /* may be there */
	temp_file_write(path, slice_of(text));
}

static void accepts(const char *text)
{
	write_file(text);
	cr_assert_eq(load(), 0, "%s", faults);
	cr_assert_str_empty(faults);
}

static void refuses(const char *text, const char *with)
{
	write_file(text);
	cr_assert_eq(load(), CONFIG_E_INVALID);
	cr_assert_null(config);
	cr_assert_str_eq(faults, with, "%s", faults);
}

static const struct access_grant *grant(size_t i)
{
	cr_assert_lt(i, config->grants.rules.n_grants);
	return &config->grants.rules.grants[i];
}

Test(config, an_empty_file_gives_the_defaults)
{
	accepts("");
	cr_assert_str_eq(config->state_directory, "/var/lib/retentiond");
	cr_assert_str_eq(config->socket, "/run/retentiond/retentiond.sock");
	cr_assert_eq(config->socket_mode, 0660);
	cr_assert_eq(config->socket_gid, CONFIG_GID_NONE);
	cr_assert_eq(config->map_bytes, 0);
	cr_assert_eq(config->log_level, LOG_LEVEL_INFO);
	cr_assert_eq(config->grants.rules.n_grants, 0);
}

Test(config, every_key_is_taken)
{
	accepts("# how it is here\n"
		"[retentiond]\n"
		"state_directory = /srv/retention ; inline\n"
		"socket = /srv/r.sock\n"
		"socket_mode = 0666\n"
		"socket_group = 7\n"
		"map_size = 2G\n"
		"log_level = debug\n");
	cr_assert_str_eq(config->state_directory, "/srv/retention");
	cr_assert_str_eq(config->socket, "/srv/r.sock");
	cr_assert_eq(config->socket_mode, 0666);
	cr_assert_eq(config->socket_gid, 7);
	cr_assert_eq(config->map_bytes, UINT64_C(2) << 30);
	cr_assert_eq(config->log_level, LOG_LEVEL_DEBUG);
}

Test(config, a_byte_order_mark_in_front_hides_no_section)
{
	accepts("\xef\xbb\xbf[grant helpdesk]\n"
		"role = reader\n"
		"users = 7\n");
	cr_assert_eq(config->grants.rules.n_grants, 1);
}

Test(config, a_file_that_is_named_must_be_there)
{
	cr_assert_eq(load(), CONFIG_E_INVALID);
	cr_assert_str_eq(faults, "c.conf: cannot be read: No such file or directory\n");
}

Test(config, a_grant_names_users_and_groups_by_name_or_number)
{
	accepts("[grant all of it]\n"
		"role = admin\n"
		"users = root, 1234\n"
		"groups = root 77\n");
	cr_assert_eq(config->grants.rules.n_grants, 4);
	cr_assert_eq(grant(0)->subject, 0);
	cr_assert_eq(grant(1)->subject, 1234);
	cr_assert_not(grant(1)->by_group);
	cr_assert_eq(grant(2)->subject, 0);
	cr_assert(grant(2)->by_group);
	cr_assert_eq(grant(3)->subject, 77);
	for (size_t i = 0; i < 4; i++) {
		cr_assert_eq(grant(i)->role, ROLE_ADMIN);
		cr_assert_null(grant(i)->orgs, "all organizations");
	}
}

Test(config, each_role_can_be_granted)
{
	accepts("[grant a]\nrole = reader\nusers = 1\n"
		"[grant b]\nrole = auditor\nusers = 2\n"
		"[grant c]\nrole = self-service\nusers = 3\n"
		"[grant d]\nrole = admin\nusers = 4\n"
		"[grant e]\nrole = keeper crm-2\nusers = 5\ngroups = 6\n");
	cr_assert_eq(grant(0)->role, ROLE_READER);
	cr_assert_eq(grant(1)->role, ROLE_AUDITOR);
	cr_assert_eq(grant(2)->role, ROLE_SELF_SERVICE);
	cr_assert_eq(grant(3)->role, ROLE_ADMIN);
	cr_assert_null(grant(3)->keeper);
	for (size_t i = 4; i < 6; i++) {
		cr_assert_eq(grant(i)->role, ROLE_KEEPER);
		cr_assert_str_eq(grant(i)->keeper, "crm-2");
		cr_assert_null(grant(i)->orgs);
	}
}

Test(config, a_keeper_is_granted_by_a_name_that_can_be)
{
	refuses("[grant a]\nrole = keeper\nusers = 1\n"
		"[grant b]\nrole = keeper C R M\nusers = 1\n"
		"[grant c]\nrole = keeperx\nusers = 1\n",
		"c.conf:2: role = keeper needs the keeper's name behind it\n"
		"c.conf:5: keeper 'C R M' must be 1 to 64 of a-z 0-9 . _ -\n"
		"c.conf:8: role must be reader, auditor, self-service, admin or keeper NAME, not "
		"'keeperx'\n");
}

Test(config, a_keeper_is_not_limited_to_organizations_by_its_grant)
{
	refuses("[grant a]\nrole = keeper crm\nusers = 1\norganizations = contoso\n",
		"c.conf:4: a keeper's grant has no organizations; retentionctl set-keeper --orgs=… "
		"says which the keeper is for\n");
}

Test(config, organizations_are_kept_in_lower_case)
{
	accepts("[grant a]\nrole = reader\nusers = 1\norganizations = Contoso,fabrikam\n");
	cr_assert_eq(grant(0)->n_orgs, 2);
	cr_assert_str_eq(grant(0)->orgs[0], "contoso");
	cr_assert_str_eq(grant(0)->orgs[1], "fabrikam");
}

Test(config, an_indented_line_goes_on_with_the_value)
{
	accepts("[grant a]\n"
		"role = reader\n"
		"users = 1\n"
		"    2 3\n"
		"# between\n"
		"\t4\n");
	cr_assert_eq(config->grants.rules.n_grants, 4);
	cr_assert_eq(grant(3)->subject, 4);
}

Test(config, parts_are_read_in_the_order_of_their_names_and_the_later_key_wins)
{
	write_part("20-b.conf", "[retentiond]\nlog_level = error\n");
	write_part("10-a.conf", "[retentiond]\nlog_level = debug\nsocket = /a\n");
	accepts("[retentiond]\nlog_level = info\nsocket = /c\nmap_size = 16M\n");
	cr_assert_eq(config->log_level, LOG_LEVEL_ERROR);
	cr_assert_str_eq(config->socket, "/a");
	cr_assert_eq(config->map_bytes, UINT64_C(16) << 20);
}

Test(config, a_part_may_change_one_key_of_a_grant)
{
	write_part("a.conf", "[grant a]\nusers = 2\n");
	accepts("[grant a]\nrole = reader\nusers = 1\n");
	cr_assert_eq(config->grants.rules.n_grants, 1);
	cr_assert_eq(grant(0)->role, ROLE_READER);
	cr_assert_eq(grant(0)->subject, 2);
}

Test(config, files_of_other_names_are_no_parts)
{
	write_part("a.conf.bak", "nonsense\n");
	write_part(".hidden.conf", "nonsense\n");
	write_part(".conf", "nonsense\n");
	accepts("");
}

Test(config, a_fault_in_a_part_names_the_part)
{
	write_part("a.conf", "[retentiond]\nlog_level = loud\n");
	refuses("", "c.conf.d/a.conf:2: log_level must be critical, error, warning, notice, info "
		    "or debug, not 'loud'\n");
}

Test(config, every_fault_is_told_at_once)
{
	refuses("[retentiond]\nlog_level = loud\nsocket_mode = 9\n",
		"c.conf:2: log_level must be critical, error, warning, notice, info or debug, not "
		"'loud'\n"
		"c.conf:3: socket_mode must be an octal number up to 0777, such as 0660, not '9'\n");
}

Test(config, an_unknown_section_is_refused)
{
	refuses("[retention]\n", "c.conf:1: there is no section [retention]; there are "
				 "[retentiond] and [grant NAME]\n");
}

Test(config, a_grant_without_a_name_is_refused)
{
	refuses("[grant]\nrole = admin\nusers = 1\n",
		"c.conf:1: there is no section [grant]; there are [retentiond] and [grant NAME]\n");
}

Test(config, an_unknown_key_is_refused)
{
	refuses("[retentiond]\nsokcet = /a\n",
		"c.conf:2: [retentiond] has no key sokcet; it has state_directory, register, "
		"backup_directory, vault_backup_directory, socket, socket_mode, socket_group, "
		"map_size, tombstones, allow_user_namespace and log_level\n");
}

Test(config, an_unknown_key_of_a_grant_is_refused)
{
	refuses("[grant a]\nrole = admin\nusers = 1\nuser = 2\n",
		"c.conf:4: [grant] has no key user; it has role, users, groups and organizations\n");
}

Test(config, a_key_twice_in_one_file_is_refused)
{
	refuses("[retentiond]\nsocket = /a\n\nsocket = /b\n",
		"c.conf:4: socket is set already in line 2; write it once\n");
}

Test(config, a_key_before_any_section_is_refused)
{
	refuses("socket = /a\n",
		"c.conf:1: socket stands in no section; begin with [retentiond]\n");
}

Test(config, a_line_that_is_neither_is_refused)
{
	refuses("[retentiond]\nsocket\n", "c.conf:2: is neither a [section] nor a 'key = value'\n");
}

Test(config, an_indented_key_is_refused_since_it_would_continue_the_one_before)
{
	refuses("[grant a]\n  role = admin\n  users = 1\n",
		"c.conf:3: an indented line continues role; write 'users = 1' without blanks before "
		"it\n"
		"c.conf:1: [grant a] is for nobody; name users or groups\n");
}

Test(config, an_indented_section_is_refused_since_it_would_continue_the_key_before)
{
	write_file("[grant a]\nrole = reader\nusers = 1\n [grant b]\n");
	cr_assert_eq(load(), CONFIG_E_INVALID);
	cr_assert_eq(strncmp(faults, "c.conf:4: a [section] begins where its line begins", 50), 0,
		     "%s", faults);
}

Test(config, tombstones_are_kept_for_a_span_of_30_d_or_more)
{
	accepts("[retentiond]\ntombstones = 30d\n");
	cr_assert_eq(config->tombstones, 30 * SPAN_DAY);
	config = config_free(config);
	accepts("[retentiond]\n");
	cr_assert_eq(config->tombstones, 0);
	config = config_free(config);
}

Test(config, tombstones_that_are_dropped_too_soon_are_refused)
{
	refuses("[retentiond]\ntombstones = 29d23h\n",
		"c.conf:2: tombstones must be a span such as 400d, at least 30d, not '29d23h'\n");
}

Test(config, tombstones_without_a_unit_are_refused)
{
	refuses("[retentiond]\ntombstones = 400\n",
		"c.conf:2: tombstones must be a span such as 400d, at least 30d, not '400'\n");
}

Test(config, a_line_that_is_too_long_is_refused_and_not_cut)
{
	char text[400] = "[retentiond]\nsocket = /";

	memset(text + strlen(text), 'x', 300);
	refuses(text, "c.conf:2: a line has at most 198 bytes and no zero byte; go on in the next "
		      "line, indented\n");
}

Test(config, a_section_name_that_is_too_long_is_refused_and_not_cut)
{
	refuses("[grant 0123456789012345678901234567890123456789012345678901234567890123]\n",
		"c.conf:1: a section's name has at most 49 bytes\n");
}

Test(config, paths_must_be_absolute)
{
	refuses("[retentiond]\nstate_directory = lib\nsocket =\n",
		"c.conf:2: state_directory must be an absolute path, not 'lib'\n"
		"c.conf:3: socket must be an absolute path, not ''\n");
}

Test(config, a_map_that_is_too_small_is_refused)
{
	refuses("[retentiond]\nmap_size = 4M\n",
		"c.conf:2: map_size must be a number of bytes with K, M, G or T, at least 8M, not "
		"'4M'\n");
}

Test(config, a_grant_without_a_role_is_refused)
{
	refuses("[grant a]\nusers = 1\n", "c.conf:1: [grant a] has no role; it is reader, auditor, "
					  "self-service, admin or keeper NAME\n");
}

Test(config, a_grant_for_nobody_is_refused)
{
	refuses("[grant a]\nrole = reader\nusers = ,\n",
		"c.conf:1: [grant a] is for nobody; name users or groups\n");
}

Test(config, roles_that_cannot_be_granted_are_refused)
{
	refuses("[grant a]\nrole = any\nusers = 1\n[grant b]\nrole = daemon\nusers = 1\n",
		"c.conf:2: role must be reader, auditor, self-service, admin or keeper NAME, not 'any'\n"
		"c.conf:5: role must be reader, auditor, self-service, admin or keeper NAME, not 'daemon'\n");
}

Test(config, users_and_groups_that_are_not_there_are_refused)
{
	refuses("[grant a]\nrole = reader\nusers = no-such-user\ngroups = no-such-group\n",
		"c.conf:3: there is no user 'no-such-user'; create it, or write its number\n"
		"c.conf:4: there is no group 'no-such-group'; create it, or write its number\n");
}

/* As the daemon does it when it starts. */
static int load_with_warnings(void)
{
	struct settings_report report = {.tell = note_fault, .warn = note_warning};

	return config_load(file, &report, &config);
}

Test(config, users_and_groups_that_are_not_there_do_not_keep_the_daemon_from_starting)
{
	write_file("[grant a]\nrole = reader\nusers = no-such-user, 7\n"
		   "groups = no-such-group\n");
	cr_assert_eq(load_with_warnings(), 0, "%s", faults);
	cr_assert_str_empty(faults);
	cr_assert_str_eq(warnings,
			 "c.conf:3: there is no user 'no-such-user': this grant gives it nothing "
			 "until it is there and the configuration is reloaded\n"
			 "c.conf:4: there is no group 'no-such-group': this grant gives it nothing "
			 "until it is there and the configuration is reloaded\n");
	cr_assert_eq(config->grants.n_absent, 2);
	cr_assert_eq(config->grants.rules.n_grants, 1);
	cr_assert_eq(grant(0)->subject, 7);
}

Test(config, what_else_is_wrong_does_keep_the_daemon_from_starting)
{
	write_file("[retentiond]\nsocket_group = no-such-group\n"
		   "[grant a]\nrole = reader\nusers = 65534\n");
	cr_assert_eq(load_with_warnings(), CONFIG_E_INVALID);
	cr_assert_not_null(strstr(faults, "c.conf:2: there is no group 'no-such-group'"));
	cr_assert_not_null(strstr(faults, "c.conf:5: user '65534' is 65534"));
	cr_assert_str_empty(warnings);
}

/* The lowest one that is free is the first that there may not be. */
static void leave_no_descriptors(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct rlimit limit = {(rlim_t)fd, (rlim_t)fd};

	cr_assert_geq(fd, 0);
	closep(&fd);
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

Test(config, a_lookup_that_fails_does_not_mean_that_nobody_is_there)
{
	struct settings_report report = {.tell = note_fault, .warn = note_warning};
	struct setting setting = {.file = file, .line = 3};
	uint32_t id;

	leave_no_descriptors();
	cr_assert_eq(subject_find(&setting, false, "no-such-user", &report, &id), -EMFILE);
	cr_assert_eq(subject_find(&setting, true, "no-such-group", &report, &id), -EMFILE);
	cr_assert_str_eq(
		faults,
		"c.conf:3: user 'no-such-user' cannot be looked up: Too many open files\n"
		"c.conf:3: group 'no-such-group' cannot be looked up: Too many open files\n");
	cr_assert_str_empty(warnings);
}

Test(config, a_part_that_cannot_be_read_is_named)
{
	cleanup(freep) char *parts = temp_path_new(directory, "c.conf.d");
	cleanup(freep) char *path = temp_path_new(parts, "a.conf");

	write_part("b.conf", "[retentiond]\nlog_level = loud\n");
	cr_assert_eq(mkdir(path, 0700), 0);
	refuses("", "c.conf.d/a.conf: cannot be read: Is a directory\n"
		    "c.conf.d/b.conf:2: log_level must be critical, error, warning, notice, info "
		    "or debug, not 'loud'\n");
}

Test(config, parts_that_cannot_be_read_at_all_are_named)
{
	cleanup(freep) char *parts = temp_path_new(directory, "c.conf.d");

	cr_assert_eq(symlink("c.conf.d", parts), 0);
	refuses("", "c.conf.d: cannot be read: Too many levels of symbolic links\n");
}

Test(config, what_the_machine_fails_at_is_no_fault_of_the_configuration)
{
	write_file("");
	leave_no_descriptors();
	cr_assert_eq(load(), -EMFILE);
	cr_assert_str_eq(faults, "c.conf: cannot be read: Too many open files\n");
}

Test(config, the_user_that_stands_for_hidden_ones_is_refused)
{
	write_file("[grant a]\nrole = reader\nusers = 65534\n");
	cr_assert_eq(load(), CONFIG_E_INVALID);
	cr_assert_eq(strncmp(faults, "c.conf:3: user '65534' is 65534", 31), 0, "%s", faults);
}

Test(config, an_empty_list_of_organizations_is_refused_and_does_not_mean_all)
{
	refuses("[grant a]\nrole = reader\nusers = 1\norganizations =\n",
		"c.conf:4: organizations must name at least one; leave the key out for all of them\n");
}

Test(config, an_organization_that_cannot_be_is_refused)
{
	refuses("[grant a]\nrole = reader\nusers = 1\norganizations = a b/c\n",
		"c.conf:4: organization 'b/c' must be 1 to 64 of a-z 0-9 . _ -\n");
}

Test(config, keys_that_differ_and_take_a_restart_are_named)
{
	const char *names[CONFIG_RESTART_MAX];
	struct config *before;

	accepts("");
	before = config;
	accepts("[retentiond]\nlog_level = debug\nmap_size = 1G\nsocket_mode = 0600\n"
		"[grant a]\nrole = reader\nusers = 1\n");
	cr_assert_eq(config_restart_wanted(before, config, names), 2);
	cr_assert_str_eq(names[0], "socket_mode");
	cr_assert_str_eq(names[1], "map_size");
	cr_assert_eq(config_restart_wanted(config, config, names), 0);
	config_free(before);
}

Test(config, bytes_are_read_with_their_units)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} rows[] = {
		{"0", 0},
		{"4096", 4096},
		{"1K", 1024},
		{"3M", UINT64_C(3) << 20},
		{"64G", UINT64_C(64) << 30},
		{"2T", UINT64_C(2) << 40},
		{"18446744073709551615", UINT64_MAX},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t bytes;

		cr_assert(config_parse_bytes(rows[i].text, &bytes), "%s", rows[i].text);
		cr_assert_eq(bytes, rows[i].bytes, "%s", rows[i].text);
	}
}

Test(config, what_is_no_number_of_bytes_is_refused)
{
	static const char *const texts[] = {
		"",
		"M",
		"-1",
		"+1",
		" 1",
		"1 M",
		"1m",
		"1MB",
		"1.5G",
		"0x10",
		"18446744073709551616",
		"16777216T",
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		uint64_t bytes;

		cr_assert_not(config_parse_bytes(texts[i], &bytes), "'%s'", texts[i]);
	}
}

Test(config, a_user_namespace_is_allowed_by_a_clear_yes_only)
{
	accepts("[retentiond]\nallow_user_namespace = yes\n");
	cr_assert(config->allow_user_namespace);
}

Test(config, a_user_namespace_is_not_allowed_by_itself)
{
	accepts("[retentiond]\nallow_user_namespace = no\n");
	cr_assert_not(config->allow_user_namespace);
}

Test(config, what_is_neither_yes_nor_no_is_refused)
{
	refuses("[retentiond]\nallow_user_namespace = maybe\n",
		"c.conf:2: allow_user_namespace must be yes or no, not 'maybe'\n");
}
