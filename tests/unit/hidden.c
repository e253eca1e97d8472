/* Hidden values of tasks from JSON lines in a column: what they say, and the same bytes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "record/hidden.h"
#include "task/override.h"
#include "task/task.h"

struct fixture {
	struct spec spec;
	struct buf overrides;
	struct buf column;
	struct hidden hidden;
	bool is_text;
	struct err err;
};

static int
setup(void **state)
{
	static struct arg members[] = {{"url", 3}, {"k", 1}};
	struct fixture *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	spec_init(&f->spec, SPEC_MAP);
	f->spec.members = members;
	f->spec.member_count = 2;
	f->spec.hidden_count = 3;
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	spec_fini(&f->spec);
	buf_fini(&f->overrides);
	buf_fini(&f->column);
	hidden_fini(&f->hidden);
	free(f);
	return 0;
}

static void
override_text(struct fixture *f, enum override_kind kind, const char *text)
{
	assert_int_equal(override_add(&f->overrides, kind, text, strlen(text)), 0);
}

/* Into the column and back: the same bytes. */
static void
expect_back(struct fixture *f, const char *url)
{
	const struct arg args[] = {
	    {f->overrides.length > 0 ? f->overrides.bytes : "", f->overrides.length},
	    {url, strlen(url)},
	    {"", 0}};
	struct buf before = {0}, after = {0};
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(task_pack(&before, args[i].bytes, args[i].length), 0);
	assert_int_equal(hidden_append(&f->column, &f->spec, args, &f->is_text), 0);
	assert_int_equal(
	    hidden_read(&f->hidden, f->column.bytes, f->column.length, f->is_text), 0);
	assert_int_equal(hidden_pack(&after, &f->spec, &f->hidden, &f->err), 0);
	assert_int_equal(after.length, before.length);
	assert_memory_equal(after.bytes, before.bytes, before.length);
	buf_fini(&before);
	buf_fini(&after);
}

static void
everything_is_there_by_its_name(void **state)
{
	struct fixture *f = *state;
	const int64_t ns = 1500000000;
	const uint64_t from[] = {2, 16};
	override_text(f, OVERRIDE_ENV, "A=1=2");
	override_text(f, OVERRIDE_ID, "7\n");
	override_text(f, OVERRIDE_ENV, "B=");
	override_text(f, OVERRIDE_CWD, "a folder");
	override_text(f, OVERRIDE_STDIN_TEXT, "text");
	override_add(&f->overrides, OVERRIDE_TIMEOUT, (const char *)&ns, sizeof(ns));
	override_add(&f->overrides, OVERRIDE_FROM, (const char *)from, sizeof(from));
	expect_back(f, "http://x");
	assert_true(f->is_text);
	assert_string_equal(buf_str(&f->column),
			    "{\"env.A\":\"1=2\",\"id\":\"7\\n\",\"env.B\":\"\","
			    "\"cwd\":\"a folder\",\"stdin.text\":\"text\","
			    "\"timeout_ns\":\"1500000000\",\"from\":\"3,17\",\"{url}\":"
			    "\"http://x\",\"{k}\":\"\"}");
}

static void
bytes_that_are_no_text_come_back(void **state)
{
	struct fixture *f = *state;
	override_text(f, OVERRIDE_STDIN_FILE, "\xff");
	expect_back(f, "x");
	assert_false(f->is_text);
}

static void
nothing_said_is_an_empty_column(void **state)
{
	struct fixture *f = *state;
	const struct arg args[] = {{"", 0}};
	struct buf packed = {0};
	f->spec.member_count = 0;
	f->spec.hidden_count = 1;
	assert_int_equal(hidden_append(&f->column, &f->spec, args, &f->is_text), 0);
	assert_int_equal(f->column.length, 0);
	assert_int_equal(hidden_read(&f->hidden, NULL, 0, false), 0);
	assert_int_equal(hidden_pack(&packed, &f->spec, &f->hidden, &f->err), 0);
	assert_int_equal(packed.length, sizeof(uint32_t) + 1);
	buf_fini(&packed);
}

static void
what_is_no_pairs_is_refused(void **state)
{
	struct fixture *f = *state;
	static const char *const texts[] = {"{", "[\"a\"]", "x", "{\"a\":1}"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		assert_int_equal(hidden_read(&f->hidden, texts[i], strlen(texts[i]), true),
				 -1);
}

static void
member_that_is_not_there_is_said(void **state)
{
	struct fixture *f = *state;
	static const char text[] = "{\"{url}\":\"x\",\"k\":\"y\"}";
	struct buf packed = {0};
	assert_int_equal(hidden_read(&f->hidden, text, strlen(text), true), 0);
	assert_int_equal(hidden_pack(&packed, &f->spec, &f->hidden, &f->err), -1);
	assert_non_null(strstr(f->err.text, "the record does not know {k}"));
	buf_fini(&packed);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(everything_is_there_by_its_name),
	    TEST(bytes_that_are_no_text_come_back),
	    TEST(nothing_said_is_an_empty_column),
	    TEST(what_is_no_pairs_is_refused),
	    TEST(member_that_is_not_there_is_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
