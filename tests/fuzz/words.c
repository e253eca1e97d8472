/* Lists of words: $PARALLEL and --profile as a user writes them, and columns of a run file. */
#include "record/words.h"
#include "fuzz.h"
#include "input/option_words.h"

static void
split(const char *text)
{
	struct spec spec;
	struct err err = {0};
	char **words = NULL;
	size_t count = 0;
	spec_init(&spec, SPEC_PARALLEL);
	if (option_words_split(&spec, text, &words, &count, &err) == -1)
		fuzz_expect_failure(&err);
	else
		fuzz_expect(words[count] == NULL);
	spec_fini(&spec);
}

/* What is a list is written as one that has the same words. */
static void
read_column(const char *bytes, size_t length, bool is_text)
{
	struct buf packed = {0}, again = {0}, column = {0};
	struct arg *words = NULL;
	size_t count, again_count, capacity = 0;
	bool is_again_text;
	if (words_read(&packed, &count, bytes, length, is_text) == 0) {
		fuzz_expect(task_unpack(packed.bytes, packed.length, (uint32_t)count,
					&words, &capacity) == 0);
		fuzz_expect(words_append(&column, words, count, &is_again_text) == 0);
		fuzz_expect(words_read(&again, &again_count, column.bytes, column.length,
				       is_again_text) == 0);
		fuzz_expect(again_count == count && again.length == packed.length &&
			    (count == 0 ||
			     memcmp(again.bytes, packed.bytes, packed.length) == 0));
	}
	free(words);
	buf_fini(&packed);
	buf_fini(&again);
	buf_fini(&column);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size);
	split(text);
	read_column(text, size, true);
	read_column(text, size, false);
	free(text);
	return 0;
}
