/* JSON lines: each line a task, its overrides and named members in front of its values. */
#include "input/jsonl.h"
#include "fuzz.h"
#include "record/hidden.h"
#include "task/override.h"

/* What a record keeps of a task's hidden values gives them back. */
static void
record(const struct spec *spec, const struct row *row)
{
	struct buf before = {0}, after = {0}, column = {0};
	struct hidden hidden = {0};
	struct err err = {0};
	bool is_text = false;
	for (size_t i = 0; i < spec->hidden_count; i++)
		fuzz_expect(task_pack(&before, row->args[i].bytes, row->args[i].length) ==
			    0);
	fuzz_expect(hidden_append(&column, spec, row->args, &is_text) == 0);
	fuzz_expect(hidden_read(&hidden, column.bytes, column.length, is_text) == 0);
	fuzz_expect(hidden_pack(&after, spec, &hidden, &err) == 0);
	fuzz_expect(before.length == after.length &&
		    memcmp(before.bytes, after.bytes, after.length) == 0);
	hidden_fini(&hidden);
	buf_fini(&column);
	buf_fini(&before);
	buf_fini(&after);
}

static void
read_all(struct jsonl *jsonl, const struct spec *spec)
{
	struct row row = {0};
	struct arg line;
	struct err err = {0};
	enum source_status status;
	while ((status = jsonl_next(jsonl, &line, &err)) == SOURCE_TASK) {
		row_clear(&row);
		if (jsonl_split(jsonl, &line, &row, &err) == -1) {
			fuzz_expect_failure(&err);
			break;
		}
		fuzz_expect(row.count >= spec->hidden_count);
		record(spec, &row);
	}
	fuzz_expect(status == SOURCE_TASK || status == SOURCE_END);
	row_fini(&row);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arg member = {"k", 1};
	struct spec spec;
	struct err err = {0};
	char path[32];
	int fd = fuzz_file(data, size, path);
	spec_init(&spec, SPEC_MAP);
	spec.member_count = size % 2;
	spec.members = &member;
	spec.hidden_count = 1 + (uint32_t)spec.member_count;
	struct lines *lines = lines_open(path, '\n', &err);
	fuzz_expect(lines != NULL);
	struct jsonl *jsonl = jsonl_open(&spec, path, lines, &err);
	fuzz_expect(jsonl != NULL);
	read_all(jsonl, &spec);
	jsonl_close(jsonl);
	lines_close(lines);
	spec_fini(&spec);
	io_close(fd);
	return 0;
}
