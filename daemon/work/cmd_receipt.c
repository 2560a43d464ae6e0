/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/lifecycle.h"
#include "daemon/work/answer.h"
#include "daemon/work/cmd.h"
#include "daemon/work/receipt.h"

/* receipt.get: the evidence of a removal, signed. An account that is still there has none. */

static int put_refused(struct call *call, enum outcome outcome)
{
	pack_write_map(call->out);
	answer_put_outcome(call->out, outcome, OUTCOME_BIT(outcome));
	pack_write_end(call->out);
	return 0;
}

static void put_receipt(struct call *call, struct slice text)
{
	const struct signer *signer = call->engine->signer;
	uint8_t signature[SIGNER_SIGNATURE_LEN];

	signer_sign(signer, text, signature);
	pack_write_map(call->out);
	answer_put_outcome(call->out, OUTCOME_OK, 0);
	pack_put_text(call->out, "receipt", text);
	answer_put_hex(call->out, "signature", signature, sizeof(signature));
	answer_put_hex(call->out, "public_key", signer_public_key(signer), SIGNER_PUBLIC_LEN);
	pack_write_end(call->out);
}

static int make_receipt(struct call *call, const struct account *account)
{
	cleanup(freep) char *text = NULL;
	size_t len;
	int r = receipt_make(call->engine->store, account, call->engine->now, &text, &len);

	switch (r) {
	case 0:
		put_receipt(call, (struct slice){text, len});
		return 0;
	case STORE_E_TOO_LONG:
		return call_refuse(call, ERROR_TOO_LARGE,
				   "the account has more than %d entries in the ledger; "
				   "ledger.read tells them",
				   STORE_HISTORY_MAX);
	case STORE_E_CORRUPT:
		return put_refused(call, OUTCOME_DAMAGED);
	}
	return r;
}

int cmd_receipt_get(struct call *call)
{
	struct account account;
	enum outcome outcome;
	int r = call_named_account(call, &account, &outcome);

	if (r != 0) {
		return r;
	}
	if (outcome == OUTCOME_OK &&
	    lifecycle_state(&account.facts, call->engine->now) == ACCOUNT_STATE_ACTIVE) {
		outcome = OUTCOME_NOT_SOFT_DELETED;
	}
	return outcome == OUTCOME_OK ? make_receipt(call, &account) : put_refused(call, outcome);
}
