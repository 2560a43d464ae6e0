/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/backoff.h"

span_t backoff_after(uint32_t attempts)
{
	uint32_t doublings = MIN(attempts > 0 ? attempts - 1 : 0, 16); /* far behind the maximum */

	return MIN(BACKOFF_FIRST << doublings, BACKOFF_MAX);
}
