/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTIOND_CTL_METRICS_H
#define RETENTIOND_CTL_METRICS_H

#include "ctl/ctl.h"

/**
 * ctl_metrics_run() - print the metrics, for monitoring
 *
 * All is asked before anything is printed. What our role may not see is left out. A daemon that
 * does not answer is a metric too: then retentiond_up is 0, and that is all; so that whoever keeps
 * the output in a file replaces what was true before.
 *
 * Return: an exit code; CTL_EXIT_OK also when the daemon does not answer.
 */
must_check int ctl_metrics_run(struct ctl *ctl);

#endif
