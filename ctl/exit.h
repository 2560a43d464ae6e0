/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_EXIT_H
#define RETENTIOND_CTL_EXIT_H

/* What retentionctl exits with. Scripts depend on the numbers: none is ever reused. */
enum ctl_exit {
	CTL_EXIT_OK = 0,
	CTL_EXIT_FAILURE = 1,
	CTL_EXIT_USAGE = 2,
	CTL_EXIT_PERMISSION = 4,
	CTL_EXIT_CONFIGURATION = 6,
	CTL_EXIT_UNREACHABLE = 7,
	CTL_EXIT_NOT_FOUND = 10,
	CTL_EXIT_REFUSED = 11,
	CTL_EXIT_PARTIAL = 12,
	CTL_EXIT_TIMEOUT = 13,
	CTL_EXIT_VERIFICATION = 14,
	CTL_EXIT_GUARD = 15,
	CTL_EXIT_CONFIRMATION = 20,
	CTL_EXIT_INTERRUPTED = 130,
};

struct ctl_exit_row {
	enum ctl_exit exit;
	const char *name;
	const char *meaning;
};

/* Every exit code, by number; a row without a name ends it. */
extern const struct ctl_exit_row ctl_exit_table[];

#endif
