/*
 * The socket of a run, both ends: a client's request, and what a run, or who pretends to be one,
 * replies to pinion status.
 */
#include "fuzz.h"
#include "run/control_request.h"
#include "sink/status_text.h"

#define WIDTH 60

static void
request(const char *line, size_t length)
{
	struct control_request parsed;
	struct err err = {0};
	if (control_request_parse(&parsed, line, length, &err) == -1) {
		fuzz_expect_failure(&err);
		return;
	}
	fuzz_expect(parsed.verb < CONTROL_VERBS);
	fuzz_expect(!parsed.has_number || parsed.number > 0);
}

/* Lines, with nothing in them that is for the terminal. */
static void
expect_plain(struct buf *text)
{
	for (size_t i = 0; i < text->length; i++)
		fuzz_expect((unsigned char)text->bytes[i] >= ' ' || text->bytes[i] == '\n');
	fuzz_expect(text->length == 0 || text->bytes[text->length - 1] == '\n');
	buf_clear(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *line = fuzz_string(data, size);
	struct buf text = {0};
	request(line, size);
	const struct status_item item = {.name = "night", .pid = 7, .reply = line};
	fuzz_expect(status_text_table(&text, &item, 1, true, WIDTH) == 0);
	expect_plain(&text);
	fuzz_expect(status_text_detail(&text, &item, WIDTH, 5) == 0);
	expect_plain(&text);
	fuzz_expect(status_text_json(&text, &item) == 0);
	expect_plain(&text);
	buf_fini(&text);
	free(line);
	return 0;
}
