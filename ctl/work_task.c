/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/work_task.h"

#include <stdio.h>
#include <sys/wait.h>

#include "common/instant.h"

#define RESULT_PREFIX      "result:"
#define ENVIRONMENT_PREFIX "RETENTION_"

static const char not_a_result[] =
	"the command ended well, but its last line of output begins with \"result:\" and is none";

/* The next word of a line; empty behind the last. */
static struct slice next_word(struct slice *rest)
{
	struct slice word;

	while (rest->len > 0 && *rest->data == ' ') {
		rest->data++;
		rest->len--;
	}
	word = (struct slice){rest->data, 0};
	while (word.len < rest->len && word.data[word.len] != ' ') {
		word.len++;
	}
	rest->data += word.len;
	rest->len -= word.len;
	return word;
}

/* "erased", "nothing-found" or "retained GROUND" and nothing behind it. */
static bool read_result(struct slice rest, struct work_verdict *verdict)
{
	struct slice name = next_word(&rest);
	struct slice ground = next_word(&rest);

	if (!task_result_from_name(name, &verdict->result) || next_word(&rest).len > 0) {
		return false;
	}
	switch (verdict->result) {
	case TASK_RESULT_ERASED:
	case TASK_RESULT_NOTHING_FOUND:
		return ground.len == 0;
	case TASK_RESULT_RETAINED:
		if (model_ground_fault(ground)) {
			return false;
		}
		(void)snprintf(verdict->ground, sizeof(verdict->ground), "%.*s", SLICE_ARG(ground));
		return true;
	case TASK_RESULT_WAIVED: /* is an administrator's to say */
	case _TASK_RESULT_MAX:
		break;
	}
	return false;
}

static void confirmed(struct work_line *out, struct work_verdict *verdict)
{
	struct slice line = work_line_text(out);
	size_t skip = strlen(RESULT_PREFIX);

	verdict->end = WORK_END_CONFIRMED;
	verdict->result = TASK_RESULT_ERASED;
	if (line.len < skip || memcmp(line.data, RESULT_PREFIX, skip) != 0) {
		return;
	}
	if (!read_result((struct slice){line.data + skip, line.len - skip}, verdict)) {
		verdict->end = WORK_END_FAILED;
		(void)strcpy(verdict->error, not_a_result);
	}
}

static void failed(int status, struct work_line *err, struct work_verdict *verdict)
{
	struct slice line = work_line_text(err);

	verdict->end = WORK_END_FAILED;
	if (line.len > 0) {
		(void)snprintf(verdict->error, sizeof(verdict->error), "%.*s", SLICE_ARG(line));
	} else if (WIFSIGNALED(status)) {
		(void)snprintf(verdict->error, sizeof(verdict->error), "ended by signal %d (%s)",
			       WTERMSIG(status), strsignal(WTERMSIG(status)));
	} else {
		(void)snprintf(verdict->error, sizeof(verdict->error), "exit status %d",
			       WEXITSTATUS(status));
	}
}

void work_verdict_of(int status, bool stopped, struct work_line *out, struct work_line *err,
		     struct work_verdict *ret_verdict)
{
	*ret_verdict = (struct work_verdict){.end = WORK_END_STOPPED};
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		confirmed(out, ret_verdict);
	} else if (!stopped) {
		failed(status, err, ret_verdict);
		if (WIFEXITED(status) && WEXITSTATUS(status) == WORK_EXIT_LATER) {
			ret_verdict->end = WORK_END_LATER;
		}
	}
}

const char *work_verdict_name(const struct work_verdict *verdict)
{
	switch (verdict->end) {
	case WORK_END_CONFIRMED:
		return task_result_name(verdict->result);
	case WORK_END_LATER:
		return "later";
	case WORK_END_FAILED:
		return "failed";
	case WORK_END_STOPPED:
		return "given-back";
	case _WORK_END_MAX:
		break;
	}
	assert(false); /* a task ends in one of these ways */
}

/* Name of a variable, and the key of a task that it is made of. */
static const struct {
	const char *name;
	const char *key;
} variables[] = {
	{"TOKEN", "token"}, {"UID", "uid"},       {"ORG", "org"},
	{"ID", "id"},       {"PERSON", "person"}, {"UPN", "upn"},
	{"MAIL", "mail"},   {"DUE", "due_us"},    {"ATTEMPT", "attempt"},
};

/* Appends NAME=TEXT. */
static bool put(char **environment, size_t *n, const char *name, const char *text)
{
	if (asprintf(&environment[*n], ENVIRONMENT_PREFIX "%s=%s", name, text) < 0) {
		environment[*n] = NULL;
		return false;
	}
	(*n)++;
	return true;
}

static bool put_variable(char **environment, size_t *n, const char *name, const char *key,
			 const json_t *value)
{
	char text[INSTANT_TEXT_MAX];

	if (json_is_string(value)) {
		return put(environment, n, name, json_string_value(value));
	}
	if (!json_is_integer(value)) {
		return true;
	}
	if (strcmp(key, "due_us") == 0) {
		instant_format(json_integer_value(value), true, text);
	} else {
		(void)snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(value));
	}
	return put(environment, n, name, text);
}

static size_t count_environment(void)
{
	size_t n = 0;

	while (environ[n]) {
		n++;
	}
	return n;
}

static bool fill(char **environment, const json_t *task, const char *keeper)
{
	size_t n = 0;
	bool done = true;

	for (size_t i = 0; done && environ[i]; i++) {
		if (strncmp(environ[i], ENVIRONMENT_PREFIX, strlen(ENVIRONMENT_PREFIX)) != 0) {
			environment[n] = strdup(environ[i]);
			done = environment[n++] != NULL;
		}
	}
	done = done && put(environment, &n, "KEEPER", keeper);
	for (size_t i = 0; done && i < ARRAY_LEN(variables); i++) {
		done = put_variable(environment, &n, variables[i].name, variables[i].key,
				    json_object_get(task, variables[i].key));
	}
	return done;
}

char **work_task_environment(const json_t *task, const char *keeper)
{
	/* Ours, the task's, the keeper's, and the end. */
	char **environment =
		calloc(count_environment() + ARRAY_LEN(variables) + 2, sizeof(*environment));

	if (environment && !fill(environment, task, keeper)) {
		work_environment_free(environment);
		return NULL;
	}
	return environment;
}

void work_environment_free(char **environment)
{
	for (size_t i = 0; environment && environment[i]; i++) {
		free(environment[i]);
	}
	free(environment);
}
