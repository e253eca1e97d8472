/* hint.c: see hint.h. */
#include "sink/hint.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>

#include "base/visible.h"

#define HINT_NAME_CHARS 60

static int
hint_append_missing(struct buf *hint, const char *name, const char *visible)
{
	if (strchr(name, ' ') != NULL)
		return buf_printf(
		    hint,
		    "no such command: '%s' (one word with blanks: give command and "
		    "options as separate words, or all of it as one)",
		    visible);
	if (strchr(name, '/') != NULL)
		return buf_printf(hint, "no such file: %s, or the interpreter it names",
				  visible);
	return buf_printf(hint, "no such command: %s (is it in PATH?)", visible);
}

static int
hint_append_cannot_execute(struct buf *hint, int errno_value, const char *name,
			   const char *visible)
{
	switch (errno_value) {
	case ENOENT:
		return hint_append_missing(hint, name, visible);
	case EACCES:
		return buf_printf(hint, "not executable: %s (chmod +x?)", visible);
	case ENOEXEC:
		return buf_printf(hint, "no program and no script with a #! line: %s",
				  visible);
	default:
		return 0;
	}
}

/* Hints that need no name. */
static int
hint_append_plain(struct buf *hint, const struct result *result)
{
	if (result->reason == RESULT_SIGNAL && result->signal == SIGKILL)
		return buf_append_str(hint,
				      "this KILL did not come from here: out of memory? "
				      "(see dmesg; -j with fewer jobs)");
	if (result->reason == RESULT_MEMORY)
		return buf_append_str(hint,
				      "fewer at once need less memory: -j, --memfree, or "
				      "--retries with --retry-on memory");
	if (result->reason != RESULT_CANNOT_EXECUTE)
		return 0;
	if (result->errno_value == E2BIG)
		return buf_append_str(
		    hint, "arguments too long for execve: fewer values a task "
			  "(-n, -s), or pass them in a file");
	if (result->errno_value == EINVAL)
		return buf_append_str(hint,
				      "a value with a NUL byte cannot be an argument");
	return 0;
}

/* Hints that depend on how the command is run. */
static int
hint_append_command(struct buf *hint, const struct result *result,
		    const struct command *command)
{
	if (result->reason == RESULT_EXIT && command->is_shell && result->exit_status == 127)
		return buf_append_str(hint,
				      "exit 127 of a shell: it found no such command");
	if (result->reason == RESULT_EXIT && command->is_shell && result->exit_status == 126)
		return buf_append_str(
		    hint, "exit 126 of a shell: the command is not executable");
	if (result->reason != RESULT_CANNOT_EXECUTE || command->has_nul ||
	    command->argc == 0)
		return 0;
	struct buf visible = {0};
	const char *name = command->argv[0];
	int status = visible_append(&visible, name, strlen(name), HINT_NAME_CHARS);
	if (status == 0)
		status = buf_str(&visible) == NULL
			     ? -1
			     : hint_append_cannot_execute(hint, result->errno_value, name,
							  visible.bytes);
	buf_fini(&visible);
	return status;
}

static bool
hint_needs_command(const struct result *result)
{
	return (result->reason == RESULT_CANNOT_EXECUTE && result->errno_value != E2BIG) ||
	       (result->reason == RESULT_EXIT &&
		(result->exit_status == 126 || result->exit_status == 127));
}

int
hint_append(struct buf *hint, const struct result *result, const struct template *template,
	    const struct template_values *values, struct err *err)
{
	size_t length_before = hint->length;
	if (hint_append_plain(hint, result) == -1)
		return err_no_memory(err);
	if (hint->length > length_before || !hint_needs_command(result))
		return 0;
	struct command command = {0};
	int status = template_expand(template, values, &command, err);
	if (status == 0 && hint_append_command(hint, result, &command) == -1)
		status = err_no_memory(err);
	command_fini(&command);
	return status;
}
