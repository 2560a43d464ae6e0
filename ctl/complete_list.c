/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/complete_list.h"

#include "ctl/text.h"

void ctl_complete_put(const struct ctl_complete_list *list, const char *name, const char *tail,
		      const char *about)
{
	const char *wanted = ctl_complete_wanted(list);

	/* Harmless text has neither tabs nor ends of lines. */
	if (strncmp(name, wanted, strlen(wanted)) != 0 || !ctl_text_is_harmless(slice_of(name))) {
		return;
	}
	(void)fprintf(list->out, "%.*s%s%s\t", (int)list->keep, list->word, name, tail);
	ctl_text_put(list->out, slice_of(about));
	(void)fputc('\n', list->out);
}

void ctl_complete_end(const struct ctl_complete_list *list)
{
	switch (list->directive) {
	case CTL_COMPLETE_DONE:
		(void)fputs(":done\n", list->out);
		return;
	case CTL_COMPLETE_FILES:
		(void)fprintf(list->out, ":files %.*s\n", (int)list->keep, list->word);
		return;
	case CTL_COMPLETE_COMMANDS:
		(void)fputs(":commands\n", list->out);
		return;
	}
}
