/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/work/receipt.h"

#include <criterion/criterion.h>
#include <sodium.h>

#include "tests/golden/receipt/receipt_1.h"
#include "tests/support/rig.h"

/* Printing: entries made by hand, so that every byte is known. */

#define DAY_1   (INT64_C(1767268800) * SPAN_SECOND) /* 2026-01-01T12:00:00Z */
#define NOON(n) (DAY_1 + ((n)-1) * SPAN_DAY)        /* of the n-th day of 2026 */

struct story {
	struct receipt receipt;
	struct facts facts;
	uint64_t seq;
	char *trail;
	size_t trail_len;
};

static void story_begin(struct story *story)
{
	*story = (struct story){
		.facts =
			{
				.kind = ACCOUNT_KIND_B2B_COLLABORATION,
				.enabled = true,
				.deleted_at = INSTANT_NONE,
				.removal_started_at = INSTANT_NONE,
				.removed_at = INSTANT_NONE,
				.held_until = INSTANT_NONE,
			},
		.seq = 16,
	};
	receipt_init(&story->receipt, open_memstream(&story->trail, &story->trail_len));
}

static void happen(struct story *story, struct entry entry)
{
	uint8_t hash[ROWS_DIGEST_LEN];

	memset(hash, story->seq == 16 ? 0xaa : 0xab, sizeof(hash));
	entry.seq = ++story->seq;
	entry.uid = 1042;
	entry.org = 1;
	entry.facts = story->facts;
	receipt_take(&story->receipt, &entry, hash);
}

static void story_is(struct story *story, instant_t now, const char *text)
{
	struct account account = {.uid = 1042, .org = 1, .facts = story->facts};
	struct ledger_head head = {.seq = 1205};
	struct receipt_frame frame = {
		.instance = "000102030405060708090a0b0c0d0e0f",
		.org = "contoso",
		.keeper_names = {"crm", "invoices", "mail", "old-wiki"},
		.account = &account,
		.head = &head,
		.now = now,
	};
	char *printed;
	size_t len;
	FILE *out = open_memstream(&printed, &len);

	memset(account.hash_id, 0x11, sizeof(account.hash_id));
	memset(head.hash, 0xcc, sizeof(head.hash));
	(void)fclose(story->receipt.trail);
	frame.trail = (struct slice){story->trail, story->trail_len};
	receipt_print(&story->receipt, &frame, out);
	(void)fclose(out);
	cr_assert_str_eq(printed, text);
	free(printed);
	free(story->trail);
}

static void settle(struct story *story, uint8_t keeper, enum task_result result,
		   uint32_t generation, const char *ground, instant_t at)
{
	struct entry entry = {
		.event = EVENT_TASK_CONFIRMED,
		.actor_role = ROLE_KEEPER,
		.at = at,
		.keeper = keeper,
		.result = result,
		.generation = generation,
	};

	story->facts.owed &= ~(UINT64_C(1) << (keeper - 1));
	(void)snprintf(entry.ground, sizeof(entry.ground), "%s", ground);
	happen(story, entry);
}

static void leave(struct story *story)
{
	happen(story, (struct entry){.event = EVENT_IMPORTED,
				     .actor_role = ROLE_ADMIN,
				     .at = DAY_1 - SPAN_DAY});
	happen(story, (struct entry){.event = EVENT_REQUEST_FILED,
				     .actor_role = ROLE_SELF_SERVICE,
				     .actor_uid = 1001,
				     .at = DAY_1 - SPAN_HOUR,
				     .request = 7});
	story->facts.deleted_at = DAY_1;
	story->facts.window = story->facts.removal = 30 * SPAN_DAY;
	happen(story, (struct entry){.event = EVENT_LEFT,
				     .actor_role = ROLE_SELF_SERVICE,
				     .actor_uid = 1001,
				     .at = DAY_1});
}

