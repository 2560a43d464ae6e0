/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/io/peer.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

/* Most users are in fewer; others are asked for once more. */
#define GROUPS_GUESS 32

static int read_groups(int fd, const gid_t **ret_groups, size_t *ret_n)
{
	socklen_t len = GROUPS_GUESS * sizeof(gid_t);

	/*
	 * The kernel answers ERANGE with the length it needs, and the list is fixed since the
	 * connect.
	 */
	for (;;) {
		cleanup(freep) gid_t *groups = NULL;

		groups = malloc(MAX(len, sizeof(gid_t)));
		if (!groups) {
			return -ENOMEM;
		}
		if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) == 0) {
			*ret_groups = TAKE_PTR(groups);
			*ret_n = len / sizeof(gid_t);
			return 0;
		}
		if (errno != ERANGE) {
			return -errno;
		}
	}
}

int peer_init(int fd, struct access_peer *ret_peer)
{
	struct ucred credentials;
	socklen_t len = sizeof(credentials);
	struct access_peer peer;
	int error;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &len) < 0) {
		return -errno;
	}
	peer = (struct access_peer){
		.uid = credentials.uid,
		.gid = credentials.gid,
		.pid = credentials.pid,
	};
	error = read_groups(fd, &peer.groups, &peer.n_groups);
	if (error) {
		return error;
	}
	*ret_peer = peer;
	return 0;
}

void peer_done(struct access_peer *peer)
{
	free((void *)peer->groups);
	*peer = (struct access_peer){.uid = ACCESS_UID_NOBODY, .gid = ACCESS_UID_NOBODY};
}

/*
 * "         0          0 4294967295" in the namespace that the machine began with, and in one that
 * takes everything over from it. Ranges never overlap, and no namespace has more than the one
 * around it, so that their sum tells whether all is there.
 */
static bool map_is_whole(const char *path)
{
	unsigned long inside, outside, n;
	uint64_t n_all = 0;
	FILE *map;

	map = fopen(path, "re");
	if (!map) {
		/* A kernel without user namespaces has no such file. */
		return errno == ENOENT && access("/proc/self", F_OK) == 0;
	}
	while (fscanf(map, "%lu %lu %lu", &inside, &outside, &n) == 3) {
		n_all += n;
	}
	(void)fclose(map); /* nothing was written */
	return n_all == UINT32_MAX;
}

bool peer_all_visible(void)
{
	return map_is_whole("/proc/self/uid_map") && map_is_whole("/proc/self/gid_map");
}
