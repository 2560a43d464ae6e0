/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/receipt.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>

#include "ctl/json.h"
#include "ctl/request.h"
#include "ctl/show_items.h"
#include "ctl/show_refusal.h"
#include "ctl/text.h"

#define TITLE_BEGIN "retentiond receipt "
#define TITLE       TITLE_BEGIN "1\n"
#define SIGNATURE   "signature: "
#define PUBLIC_KEY  "public-key: "

#define SIGNATURE_HEX_LEN (2 * crypto_sign_BYTES)
#define KEY_HEX_LEN       (2 * CTL_RECEIPT_KEY_LEN)

/* The two lines at the end: always of the same length. */
#define SIGNATURE_AT (sizeof(SIGNATURE) - 1)
#define KEY_LINE_AT  (SIGNATURE_AT + SIGNATURE_HEX_LEN + 1)
#define KEY_AT       (KEY_LINE_AT + sizeof(PUBLIC_KEY) - 1)
#define TAIL_LEN     (KEY_AT + KEY_HEX_LEN + 1)

static_assert(CTL_RECEIPT_KEY_LEN == crypto_sign_PUBLICKEYBYTES, "Ed25519");

/* Checking */

static bool begins(struct slice bytes, const char *with)
{
	return bytes.len >= strlen(with) && memcmp(bytes.data, with, strlen(with)) == 0;
}

/* In lower case only: there is one way to write a receipt, so that no byte can be another. */
static bool read_hex(const char *text, size_t len, uint8_t *bytes)
{
	size_t n;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\0' || !strchr("0123456789abcdef", text[i])) {
			return false;
		}
	}
	return sodium_hex2bin(bytes, len / 2, text, len, NULL, &n, NULL) == 0 && n == len / 2;
}

static bool read_tail(const char *tail, uint8_t signature[static crypto_sign_BYTES],
		      uint8_t key[static CTL_RECEIPT_KEY_LEN])
{
	return memcmp(tail, SIGNATURE, SIGNATURE_AT) == 0 && tail[KEY_LINE_AT - 1] == '\n' &&
	       memcmp(tail + KEY_LINE_AT, PUBLIC_KEY, KEY_AT - KEY_LINE_AT) == 0 &&
	       tail[TAIL_LEN - 1] == '\n' &&
	       read_hex(tail + SIGNATURE_AT, SIGNATURE_HEX_LEN, signature) &&
	       read_hex(tail + KEY_AT, KEY_HEX_LEN, key);
}

static int refuse(struct ctl_fault *fault, const char *code, const char *text)
{
	return ctl_fault_set(fault, CTL_EXIT_VERIFICATION, code, "%s", text);
}

static int refuse_key(struct ctl_fault *fault, const uint8_t *key)
{
	char text[KEY_HEX_LEN + 1];

	return ctl_fault_set(fault, CTL_EXIT_VERIFICATION, "other-key",
			     "the receipt names another key than the one given: %s",
			     sodium_bin2hex(text, sizeof(text), key, CTL_RECEIPT_KEY_LEN));
}

int ctl_receipt_check(struct slice bytes, const uint8_t *key,
		      uint8_t ret_key[static CTL_RECEIPT_KEY_LEN], struct ctl_fault *fault)
{
	uint8_t signature[crypto_sign_BYTES], its_key[CTL_RECEIPT_KEY_LEN];
	size_t text_len = bytes.len - MIN(bytes.len, TAIL_LEN);

	if (!begins(bytes, TITLE)) {
		return refuse(fault, "not-a-receipt",
			      begins(bytes, TITLE_BEGIN)
				      ? "the receipt is of a form that this client does not know"
				      : "this is no receipt: it does not begin with "
					"\"retentiond receipt 1\"");
	}
	if (text_len < strlen(TITLE) || !read_tail(bytes.data + text_len, signature, its_key)) {
		return refuse(fault, "truncated",
			      "the receipt is cut off or altered: it does not end with its "
			      "signature and public key");
	}
	if (key && memcmp(key, its_key, sizeof(its_key)) != 0) {
		return refuse_key(fault, its_key);
	}
	if (crypto_sign_verify_detached(signature, (const unsigned char *)bytes.data, text_len,
					its_key) != 0) {
		return refuse(fault, "tampered",
			      "the receipt is not what was signed: its text, its signature or its "
			      "key has been altered");
	}
	memcpy(ret_key, its_key, sizeof(its_key));
	return 0;
}

