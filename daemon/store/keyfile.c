/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/store/keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>

#include "daemon/store/inside.h"

#define HEX_LEN (2 * KEYFILE_KEY_LEN)

/* The digits, and the line's end that editors and echo put behind them. */
static bool key_from_hex(const char *text, size_t len, uint8_t key[static KEYFILE_KEY_LEN])
{
	size_t n;

	if (len > HEX_LEN + 1 || (len == HEX_LEN + 1 && text[HEX_LEN] != '\n')) {
		return false;
	}
	return len >= HEX_LEN &&
	       sodium_hex2bin(key, KEYFILE_KEY_LEN, text, HEX_LEN, NULL, &n, NULL) == 0 &&
	       n == KEYFILE_KEY_LEN;
}

static bool key_from_text(const char *text, size_t len, uint8_t key[static KEYFILE_KEY_LEN])
{
	if (len == KEYFILE_KEY_LEN) {
		memcpy(key, text, KEYFILE_KEY_LEN);
		return true;
	}
	return key_from_hex(text, len, key);
}

/* Return: how many bytes there are, at most @size, or a negative errno. */
static ssize_t read_whole(int fd, char *text, size_t size)
{
	size_t len = 0;

	while (len < size) {
		ssize_t n = read(fd, text + len, size - len);

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			return n < 0 ? -errno : (ssize_t)len;
		}
		len += (size_t)n;
	}
	return (ssize_t)len;
}

static int read_key(int fd, uint8_t ret_key[static KEYFILE_KEY_LEN])
{
	char text[HEX_LEN + 2]; /* room for one byte too many */
	uint8_t key[KEYFILE_KEY_LEN];
	ssize_t len = read_whole(fd, text, sizeof(text));
	bool sound = len >= 0 && key_from_text(text, (size_t)len, key);

	if (sound) {
		memcpy(ret_key, key, sizeof(key));
	}
	sodium_memzero(text, sizeof(text));
	sodium_memzero(key, sizeof(key));
	if (len < 0) {
		return (int)len;
	}
	return sound ? 0 : KEYFILE_E_MALFORMED;
}

int keyfile_read(const char *path, uint8_t ret_key[static KEYFILE_KEY_LEN])
{
	cleanup(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	return fd < 0 ? -errno : read_key(fd, ret_key);
}

/*
 * The service manager lets a user other than root read a credential by an ACL, which shows among
 * the group's bits; so these say nothing.
 */
static bool is_exposed(const struct stat *st)
{
	return (st->st_mode & (S_IRWXO | S_IWGRP)) != 0;
}

static int read_credential(const char *path, uint8_t ret_key[static KEYFILE_KEY_LEN])
{
	cleanup(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat st;
	int r;

	if (fd < 0 && errno == ENOENT) {
		return STORE_E_NONE;
	}
	if (fd < 0 || fstat(fd, &st) < 0) {
		return store_say_fault(STORE_E_CREDENTIAL, "the credential %s cannot be read: %s",
				       path, strerror(errno));
	}
	if (is_exposed(&st)) {
		return store_say_fault(
			STORE_E_CREDENTIAL,
			"others may read or change the credential %s: take that "
			"away with chmod 0400, and think whether it must be a new one",
			path);
	}
	r = read_key(fd, ret_key);
	if (r < 0) {
		return store_say_fault(STORE_E_CREDENTIAL, "the credential %s cannot be read: %s",
				       path, strerror(-r));
	}
	return r == 0 ? 0
		      : store_say_fault(STORE_E_CREDENTIAL,
					"the credential %s is neither 32 bytes nor 64 hexadecimal "
					"digits; give the right one, or none",
					path);
}

int keyfile_read_credential(const char *name, uint8_t ret_key[static KEYFILE_KEY_LEN])
{
	const char *directory = getenv("CREDENTIALS_DIRECTORY");
	char path[PATH_MAX];
	int r;

	if (!directory || directory[0] != '/') {
		return STORE_E_NONE;
	}
	r = store_path(directory, name, path);
	return r < 0 ? r : read_credential(path, ret_key);
}
