/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

int ctl_socket_check_path(const char *path, bool given, struct ctl_fault *fault)
{
	size_t len_max = sizeof((struct sockaddr_un){0}.sun_path) - 1;

	if (strlen(path) > len_max && given) {
		return ctl_fault_set(fault, CTL_EXIT_USAGE, "usage",
				     "--socket is longer than the %zu bytes of a socket's path",
				     len_max);
	}
	if (strlen(path) > len_max) {
		return ctl_fault_set(fault, CTL_EXIT_CONFIGURATION, "configuration",
				     "$RETENTIOND_SOCKET is longer than the %zu bytes of a "
				     "socket's path; unset it, or name a shorter one",
				     len_max);
	}
	if (path[0] == '\0') {
		return ctl_fault_set(
			fault, CTL_EXIT_USAGE, "usage",
			"--socket is empty; name the daemon's socket, or leave it out");
	}
	if (!given && path[0] != '/') {
		return ctl_fault_set(fault, CTL_EXIT_CONFIGURATION, "configuration",
				     "$RETENTIOND_SOCKET=%s must be an absolute path; unset it to "
				     "use the usual one",
				     path);
	}
	return 0;
}

/* The kernel says the same of a file of another kind as of a socket that nobody listens on. */
static bool is_no_socket(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISSOCK(st.st_mode);
}

int ctl_socket_unreachable(const char *path, int error, struct ctl_fault *fault)
{
	if (error == EACCES || error == EPERM) {
		return ctl_fault_set(
			fault, CTL_EXIT_PERMISSION, "permission-denied",
			"you may not use %s: %s; be a member of the socket's group, or root", path,
			strerror(error));
	}
	if (error == ECONNREFUSED && is_no_socket(path)) {
		return ctl_fault_set(fault, CTL_EXIT_UNREACHABLE, "unreachable",
				     "%s is no socket; name the daemon's, or leave --socket and "
				     "$RETENTIOND_SOCKET out",
				     path);
	}
	return ctl_fault_set(
		fault, CTL_EXIT_UNREACHABLE, "unreachable",
		"retentiond is not reachable at %s: %s; start it with systemctl start retentiond",
		path, strerror(error));
}
