/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_COMMON_MODEL_H
#define RETENTIOND_COMMON_MODEL_H

#include "common/base.h"
#include "common/instant.h"
#include "common/limits.h"

/*
 * The nouns that daemon and client share, and what their values may be. The limits, with their
 * reasons, are in common/limits.h; the client shows the same faults before it sends that the daemon would answer.
 */

/* Microsoft Entra: a deleted user can be restored for 30 d, and all data is gone 30 d later. */
#define MODEL_WINDOW_DEFAULT  (30 * SPAN_DAY)
#define MODEL_REMOVAL_DEFAULT (30 * SPAN_DAY)

/*
 * The mass guard: how many accounts of an organization may leave, be purged or fall due in 24 h before
 * somebody must look. A class that ends passes; a directory that was emptied by mistake does not.
 */
#define MODEL_GUARD_MIN_DEFAULT     500
#define MODEL_GUARD_PERCENT_DEFAULT 25
#define MODEL_GUARD_PERCENT_OFF     100 /* everybody may go: nothing is guarded */

/* Numbers are on disk: never reused. */
enum account_kind {
	ACCOUNT_KIND_MEMBER = 1,
	ACCOUNT_KIND_B2B_COLLABORATION,
	ACCOUNT_KIND_B2B_DIRECT_CONNECT,
	_ACCOUNT_KIND_MAX
};

/* Computed from facts and an instant, never stored. */
enum account_state {
	ACCOUNT_STATE_ACTIVE,
	ACCOUNT_STATE_SOFT_DELETED,
	ACCOUNT_STATE_REMOVING,
	ACCOUNT_STATE_REMOVED,
	_ACCOUNT_STATE_MAX
};

/* What a keeper says of one account's data. Numbers are on disk: never reused. */
enum task_result {
	TASK_RESULT_ERASED = 1,
	TASK_RESULT_NOTHING_FOUND,
	TASK_RESULT_RETAINED, /* kept, on a legal ground */
	TASK_RESULT_WAIVED,   /* an administrator gave the keeper up */
	_TASK_RESULT_MAX
};

/* What stops timed work, or a part of it, until an administrator releases it. */
enum guard {
	GUARD_CLOCK, /* the wall clock is not believed */
	GUARD_MASS,  /* too much of an organization goes at once */
	_GUARD_MAX
};

/* What has become of a removal request. */
enum request_state {
	REQUEST_STATE_OPEN = 1,
	REQUEST_STATE_APPROVED,
	REQUEST_STATE_DENIED,
	REQUEST_STATE_FULFILLED, /* computed, never stored: the account has left in another way */
	_REQUEST_STATE_MAX
};

/* Whether a removal keeps its deadline. */
enum account_sla {
	ACCOUNT_SLA_NONE, /* not removing */
	ACCOUNT_SLA_ON_TRACK,
	ACCOUNT_SLA_DUE_SOON, /* 7 d left or less */
	ACCOUNT_SLA_OVERDUE,  /* from the very instant of the deadline */
	_ACCOUNT_SLA_MAX
};

/*
 * Who a peer may act as; ADMIN includes the first three. Numbers are on disk (the actor's role in
 * the ledger).
 */
enum role {
	ROLE_ANY, /* no role needed */
	ROLE_READER,
	ROLE_AUDITOR,
	ROLE_SELF_SERVICE,
	ROLE_ADMIN,
	ROLE_KEEPER, /* granted by keeper's name */
	ROLE_DAEMON, /* the daemon itself: the clock did it; never granted */
	_ROLE_MAX
};

/* "b2b-collaboration", "soft-deleted", "on-track", "self-service", …; static. */
const char *account_kind_name(enum account_kind kind);
const char *account_state_name(enum account_state state);
const char *account_sla_name(enum account_sla sla);
const char *guard_name(enum guard guard); /* "clock", "mass" */
const char *task_result_name(enum task_result result);
const char *request_state_name(enum request_state state);
const char *role_name(enum role role);

/* The reverse; false for an unknown name. */
must_check bool account_kind_from_name(struct slice name, enum account_kind *ret_kind);
must_check bool account_state_from_name(struct slice name, enum account_state *ret_state);
must_check bool guard_from_name(struct slice name, enum guard *ret_guard);
must_check bool task_result_from_name(struct slice name, enum task_result *ret_result);
must_check bool request_state_from_name(struct slice name, enum request_state *ret_state);
must_check bool role_from_name(struct slice name, enum role *ret_role);

/*
 * What is wrong with a value, as the end of a sentence ("must be 1 to 64 of a-z 0-9 . _ -"), or
 * NULL if nothing is. Texts are UTF-8 without control characters. Static strings.
 */
const char *model_org_fault(struct slice org); /* upper case is accepted: see model_lower() */
const char *model_id_fault(struct slice id);   /* 1 to 64 printable ASCII bytes, no blank */
const char *model_address_fault(struct slice address); /* one "@", no blank: person, UPN, mail */
const char *model_name_fault(struct slice name);       /* display names: 1 to 256 bytes */
const char *model_url_fault(struct slice url);         /* http:// or https:// and a host */
const char *model_group_fault(struct slice group);
const char *model_ref_fault(struct slice ref);
const char *model_reason_fault(struct slice reason);
const char *model_contact_fault(struct slice contact); /* an address or an http(s) URL */
const char *model_request_id_fault(struct slice id);   /* 1 to 64 printable ASCII bytes, no blank */
const char *model_keeper_fault(struct slice keeper);   /* 1 to 64 of a-z 0-9 . _ - */
const char *model_ground_fault(struct slice ground);   /* 1 to 64 printable ASCII, no blank */
const char *model_hold_fault(struct slice hold);       /* 1 to 64 bytes of text */
const char *model_note_fault(struct slice note);       /* 1 to 1024 bytes of text */
const char *model_window_fault(span_t window);         /* 1 d to 180 d */
const char *model_removal_fault(span_t removal);       /* 1 d to 30 d */
const char *model_instant_fault(int64_t at);           /* 0 to INSTANT_MAX */
const char *model_guard_min_fault(int64_t n);          /* 1 to MODEL_GUARD_MIN_MAX */
const char *model_guard_percent_fault(int64_t percent); /* 1 to MODEL_GUARD_PERCENT_OFF */

/**
 * model_lower() - ASCII letters to lower case; other bytes stay
 * @from: at most @size - 1 bytes
 * @to:   the caller's buffer; terminated
 *
 * Organizations, persons and UPNs are compared in this form. Letters beyond ASCII are compared as
 * they are: a directory's names are ASCII (RFC 5321), and folding others depends on a locale.
 *
 * Return: the slice in @to.
 */
struct slice model_lower(struct slice from, char *to, size_t size);

#endif
