/*
 * Command lines of each verb that runs tasks, and what replay makes of recorded ones. A byte for
 * the verb, then words, a line each; behind an empty line the job file, for run. Nothing is
 * executed, and no file looked at.
 */
#include "input/options.h"
#include "fuzz.h"
#include "input/args.h"
#include "task/template.h"

#define WORDS_MAX 64

static size_t
take_words(char **text, char **words)
{
	size_t count = 0;
	while (*text != NULL && count < WORDS_MAX) {
		char *word = strsep(text, "\n");
		if (word[0] == '\0' && *text != NULL && (*text)[0] == '{')
			break;
		words[count++] = word;
	}
	words[count] = NULL;
	return count;
}

static void
parse(enum spec_dialect dialect, char *text)
{
	char *words[WORDS_MAX + 1];
	struct spec spec;
	struct err err = {0};
	size_t count = take_words(&text, words);
	spec_init(&spec, dialect);
	spec.is_inherited = true; /* what it names is not looked at */
	/* The job of run: never a file, nor stdin. */
	const char *job = text == NULL ? "{}" : text;
	if (dialect == SPEC_RUN)
		fuzz_expect(buf_append_str(&spec.job_text, job) == 0);
	switch (options_parse(&spec, (int)count, words, &err)) {
	case OPTIONS_ERROR:
		fuzz_expect_failure(&err);
		break;
	case OPTIONS_RUN:
	case OPTIONS_CHECK:
		fuzz_expect(spec.words == NULL || spec.words[spec.word_count] == NULL);
		break;
	case OPTIONS_PRINT:
		fuzz_expect(spec.print.length > 0);
		break;
	case OPTIONS_HELP:
	case OPTIONS_VERSION:
	case OPTIONS_LIST:
	case OPTIONS_SCHEMA:
		break;
	}
	spec_fini(&spec);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum spec_dialect dialects[] = {SPEC_MAP, SPEC_PARALLEL, SPEC_FEED,
						     SPEC_CALL, SPEC_RUN};
	if (size == 0)
		return 0;
	char *text = fuzz_string(data + 1, size - 1);
	unsetenv("PARALLEL");
	parse(dialects[data[0] % (sizeof(dialects) / sizeof(*dialects))], text);
	free(text);
	return 0;
}
