/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_IMPORT_H
#define RETENTIOND_CTL_IMPORT_H

#include "ctl/ctl.h"

/**
 * import_run() - take accounts over from files
 *
 * Every file is read and every row checked before the first change: a fault anywhere, and nothing
 * is sent.
 *
 * Return: an exit code: FAILURE for files that cannot be read or are malformed.
 */
must_check int import_run(struct ctl *ctl);

#endif
