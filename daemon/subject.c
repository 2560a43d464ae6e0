/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/subject.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>

#include "daemon/core/access.h"

#define ENTRY_BYTES_MIN ((size_t)4096)
#define ENTRY_BYTES_MAX ((size_t)16 << 20) /* a group of a few hundred thousand members */

/* A number names whom it names, whether or not there is an entry. */
static bool parse_number(const char *name, uint32_t *ret_number)
{
	unsigned long long number;
	char *end;

	if (name[0] < '0' || name[0] > '9') {
		return false;
	}
	errno = 0;
	number = strtoull(name, &end, 10);
	if (errno || *end != '\0' || number >= UINT32_MAX) {
		return false; /* the largest one means "none" to the kernel */
	}
	*ret_number = (uint32_t)number;
	return true;
}

/*
 * What getpwnam_r() and getgrnam_r() say of a name that is not there: nothing, or, of a source without
 * its file, one of these. Return: SUBJECT_E_UNKNOWN, or @error as a negative errno; -ERANGE if the
 * buffer is too small.
 */
static int lookup_error(int error)
{
	return error == 0 || error == ENOENT || error == ESRCH ? SUBJECT_E_UNKNOWN : -error;
}

static int find_user(const char *name, char *buffer, size_t size, uint32_t *ret_id)
{
	struct passwd entry, *found;
	int error;

	error = getpwnam_r(name, &entry, buffer, size, &found);
	if (error || !found) {
		return lookup_error(error);
	}
	*ret_id = found->pw_uid;
	return 0;
}

static int find_group(const char *name, char *buffer, size_t size, uint32_t *ret_id)
{
	struct group entry, *found;
	int error;

	error = getgrnam_r(name, &entry, buffer, size, &found);
	if (error || !found) {
		return lookup_error(error);
	}
	*ret_id = found->gr_gid;
	return 0;
}

/* A group's entry is as long as its members are many. */
static int find_id(bool group, const char *name, uint32_t *ret_id)
{
	int error = -ERANGE;

	if (parse_number(name, ret_id)) {
		return 0;
	}
	for (size_t size = ENTRY_BYTES_MIN; error == -ERANGE && size <= ENTRY_BYTES_MAX;
	     size *= 2) {
		cleanup(freep) char *buffer = malloc(size);

		if (!buffer) {
			return -ENOMEM;
		}
		error = group ? find_group(name, buffer, size, ret_id)
			      : find_user(name, buffer, size, ret_id);
	}
	return error;
}

int subject_find(const struct setting *setting, bool group, const char *name,
		 struct settings_report *report, uint32_t *ret_id)
{
	const char *kind = group ? "group" : "user";
	uint32_t id;
	int error;

	error = find_id(group, name, &id);
	if (error < 0) {
		setting_fault(report, setting, "%s '%s' cannot be looked up: %s", kind, name,
			      strerror(-error));
	}
	if (error) {
		return error;
	}
	if (id == ACCESS_UID_NOBODY) {
		setting_fault(
			report, setting,
			"%s '%s' is %u, which stands for everybody whom a user namespace hides; it never has a role",
			kind, name, id);
		return SUBJECT_E_NOBODY;
	}
	*ret_id = id;
	return 0;
}
