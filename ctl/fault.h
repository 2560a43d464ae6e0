/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_FAULT_H
#define RETENTIOND_CTL_FAULT_H

#include <stdio.h>

#include "common/base.h"
#include "common/pack.h"
#include "ctl/exit.h"

#define CTL_FAULT_CODE_MAX 64
#define CTL_FAULT_TEXT_MAX 1024

/**
 * struct ctl_fault - why the client gives up: set where it happens, told once at the end
 * @exit: never CTL_EXIT_OK once set
 * @code: for scripts: the daemon's code, or one of ours ("usage", "unreachable", …)
 * @text: for people; one line
 *
 * Functions of the client that take a fault return 0 or the exit code in it.
 */
struct ctl_fault {
	enum ctl_exit exit;
	char code[CTL_FAULT_CODE_MAX];
	char text[CTL_FAULT_TEXT_MAX];
};

/* Fills @fault; what does not fit is cut. Return: @exit. */
int ctl_fault_set(struct ctl_fault *fault, enum ctl_exit exit, const char *code, const char *format,
		  ...) printf_like(4, 5);

/* Adds to the text of a fault that is set: how far the work came, what else is wrong. */
void ctl_fault_add(struct ctl_fault *fault, const char *format, ...) printf_like(2, 3);

/* The machine failed with -errno while doing @what. Return: CTL_EXIT_FAILURE. */
int ctl_fault_errno(struct ctl_fault *fault, int error, const char *what);

/**
 * ctl_fault_of_error() - what an error of the daemon means for us
 * @error: [kind, "code: text"], or anything else a daemon may send
 *
 * Return: the exit code, with @fault set.
 */
int ctl_fault_of_error(const struct pack_value *error, struct ctl_fault *fault);

/* Tells it: one line for people, or {"error": {"code", "text", "exit"}}. */
void ctl_fault_print(const struct ctl_fault *fault, bool json, FILE *out);

#endif
