/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/machine.h"

#include <errno.h>
#include <mntent.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <time.h>

#include "tests/bench/fail.h"

#define UNKNOWN "unknown"

/* What stands behind a line's beginning, without the quotes and blanks around it. */
static void find_line(const char *path, const char *begin, const char *blanks, char *to,
		      size_t size)
{
	FILE *file = fopen(path, "re");
	char line[512];

	(void)snprintf(to, size, UNKNOWN);
	while (file && fgets(line, sizeof(line), file)) {
		if (strncmp(line, begin, strlen(begin)) == 0) {
			char *text = line + strlen(begin);

			text += strspn(text, blanks);
			text[strcspn(text, "\"\n")] = '\0';
			(void)snprintf(to, size, "%s", text);
			break;
		}
	}
	if (file) {
		(void)fclose(file);
	}
}

/* The mount with the longest name that the directory is on, by its device. */
static void look_at_mount(const char *directory, struct machine *machine)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct stat ours, theirs;
	struct mntent *mount;

	if (!mounts || stat(directory, &ours) < 0) {
		fail_errno(errno, "%s", directory);
	}
	(void)snprintf(machine->file_system, sizeof(machine->file_system), UNKNOWN);
	while ((mount = getmntent(mounts))) {
		if (stat(mount->mnt_dir, &theirs) == 0 && theirs.st_dev == ours.st_dev) {
			(void)snprintf(machine->file_system, sizeof(machine->file_system), "%s",
				       mount->mnt_type);
			(void)snprintf(machine->options, sizeof(machine->options), "%s",
				       mount->mnt_opts);
		}
	}
	(void)endmntent(mounts);
}

void machine_look(const char *directory, struct machine *ret_machine)
{
	struct machine machine = {0};
	struct utsname kernel;
	struct sysinfo info;
	time_t now = time(NULL);
	struct tm utc;

	if (uname(&kernel) < 0 || sysinfo(&info) < 0) {
		fail_errno(errno, "the machine does not tell what it is");
	}
	(void)snprintf(machine.kernel, sizeof(machine.kernel), "%s %s", kernel.sysname,
		       kernel.release);
	machine.memory_bytes = (uint64_t)info.totalram * info.mem_unit;
	machine.n_cpus = (uint32_t)get_nprocs();
	find_line("/proc/cpuinfo", "model name", "\t :", machine.cpu, sizeof(machine.cpu));
	find_line("/etc/os-release", "PRETTY_NAME=", "\"", machine.system, sizeof(machine.system));
	look_at_mount(directory, &machine);
	(void)strftime(machine.date, sizeof(machine.date), "%Y-%m-%dT%H:%M:%SZ",
		       gmtime_r(&now, &utc));
	*ret_machine = machine;
}
