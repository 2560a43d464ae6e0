/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/interrupt.h"

#include <signal.h>

static volatile sig_atomic_t caught;

static void note(int signal unused)
{
	caught = 1;
}

void ctl_interrupt_catch(void)
{
	/* poll() is never restarted, writes to the terminal are. */
	struct sigaction action = {.sa_handler = note, .sa_flags = SA_RESTART | (int)SA_RESETHAND};

	(void)sigaction(SIGINT, &action, NULL); /* fails for no valid signal */
	(void)sigaction(SIGTERM, &action, NULL);
}

bool ctl_interrupted(void)
{
	return caught;
}
