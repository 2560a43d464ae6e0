/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_WORK_TASK_H
#define RETENTIOND_CTL_WORK_TASK_H

#include <jansson.h>

#include "ctl/work_line.h"

#define WORK_EXIT_LATER 75 /* EX_TEMPFAIL of sysexits.h */

/* What is to be told of a task whose command has ended. */
enum work_end {
	WORK_END_CONFIRMED, /* with a result */
	WORK_END_LATER,     /* it could not be done now */
	WORK_END_FAILED,
	WORK_END_STOPPED, /* we ended it, or could not begin: nobody is to blame */
	_WORK_END_MAX
};

/**
 * struct work_verdict - what became of a task
 * @result: of WORK_END_CONFIRMED
 * @ground: of TASK_RESULT_RETAINED; terminated
 * @error:  what is told to the daemon of WORK_END_LATER and FAILED; may be empty; terminated
 */
struct work_verdict {
	enum work_end end;
	enum task_result result;
	char ground[MODEL_GROUND_LEN_MAX + 1];
	char error[MODEL_NOTE_LEN_MAX + 1];
};

/**
 * work_verdict_of() - what the end of a command means
 * @status:  as waitpid(2) has it
 * @stopped: we have asked it to end
 * @out:     last line of its standard output
 * @err:     last line of its standard error
 *
 * A last line that begins as a result and is none fails the task: nothing is confirmed that is in
 * doubt.
 */
void work_verdict_of(int status, bool stopped, struct work_line *out, struct work_line *err,
		     struct work_verdict *ret_verdict);

/* "erased", "retained", "later", "failed", "given-back": for people and scripts; static. */
const char *work_verdict_name(const struct work_verdict *verdict);

/**
 * work_task_environment() - our own environment and the task in it
 * @task: as claimed
 *
 * What a task does not say is not set, whatever our own environment says.
 *
 * Return: for execve(), released with work_environment_free(), or NULL without memory.
 */
must_check char **work_task_environment(const json_t *task, const char *keeper);
void work_environment_free(char **environment);

#endif
