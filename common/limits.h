/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_COMMON_LIMITS_H
#define RETENTIOND_COMMON_LIMITS_H

#include "common/instant.h"

/*
 * Every limit that a peer can reach, with its number, its reason, and where the number comes from.
 * Nothing that a peer can grow is without one. tests/system/test_limits.py reaches each of them,
 * and fails when one is added here that it does not name.
 *
 * Numbers on the wire and on disk hang on some of these: raising one is an addition to the API,
 * lowering one breaks clients.
 */

/*
 * Messages, see common/rpc.h. The scanner checks them before anything is allocated for a message:
 * five bytes can claim an array of 96 GB.
 */

/* bytes; "person.organizations", the longest, has 20 */
#define RPC_METHOD_LEN_MAX 64
/* [0, id, method, [{accounts: [{groups: [..]}]}]] needs 7 */
#define RPC_DEPTH_MAX 8
/* bytes; commands that take many accounts: 1000 of about 1 kB */
#define RPC_FRAME_LARGE_MAX (1024 * 1024)
/* bytes; every other command: a reason, a ref, 64 organizations of 64 bytes, and room */
#define RPC_FRAME_SMALL_MAX (64 * 1024)
/* values in a frame, keys included: 1000 accounts of 160 */
#define RPC_OBJECTS_MAX (160 * 1024)
/* bytes of one answer: 1000 items of about 1 kB */
#define RPC_ANSWER_MAX (1024 * 1024)

/*
 * Connections
 */

/* Half of the 1024 descriptors that a process is given everywhere; the store needs about ten. */
#define LIMITS_CONNECTIONS_MAX 512
/*
 * The last of them are kept for root, so that an administrator gets in when services have taken
 * the rest.
 */
#define LIMITS_CONNECTIONS_KEPT_FOR_ROOT 16
/*
 * A service with a pool of 32 connections can be restarted beside itself; eight users fill the
 * daemon.
 */
#define LIMITS_CONNECTIONS_OF_UID 64
/* Half, since many services of a host run as root and are one user here. */
#define LIMITS_CONNECTIONS_OF_ROOT 256
/*
 * Connections taken in one turn from one listener: the backlog can be 4096, and those who are
 * connected wait behind it. Taking one, or turning it away, costs about 20 us: a third of a
 * millisecond.
 */
#define LIMITS_ACCEPTS_PER_TURN 16

/*
 * Requests in flight have no number. What has been read and not been done is never more than one
 * frame or one reading; the rest waits in the socket's own buffer, and the peer with it.
 */

/*
 * Read from one connection in one turn: about 500 requests on one account, or 1/16 of the largest
 * frame.
 */
#define LIMITS_READ_BYTES_PER_TURN (64 * 1024)
/*
 * Time for reading from all connections of one user in one turn, where others have asked for something
 * lately. Not bytes: what came in many small pieces takes ten times as long. The last reading may go
 * over it.
 */
#define LIMITS_READ_OF_UID_PER_TURN (SPAN_SECOND / 10000)
/*
 * Messages of one connection in one turn. Enough that commits are shared well (see design: 85 k changes a
 * second at 32 for each commit), few enough that a peer which pipelines thousands does not keep
 * others waiting.
 */
#define LIMITS_MESSAGES_PER_TURN 128
/*
 * Time for messages of all connections in one turn, so that no turn lasts over 10 ms for work
 * that can be cut.
 */
#define LIMITS_WORK_PER_TURN (8 * SPAN_SECOND / 1000)
/*
 * The same where more than one user has asked for something lately: who asks for little then waits
 * for little, and commits are still shared. A single request can be longer.
 */
#define LIMITS_WORK_SHARED_PER_TURN (SPAN_SECOND / 1000)
/*
 * And of all connections of one user then: a quarter, so that others have their share too, and that with
 * reading, telling and sending it is less than a millisecond that somebody waits for one of them.
 */
#define LIMITS_WORK_OF_UID_PER_TURN (LIMITS_WORK_SHARED_PER_TURN / 4)
/*
 * Requests are not cut: 1000 changes are done whole or not at all. A user with one that takes longer than
 * this, and soon another one that is long, is slow; and since others cannot be spared the length of its
 * requests, they are spared their number.
 */
#define LIMITS_WORK_SLOW (2 * SPAN_SECOND / 1000)
/* What is long in the other one: half, so that requests of about that length are not slow by chance. */
#define LIMITS_WORK_SLOW_AGAIN (LIMITS_WORK_SLOW / 2)
/*
 * A slow user is served again when others, who are light, were served so often since, in turns: of their
 * requests less than one in a hundred meets a slow one.
 */
#define LIMITS_SLOW_REST_TURNS 192
/* Or after so long: 2000 changes a second beside others, in calls of 1000. */
#define LIMITS_SLOW_REST_SPAN (SPAN_SECOND / 2)
/* For so long after its last long request a user is slow: it has rested, and did not begin again. */
#define LIMITS_SLOW_SPAN (2 * LIMITS_SLOW_REST_SPAN)
/* What lately means: a user who asks ten times a second is there all the time. */
#define LIMITS_SHARED_SPAN (SPAN_SECOND / 10)
/* Time for telling subscribers of events in one turn: with the work, 10 ms. */
#define LIMITS_PUSH_PER_TURN (2 * SPAN_SECOND / 1000)
/* The same where more than one user has asked for something lately: some 64 events. */
#define LIMITS_PUSH_SHARED_PER_TURN (SPAN_SECOND / 10000)

