/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/grants.h"

#include <errno.h>

#include "common/model.h"

#include "daemon/subject.h"

#define PREFIX "grant "
#define BLANKS " \t,"
#define ROLES  "reader, auditor, self-service, admin or keeper NAME"
#define KEEPER "keeper" /* stands before the keeper's name */

/* One section's keys; NULL where one is not given. */
struct section {
	const struct setting *header;
	const struct setting *role;
	const struct setting *users;
	const struct setting *groups;
	const struct setting *orgs;
};

/* The next word of a list, or NULL; @rest is moved on and changed as strsep() does. */
static char *next_word(char **rest)
{
	char *word;

	do {
		word = strsep(rest, BLANKS);
	} while (word && word[0] == '\0');
	return word;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static int add_rule(struct access_rules *rules, const struct access_grant *grant)
{
	struct access_grant *grown;

	grown = reallocarray((void *)rules->grants, rules->n_grants + 1, sizeof(*grown));
	if (!grown) {
		return -ENOMEM;
	}
	grown[rules->n_grants] = *grant;
	*rules = (struct access_rules){grown, rules->n_grants + 1};
	return 0;
}

/*
 * An account that was taken away must not keep the daemon down, and its deadlines unattended, at the next
 * boot. Whoever writes a grant still hears of a name that was mistyped.
 */
static void say_absent(struct grants *grants, const struct setting *setting, bool group,
		       const char *name, struct settings_report *report)
{
	const char *kind = group ? "group" : "user";

	if (report->warn) {
		grants->n_absent++;
		setting_warn(report, setting,
			     "there is no %s '%s': this grant gives it nothing until it is there "
			     "and the configuration is reloaded",
			     kind, name);
	} else {
		setting_fault(report, setting,
			      "there is no %s '%s'; create it, or write its number", kind, name);
	}
}

/* One access_grant for each user, or group, of a list. @like says the rest. */
static int add_subjects(struct grants *grants, const struct setting *setting, bool group,
			const struct access_grant *like, struct settings_report *report)
{
	cleanup(freep) char *words = NULL;
	struct access_grant grant = *like;
	char *rest, *name;

	words = strdup(setting->value);
	if (!words) {
		return -ENOMEM;
	}
	grant.by_group = group;
	rest = words;
	while ((name = next_word(&rest))) {
		int error;

		error = subject_find(setting, group, name, report, &grant.subject);
		if (!error) {
			error = add_rule(&grants->rules, &grant);
		} else if (error == SUBJECT_E_UNKNOWN) {
			say_absent(grants, setting, group, name, report);
		}
		if (error < 0) {
			return error;
		}
	}
	return 0;
}

static char **orgs_free(char **orgs)
{
	for (size_t i = 0; orgs && orgs[i]; i++) {
		free(orgs[i]);
	}
	free(orgs);
	return NULL;
}

static void orgs_freep(char ***orgs)
{
	*orgs = orgs_free(*orgs);
}

/* One more id at the end, in lower case, and NULL behind it. */
static int orgs_append(char ***orgs, size_t n, const char *id)
{
	size_t size = strlen(id) + 1;
	char **grown;

	grown = reallocarray(*orgs, n + 2, sizeof(*grown));
	if (!grown) {
		return -ENOMEM;
	}
	*orgs = grown;
	grown[n + 1] = NULL;
	grown[n] = malloc(size);
	if (!grown[n]) {
		return -ENOMEM;
	}
	(void)model_lower(slice_of(id), grown[n], size); /* returns what it wrote */
	return 0;
}

static int parse_orgs(const struct setting *setting, struct settings_report *report,
		      char ***ret_orgs, size_t *ret_n)
{
	cleanup(freep) char *words = NULL;
	cleanup(orgs_freep) char **orgs = NULL;
	char *rest, *id;
	size_t n = 0;

	words = strdup(setting->value);
	if (!words) {
		return -ENOMEM;
	}
	rest = words;
	while ((id = next_word(&rest))) {
		const char *fault = model_org_fault(slice_of(id));
		int error;

		if (fault) {
			setting_fault(report, setting, "organization '%s' %s", id, fault);
			continue;
		}
		error = orgs_append(&orgs, n, id);
		if (error) {
			return error;
		}
		n++;
	}
	*ret_orgs = TAKE_PTR(orgs);
	*ret_n = n;
	return 0;
}

/* The list outlives the grants that point to it. */
static int keep_orgs(struct grants *grants, char **orgs)
{
	char ***grown;

	grown = reallocarray(grants->orgs, grants->n_orgs + 1, sizeof(*grown));
	if (!grown) {
		orgs_free(orgs);
		return -ENOMEM;
	}
	grants->orgs = grown;
	grants->orgs[grants->n_orgs++] = orgs;
	return 0;
}

/* An empty list must not come out as no list, which means all organizations. */
static int set_orgs(struct grants *grants, const struct setting *setting,
		    struct access_grant *grant, struct settings_report *report)
{
	char **orgs;
	size_t n;
	int error;

	error = parse_orgs(setting, report, &orgs, &n);
	if (error) {
		return error;
	}
	if (n == 0) {
		setting_fault(
			report, setting,
			"organizations must name at least one; leave the key out for all of them");
		return 0;
	}
	grant->orgs = (const char *const *)orgs;
	grant->n_orgs = n;
	return keep_orgs(grants, orgs);
}

/* The name outlives the grants that point to it. */
static int keep_keeper(struct grants *grants, const char *name, struct access_grant *grant)
{
	char **grown;

	grown = reallocarray(grants->keepers, grants->n_keepers + 1, sizeof(*grown));
	if (!grown) {
		return -ENOMEM;
	}
	grants->keepers = grown;
	grown[grants->n_keepers] = strdup(name);
	if (!grown[grants->n_keepers]) {
		return -ENOMEM;
	}
	grant->keeper = grown[grants->n_keepers++];
	grant->role = ROLE_KEEPER;
	return 0;
}

/* The name behind "keeper" and a blank, or NULL if this is another role. */
static const char *keeper_name(const char *value)
{
	const char *name = value + strlen(KEEPER);

	if (strncmp(value, KEEPER, strlen(KEEPER)) != 0 || (*name != '\0' && !is_blank(*name))) {
		return NULL;
	}
	while (is_blank(*name)) {
		name++;
	}
	return name;
}

static int set_keeper(struct grants *grants, const struct setting *setting, const char *name,
		      struct access_grant *grant, struct settings_report *report)
{
	const char *fault = model_keeper_fault(slice_of(name));

	if (*name == '\0') {
		setting_fault(report, setting, "role = keeper needs the keeper's name behind it");
		return 0;
	}
	if (fault) {
		setting_fault(report, setting, "keeper '%s' %s", name, fault);
		return 0;
	}
	return keep_keeper(grants, name, grant);
}

static int set_role(struct grants *grants, const struct setting *setting,
		    struct access_grant *grant, struct settings_report *report)
{
	const char *name = keeper_name(setting->value);
	enum role role;

	if (name) {
		return set_keeper(grants, setting, name, grant, report);
	}
	if (!role_from_name(slice_of(setting->value), &role) || role < ROLE_READER ||
	    role > ROLE_ADMIN) {
		setting_wrong(report, setting, ROLES);
		return 0;
	}
	grant->role = role;
	return 0;
}

static bool list_is_empty(const struct setting *setting)
{
	return !setting || setting->value[strspn(setting->value, BLANKS)] == '\0';
}

static void check_section(const struct section *section, struct settings_report *report)
{
	if (!section->role) {
		setting_fault(report, section->header, "[%s] has no role; it is " ROLES,
			      section->header->section);
	}
	if (list_is_empty(section->users) && list_is_empty(section->groups)) {
		setting_fault(report, section->header, "[%s] is for nobody; name users or groups",
			      section->header->section);
	}
	if (section->role && section->orgs && keeper_name(section->role->value)) {
		setting_fault(report, section->orgs,
			      "a keeper's grant has no organizations; retentionctl set-keeper "
			      "--orgs=… says which the keeper is for");
	}
}

static int apply_section(struct grants *grants, const struct section *section,
			 struct settings_report *report)
{
	struct access_grant like = {.role = ROLE_ANY};
	int error = 0;

	if (section->role) {
		error = set_role(grants, section->role, &like, report);
	}
	if (!error && section->orgs) {
		error = set_orgs(grants, section->orgs, &like, report);
	}
	if (!error && section->users) {
		error = add_subjects(grants, section->users, false, &like, report);
	}
	if (!error && section->groups) {
		error = add_subjects(grants, section->groups, true, &like, report);
	}
	return error;
}

static void note_key(struct section *section, const struct setting *setting,
		     struct settings_report *report)
{
	if (strcmp(setting->key, "role") == 0) {
		section->role = setting;
	} else if (strcmp(setting->key, "users") == 0) {
		section->users = setting;
	} else if (strcmp(setting->key, "groups") == 0) {
		section->groups = setting;
	} else if (strcmp(setting->key, "organizations") == 0) {
		section->orgs = setting;
	} else {
		setting_fault(report, setting,
			      "[grant] has no key %s; it has role, users, groups and organizations",
			      setting->key);
	}
}

bool grants_own_section(const char *section)
{
	return strncmp(section, PREFIX, strlen(PREFIX)) == 0 &&
	       section[strlen(PREFIX) + strspn(section + strlen(PREFIX), BLANKS)] != '\0';
}

int grants_add(struct grants *grants, const struct settings *settings, const struct setting *header,
	       struct settings_report *report)
{
	struct section section = {.header = header};

	for (size_t i = 0; i < settings->n; i++) {
		const struct setting *setting = &settings->items[i];

		if (setting->key && strcmp(setting->section, header->section) == 0) {
			note_key(&section, setting, report);
		}
	}
	check_section(&section, report);
	return apply_section(grants, &section, report);
}

void grants_done(struct grants *grants)
{
	for (size_t i = 0; i < grants->n_orgs; i++) {
		orgs_free(grants->orgs[i]);
	}
	for (size_t i = 0; i < grants->n_keepers; i++) {
		free(grants->keepers[i]);
	}
	free(grants->keepers);
	free(grants->orgs);
	free((void *)grants->rules.grants);
	*grants = (struct grants){0};
}
