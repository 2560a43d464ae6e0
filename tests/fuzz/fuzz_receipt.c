/* SPDX-License-Identifier: Apache-2.0 */
#include <sodium.h>

#include "ctl/receipt.h"
#include "daemon/work/receipt.h"

#include "tests/fuzz/fuzz.h"

/*
 * Receipts, as the client is given them and as the daemon makes them. The first byte says which:
 *
 *     0  bytes that are checked as they are, first without a key and then with one
 *     1  a text, signed, and then changed: only as it was signed it is good
 *     2  entries of the ledger: the receipt of their account
 */

#define TEXT_MAX    4096
#define RECEIPT_MAX (TEXT_MAX + 512)

static uint8_t public_key[crypto_sign_PUBLICKEYBYTES];
static uint8_t secret_key[crypto_sign_SECRETKEYBYTES];

static void make_keys(void)
{
	static const uint8_t seed[crypto_sign_SEEDBYTES] = "a seed of the tests, nobody's";

	(void)crypto_sign_seed_keypair(public_key, secret_key, seed); /* never fails */
}

static int check(struct slice bytes, const uint8_t *key, uint8_t ret_key[CTL_RECEIPT_KEY_LEN])
{
	struct ctl_fault fault = {0};
	int r = ctl_receipt_check(bytes, key, ret_key, &fault);

	assert(r == (int)fault.exit);
	assert(r == 0 || (r == CTL_EXIT_VERIFICATION && fault.code[0] && fault.text[0]));
	return r;
}

static void check_as_it_is(struct feed *feed)
{
	struct slice bytes = feed_rest(feed);
	uint8_t its_key[CTL_RECEIPT_KEY_LEN], again[CTL_RECEIPT_KEY_LEN];
	int r = check(bytes, NULL, its_key);

	if (r == 0) {
		r = check(bytes, its_key, again);
		assert(r == 0 && memcmp(its_key, again, sizeof(again)) == 0);
		r = check(bytes, public_key, again);
		assert(r == 0 || memcmp(its_key, public_key, sizeof(its_key)) != 0);
	}
}

/* Return: how many bytes the receipt of the text has. */
static size_t sign(struct slice text, char *receipt, size_t size)
{
	char signature_hex[2 * crypto_sign_BYTES + 1], key_hex[2 * CTL_RECEIPT_KEY_LEN + 1];
	uint8_t signature[crypto_sign_BYTES];
	char *signed_text = receipt;
	int n, title_len = snprintf(receipt, size, RECEIPT_TITLE "\n");

	memcpy(receipt + title_len, text.data, text.len);
	receipt += (size_t)title_len + text.len;
	(void)crypto_sign_detached(signature, NULL, (const uint8_t *)signed_text,
				   (size_t)(receipt - signed_text), secret_key);
	n = snprintf(
		receipt, size - (size_t)(receipt - signed_text), "signature: %s\npublic-key: %s\n",
		sodium_bin2hex(signature_hex, sizeof(signature_hex), signature, sizeof(signature)),
		sodium_bin2hex(key_hex, sizeof(key_hex), public_key, sizeof(public_key)));
	assert(n > 0);
	return (size_t)(receipt - signed_text) + (size_t)n;
}

static void check_changed(struct feed *feed)
{
	char receipt[RECEIPT_MAX], before[RECEIPT_MAX];
	struct slice text = feed_bytes(feed, MIN(feed_u16(feed), TEXT_MAX));
	size_t len_before = sign(text, receipt, sizeof(receipt)), len;
	uint8_t its_key[CTL_RECEIPT_KEY_LEN];
	bool same;

	memcpy(before, receipt, len_before);
	len = fuzz_damage(feed, (uint8_t *)receipt, len_before, sizeof(receipt));
	same = len == len_before && memcmp(before, receipt, len) == 0;
	assert((check((struct slice){receipt, len}, public_key, its_key) == 0) == same);
	if (check((struct slice){receipt, len}, NULL, its_key) == 0) {
		assert(same && memcmp(its_key, public_key, sizeof(its_key)) == 0);
	}
}

/* Lines that people read and programs parse: nothing else, whatever the entries hold. */
static void prove_plain(const char *text, size_t len)
{
	assert(len > 0 && text[len - 1] == '\n');
	for (size_t i = 0; i < len; i++) {
		assert(text[i] == '\n' || (text[i] >= 0x20 && text[i] < 0x7f));
	}
}

static void take_entries(struct receipt *receipt, struct account *account, struct feed *feed)
{
	for (uint64_t seq = 1; feed->left > 0; seq++) {
		struct slice bytes = feed_text(feed);
		uint8_t hash[ROWS_DIGEST_LEN];
		struct entry entry;

		if (rows_decode_entry(seq, bytes, &entry) == 0 && entry.uid != 0) {
			entry.uid = account->uid; /* the store tells those of one account */
			ledger_digest(bytes, hash);
			receipt_take(receipt, &entry, hash);
			account->facts = entry.facts;
			account->last_seq = seq;
		}
	}
}

static void make_one(struct feed *feed)
{
	cleanup(freep) char *lines = NULL, *text = NULL;
	size_t lines_len, len;
	FILE *trail = open_memstream(&lines, &lines_len);
	struct account account = {.uid = 9, .org = 1};
	struct ledger_head head = {.seq = 1000, .at = 0};
	struct receipt_frame frame = {
		.instance = "00", .org = "contoso", .account = &account, .head = &head};
	struct receipt receipt;
	FILE *out;

	assert(trail);
	for (size_t i = 0; i < MODEL_KEEPERS_MAX; i++) {
		frame.keeper_names[i] = "crm";
	}
	receipt_init(&receipt, trail);
	take_entries(&receipt, &account, feed);
	(void)fclose(trail); /* in memory */
	if (account.last_seq == 0) {
		return;
	}
	frame.trail = (struct slice){lines, lines_len};
	out = open_memstream(&text, &len);
	assert(out);
	receipt_print(&receipt, &frame, out);
	(void)fclose(out); /* in memory */
	prove_plain(text, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct feed feed = {data, len};

	make_keys();
	switch (feed_u8(&feed) % 3) {
	case 0:
		check_as_it_is(&feed);
		break;
	case 1:
		check_changed(&feed);
		break;
	case 2:
		make_one(&feed);
		break;
	}
	return 0;
}
