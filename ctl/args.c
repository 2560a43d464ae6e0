/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/args.h"

#include <getopt.h>
#include <time.h>

#include "ctl/nearest.h"
#include "ctl/option.h"
#include "ctl/value.h"

#define GIVEN_MAX 64 /* options on one command line; no command has half as many */

/* An option as it was written. Which argument it sets is known only once the verb is: --by is a
 * bucket of `due` and a span of `advance`. */
struct given {
	const char *name;
	const char *text; /* NULL: no value */
	int own;          /* enum ctl_option_id, or -1 */
};

struct givens {
	struct given items[GIVEN_MAX];
	size_t n;
};

/* What getopt did not understand: its code, the word, and the letter if it was a short option. */
struct strange {
	int code;
	const char *word; /* NULL: nothing */
	int letter;
};

/* Every option of every verb, once by name: getopt must know which take a value before the verb is
 * known. */
struct long_options {
	struct option items[_CTL_OPTION_MAX + _ARGUMENT_MAX + 1];
	char names[_ARGUMENT_MAX][CTL_OPTION_NAME_MAX];
	size_t n;
};

static void long_options_init(struct long_options *options)
{
	memset(options, 0, sizeof(*options));
	for (int id = 0; id < _CTL_OPTION_MAX; id++) {
		const struct ctl_option *option = &ctl_option_table[id];

		options->items[options->n++] = (struct option){
			.name = option->name,
			.has_arg = option->value_name ? required_argument : no_argument,
		};
	}
	for (int symbol = 0; symbol < _ARGUMENT_MAX; symbol++) {
		bool known = false;

		ctl_option_name((enum argument_symbol)symbol, options->names[symbol]);
		for (size_t i = 0; i < options->n && !known; i++) {
			known = strcmp(options->items[i].name, options->names[symbol]) == 0;
		}
		if (!known) {
			options->items[options->n++] = (struct option){
				.name = options->names[symbol],
				.has_arg = argument_table[symbol].type == ARGUMENT_TYPE_BOOL
						   ? optional_argument
						   : required_argument,
			};
		}
	}
}

/* Whether the verb has the option. Without a verb, @args is NULL, it may be any. */
static bool has_option(const struct long_options *options, size_t i, const struct ctl_args *args)
{
	enum ctl_option_id id = (enum ctl_option_id)i;

	if (!args) {
		return true;
	}
	if (i < _CTL_OPTION_MAX &&
	    (ctl_option_belongs(id, NULL) || ctl_option_belongs(id, ctl_args_verb_name(args)))) {
		return true;
	}
	return args->command &&
	       ctl_option_argument(args->command, options->items[i].name) != _ARGUMENT_MAX;
}

static int unknown_option(const struct long_options *options, const char *word,
			  const struct ctl_args *args, struct ctl_fault *fault)
{
	struct ctl_nearest nearest = {0};
	char name[CTL_OPTION_NAME_MAX];

	(void)snprintf(name, sizeof(name), "%.*s",
		       (int)MIN(strchrnul(word, '=') - word, CTL_OPTION_NAME_MAX - 1), word);
	for (size_t i = 0; i < options->n; i++) {
		if (strcmp(options->items[i].name, name) == 0) {
			return ctl_fault_set(fault, CTL_EXIT_USAGE, "usage", "--%s takes no value",
					     name);
		}
		if (has_option(options, i, args)) {
			ctl_nearest_offer(&nearest, name, options->items[i].name);
		}
	}
	if (nearest.best) {
		return ctl_fault_set(fault, CTL_EXIT_USAGE, "usage",
				     "there is no option --%s; did you mean --%s?", name,
				     nearest.best);
	}
	return ctl_fault_set(fault, CTL_EXIT_USAGE, "usage",
			     "there is no option --%s; see retentionctl%s%s --help", name,
			     args ? " " : "", args ? ctl_args_verb_name(args) : "");
}

/* What getopt did not understand: the first such word. */
static int getopt_fault(const struct strange *strange, const struct long_options *options,
			const struct ctl_args *args, struct ctl_fault *fault)
{
	if (strange->code == ':') {
		return ctl_fault_set(fault, CTL_EXIT_USAGE, "usage", "%s needs a value",
				     strange->word);
	}
	if (strange->letter != 0) {
		return ctl_fault_set(fault, CTL_EXIT_USAGE, "usage",
				     "there is no option -%c; see retentionctl --help",
				     strange->letter);
	}
	return unknown_option(options, strange->word + 2, args, fault);
}

static int own_of_letter(int letter)
{
	for (int id = 0; id < _CTL_OPTION_MAX; id++) {
		if (ctl_option_table[id].letter == letter) {
			return id;
		}
	}
	assert(false); /* a letter that getopt knows and the table does not */
}

/* Reads on behind what is strange: which options might be meant, the verb tells. */
static int collect(int argc, char **argv, const struct long_options *options, struct givens *givens,
		   struct strange *strange, struct ctl_fault *fault)
{
	int at = -1;
	int c;

