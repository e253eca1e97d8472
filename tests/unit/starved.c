/* Small things that hold or make bytes: without memory for any of their steps they say so. */
#include "starve.h"

#include "base/cells.h"
#include "base/json_text.h"
#include "base/makeflags.h"
#include "base/quote.h"
#include "base/seqset.h"
#include "input/rows.h"
#include "task/task.h"

static int
fill_set(void *context)
{
	struct seqset set = {0};
	int status = 0;
	(void)context;
	for (uint64_t i = 0; i < 40 && status == 0; i++) {
		uint64_t before = set.count;
		uint32_t *bits = seqset_add(&set, i * 1000);
		if (bits != NULL) {
			*bits = (uint32_t)i;
			continue;
		}
		status = -1;
		assert_int_equal(set.count, before); /* and what was there is there */
		for (uint64_t j = 0; j < i; j++)
			assert_int_equal(*seqset_find(&set, j * 1000), j);
		assert_null(seqset_find(&set, i * 1000));
	}
	seqset_fini(&set);
	return status;
}

/* Ends the text, which has this in it if all went well so far. */
static int
look_at(struct buf *text, const char *part, int status)
{
	if (status == 0 && buf_str(text) == NULL)
		status = -1;
	if (status == 0 && strstr(text->bytes, part) == NULL)
		fail_msg("%s has no %s", text->bytes, part);
	buf_fini(text);
	return status;
}

static int
append_quoted(void *context)
{
	char words[][5] = {"a", "b c", "it's", ""};
	char *argv[] = {words[0], words[1], words[2], words[3], NULL};
	struct buf line = {0};
	(void)context;
	return look_at(&line, "a 'b c' 'it'\\''s' ''", quote_append_argv(&line, argv));
}

static int
read_quoted(void *context)
{
	const char *at = context, *end = at + strlen(at);
	struct buf word = {0};
	int count = 0, status;
	while ((status = quote_next(&at, end, &word)) == 1)
		count++;
	if (status == 0)
		assert_int_equal(count, 4);
	buf_fini(&word);
	return status;
}

static int
append_makeflags(void *context)
{
	struct buf text = {0};
	return look_at(&text, "--jobserver-auth=3,4",
		       makeflags_append(&text, context, "3,4", 8));
}

static int
append_json(void *context)
{
	struct buf text = {0};
	(void)context;
	int status = json_text_append(&text, "a\"\\\n\x01\x7f\xc3\xa9", 8);
	if (status == 0)
		status = json_base64_append_string(&text, "\xff\xfe\x00\x01", 4);
	return look_at(&text, "\"//4AAQ==\"", status);
}

static int
append_cells(void *context)
{
	struct cells cells = {0};
	struct buf text = {0};
	size_t used;
	(void)context;
	int status = cells_append(&cells, &text,
				  "a\x01"
				  "bcdefghij",
				  11, 8, &used);
	if (status == 0)
		assert_int_equal(used, 8);
	cells_fini(&cells);
	buf_fini(&text);
	return status;
}

static int
keep_rows(void *context)
{
	struct row row = {0}, other = {0};
	struct rows rows = {0};
	int status = 0;
	(void)context;
	for (int i = 0; i < 40 && status == 0; i++)
		status = row_add(&row, "value", 5) == -1 || rows_add(&rows, &row) == -1
			     ? -1
			     : 0;
	if (status == 0)
		status = rows_append(&rows, 39, &other);
	if (status == 0)
		assert_int_equal(other.count, 40);
	row_fini(&row);
	row_fini(&other);
	rows_fini(&rows);
	return status;
}

static int
pack_tasks(void *context)
{
	struct buf packed = {0};
	struct task *task = NULL, *first = NULL;
	struct arg *args = NULL;
	size_t capacity = 0;
	int status = 0;
	(void)context;
	for (int i = 0; i < 6 && status == 0; i++)
		status = task_pack(&packed, "abc", 3);
	if (status == 0 && (task = task_new(7, 3, 2, &packed)) == NULL)
		status = -1;
	if (status == 0 && (first = task_split(task, 1)) == NULL) {
		status = -1;
		assert_int_equal(task->count, 3);
	}
	if (status == 0)
		status = task_unpack(task_bytes(first), first->packed_bytes, 2, &args,
				     &capacity);
	if (status == 0) {
		assert_int_equal(task->seq, 8);
		assert_int_equal(args[1].length, 3);
	}
	free(args);
	free(first);
	free(task);
	buf_fini(&packed);
	return status;
}

static const struct {
	const char *name;
	starve_work *work;
	const char *text;
} works[] = {
    {"a set of seqs keeps those it has", fill_set, NULL},
    {"words are quoted", append_quoted, NULL},
    {"quoted words are read", read_quoted, "a 'b c' 'it'\\''s' \"\\\"x\""},
    {"make's flags, with none there", append_makeflags, NULL},
    {"make's flags, with all there", append_makeflags, "kn -j4 --jobserver-auth=5,6 -- A=b"},
    {"JSON", append_json, NULL},
    {"cells of a terminal", append_cells, NULL},
    {"rows", keep_rows, NULL},
    {"tasks and chunks", pack_tasks, NULL},
};

static void
says_so(void **state)
{
	size_t index = *(size_t *)*state;
	starve_each(works[index].work, (void *)(uintptr_t)works[index].text);
}

int
main(void)
{
	enum { COUNT = sizeof(works) / sizeof(works[0]) };
	static size_t indexes[COUNT];
	struct CMUnitTest tests[COUNT];
	for (size_t i = 0; i < COUNT; i++) {
		indexes[i] = i;
		tests[i] = (struct CMUnitTest){.name = works[i].name,
					       .test_func = says_so,
					       .initial_state = &indexes[i]};
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
