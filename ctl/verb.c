/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/verb.h"

#include "ctl/nearest.h"

/* clang-format off */
#define ABOUT_CHECK \
	"Exits 0 with one line if all is well. Exits 1, with one line for each, when a removal or a\n" \
	"removal request is past its deadline, a keeper is silent while it owes what is overdue, timed\n" \
	"work is paused, failed or is far behind, the clock is not trusted, a mass guard holds accounts\n" \
	"back, or the store is full.\n" \
	"\n" \
	"With --deep it first proves the ledger's chain, every account against it, keys, personal data,\n" \
	"indexes and the removal register, a slice at a time, which takes the role auditor. The first\n" \
	"finding is told with what to do, and it exits 14.\n"

#define ABOUT_WAIT \
	"Ends when every account is active, soft-deleted, removing or removed, as --for says; what is\n" \
	"removed has been removing, so that it counts there too. It is the account there is now that is\n" \
	"waited for, and not a later one of the same name. One that is not known ends it with 10, one\n" \
	"that can never come there with 11, and --timeout, which is for all of it, with 13. A daemon\n" \
	"that restarts is waited for.\n"

#define ABOUT_WORK \
	"Runs COMMAND once for each task. It gets the task as a JSON object on its standard input, and\n" \
	"in its environment as RETENTION_KEEPER, RETENTION_TOKEN, RETENTION_UID, RETENTION_ORG,\n" \
	"RETENTION_ID, RETENTION_PERSON, RETENTION_UPN, RETENTION_MAIL, RETENTION_DUE and\n" \
	"RETENTION_ATTEMPT; what is not known is not set. How it ends says what became of the data:\n" \
	"\n" \
	"  exit 0         erased; or what its last line of output says, if that is\n" \
	"                 \"result: nothing-found\" or \"result: retained GROUND\"\n" \
	"  exit 75        not now: the task comes again later, after a growing pause\n" \
	"  anything else  failed: the task comes again likewise; the last line on standard error is\n" \
	"                 kept with it as the reason, sealed until the account is removed\n" \
	"\n" \
	"A command may be stopped halfway and started again for the same task: it must be safe to\n" \
	"repeat. Its lease is renewed while it runs. When there is nothing to do, we ask again after\n" \
	"1 s, and less and less often, up to every 30 s; --once ends then. When the daemon is away, we\n" \
	"wait for it. SIGTERM and Ctrl-C: no new tasks; commands get 10 s to end, then SIGTERM, and 5 s\n" \
	"later SIGKILL; what did not end is given back at once. A second one skips the 10 s.\n" \
	"\n" \
	"One line for each task goes to standard error; with --json, an object a line to standard\n" \
	"output. Neither names the person. Exits 0 after a clean stop; with --once, 1 or 12 if all or\n" \
	"some of the tasks could not be done.\n"

#define ABOUT_METRICS \
	"Prints how the daemon keeps its promises and how it fares: removals and requests by deadline,\n" \
	"keepers, timed work, clock, latency, store, backups; to be collected once a minute. No label\n" \
	"names a person, an account or an organization. The role reader over all organizations sees\n" \
	"all; what your role may not see is left out.\n" \
	"\n" \
	"A daemon that does not answer is a figure too: retentiond_up is 0 then, nothing else is\n" \
	"printed, standard error says why, and the exit code is 0. So a file that is written from this\n" \
	"never keeps what is no longer true, and one figure says that the daemon is down. Where an\n" \
	"exit code is wanted, use check.\n"

#define ABOUT_REPORT \
	"Counts from the ledger what happened from one instant until just before another, for each\n" \
	"organization: who left, was removed, restored and purged; removals started, completed on time\n" \
	"and late; data that keepers retain, keepers that were waived, deadlines that passed; removal\n" \
	"requests.\n"

#define ABOUT_COMPLETE \
	"For the completion of shells. The WORDs are those behind retentionctl, up to the cursor, without\n" \
	"their quotes; the last is the one to complete, and may be empty. An option and its value may be\n" \
	"one word or two. Prints what the last word could become, one a line: the whole word, and behind\n" \
	"a tab what it means. A word that ends in = or / is not finished: no space belongs behind it.\n" \
	"The last line tells what the shell is to do:\n" \
	"\n" \
	"  :done          nothing more\n" \
	"  :files START   complete the name of a file behind START, with which the word begins; START may\n" \
	"                 be empty\n" \
	"  :commands      complete the name of a program\n" \
	"\n" \
	"Organizations, keepers and the like are asked of the daemon, with what you may see. A daemon\n" \
	"that is away, refuses or is slow is passed over in silence. Accounts are completed by their id,\n" \
	"never by a person's name, and only from a list that is whole: of what is cut off, a first match\n" \
	"might not be the only one.\n"

const struct ctl_verb_row ctl_verb_table[_CTL_VERB_MAX] = {
	[CTL_VERB_STATUS] = {"status", "",
		"How the daemon is; the verb may be left out", NULL},
	[CTL_VERB_CHECK]  = {"check",  "",
		"Whether anything needs somebody: for monitoring", ABOUT_CHECK},
	[CTL_VERB_WAIT]   = {"wait",   "--for=STATE ACCOUNT…",
		"Wait until accounts are in a state", ABOUT_WAIT},
	[CTL_VERB_WORK]   = {"work",   "KEEPER -- COMMAND…",
		"Be a keeper: run a command for each task", ABOUT_WORK},
	[CTL_VERB_REPORT] = {"report", "",
		"A period's evidence: what happened, and what was on time", ABOUT_REPORT},
	[CTL_VERB_METRICS] = {"metrics", "",
		"Figures for monitoring, in the text format of Prometheus", ABOUT_METRICS},
	[CTL_VERB_CALL]   = {"call",   "METHOD [JSON]",
		"Call any method with a JSON object; - reads it", NULL},
	[CTL_VERB_COMPLETE] = {"complete", "-- WORD…",
		"What could stand for the last WORD of a command line", ABOUT_COMPLETE},
	[CTL_VERB_HELP]   = {"help",   "[VERB]",
		"How to use a verb", NULL},
};
/* clang-format on */

bool ctl_verb_find(const char *name, enum ctl_verb *ret_verb, const struct command **ret_command)
{
	const struct command *command = command_by_verb(name);

	if (command) {
		*ret_verb = CTL_VERB_COMMAND;
		*ret_command = command;
		return true;
	}
	for (int verb = CTL_VERB_COMMAND + 1; verb < _CTL_VERB_MAX; verb++) {
		if (strcmp(ctl_verb_table[verb].name, name) == 0) {
			*ret_verb = (enum ctl_verb)verb;
			*ret_command = NULL;
			return true;
		}
	}
	return false;
}

int ctl_verb_unknown(const char *word, struct ctl_fault *fault)
{
	struct ctl_nearest nearest = {0};

	for (size_t i = 0; i < _COMMAND_MAX; i++) {
		ctl_nearest_offer(&nearest, word, command_table[i].verb);
	}
	for (int verb = CTL_VERB_COMMAND + 1; verb < _CTL_VERB_MAX; verb++) {
		ctl_nearest_offer(&nearest, word, ctl_verb_table[verb].name);
	}
	if (nearest.best) {
		return ctl_fault_set(fault, CTL_EXIT_USAGE, "usage",
				     "there is no verb %s; did you mean %s?", word, nearest.best);
	}
	return ctl_fault_set(fault, CTL_EXIT_USAGE, "usage",
			     "there is no verb %s; see retentionctl --help", word);
}
