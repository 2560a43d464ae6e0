/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_TESTS_CRASH_JUDGE_H
#define RETENTIOND_TESTS_CRASH_JUDGE_H

#include "common/base.h"

#include "tests/crash/moments.h"
#include "tests/crash/workload.h"

/* What can be wrong with an image. */
enum verdict {
	VERDICT_SOUND,
	VERDICT_UNOPENABLE, /* the store is refused, or does not serve */
	VERDICT_LOST,       /* what was acknowledged is not there */
	VERDICT_HALF,       /* something is there that is neither before nor after a command */
	VERDICT_READABLE,   /* a removed person can be read */
	_VERDICT_MAX
};

const char *verdict_name(enum verdict verdict);

/**
 * judge_image() - start on an image as a daemon would, twice, and look at what is there
 * @directory: an empty one, to put it into; what is left in it afterwards is the caller's
 * @ret_why:   static text, set unless the image is sound
 *
 * May end the process where a start would.
 */
enum verdict judge_image(const struct image *image, const struct workload *workload,
			 const char *directory, const char **ret_why);

/* Opens the engine on what is in @directory, as that does. Return: as engine_open(). */
int judge_start(const struct image *image, const struct workload *workload, const char *directory,
		struct clock_reading *ret_reading, struct engine **ret_engine);

#endif
