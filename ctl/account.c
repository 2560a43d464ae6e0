/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/account.h"

#include <errno.h>
#include <stdio.h>

#include "common/commands.h"
#include "ctl/value.h"

#define UID_PREFIX "uid:"

static const char *parse_uid(const char *number, struct ctl_account *account)
{
	struct ctl_value value;
	const char *fault = ctl_value_parse(ARGUMENT_TYPE_UID, number, 0, &value);

	if (!fault) {
		account->uid = value.integer;
	}
	return fault;
}

const char *ctl_account_parse(const char *written, struct ctl_account *ret_account)
{
	struct ctl_account account = {.written = written};
	const char *slash = strchr(written, '/');
	struct slice rest;
	const char *fault;

	if (strncmp(written, UID_PREFIX, strlen(UID_PREFIX)) == 0) {
		fault = parse_uid(written + strlen(UID_PREFIX), &account);
	} else if (!slash) {
		fault = "is no account: write ORG/ID, ORG/PERSON or uid:N";
	} else {
		account.org = (struct slice){written, (size_t)(slash - written)};
		rest = slice_of(slash + 1);
		fault = model_org_fault(account.org);
		if (!fault && memchr(rest.data, '@', rest.len)) {
			account.person = rest;
			fault = model_address_fault(rest);
		} else if (!fault) {
			account.id = rest;
			fault = model_id_fault(rest);
		}
	}
	if (!fault) {
		*ret_account = account;
	}
	return fault;
}

static int make_room(struct ctl_accounts *accounts)
{
	size_t size = accounts->size ? accounts->size * 2 : 64;
	struct ctl_account *items;

	if (accounts->n < accounts->size) {
		return 0;
	}
	items = reallocarray(accounts->items, size, sizeof(*items));
	if (!items) {
		return -ENOMEM;
	}
	accounts->items = items;
	accounts->size = size;
	return 0;
}

static int add(struct ctl_accounts *accounts, const char *written, const char **ret_wrong)
{
	char *copy = strdup(written);

	if (!copy || make_room(accounts) < 0) {
		free(copy);
		return -ENOMEM;
	}
	*ret_wrong = ctl_account_parse(copy, &accounts->items[accounts->n]);
	if (*ret_wrong) {
		free(copy);
	} else {
		accounts->n++;
	}
	return 0;
}

int ctl_accounts_add(struct ctl_accounts *accounts, const struct ctl_account *account)
{
	char *copy = strdup(account->written);

	if (!copy || make_room(accounts) < 0) {
		free(copy);
		return -ENOMEM;
	}
	accounts->items[accounts->n++] =
		(struct ctl_account){.written = copy, .uid = account->uid, .seq = account->seq};
	return 0;
}

/* Cuts comment and blanks off both ends. */
static char *strip(char *line)
{
	size_t len;

	for (char *p = line; *p; p++) {
		if (*p == '#' && (p == line || p[-1] == ' ' || p[-1] == '\t')) {
			*p = '\0';
			break;
		}
	}
	line += strspn(line, " \t");
	len = strlen(line);
	while (len > 0 && strchr(" \t\r\n", line[len - 1])) {
		line[--len] = '\0';
	}
	return line;
}

static int read_lines(struct ctl_accounts *accounts, FILE *in, const char *name,
		      struct ctl_fault *fault)
{
	cleanup(freep) char *line = NULL;
	size_t size = 0;
	size_t n_wrong = 0;

	errno = 0;
	for (size_t number = 1; getline(&line, &size, in) >= 0; number++) {
		const char *wrong = NULL;
		char *written = strip(line);
		int r = *written ? add(accounts, written, &wrong) : 0;

		if (r < 0) {
			return ctl_fault_errno(fault, r, name);
		}
		if (wrong && n_wrong++ == 0) {
			(void)ctl_fault_set(fault, CTL_EXIT_USAGE, "usage", "%s:%zu: %s %s", name,
					    number, written, wrong);
		}
	}
	if (ferror(in)) {
		return ctl_fault_errno(fault, errno, name);
	}
	if (n_wrong > 1) {
		ctl_fault_add(fault, "; %zu more lines are wrong", n_wrong - 1);
	}
	return n_wrong ? CTL_EXIT_USAGE : 0;
}

static int read_file(struct ctl_accounts *accounts, const char *path, struct ctl_fault *fault)
{
	FILE *in = fopen(path, "re");
	int r;

	if (!in) {
		return ctl_fault_errno(fault, errno, path);
	}
	r = read_lines(accounts, in, path, fault);
	(void)fclose(in); /* it was only read */
	return r;
}

int ctl_accounts_take(struct ctl_accounts *accounts, const char *operand, struct ctl_fault *fault)
{
	const char *wrong = NULL;
	int r;

	if (strcmp(operand, "-") == 0) {
		accounts->from_stdin = true;
		return read_lines(accounts, stdin, "standard input", fault);
	}
	if (operand[0] == '@') {
		return read_file(accounts, operand + 1, fault);
	}
	r = add(accounts, operand, &wrong);
	if (r < 0) {
		return ctl_fault_errno(fault, r, operand);
	}
	if (wrong) {
		return ctl_fault_set(fault, CTL_EXIT_USAGE, "usage", "%s %s", operand, wrong);
	}
	return 0;
}

void ctl_accounts_done(struct ctl_accounts *accounts)
{
	for (size_t i = 0; i < accounts->n; i++) {
		free((char *)accounts->items[i].written); /* our copy: see add() */
	}
	free(accounts->items);
	*accounts = (struct ctl_accounts){0};
}

void ctl_account_write(struct pack_writer *writer, const struct ctl_account *account)
{
	if (account->org.len) {
		pack_put_text(writer, "org", account->org);
	}
	if (account->id.len) {
		pack_put_text(writer, "id", account->id);
	}
	if (account->person.len) {
		pack_put_text(writer, "person", account->person);
	}
	if (account->uid) {
		pack_put_int(writer, "uid", account->uid);
	}
	if (account->seq) {
		pack_put_int(writer, "seq", account->seq);
	}
}