Test(receipt, is_the_golden_text_to_the_byte)
{
	struct story story;

	story_begin(&story);
	leave(&story);
	happen(&story, (struct entry){.event = EVENT_HOLD_ADDED, .at = NOON(5)});
	happen(&story, (struct entry){.event = EVENT_HOLD_REMOVED, .at = NOON(10)});
	story.facts.removal_started_at = NOON(31);
	story.facts.owed = 0xf;
	happen(&story, (struct entry){.event = EVENT_REMOVAL_STARTED,
				      .actor_role = ROLE_DAEMON,
				      .at = NOON(31) + SPAN_HOUR});
	settle(&story, 1, TASK_RESULT_ERASED, 1, "", NOON(32));
	settle(&story, 2, TASK_RESULT_RETAINED, 3, "hgb-257", NOON(33));
	settle(&story, 3, TASK_RESULT_NOTHING_FOUND, 2, "", NOON(33));
	story.facts.owed = 0;
	story.facts.late = true;
	happen(&story, (struct entry){.event = EVENT_TASK_WAIVED,
				      .actor_role = ROLE_ADMIN,
				      .at = NOON(62),
				      .keeper = 4,
				      .result = TASK_RESULT_WAIVED});
	story.facts.removed_at = NOON(62) + 1;
	happen(&story, (struct entry){.event = EVENT_REMOVAL_COMPLETED,
				      .actor_role = ROLE_DAEMON,
				      .at = NOON(62) + 1});
	story_is(&story, NOON(68) + SPAN_DAY / 2, receipt_1);
}

#define LEFT_TEXT(state, started, due, sla, keepers, last, made)                                   \
	"retentiond receipt 1\n"                                                                   \
	"instance: 000102030405060708090a0b0c0d0e0f\n"                                             \
	"account: 1042\n"                                                                          \
	"organization: contoso\n"                                                                  \
	"id hash: 11111111111111111111111111111111\n"                                              \
	"kind: b2b-collaboration\n"                                                                \
	"state: " state "\n"                                                                       \
	"left: 2026-01-01T12:00:00Z by self-service uid 1001\n"                                    \
	"window ends: 2026-01-31T12:00:00Z\n"                                                      \
	"removal started: " started "\n"                                                           \
	"removal due: " due "\n"                                                                   \
	"removal completed: not complete\n"                                                        \
	"sla: " sla "\n" keepers                                                                   \
	"request 7 filed: 2026-01-01T11:00:00Z by self-service uid 1001\n"                         \
	"ledger first: 17 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"      \
	"ledger last: " last " abababababababababababababababababababababababababababababababab\n" \
	"ledger head: 1205 cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc\n"     \
	"made at: " made "\n"

Test(receipt, of_a_removal_that_has_not_begun_says_not_complete)
{
	struct story story;

	story_begin(&story);
	leave(&story);
	story_is(&story, NOON(2),
		 LEFT_TEXT("soft-deleted", "not yet", "not yet", "not yet", "", "19",
			   "2026-01-02T12:00:00Z"));
}

Test(receipt, of_a_window_that_ended_tells_the_start_before_any_sweep)
{
	struct story story;

	story_begin(&story);
	leave(&story);
	story_is(&story, NOON(31),
		 LEFT_TEXT("removing", "2026-01-31T12:00:00Z by daemon", "2026-03-02T12:00:00Z",
			   "on-track", "", "19", "2026-01-31T12:00:00Z"));
}

Test(receipt, names_a_keeper_that_owes_though_it_settled_before)
{
	struct story story;

	story_begin(&story);
	leave(&story);
	story.facts.removal_started_at = NOON(31);
	story.facts.owed = 3;
	happen(&story, (struct entry){.event = EVENT_REMOVAL_STARTED,
				      .actor_role = ROLE_DAEMON,
				      .at = NOON(31)});
	settle(&story, 1, TASK_RESULT_ERASED, 1, "", NOON(32));
	story.facts.owed |= 1;
	happen(&story, (struct entry){.event = EVENT_TASK_OWED,
				      .actor_role = ROLE_ADMIN,
				      .at = NOON(33),
				      .keeper = 1});
	story_is(&story, NOON(61),
		 LEFT_TEXT("removing", "2026-01-31T12:00:00Z by daemon", "2026-03-02T12:00:00Z",
			   "overdue", "keeper crm: owes\nkeeper invoices: owes\n", "22",
			   "2026-03-02T12:00:00Z"));
}

