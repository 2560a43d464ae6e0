/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/settings.h"

#include <dirent.h>
#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>

#define FAULT_MAX       512
#define SECTION_LEN_MAX 49 /* inih cuts a longer name without a word */

/**
 * struct reader - one file being read
 * @text, @size: the line last read, getline()'s
 * @indented:    the line begins with a blank, so it continues the value before
 * @error:       the machine failed
 */
struct reader {
	struct settings *settings;
	struct settings_report *report;
	const char *path;
	FILE *file;
	char *text;
	size_t size;
	unsigned line;
	bool indented;
	int error;
};

static void printf_like(4, 0) format_fault(char text[static FAULT_MAX], const char *file,
					   unsigned line, const char *format, va_list arguments)
{
	int len;

	len = line > 0 ? snprintf(text, FAULT_MAX, "%s:%u: ", file, line)
		       : snprintf(text, FAULT_MAX, "%s: ", file);
	assert(len >= 0);
	if (len < FAULT_MAX) {
		(void)vsnprintf(text + len, FAULT_MAX - (size_t)len, format,
				arguments); /* cut if long */
	}
}

static void printf_like(4, 0) fault_say_va(struct settings_report *report, const char *file,
					   unsigned line, const char *format, va_list arguments)
{
	char text[FAULT_MAX];

	format_fault(text, file, line, format, arguments);
	report->n_faults++;
	report->tell(report->userdata, text);
}

void settings_fault(struct settings_report *report, const char *file, unsigned line,
		    const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fault_say_va(report, file, line, format, arguments);
	va_end(arguments);
}

void setting_fault(struct settings_report *report, const struct setting *setting,
		   const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fault_say_va(report, setting->file, setting->line, format, arguments);
	va_end(arguments);
}

void setting_warn(const struct settings_report *report, const struct setting *setting,
		  const char *format, ...)
{
	char text[FAULT_MAX];
	va_list arguments;

	va_start(arguments, format);
	format_fault(text, setting->file, setting->line, format, arguments);
	va_end(arguments);
	report->warn(report->userdata, text);
}

void setting_wrong(struct settings_report *report, const struct setting *setting, const char *what)
{
	setting_fault(report, setting, "%s must be %s, not '%s'", setting->key, what,
		      setting->value);
}

static bool byte_is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