/*
 * bytes; answers that a peer has not read yet: one of the largest. Beyond it, nothing more is read
 * from the peer.
 */
#define LIMITS_UNREAD_BYTES_MAX (1024 * 1024)
/*
 * bytes; beyond it, no more events are told: the other half is for answers, so that a subscriber
 * can still ask. The backlog of events is the ledger itself, and costs a subscriber a number.
 */
#define LIMITS_UNREAD_BYTES_OF_EVENTS (LIMITS_UNREAD_BYTES_MAX / 2)
/*
 * For a frame from its first byte on. Local peers send whole frames; 10 s lets one be paged in or
 * stopped a moment.
 */
#define LIMITS_FRAME_SPAN (10 * SPAN_SECOND)
/* For a peer to take any byte of its answers. */
#define LIMITS_WRITE_SPAN (10 * SPAN_SECOND)

/*
 * Names and values, see common/model.h
 */

/* bytes; fits a DNS label and a GUID */
#define MODEL_ORG_LEN_MAX 64
/* bytes; a directory's object id is a GUID of 36 */
#define MODEL_ID_LEN_MAX 64
/* bytes; Microsoft Graph's limit for a display name */
#define MODEL_NAME_LEN_MAX 256
/* bytes; 64 + "@" + 255, RFC 5321 4.5.3.1 */
#define MODEL_ADDRESS_LEN_MAX 320
/* bytes; a privacy statement's address */
#define MODEL_URL_LEN_MAX 512
/* bytes; ticket number and the like */
#define MODEL_REF_LEN_MAX 256
/* bytes; a paragraph */
#define MODEL_REASON_LEN_MAX 1024
/* bytes; a group's name or GUID */
#define MODEL_GROUP_LEN_MAX 256
/* bytes; a keeper's name is shaped like an organization's id */
#define MODEL_KEEPER_LEN_MAX 64
/* bytes; a legal ground as a token: "gdpr-17-3-b", "hgb-257" */
#define MODEL_GROUND_LEN_MAX 64
/* bytes; a hold's name */
#define MODEL_HOLD_LEN_MAX 64
/* bytes; a keeper's note, the last line of its error */
#define MODEL_NOTE_LEN_MAX 1024
/* bytes; ours are at most 50 */
#define ARGUMENT_CURSOR_LEN_MAX 128
/* bytes; ours have 42 */
#define ARGUMENT_TOKEN_LEN_MAX 64
/* groups, and as many permissions, of an account; a token of Microsoft Entra carries 200 */
#define MODEL_GROUPS_MAX 512
/* bytes; one account's packed personal data: 1000 of them stay within a commit of 32 MiB */
#define MODEL_PROFILE_BYTES_MAX 32768

/* Microsoft Entra: a deleted user can be restored for 30 d; half a year is the longest asked for. */
#define MODEL_WINDOW_MAX (180 * SPAN_DAY)
/* A window of less than a day would end before anybody sees what happened. */
#define MODEL_WINDOW_MIN (1 * SPAN_DAY)
/* Microsoft Entra: all data is gone 30 d after the window; that is the promise. */
#define MODEL_REMOVAL_MAX (30 * SPAN_DAY)
/* Keepers need a night to do their work in. */
#define MODEL_REMOVAL_MIN (1 * SPAN_DAY)

/* of accounts, as a mass guard's least; more than any organization has */
#define MODEL_GUARD_MIN_MAX 1000000000

/*
 * How many there may be
 */

/* accounts in one call, rows in one page */
#define MODEL_ACCOUNTS_MAX 1000
/* organizations; kept in memory, about 3 kB each */
#define STORE_ORGS_MAX 4096
/* keepers; bits of a word in every account's row */
#define MODEL_KEEPERS_MAX 64
/* organizations that a keeper is limited to; numbers in its row */
#define MODEL_KEEPER_ORGS_MAX 64
/* holds on one account; all of them are looked at in each command on it */
#define MODEL_HOLDS_MAX 64
/* entries of one account that are told as a whole, in its receipt: some megabytes to look through */
#define STORE_HISTORY_MAX 65536
/*
 * One user's share of the store for answers kept for repeated requests: the whole by this. 4 GiB of
 * the usual map: 10 million requests a day, or 50 million accounts in calls of 1000. Sixteen users
 * who send nothing but request ids fill what is not kept for deletions.
 */
#define STORE_ANSWERS_SHARE_OF_UID 16

/*
 * What one request may ask for
 */

/* entries told to one subscriber in one turn: half a millisecond, 8 us each */
#define EVENTS_PER_TURN 64
/* accounts of one person that are told at once; a person is in some organizations, not in 1000 */
#define PERSON_ACCOUNTS_MAX 1000
/* A keeper that dies keeps its tasks from the others for so long; a longer lease is cut to this. */
#define LEASE_MAX SPAN_DAY
/* rows looked at for one page of a list: about 1 ms; a page may be short and have a cursor */
#define LIST_EXAMINED_MAX 1024
/* bytes of a page, well below an answer's limit; likewise */
#define LIST_BYTES_MAX (256 * 1024)
/* removals looked at in one claim: under 10 ms; the next claim goes on behind them */
#define CLAIM_EXAMINED_MAX 4096
/* bytes of a claim's answer, well below an answer's limit; likewise */
#define CLAIM_BYTES_MAX (256 * 1024)
/* entries told by explain, the newest; ledger.read has all */
#define EXPLAIN_HISTORY_MAX 64
/* entries that ledger.verify reads in one stretch: under 10 ms; it says where to go on */
#define VERIFY_READS_MAX 4096

#endif
