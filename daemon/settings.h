/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_SETTINGS_H
#define RETENTIOND_SETTINGS_H

#include "common/base.h"

/*
 * What stands in configuration files, before anybody asks what it means: sections, keys and
 * values, each with the line it came from.
 *
 *     [grant helpdesk]
 *     role = admin
 *     users = anna bert
 *         carla               an indented line continues the value
 */

enum {
	SETTINGS_E_MISSING = 1, /* there is no such file */
};

/**
 * struct setting - one key of one section
 * @section: "grant helpdesk"
 * @key:     NULL for the section's own line, so that an empty section can be told from none
 * @value:   without blanks around it; continued lines are joined by blanks
 * @file, @line: where it stands, and stood last
 */
struct setting {
	char *section;
	char *key;
	char *value;
	char *file;
	unsigned line;
};

/* In the order in which they came up first. Zero it to begin. */
struct settings {
	struct setting *items;
	size_t n;
};

/**
 * struct settings_report - whom to tell what is wrong with the files
 * @tell:     called with one line, "FILE:LINE: what", or "FILE: what"
 * @warn:     called with one about what the daemon can start without; NULL where that is a fault too
 * @n_faults: counts them
 */
struct settings_report {
	void (*tell)(void *userdata, const char *text);
	void (*warn)(void *userdata, const char *text);
	void *userdata;
	size_t n_faults;
};

/* @line: 0 for the file as a whole. */
void settings_fault(struct settings_report *report, const char *file, unsigned line,
		    const char *format, ...) printf_like(4, 5);

/* The same about a setting; and "KEY must be WHAT, not 'VALUE'". */
void setting_fault(struct settings_report *report, const struct setting *setting,
		   const char *format, ...) printf_like(3, 4);
void setting_warn(const struct settings_report *report, const struct setting *setting,
		  const char *format, ...) printf_like(3, 4); /* has @warn */
void setting_wrong(struct settings_report *report, const struct setting *setting, const char *what);

/**
 * settings_read() - add what a file says
 * @report: told of every fault; reading goes on behind it
 *
 * A key that is there from another file gets the new value; in one file it may stand once. A file that
 * is there, and never can be read as it is, is a fault.
 *
 * Return: 0, SETTINGS_E_MISSING, or a negative errno: the report was told of the file if it is one's.
 */
must_check int settings_read(struct settings *settings, const char *path,
			     struct settings_report *report);

/*
 * The same for every *.conf in a directory, in the order of their names. No directory is as good
 * as an empty one.
 */
must_check int settings_read_directory(struct settings *settings, const char *path,
				       struct settings_report *report);

void settings_done(struct settings *settings);

#endif
