/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_COMPLETE_WORD_H
#define RETENTIOND_CTL_COMPLETE_WORD_H

#include "ctl/complete_line.h"
#include "ctl/complete_list.h"

/**
 * struct ctl_completion - the completing of one word
 * @socket: of the daemon
 */
struct ctl_completion {
	struct ctl_complete_line line;
	struct ctl_complete_list list;
	const char *socket;
};

/**
 * ctl_complete_word() - offer what a word of help's usage lines stands for
 * @usage: "STATE", "yes|no", "HEX|FILE", "ACCOUNT"; what is written small is offered as it is, and
 *         what nobody could choose from a list (SPAN, TEXT, PERSON) is not offered
 * @many:  more of it may follow
 */
void ctl_complete_word(struct ctl_completion *completion, const char *usage, bool many);

#endif