Test(receipt, tells_the_last_deletion_and_not_one_that_was_restored)
{
	struct story story;

	story_begin(&story);
	story.facts.deleted_at = NOON(1) - 9 * SPAN_DAY;
	happen(&story, (struct entry){.event = EVENT_IMPORTED,
				      .actor_role = ROLE_ADMIN,
				      .actor_uid = 5,
				      .at = DAY_1 - 2 * SPAN_DAY});
	cr_assert_eq(story.receipt.left.uid, 5);
	story.facts.deleted_at = INSTANT_NONE;
	happen(&story, (struct entry){.event = EVENT_RESTORED,
				      .actor_role = ROLE_ADMIN,
				      .at = DAY_1 - SPAN_DAY});
	cr_assert_eq(story.receipt.left.at, INSTANT_NONE);
	leave(&story);
	cr_assert_eq(story.receipt.left.at, DAY_1);
	cr_assert_eq(story.receipt.left.uid, 1001);
	(void)fclose(story.receipt.trail);
	free(story.trail);
}

/* Of the engine */

static struct rig rig;
static uint64_t uid;

static void set_up(void)
{
	rig_open(&rig, CLOCK_MODE_SIMULATED);
	rig_set_org(&rig, "contoso");
	uid = rig_import(&rig, "contoso", "g1");
}

static void tear_down(void)
{
	rig_close(&rig);
}

TestSuite(receipt_get, .init = set_up, .fini = tear_down);

static void remove_whole(void)
{
	rig_call(&rig, "account.remove", "{'accounts': [{'uid': %llu}]}", (unsigned long long)uid);
	rig_call(&rig, "account.purge", "{'accounts': [{'uid': %llu}]}", (unsigned long long)uid);
	rig_idle(&rig);
}

static bool receipt_has(const char *line)
{
	cleanup(freep) char *text = rig_text(&rig, "receipt");

	return strstr(text, line);
}

static void read_hex(const char *path, uint8_t *bytes, size_t len)
{
	cleanup(freep) char *text = rig_text(&rig, path);

	cr_assert_eq(strlen(text), 2 * len);
	cr_assert_eq(sodium_hex2bin(bytes, len, text, 2 * len, NULL, NULL, NULL), 0);
}

static bool signature_is_good(void)
{
	uint8_t signature[SIGNER_SIGNATURE_LEN], key[SIGNER_PUBLIC_LEN];
	cleanup(freep) char *text = rig_text(&rig, "receipt");

	read_hex("signature", signature, sizeof(signature));
	read_hex("public_key", key, sizeof(key));
	return crypto_sign_verify_detached(signature, (const unsigned char *)text, strlen(text),
					   key) == 0;
}

Test(receipt_get, an_active_account_has_none)
{
	rig_call(&rig, "receipt.get", "{'org': 'contoso', 'id': 'g1'}");
	cr_assert(rig_is(&rig, "outcome", "not-soft-deleted"));
	cr_assert_not(rig_has(&rig, "receipt"));
}