/* Verifying a file */

/* @buffer: the caller's @size bytes; it is -EFBIG if they do not suffice. */
static int read_file(const char *path, char *buffer, size_t size, size_t *ret_len)
{
	bool is_stdin = strcmp(path, "-") == 0;
	FILE *file = is_stdin ? stdin : fopen(path, "re");
	int error = 0;

	if (!file) {
		return -errno;
	}
	*ret_len = fread(buffer, 1, size, file);
	if (ferror(file)) {
		error = errno ? errno : EIO;
	} else if (*ret_len == size) {
		error = EFBIG;
	}
	if (!is_stdin) {
		(void)fclose(file); /* nothing was written */
	}
	return -error;
}

static bool key_from_text(struct slice text, uint8_t key[static CTL_RECEIPT_KEY_LEN])
{
	size_t n;

	if (text.len == KEY_HEX_LEN + 1 && text.data[KEY_HEX_LEN] == '\n') {
		--text.len;
	}
	return text.len == KEY_HEX_LEN &&
	       sodium_hex2bin(key, CTL_RECEIPT_KEY_LEN, text.data, text.len, NULL, &n, NULL) == 0 &&
	       n == CTL_RECEIPT_KEY_LEN;
}

/* --key: the digits themselves, or a file that holds them. */
static int take_key(struct ctl *ctl, uint8_t key[static CTL_RECEIPT_KEY_LEN])
{
	char text[KEY_HEX_LEN + 2]; /* room for one byte too many */
	size_t len;
	int r;

	if (key_from_text(slice_of(ctl->args.key), key)) {
		return 0;
	}
	r = read_file(ctl->args.key, text, sizeof(text), &len);
	if (r == 0 && key_from_text((struct slice){text, len}, key)) {
		return 0;
	}
	/* What is no file at all may be digits that were mistyped. */
	if (r < 0 && r != -ENOENT && r != -EFBIG) {
		return ctl_fault_errno(&ctl->fault, r, ctl->args.key);
	}
	return ctl_fault_set(&ctl->fault, CTL_EXIT_USAGE, "usage",
			     "--key must be 64 hexadecimal digits, or a file that holds them");
}

/* Whoever alters a receipt can sign it anew with a key of their own, and put that into it. */
static void warn_of_own_key(const char *key)
{
	(void)fprintf(stderr,
		      "retentionctl: WARNING: checked against the key that stands in the receipt "
		      "itself. That proves nothing about who made it: compare\n    %s\n"
		      "with the key that the daemon's operators gave you, or use --key.\n",
		      key);
}

static void tell_good(struct ctl *ctl, const char *path, const uint8_t *key)
{
	char text[KEY_HEX_LEN + 1];

	(void)sodium_bin2hex(text, sizeof(text), key, CTL_RECEIPT_KEY_LEN);
	if (ctl->args.json) {
		json_t *result = json_pack("{s:b,s:s,s:b}", "ok", 1, "public_key", text,
					   "key_given", ctl->args.key != NULL);

		ctl_json_print(result, ctl->show.out);
		json_decref(result);
	} else if (!ctl->args.quiet) {
		ctl_text_put(ctl->show.out, slice_of(path));
		(void)fprintf(ctl->show.out, ": good signature by key %s\n", text);
	}
	if (!ctl->args.key) {
		(void)fflush(ctl->show.out);
		warn_of_own_key(text);
	}
}