	optind = 0; /* begins anew, also when called a second time */
	opterr = 0;
	while ((c = getopt_long(argc, argv, ":jqh", options->items, &at)) != -1) {
		if (c == '?' || c == ':') {
			if (!strange->word) {
				*strange = (struct strange){c, argv[optind - 1], optopt};
			}
			continue;
		}
		if (givens->n == GIVEN_MAX) {
			return ctl_fault_set(fault, CTL_EXIT_USAGE, "usage", "more than %d options",
					     GIVEN_MAX);
		}
		if (c != 0) {
			at = own_of_letter(c);
		}
		givens->items[givens->n++] = (struct given){
			.name = options->items[at].name,
			.text = c == 0 ? optarg : NULL,
			.own = at < _CTL_OPTION_MAX ? at : -1,
		};
	}
	return 0;
}

static int take_timeout(const char *text, struct ctl_args *args, struct ctl_fault *fault)
{
	int r = span_parse(slice_of(text), &args->timeout);

	if (r != 0) {
		return ctl_fault_set(fault, CTL_EXIT_USAGE, "usage", "--timeout=%s %s", text,
				     span_fault(r));
	}
	if (args->timeout == 0) {
		return ctl_fault_set(fault, CTL_EXIT_USAGE, "usage",
				     "--timeout must be longer than nothing");
	}
	return 0;
}

static int take_lease(const char *text, struct ctl_args *args, struct ctl_fault *fault)
{
	int r = span_parse(slice_of(text), &args->lease);

	if (r != 0) {
		return ctl_fault_set(fault, CTL_EXIT_USAGE, "usage", "--lease=%s %s", text,
				     span_fault(r));
	}
	if (args->lease < CTL_LEASE_MIN || args->lease > CTL_LEASE_MAX) {
		return ctl_fault_set(fault, CTL_EXIT_USAGE, "usage", "--lease must be 3s to 1d");
	}
	return 0;
}

static int take_parallel(const char *text, struct ctl_args *args, struct ctl_fault *fault)
{
	struct ctl_value value;

	if (ctl_value_parse(ARGUMENT_TYPE_LIMIT, text, 0, &value) ||
	    value.integer > CTL_PARALLEL_MAX) {
		return ctl_fault_set(fault, CTL_EXIT_USAGE, "usage",
				     "--parallel must be a number from 1 to %d", CTL_PARALLEL_MAX);
	}
	args->parallel = (uint32_t)value.integer;
	return 0;
}

static int take_own(enum ctl_option_id id, const char *text, struct ctl_args *args,
		    struct ctl_fault *fault)
{
	switch (id) {
	case CTL_OPTION_SOCKET:
		args->socket = text;
		args->socket_given = true;
		return 0;
	case CTL_OPTION_TIMEOUT:
		return take_timeout(text, args, fault);
	case CTL_OPTION_JSON:
		args->json = true;
		return 0;
	case CTL_OPTION_UTC:
		args->utc = true;
		return 0;
	case CTL_OPTION_NO_LEGEND:
		args->no_legend = true;
		return 0;
	case CTL_OPTION_QUIET:
		args->quiet = true;
		return 0;
	case CTL_OPTION_YES:
		args->yes = true;
		return 0;
	case CTL_OPTION_HELP:
		args->help = true;
		return 0;
	case CTL_OPTION_VERSION:
		args->version = true;
		return 0;
	case CTL_OPTION_FORMAT:
		args->format = text;
		return 0;
	case CTL_OPTION_ALL:
		args->all = true;
		return 0;
	case CTL_OPTION_NEW_UPN:
		args->new_upn = text;
		return 0;
	case CTL_OPTION_PLAN:
		args->plan = text;
		return 0;
	case CTL_OPTION_FOR:
		args->wait_for = text;
		return 0;
	case CTL_OPTION_PARALLEL:
		return take_parallel(text, args, fault);
	case CTL_OPTION_LEASE:
		return take_lease(text, args, fault);
	case CTL_OPTION_ONCE:
		args->once = true;
		return 0;
	case CTL_OPTION_KEY:
		args->key = text;
		return 0;
	case CTL_OPTION_FROM:
		args->from = text;
		return 0;
	case CTL_OPTION_TO:
		args->to = text;
		return 0;
	case CTL_OPTION_DEEP:
		args->deep = true;
		return 0;
	case CTL_OPTION_CSV:
		args->csv = true;
		return 0;
	case _CTL_OPTION_MAX:
		break;
	}
	assert(false); /* an option that is not in the table */
}

const char *ctl_args_verb_name(const struct ctl_args *args)
{
	return args->command ? args->command->verb : ctl_verb_table[args->verb].name;
}

