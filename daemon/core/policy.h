/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CORE_POLICY_H
#define RETENTIOND_CORE_POLICY_H

#include "common/base.h"
#include "common/instant.h"
#include "common/outcome.h"

/**
 * struct policy - what an organization decides
 * @allow_leave:      guests may leave by themselves
 * @has_privacy_info: a privacy contact or a privacy statement is published
 * @window:           of later deletions: 1 d to 180 d
 * @removal:          of later deletions: 1 d to 30 d
 * @guard_min, @guard_percent: how much the mass guard lets pass in 24 h: see guard_limit()
 */
struct policy {
	bool allow_leave;
	bool has_privacy_info;
	span_t window;
	span_t removal;
	uint32_t guard_min;
	uint8_t guard_percent;
};

/*
 * What an organization has that decided nothing: leaving allowed, 30 d, 30 d, nothing published, and
 * the mass guard at 500 or a quarter.
 */
struct policy policy_default(void);

/**
 * policy_check() - whether settings may stand
 * @policy: as they would be after the change
 *
 * Leaving can be forbidden only once a privacy contact or statement is there, and the last of
 * them cannot be cleared while it is forbidden: both are the same rule about the settings after
 * the change.
 *
 * Return: OUTCOME_OK, or OUTCOME_PRIVACY_INFO_MISSING.
 */
enum outcome policy_check(const struct policy *policy);

#endif
