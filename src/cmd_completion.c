/* cmd_completion.c: pinion completion SHELL: the completion script for a shell, on stdout. */
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/io.h"
#include "cmd.h"
#include "input/options.h"

static const char completion_help[] =
    "Usage: pinion completion bash|zsh|fish\n"
    "Print the script that completes pinion's words in that shell, for example:\n"
    "  eval \"$(pinion completion bash)\"\n";

int
cmd_completion(int argc, char **argv)
{
	struct diag diag = {.name = "pinion completion", .fd = STDERR_FILENO};
	struct buf text = {0};
	int status = CMD_OK;
	bool is_help = argc == 2 && strcmp(argv[1], "--help") == 0;
	if (is_help)
		status = buf_append_str(&text, completion_help) == 0 ? CMD_OK : CMD_BROKEN;
	else if (argc != 2 || options_print_completion(argv[1], &text) == -1) {
		diag_say(&diag, "which shell? Say one of: bash, zsh, fish");
		status = CMD_USAGE;
	}
	if (status == CMD_OK && io_write_all(STDOUT_FILENO, text.bytes, text.length) == -1) {
		diag_say(&diag, "cannot write to stdout: %m");
		status = CMD_BROKEN;
	}
	buf_fini(&text);
	return status;
}