static bool texts_equal(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static void setting_done(struct setting *setting)
{
	free(setting->section);
	free(setting->key);
	free(setting->value);
	free(setting->file);
}

/* All or nothing, since a setting without its file could not be complained about. */
static int setting_init(struct setting *setting, const char *section, const char *key,
			const char *value, const struct reader *reader)
{
	*setting = (struct setting){
		.section = strdup(section),
		.key = key ? strdup(key) : NULL,
		.value = strdup(value),
		.file = strdup(reader->path),
		.line = reader->line,
	};
	if (!setting->section || (key && !setting->key) || !setting->value || !setting->file) {
		setting_done(setting);
		return -ENOMEM;
	}
	return 0;
}

static struct setting *settings_find(const struct settings *settings, const char *section,
				     const char *key)
{
	for (size_t i = 0; i < settings->n; i++) {
		struct setting *setting = &settings->items[i];

		if (texts_equal(setting->section, section) && texts_equal(setting->key, key)) {
			return setting;
		}
	}
	return NULL;
}

static int settings_append(struct settings *settings, const struct setting *setting)
{
	struct setting *items;

	items = reallocarray(settings->items, settings->n + 1, sizeof(*items));
	if (!items) {
		return -ENOMEM;
	}
	settings->items = items;
	settings->items[settings->n++] = *setting;
	return 0;
}

static int settings_put(struct reader *reader, const char *section, const char *key,
			const char *value)
{
	struct setting *there = settings_find(reader->settings, section, key);
	struct setting setting;
	int error;

	if (there && key && strcmp(there->file, reader->path) == 0) {
		settings_fault(reader->report, reader->path, reader->line,
			       "%s is set already in line %u; write it once", key, there->line);
		return 0;
	}
	error = setting_init(&setting, section, key, value, reader);
	if (error) {
		return error;
	}
	if (there) {
		setting_done(there);
		*there = setting;
		return 0;
	}
	error = settings_append(reader->settings, &setting);
	if (error) {
		setting_done(&setting);
	}
	return error;
}

static int setting_continue(struct setting *setting, const char *value)
{
	char *joined;

	if (asprintf(&joined, "%s %s", setting->value, value) < 0) {
		return -ENOMEM;
	}
	free(setting->value);
	setting->value = joined;
	return 0;
}

/* inih hands an indented line over under the key before it. */
static int put_line(struct reader *reader, const char *section, const char *key, const char *value)
{
	struct setting *before = settings_find(reader->settings, section, key);

	if (section[0] == '\0') {
		settings_fault(reader->report, reader->path, reader->line,
			       "%s stands in no section; begin with [retentiond]", key);
		return 0;
	}
	if (!reader->indented || !before || strcmp(before->file, reader->path) != 0) {
		return settings_put(reader, section, key, value);
	}
	if (strchr(value, '=')) {
		settings_fault(reader->report, reader->path, reader->line,
			       "an indented line continues %s; write '%s' without blanks before it",
			       key, value);
		return 0;
	}
	return setting_continue(before, value);
}

/*
 * Return: what inih expects; failures are kept aside, since it would only tell the line's number.
 */
static int on_key(void *userdata, const char *section, const char *key, const char *value)
{
	struct reader *reader = userdata;

	if (!reader->error) {
		reader->error = put_line(reader, section, key, value);
	}
	return 1;
}

/* "[grant helpdesk]": inih does not hand the line over, and cuts a long name. */
static int put_section(struct reader *reader)
{
	char *name = reader->text + strspn(reader->text, " \t");
	char *end = strchr(name, ']');

	if (name[0] != '[' || !end) {
		return 0;
	}
	if (reader->indented) {
		settings_fault(reader->report, reader->path, reader->line,
			       "a [section] begins where its line begins; take the blanks away");
		return 0;
	}
	if (end - name - 1 > SECTION_LEN_MAX) {
		settings_fault(reader->report, reader->path, reader->line,
			       "a section's name has at most %d bytes", SECTION_LEN_MAX);
		return 0;
	}
	*end = '\0';
	reader->error = settings_put(reader, name + 1, NULL, "");
	*end = ']';
	return reader->error;
}

/*
 * Like fgets(), which takes a line that is too long for two: the second half could then be read
 * as a key. Such lines are handed on as empty ones.
 */
static char *on_read(char *line, int size, void *userdata)
{
	struct reader *reader = userdata;
	ssize_t len;

	len = getline(&reader->text, &reader->size, reader->file);
	if (len < 0 && !feof(reader->file)) {
		reader->error = -errno;
	}
	if (len < 0 || reader->error) {
		return NULL;
	}
	if (++reader->line == 1 && len >= 3 && memcmp(reader->text, "\xef\xbb\xbf", 3) == 0) {
		len -= 3; /* what some editors put in front: no part of the first line */
		memmove(reader->text, reader->text + 3, (size_t)len + 1);
	}
	reader->indented = byte_is_blank(reader->text[0]);
	if (len >= size || strlen(reader->text) != (size_t)len) {
		settings_fault(
			reader->report, reader->path, reader->line,
			"a line has at most %d bytes and no zero byte; go on in the next line, indented",
			size - 2);
		return strcpy(line, "\n");
	}
	if (put_section(reader) < 0) {
		return NULL;
	}
	return strcpy(line, reader->text);
}

static int read_file(struct reader *reader)
{
	int line;

	line = ini_parse_stream(on_read, reader, on_key, reader);
	if (reader->error) {
		return reader->error;
	}
	if (line > 0) {
		settings_fault(reader->report, reader->path, (unsigned)line,
			       "is neither a [section] nor a 'key = value'");
	}
	return 0;
}

/* What comes of the file itself stays as it is until somebody changes that; the rest may pass. */
static bool error_is_of_file(int error)
{
	return error == -EACCES || error == -EISDIR || error == -ELOOP || error == -ENOTDIR ||
	       error == -ENAMETOOLONG;
}

/* Return: 0 if that is a fault of the configuration, else @error. */
static int say_unreadable(struct settings_report *report, const char *path, int error)
{
	settings_fault(report, path, 0, "cannot be read: %s%s", strerror(-error),
		       error == -EACCES ? "; let the daemon's user read it" : "");
	return error_is_of_file(error) ? 0 : error;
}

int settings_read(struct settings *settings, const char *path, struct settings_report *report)
{
	struct reader reader = {.settings = settings, .report = report, .path = path};
	int error;

	reader.file = fopen(path, "re");
	if (!reader.file) {
		return errno == ENOENT ? SETTINGS_E_MISSING : say_unreadable(report, path, -errno);
	}
	error = read_file(&reader);
	free(reader.text);
	(void)fclose(reader.file); /* nothing was written */
	return error ? say_unreadable(report, path, error) : 0;
}

static int is_conf(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return entry->d_name[0] != '.' && len > strlen(".conf") &&
	       strcmp(entry->d_name + len - strlen(".conf"), ".conf") == 0;
}

/* By bytes: alphasort() would follow the locale. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int read_entry(struct settings *settings, const char *directory, const char *name,
		      struct settings_report *report)
{
	cleanup(freep) char *path = NULL;
	int error;

	if (asprintf(&path, "%s/%s", directory, name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	error = settings_read(settings, path, report);
	return error == SETTINGS_E_MISSING ? 0
					   : error; /* taken away since the directory was read */
}

int settings_read_directory(struct settings *settings, const char *path,
			    struct settings_report *report)
{
	struct dirent **entries;
	int error = 0;
	int n;

	n = scandir(path, &entries, is_conf, by_name);
	if (n < 0) {
		return errno == ENOENT ? 0 : say_unreadable(report, path, -errno);
	}
	for (int i = 0; i < n; i++) {
		if (!error) {
			error = read_entry(settings, path, entries[i]->d_name, report);
		}
		free(entries[i]);
	}
	free(entries);
	return error;
}

void settings_done(struct settings *settings)
{
	for (size_t i = 0; i < settings->n; i++) {
		setting_done(&settings->items[i]);
	}
	free(settings->items);
	*settings = (struct settings){0};
}
