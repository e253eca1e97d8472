/* reason.c: see reason.h. */
#include "record/reason.h"

#include <string.h>

static const char *const reason_words[] = {
    [RESULT_EXIT] = "exit",           [RESULT_SIGNAL] = "signal",
    [RESULT_TIMEOUT] = "timeout",     [RESULT_CANNOT_EXECUTE] = "cannot execute",
    [RESULT_LOST] = "lost",           [RESULT_NO_ANSWER] = "no answer",
    [RESULT_CANCELLED] = "cancelled", [RESULT_SKIPPED] = "skipped",
    [RESULT_NO_OUTPUT] = "no output", [RESULT_MEMORY] = "memory",
};
static_assert(sizeof(reason_words) / sizeof(*reason_words) == RESULT_REASONS,
	      "each reason has a word");

const char *
reason_word(uint32_t reason)
{
	return reason < RESULT_REASONS ? reason_words[reason] : "unknown";
}

enum result_reason
reason_find(const char *word, size_t length)
{
	for (int i = 0; i < RESULT_REASONS; i++)
		if (strlen(reason_words[i]) == length &&
		    memcmp(reason_words[i], word, length) == 0)
			return (enum result_reason)i;
	return RESULT_REASONS;
}
