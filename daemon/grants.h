/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_GRANTS_H
#define RETENTIOND_GRANTS_H

#include "common/base.h"

#include "daemon/core/access.h"
#include "daemon/settings.h"

/*
 * What the [grant NAME] sections say, as rules.
 */

/**
 * struct grants - the rules and what they point to
 * @rules: one grant for each user and each group that a section names
 * @orgs, @n_orgs: lists of organizations; NULL at the end of each
 * @keepers, @n_keepers: names of keepers
 * @n_absent: users and groups that are not there, and were passed over
 */
struct grants {
	struct access_rules rules;
	char ***orgs;
	size_t n_orgs;
	char **keepers;
	size_t n_keepers;
	size_t n_absent;
};

/* Whether a section is called "grant NAME". */
bool grants_own_section(const char *section);

/**
 * grants_add() - what one section grants
 * @settings: all of them
 * @header:   the section's own line
 * @report:   told what is wrong in the section
 *
 * Return: 0 or a negative errno.
 */
must_check int grants_add(struct grants *grants, const struct settings *settings,
			  const struct setting *header, struct settings_report *report);
void grants_done(struct grants *grants);

#endif
