/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_COMPLETE_LIST_H
#define RETENTIOND_CTL_COMPLETE_LIST_H

#include <stdio.h>

#include "common/base.h"

/* What a shell does beside what we offer. */
enum ctl_complete_directive {
	CTL_COMPLETE_DONE,
	CTL_COMPLETE_FILES,
	CTL_COMPLETE_COMMANDS,
};

/**
 * struct ctl_complete_list - what a word could become, on its way to the shell
 * @out:    where to
 * @word:   as far as it is written
 * @keep:   bytes of it that every candidate begins with and that are not matched: "--state="
 * @directive: for the last line
 */
struct ctl_complete_list {
	FILE *out;
	const char *word;
	size_t keep;
	enum ctl_complete_directive directive;
};

/**
 * ctl_complete_put() - offer a candidate, if the word can become it
 * @name:  of any origin: what could steer a terminal, or is two words of the list, is left out
 * @tail:  "=" or "/" when more must follow, else ""
 * @about: what it means; may be empty
 */
void ctl_complete_put(const struct ctl_complete_list *list, const char *name, const char *tail,
		      const char *about);

/* What the word holds behind what is kept. */
static inline const char *ctl_complete_wanted(const struct ctl_complete_list *list)
{
	return list->word + list->keep;
}

/* Ends the list with the line that tells the shell what to do. */
void ctl_complete_end(const struct ctl_complete_list *list);

#endif