static int not_of_verb(const char *name, const struct ctl_args *args, struct ctl_fault *fault)
{
	const char *verb = ctl_args_verb_name(args);
	struct ctl_nearest nearest = {0};
	char names[_ARGUMENT_MAX][CTL_OPTION_NAME_MAX];
	enum argument_symbol symbol;

	for (size_t i = 0;
	     args->command && (symbol = ctl_option_argument_at(args->command, i)) != _ARGUMENT_MAX;
	     i++) {
		ctl_option_name(symbol, names[i]);
		ctl_nearest_offer(&nearest, name, names[i]);
	}
	if (nearest.best) {
		return ctl_fault_set(fault, CTL_EXIT_USAGE, "usage",
				     "%s takes no --%s; did you mean --%s?", verb, name,
				     nearest.best);
	}
	return ctl_fault_set(fault, CTL_EXIT_USAGE, "usage",
			     "%s takes no --%s; see retentionctl %s --help", verb, name, verb);
}

static int take_argument(const struct given *given, struct ctl_args *args, struct ctl_fault *fault)
{
	enum argument_symbol symbol;
	struct ctl_value value;
	const char *text = given->text;
	const char *wrong;

	symbol = args->command ? ctl_option_argument(args->command, given->name) : _ARGUMENT_MAX;
	if (symbol == _ARGUMENT_MAX) {
		return not_of_verb(given->name, args, fault);
	}
	if (!text) {
		/* Only getopt's optional values can be absent, and those are booleans. */
		if (argument_table[symbol].type != ARGUMENT_TYPE_BOOL) {
			return ctl_fault_set(fault, CTL_EXIT_USAGE, "usage", "--%s needs a value",
					     given->name);
		}
		text = "yes";
	}
	/* Relative instants count from the daemon's now, which is not known yet: this is for their
	 * form alone. */
	wrong = ctl_value_parse(argument_table[symbol].type, text,
				(instant_t)time(NULL) * SPAN_SECOND, &value);
	if (wrong) {
		return ctl_fault_set(fault, CTL_EXIT_USAGE, "usage", "--%s=%s %s", given->name,
				     text, wrong);
	}
	args->argument[symbol] = text;
	return 0;
}

static int take_options(const struct givens *givens, struct ctl_args *args, struct ctl_fault *fault)
{
	for (size_t i = 0; i < givens->n; i++) {
		const struct given *given = &givens->items[i];
		enum ctl_option_id own = (enum ctl_option_id)given->own;
		int r;

		/* --lease is our own with work, and an argument of claim. */
		if (given->own >= 0 && ctl_option_belongs(own, ctl_args_verb_name(args))) {
			r = take_own(own, given->text, args, fault);
		} else {
			r = take_argument(given, args, fault);
		}
		if (r != 0) {
			return r;
		}
	}
	return 0;
}

static bool asks_for_json(const struct givens *givens)
{
	for (size_t i = 0; i < givens->n; i++) {
		if (givens->items[i].own == CTL_OPTION_JSON) {
			return true;
		}
	}
	return false;
}

/* wait has a timeout of its own; an answer has no longer than that. */
static void share_timeout(const struct givens *givens, struct ctl_args *args)
{
	for (size_t i = 0; args->verb == CTL_VERB_WAIT && i < givens->n; i++) {
		if (givens->items[i].own == CTL_OPTION_TIMEOUT) {
			args->whole = args->timeout;
			args->timeout = MIN(args->whole, CTL_TIMEOUT_DEFAULT);
			return;
		}
	}
}

int ctl_args_parse(int argc, char **argv, struct ctl_args *ret_args, struct ctl_fault *fault)
{
	struct long_options options;
	struct givens givens = {.n = 0};
	struct strange strange = {.word = NULL};
	const char *socket = getenv("RETENTIOND_SOCKET");
	int r;

	*ret_args = (struct ctl_args){
		.verb = CTL_VERB_STATUS,
		.socket = socket && *socket ? socket : CTL_SOCKET_DEFAULT,
		.timeout = CTL_TIMEOUT_DEFAULT,
		.parallel = 1,
		.lease = CTL_LEASE_DEFAULT,
	};
	long_options_init(&options);
	r = collect(argc, argv, &options, &givens, &strange, fault);
	ret_args->json = asks_for_json(&givens);
	if (r != 0) {
		return r;
	}
	if (strange.word) {
		/* What stands where the verb should may be the value of a strange option. */
		bool found = optind < argc &&
			     ctl_verb_find(argv[optind], &ret_args->verb, &ret_args->command);

		return getopt_fault(&strange, &options, found ? ret_args : NULL, fault);
	}
	if (optind < argc) {
		if (!ctl_verb_find(argv[optind], &ret_args->verb, &ret_args->command)) {
			return ctl_verb_unknown(argv[optind], fault);
		}
		ret_args->operands = argv + optind + 1;
		ret_args->n_operands = (size_t)(argc - optind - 1);
	}
	r = take_options(&givens, ret_args, fault);
	share_timeout(&givens, ret_args);
	return r;
}