static int verify_file(struct ctl *ctl, const char *path, const uint8_t *key)
{
	cleanup(freep) char *bytes = malloc(CTL_RECEIPT_BYTES_MAX);
	uint8_t its_key[CTL_RECEIPT_KEY_LEN];
	size_t len;
	int r;

	if (!bytes) {
		return ctl_fault_errno(&ctl->fault, -ENOMEM, "a receipt");
	}
	r = read_file(path, bytes, CTL_RECEIPT_BYTES_MAX, &len);
	if (r < 0) {
		return ctl_fault_errno(&ctl->fault, r, path);
	}
	r = ctl_receipt_check((struct slice){bytes, len}, key, its_key, &ctl->fault);
	if (r == 0) {
		tell_good(ctl, path, its_key);
	}
	return r;
}

bool ctl_receipt_is_verify(const struct ctl_args *args)
{
	return args->command == &command_table[COMMAND_receipt_get] && args->n_operands > 0 &&
	       strcmp(args->operands[0], CTL_RECEIPT_VERIFY) == 0;
}

int ctl_receipt_verify(struct ctl *ctl)
{
	uint8_t key[CTL_RECEIPT_KEY_LEN];
	int r;

	if (sodium_init() < 0) {
		return ctl_fault_errno(&ctl->fault, -ENOSYS, "libsodium");
	}
	if (ctl->args.n_operands != 2) {
		return ctl_fault_set(&ctl->fault, CTL_EXIT_USAGE, "usage",
				     "usage: retentionctl receipt verify FILE [--key=HEX|FILE]");
	}
	r = ctl->args.key ? take_key(ctl, key) : 0;
	return r ? r : verify_file(ctl, ctl->args.operands[1], ctl->args.key ? key : NULL);
}

/* Fetching one */

/* Its bytes are what is signed, so that nothing can be escaped: what could steer a terminal is refused. */
static bool is_plain(const char *text)
{
	for (; *text; text++) {
		if (*text != '\n' && (*text < 0x20 || *text > 0x7e)) {
			return false;
		}
	}
	return true;
}

static int print_receipt(struct ctl *ctl, const json_t *result)
{
	const char *text = ctl_json_text(result, "receipt");
	const char *signature = ctl_json_text(result, "signature");
	const char *key = ctl_json_text(result, "public_key");

	if (!text || !signature || !key || !is_plain(text) || !is_plain(signature) ||
	    !is_plain(key)) {
		return ctl_fault_set(&ctl->fault, CTL_EXIT_FAILURE, "malformed",
				     "retentiond answered with something that is no receipt");
	}
	(void)fprintf(ctl->show.out, "%s" SIGNATURE "%s\n" PUBLIC_KEY "%s\n", text, signature, key);
	return 0;
}

/* A person's name is gone with the data: the id lives on as a hash, the uid in the tombstone. */
static void tell_refusal(const struct ctl *ctl, const json_t *result)
{
	const struct ctl_accounts *accounts = &ctl->operands.accounts;

	show_refusal(&ctl->show, result);
	if (show_outcome_exit(result) == CTL_EXIT_NOT_FOUND &&
	    (ctl->args.argument[ARGUMENT_person] ||
	     (accounts->n > 0 && accounts->items[0].person.len > 0))) {
		(void)fputs("  after a removal look it up by ORG/ID or uid:N: a person's name is "
			    "no longer known\n",
			    ctl->show.out);
	}
}

int ctl_receipt_run(struct ctl *ctl)
{
	struct ctl_request request = CTL_REQUEST_FIRST;
	json_t *result = NULL;
	int r;

	if (ctl->args.key) {
		return ctl_fault_set(&ctl->fault, CTL_EXIT_USAGE, "usage",
				     "--key belongs to retentionctl receipt verify FILE");
	}
	r = ctl_request_call(ctl, &request, &result);
	if (r == 0 && ctl->args.json) {
		ctl_json_print(result, ctl->show.out);
	} else if (r == 0 && show_outcome_exit(result) == CTL_EXIT_OK) {
		r = print_receipt(ctl, result);
	} else if (r == 0) {
		tell_refusal(ctl, result);
	}
	r = r ? r : (int)show_outcome_exit(result);
	json_decref(result);
	return r;
}
