/* request.c: see request.h. */
#include "input/request.h"

#include <assert.h>

#include "input/option_refuse.h"
#include "input/option_scan.h"
#include "input/option_set.h"
#include "input/option_value.h"

/* The setters of option_set.h, which know the spec alone, find their fields by its address. */
static_assert(offsetof(struct request, spec) == 0,
	      "the operands of rows count from here");

static struct request *
request_of(struct option_state *state)
{
	return (struct request *)state->spec;
}

int
request_set_target(struct option_state *state, const struct option_row *option,
		   const char *value, struct err *err)
{
	return option_set_string(state, option, value == NULL ? "-" : value, err);
}

int
request_set_run(struct option_state *state, const struct option_row *option,
		const char *value, struct err *err)
{
	uint64_t id;
	if (value_count(value, &id) == -1 || id == 0 || id > INT64_MAX)
		return refuse(option, value, "not the id of a run: write a number from 1",
			      err);
	request_of(state)->run_id = id;
	return 0;
}

int
request_set_top(struct option_state *state, const struct option_row *option,
		const char *value, struct err *err)
{
	uint64_t top;
	if (value_count(value, &top) == -1 || top > REQUEST_TOP_MAX)
		return refuse(option, value,
			      "not what can be told: write a number from 0 to 10000", err);
	request_of(state)->top = top;
	return 0;
}

enum options_outcome
request_parse(struct request *request, unsigned int verb, int argc, char **argv,
	      struct err *err)
{
	struct option_state state = {.spec = &request->spec, .outcome = OPTIONS_RUN};
	size_t left = (size_t)argc;
	bool is_ended = false;
	*request = (struct request){.top = REQUEST_TOP_DEFAULT};
	spec_init(&request->spec, SPEC_MAP);
	request->words = spec_alloc(&request->spec, (left + 1) * sizeof(*request->words));
	if (request->words == NULL)
		return err_no_memory(err), OPTIONS_ERROR;
	while (left > 0) {
		struct option_scan scan = {.verb = verb};
		if (!is_ended &&
		    (option_scan(&scan, &request->spec, argv, left, err) == -1 ||
		     option_apply(&state, scan.found, scan.found_count, err) == -1))
			return OPTIONS_ERROR;
		if (state.outcome != OPTIONS_RUN)
			break;
		is_ended |= scan.is_ended;
		argv += scan.index;
		left -= scan.index;
		if (left > 0) {
			request->words[request->word_count++] = *argv++;
			left--;
		}
	}
	return state.outcome;
}

void
request_fini(struct request *request)
{
	spec_fini(&request->spec);
}
