/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_BACKUP_H
#define RETENTIOND_CTL_BACKUP_H

#include "ctl/ctl.h"

/**
 * ctl_backup_run() - have a backup made, and wait for its end
 *
 * The daemon makes it beside its other work and only begins it when asked; so it is asked again
 * until it says that this backup has ended. Ctrl-C ends the waiting, not the backup.
 *
 * Return: an exit code.
 */
must_check int ctl_backup_run(struct ctl *ctl);

#endif
