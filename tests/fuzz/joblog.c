/* Lines of a joblog, ours or another program's: what is understood is written and read the same. */
#include "fuzz.h"
#include "record/joblog_line.h"

static void
write_again(const struct joblog_line *line)
{
	struct buf text = {0};
	struct joblog_line again;
	fuzz_expect(joblog_line_append(&text, line) == 0);
	fuzz_expect(text.length > 0 && text.bytes[text.length - 1] == '\n');
	fuzz_expect(joblog_line_parse(text.bytes, text.length - 1, &again));
	fuzz_expect(again.seq == line->seq && again.exit_value == line->exit_value &&
		    again.signal == line->signal &&
		    again.command_length == line->command_length);
	fuzz_expect(joblog_line_hash(again.command, again.command_length) ==
		    joblog_line_hash(line->command, line->command_length));
	buf_fini(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size);
	const char *newline = memchr(text, '\n', size);
	size_t length = newline == NULL ? size : (size_t)(newline - text);
	struct joblog_line line;
	if (joblog_line_is_header(text, length))
		fuzz_expect(joblog_line_begins_header(text, length));
	if (joblog_line_parse(text, length, &line))
		write_again(&line);
	free(text);
	return 0;
}
