/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_ACCOUNT_H
#define RETENTIOND_CTL_ACCOUNT_H

#include "common/model.h"
#include "common/pack.h"
#include "ctl/fault.h"

/**
 * struct ctl_account - an account as a person names it: "ORG/ID", "ORG/PERSON" or "uid:N"
 * @written: all of it
 * @org, @id, @person: point into @written; empty where it says nothing of them
 * @uid:     0 where it says nothing of it
 * @seq:     its newest entry in the ledger when a plan was made; 0 where that does not matter
 */
struct ctl_account {
	const char *written;
	struct slice org;
	struct slice id;
	struct slice person;
	int64_t uid;
	int64_t seq;
};

/* A list that owns its texts. Zero it to begin. */
struct ctl_accounts {
	struct ctl_account *items;
	size_t n;
	size_t size;
	bool from_stdin; /* some were read from there: nobody saw them on the command line */
};

/**
 * ctl_account_parse() - read one account
 * @written: borrowed: the account points into it
 *
 * Return: NULL and *@ret_account set, or what is wrong as the end of a sentence; static.
 */
must_check const char *ctl_account_parse(const char *written, struct ctl_account *ret_account);

/**
 * ctl_accounts_take() - add what an operand names
 * @operand: an account, "@FILE" or "-": one account a line there, empty lines and comments after #
 *           left out
 *
 * A # begins a comment at the beginning of a line or after a blank: it is part of many guests'
 * names.
 *
 * Return: 0, CTL_EXIT_USAGE for what is no account, or CTL_EXIT_FAILURE for what cannot be read.
 */
must_check int ctl_accounts_take(struct ctl_accounts *accounts, const char *operand,
				 struct ctl_fault *fault);

/* Adds one that is named by its uid; its text is copied. Return: 0 or -ENOMEM. */
must_check int ctl_accounts_add(struct ctl_accounts *accounts, const struct ctl_account *account);
void ctl_accounts_done(struct ctl_accounts *accounts);

/* The keys that name the account, into a map that is open. */
void ctl_account_write(struct pack_writer *writer, const struct ctl_account *account);

#endif
