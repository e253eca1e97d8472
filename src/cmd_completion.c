/* cmd_completion.c: pinion completion SHELL: the completion script for a shell, on stdout. */
#include <unistd.h>

#include "base/diag.h"
#include "base/io.h"
#include "cmd.h"
#include "input/options.h"

int
cmd_completion(int argc, char **argv)
{
	struct diag diag = {.name = "pinion completion", .fd = STDERR_FILENO};
	struct buf text = {0};
	int status = CMD_OK;
	if (argc != 2 || options_print_completion(argv[1], &text) == -1) {
		diag_say(&diag, "which shell? Say one of: bash, zsh, fish");
		status = CMD_USAGE;
	} else if (io_write_all(STDOUT_FILENO, text.bytes, text.length) == -1) {
		diag_say(&diag, "cannot write to stdout: %m");
		status = CMD_BROKEN;
	}
	buf_fini(&text);
	return status;
}