Test(receipt_get, a_request_that_was_taken_back_is_told_in_full)
{
	static const char *const told[] = {"request 1 filed: ", "request 1 approved: ",
					   "request 1 reopened: ", "request 1 denied: "};
	cleanup(freep) char *text = NULL;
	const char *at;

	rig_call(&rig, "org.set", "{'org': 'contoso', 'guard_min': 1, 'guard_percent': 1}");
	rig_change(&rig, "account.remove", rig_import(&rig, "contoso", "g2"));
	rig_call(&rig, "request.file", "{'accounts': [{'uid': %llu}]}", (unsigned long long)uid);
	rig_call(&rig, "request.approve", "{'requests': [{'request': 1}]}");
	rig_call(&rig, "guard.release",
		 "{'guard': 'mass', 'org': 'contoso', 'expect': 1, 'discard': true, "
		 "'include_persons': true}");
	rig_idle(&rig);
	rig_call(&rig, "request.deny", "{'requests': [{'request': 1}], 'reason': 'no'}");
	rig_unguard(&rig, "contoso");
	rig_change(&rig, "account.remove", uid);
	rig_call(&rig, "receipt.get", "{'uid': %llu}", (unsigned long long)uid);
	text = rig_text(&rig, "receipt");
	at = text;
	for (size_t i = 0; i < ARRAY_LEN(told); i++) {
		at = strstr(at, told[i]);
		cr_assert_not_null(at, "%s", told[i]);
	}
}

Test(receipt_get, an_unknown_account_has_none)
{
	rig_call(&rig, "receipt.get", "{'org': 'contoso', 'id': 'g2'}");
	cr_assert(rig_is(&rig, "outcome", "not-found"));
	rig_call(&rig, "receipt.get", "{}");
	cr_assert(rig_refused(&rig, "invalid-argument", "account"));
}

Test(receipt_get, a_removed_account_is_found_by_its_old_name_and_by_its_uid)
{
	remove_whole();
	rig_call(&rig, "receipt.get", "{'org': 'Contoso', 'id': 'g1'}");
	cr_assert(rig_is(&rig, "outcome", "ok"));
	cr_assert(receipt_has("\nstate: removed\n"));
	cr_assert(receipt_has("\nsla: on time\n"));
	cr_assert(receipt_has("\nremoval started: 2026-03-01T12:00:00Z by admin uid 0\n"));
	cr_assert(signature_is_good());
	rig_call(&rig, "receipt.get", "{'uid': %llu}", (unsigned long long)uid);
	cr_assert(signature_is_good());
}

Test(receipt_get, a_running_removal_says_what_each_keeper_owes)
{
	rig_call(&rig, "keeper.set", "{'keeper': 'crm'}");
	remove_whole();
	rig_call(&rig, "receipt.get", "{'org': 'contoso', 'id': 'g1'}");
	cr_assert(receipt_has("\nstate: removing\n"));
	cr_assert(receipt_has("\nremoval completed: not complete\n"));
	cr_assert(receipt_has("\nkeeper crm: owes\n"));
	rig_call(&rig, "keeper.waive",
		 "{'keeper': 'crm', 'accounts': [{'uid': %llu}], 'reason': 'gone'}",
		 (unsigned long long)uid);
	rig_idle(&rig);
	rig_call(&rig, "receipt.get", "{'org': 'contoso', 'id': 'g1'}");
	cr_assert(receipt_has("\nstate: removed\n"));
	cr_assert(receipt_has("\nkeeper crm: waived by admin uid 0 at 2026-03-01T12:00:00Z\n"));
	cr_assert_not(receipt_has("gone"));
}

Test(receipt_get, the_same_head_at_the_same_instant_gives_the_same_bytes)
{
	cleanup(freep) char *before = NULL, *signature = NULL, *again = NULL, *signed_again = NULL;

	remove_whole();
	rig_call(&rig, "receipt.get", "{'org': 'contoso', 'id': 'g1'}");
	before = rig_text(&rig, "receipt");
	signature = rig_text(&rig, "signature");
	rig_reopen(&rig);
	rig_call(&rig, "receipt.get", "{'org': 'contoso', 'id': 'g1'}");
	again = rig_text(&rig, "receipt");
	signed_again = rig_text(&rig, "signature");
	cr_assert_str_eq(again, before);
	cr_assert_str_eq(signed_again, signature);
}

Test(receipt_get, nothing_in_it_is_personal_data)
{
	remove_whole();
	rig_call(&rig, "receipt.get", "{'org': 'contoso', 'id': 'g1'}");
	cr_assert_not(receipt_has("g1"));
	cr_assert_not(receipt_has("@"));
}
