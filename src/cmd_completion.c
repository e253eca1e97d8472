/* cmd_completion.c: pinion completion SHELL: the completion script for a shell, on stdout. */
#include "cmd.h"
#include "input/request.h"

static int
completion_answer(struct request *request, const struct diag *diag, struct buf *text,
		  struct err *err)
{
	(void)diag;
	if (request->word_count == 1 &&
	    options_print_completion(request->words[0], text) == 0)
		return CMD_OK;
	return err_set(err, ERR_USAGE, "which shell? Say one of: bash, zsh, fish");
}

int
cmd_completion(int argc, char **argv)
{
	return cmd_request(OPTION_COMPLETION, argc, argv, completion_answer);
}
