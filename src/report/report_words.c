/* report_words.c: see report_words.h. */
#include "report/report_words.h"

#include <string.h>

#include "base/quote.h"

static int
append_words(struct buf *line, const struct arg *words, size_t count, struct err *err)
{
	for (size_t i = 0; i < count; i++)
		if ((i > 0 && buf_append_char(line, ' ') == -1) ||
		    quote_append(line, words[i].bytes, words[i].length) == -1)
			return err_no_memory(err);
	return 0;
}

/* What was given as one line for the shell is told as that line. */
static bool
is_shell_line(const struct arg *words, size_t count)
{
	return count == 3 && strcmp(words[0].bytes, "/bin/sh") == 0 &&
	       strcmp(words[1].bytes, "-c") == 0;
}

int
report_command(const struct report_config *config, struct buf *line, struct err *err)
{
	const struct arg *words;
	size_t count;
	buf_clear(line);
	if (runfile_tasks_argv(config->tasks, &words, &count, err) == -1)
		return -1;
	if (is_shell_line(words, count))
		return buf_append(line, words[2].bytes, words[2].length) == -1
			   ? err_no_memory(err)
			   : 0;
	return append_words(line, words, count, err);
}

int
report_label(const struct report_config *config, struct buf *line, struct err *err)
{
	const struct arg *words;
	size_t count;
	buf_clear(line);
	if (runfile_tasks_inputs(config->tasks, &words, &count, err) == -1)
		return -1;
	if (count == 0)
		return report_command(config, line, err);
	if (count > 1)
		return append_words(line, words, count, err);
	return buf_append(line, words[0].bytes, words[0].length) == -1 ? err_no_memory(err)
								       : 0;
}
