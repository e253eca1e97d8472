/* words.c: a plugin that counts what wc counts: lines, words and bytes of the file a task names. */
#include <errno.h>
#include <pinion-plugin.h>
#include <stdbool.h>
#include <stdio.h>

struct words_count {
	unsigned long long lines;
	unsigned long long words;
	unsigned long long bytes;
	bool is_in_word;
};

static void
words_add(struct words_count *count, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		bool is_blank = text[i] == ' ' || (text[i] >= '\t' && text[i] <= '\r');
		count->lines += text[i] == '\n';
		count->words += !is_blank && !count->is_in_word;
		count->is_in_word = !is_blank;
	}
	count->bytes += length;
}

static int
words_task(const struct pinion_task *task, struct pinion_answer *answer)
{
	struct words_count count = {0};
	char text[16384], line[80];
	size_t got;
	FILE *file = fopen(task->in, "rb");
	if (file == NULL) {
		pinion_append(&answer->err, task->in, task->in_bytes);
		pinion_append_str(&answer->err, ": ");
		return pinion_fail(answer, 1, strerror(errno));
	}
	while ((got = fread(text, 1, sizeof(text), file)) > 0)
		words_add(&count, text, got);
	bool has_failed = ferror(file) != 0;
	fclose(file);
	if (has_failed)
		return pinion_fail(answer, 1, "cannot be read to its end");
	snprintf(line, sizeof(line), "%llu %llu %llu ", count.lines, count.words,
		 count.bytes);
	return pinion_append_str(&answer->out, line) ||
	       pinion_append(&answer->out, task->in, task->in_bytes) ||
	       pinion_append_str(&answer->out, "\n");
}

const struct pinion_plugin pinion_plugin = {
    PINION_PLUGIN_HEAD, .flags = PINION_PLUGIN_THREAD_SAFE,
    .name = "words",    .description = "lines, words and bytes of a file",
    .task = words_task,
};
