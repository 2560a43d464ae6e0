/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_SOCKET_H
#define RETENTIOND_CTL_SOCKET_H

#include "ctl/fault.h"

/**
 * ctl_socket_check_path() - whether a path can be a socket's at all
 * @given: on the command line; else it is $RETENTIOND_SOCKET's, or the one that is built in
 *
 * Return: 0, CTL_EXIT_USAGE for what was given, or CTL_EXIT_CONFIGURATION.
 */
must_check int ctl_socket_check_path(const char *path, bool given, struct ctl_fault *fault);

/* What it means that connect() to @path failed with @error, and what to do. Return: the fault's exit code. */
int ctl_socket_unreachable(const char *path, int error, struct ctl_fault *fault);

#endif
