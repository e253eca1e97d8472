/* result.c: see result.h. */
#include "task/result.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void
result_describe_signal(const struct result *result, char *text, size_t text_bytes)
{
	const char *name = sigabbrev_np(result->signal);
	if (name != NULL)
		snprintf(text, text_bytes, "killed by signal %d (%s)", result->signal,
			 name);
	else
		snprintf(text, text_bytes, "killed by signal %d", result->signal);
}

static void
result_describe_no_answer(const struct result *result, char *text, size_t text_bytes)
{
	struct result end = {.exit_status = result->exit_status, .signal = result->signal};
	char how[80];
	if (result->errno_value != 0) {
		snprintf(text, text_bytes, "no answer: the program broke the protocol");
		return;
	}
	end.reason = result->signal != 0 ? RESULT_SIGNAL : RESULT_EXIT;
	snprintf(text, text_bytes, "no answer: the program ended (%s)",
		 result_describe(&end, how, sizeof(how)));
}

static void
result_describe_lost(const struct result *result, char *text, size_t text_bytes)
{
	if (result->exit_status != 0)
		snprintf(text, text_bytes, "lost: its worker ended with exit %d",
			 result->exit_status);
	else
		snprintf(text, text_bytes, "lost: its worker died");
}

static void
result_describe_no_output(const struct result *result, char *text, size_t text_bytes)
{
	switch (result->errno_value) {
	case -1:
		snprintf(text, text_bytes, "did not write {out}");
		return;
	case EBUSY:
		snprintf(text, text_bytes, "another task makes the same output");
		return;
	case EEXIST:
		snprintf(text, text_bytes, "another task has made the same output");
		return;
	case EINVAL:
		snprintf(text, text_bytes, "cannot make its output: not a file");
		return;
	case EPERM: /* somebody has put a folder, or a link, where the draft is to be */
		snprintf(text, text_bytes,
			 "cannot make its output: %s (whose is the .pinion-* beside it?)",
			 strerror(EPERM));
		return;
	}
	if (result->errno_value < 0)
		snprintf(text, text_bytes, "did not write {out%d}", -result->errno_value);
	else
		snprintf(text, text_bytes, "cannot make its output: %s",
			 strerror(result->errno_value));
}

int
result_gnu_exit(const struct result *result)
{
	switch ((enum result_reason)result->reason) {
	case RESULT_EXIT:
	case RESULT_CANNOT_EXECUTE:
	case RESULT_NO_OUTPUT:
	case RESULT_MEMORY: /* 0 beside a signal */
		return result->exit_status;
	case RESULT_SIGNAL:
		return 0;
	case RESULT_TIMEOUT:
	case RESULT_LOST:
	case RESULT_NO_ANSWER:
	case RESULT_CANCELLED:
	case RESULT_SKIPPED:
	case RESULT_REASONS:
		break;
	}
	return -1;
}

const char *
result_describe(const struct result *result, char *text, size_t text_bytes)
{
	switch ((enum result_reason)result->reason) {
	case RESULT_EXIT:
		snprintf(text, text_bytes, "exit %d", result->exit_status);
		return text;
	case RESULT_SIGNAL:
		result_describe_signal(result, text, text_bytes);
		return text;
	case RESULT_TIMEOUT:
		snprintf(text, text_bytes, "timed out");
		return text;
	case RESULT_CANNOT_EXECUTE:
		if (result->errno_value == EILSEQ)
			snprintf(text, text_bytes,
				 "cannot be fed: the protocol cannot carry it");
		else
			snprintf(text, text_bytes, "cannot execute: %s",
				 strerror(result->errno_value));
		return text;
	case RESULT_LOST:
		result_describe_lost(result, text, text_bytes);
		return text;
	case RESULT_NO_ANSWER:
		result_describe_no_answer(result, text, text_bytes);
		return text;
	case RESULT_NO_OUTPUT:
		result_describe_no_output(result, text, text_bytes);
		return text;
	case RESULT_CANCELLED:
		snprintf(text, text_bytes, "cancelled");
		return text;
	case RESULT_SKIPPED:
		snprintf(text, text_bytes, "skipped");
		return text;
	case RESULT_MEMORY:
		snprintf(text, text_bytes, "killed by the kernel for memory");
		return text;
	case RESULT_REASONS:
		break;
	}
	snprintf(text, text_bytes, "ended for an unknown reason (%u)", result->reason);
	return text;
}
