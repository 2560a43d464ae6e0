/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <locale.h>
#include <stdio.h>

#include "common/version.h"
#include "ctl/help.h"
#include "ctl/run.h"
#include "ctl/socket.h"

static bool wants_color(void)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(no_color && *no_color) && term &&
	       strcmp(term, "dumb") != 0;
}

static int run(struct ctl *ctl)
{
	int r = ctl_socket_check_path(ctl->args.socket, ctl->args.socket_given, &ctl->fault);

	if (r != 0) {
		return r;
	}
	r = ctl_client_new(ctl->args.socket, ctl->args.timeout, &ctl->client);
	if (r < 0) {
		return ctl_fault_errno(&ctl->fault, r, "beginning");
	}
	ctl->show = (struct show){
		.out = stdout,
		.now = INSTANT_NONE,
		.utc = ctl->args.utc,
		.legend = !ctl->args.no_legend,
		.color = wants_color(),
		.fit = isatty(STDOUT_FILENO),
	};
	r = ctl_run(ctl);
	ctl_operands_done(&ctl->operands);
	json_decref(ctl->plan);
	ctl->client = ctl_client_free(ctl->client);
	return r;
}

int main(int argc, char **argv)
{
	struct ctl ctl = {0};
	int r;

	(void)setlocale(LC_ALL, ""); /* a locale that is not there leaves plain ASCII */
	r = ctl_args_parse(argc, argv, &ctl.args, &ctl.fault);
	if (r == 0 && ctl.args.version) {
		(void)puts("retentionctl " RETENTIOND_VERSION);
	} else if (r == 0 && (ctl.args.help || ctl.args.verb == CTL_VERB_HELP)) {
		r = ctl_help_run(&ctl.args, stdout, &ctl.fault);
	} else if (r == 0) {
		r = run(&ctl);
	}
	if (fflush(stdout) != 0 || ferror(stdout)) {
		r = ctl_fault_errno(&ctl.fault, errno, "writing the output");
	}
	if (ctl.fault.exit != CTL_EXIT_OK) {
		ctl_fault_print(&ctl.fault, ctl.args.json, stderr);
	}
	return r;
}
