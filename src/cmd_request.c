/* cmd_request.c: what the verbs that run no tasks have in common; see cmd.h. */
#include <stdio.h>
#include <unistd.h>

#include "base/io.h"
#include "cmd.h"
#include "input/request.h"

int
cmd_print(const struct diag *diag, struct buf *text, int failed)
{
	struct err err = {0};
	if (failed == -1)
		err_no_memory(&err);
	else if (io_write_all(STDOUT_FILENO, text->bytes, text->length) == -1)
		failed = err_errno(&err, "cannot write to stdout");
	if (failed == -1)
		diag_err(diag, &err);
	buf_fini(text);
	return failed == -1 ? CMD_BROKEN : CMD_OK;
}

int
cmd_print_about(const struct diag *diag, enum options_outcome outcome, unsigned int verb)
{
	struct buf text = {0};
	int failed = outcome == OPTIONS_HELP ? options_print_help(verb, &text)
		     : outcome == OPTIONS_LIST
			 ? options_list(verb, &text)
			 : buf_append_str(&text, "pinion " PINION_VERSION "\n");
	return cmd_print(diag, &text, failed);
}

static int
status_of(enum err_kind kind)
{
	if (kind == ERR_USAGE)
		return CMD_USAGE;
	return kind == ERR_REFUSED ? CMD_TASK_FAILED : CMD_BROKEN;
}

static int
answer_request(struct request *request, const struct diag *diag, cmd_answer *answer)
{
	struct buf text = {0};
	struct err err = {0};
	int status = answer(request, diag, &text, &err);
	if (status == CMD_OK && text.length > 0)
		return cmd_print(diag, &text, 0);
	if (err.kind != ERR_NONE)
		diag_err(diag, &err);
	buf_fini(&text);
	return status == -1 ? status_of(err.kind) : status;
}

int
cmd_request(unsigned int verb, int argc, char **argv, cmd_answer *answer)
{
	char name[32];
	const struct diag diag = {.name = name, .fd = STDERR_FILENO};
	struct request request;
	struct err err = {0};
	int status;
	snprintf(name, sizeof(name), "pinion %s", argv[0]);
	enum options_outcome outcome =
	    request_parse(&request, verb, argc - 1, argv + 1, &err);
	if (outcome == OPTIONS_RUN) {
		status = answer_request(&request, &diag, answer);
	} else if (outcome == OPTIONS_ERROR) {
		diag_err(&diag, &err);
		status = status_of(err.kind);
	} else {
		status = cmd_print_about(&diag, outcome, verb);
	}
	request_fini(&request);
	return status;
}
