/* Records of tasks as rows and objects. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "base/clock.h"
#include "record/results_rows.h"

#define ARG(text)                      \
	{                              \
		text, sizeof(text) - 1 \
	}

struct fixture {
	struct results_rows rows;
	struct spill spill;
	struct held *streams[RESULT_STREAMS];
	struct results_note notes[RESULT_STREAMS];
	struct result result;
	struct buf text; /* all that was put */
	size_t put_count;
	size_t longest;
	struct err err;
};

static int
take_piece(void *context, const char *bytes, size_t length, struct err *err)
{
	struct fixture *f = context;
	(void)err;
	f->put_count++;
	if (length > f->longest)
		f->longest = length;
	return buf_append(&f->text, bytes, length);
}

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	if (f == NULL)
		return -1;
	spill_init(&f->spill, "/tmp", 256 * 1024, NULL);
	f->rows = (struct results_rows){
	    .format = RESULTS_CSV, .spill = &f->spill, .put = take_piece, .context = f};
	f->result = (struct result){.reason = RESULT_EXIT,
				    .pid = 77,
				    .worker = 3,
				    .slot = 1,
				    .cpu = 2,
				    .started_real_ns = 1234 * NS_PER_S + 567890000,
				    .wall_ns = 2 * NS_PER_S + 4000000,
				    .user_ns = 1500000000,
				    .maxrss_bytes = 4096,
				    .stdout_bytes = 9};
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;
	for (int i = 0; i < RESULT_STREAMS; i++)
		held_free(&f->spill, f->streams[i]);
	results_rows_fini(&f->rows);
	spill_fini(&f->spill);
	buf_fini(&f->text);
	free(f);
	return 0;
}

static void
print_to(struct fixture *f, enum result_stream stream, const char *bytes, size_t length)
{
	results_note_take(&f->notes[stream], f->rows.format, bytes, length);
	assert_int_equal(
	    held_append(&f->spill, &f->streams[stream], bytes, length, &f->err), 0);
}

static void
put(struct fixture *f, const struct arg *args, size_t arg_count, const char *command)
{
	struct results_row row = {
	    .seq = 4,
	    .attempt = 2,
	    .result = &f->result,
	    .args = args,
	    .arg_count = arg_count,
	    .command = command,
	    .command_length = strlen(command),
	    .streams = {f->streams[RESULT_STDOUT], f->streams[RESULT_STDERR]},
	    .notes = f->notes,
	};
	assert_int_equal(results_rows_put(&f->rows, &row, &f->err), 0);
	for (int i = 0; i < RESULT_STREAMS; i++) {
		assert_int_equal(held_bytes(f->streams[i]), 0);
		held_free(&f->spill, f->streams[i]);
		f->streams[i] = NULL;
	}
	memset(f->notes, 0, sizeof(f->notes));
}

static void
assert_text(struct fixture *f, const char *expected)
{
	assert_non_null(buf_str(&f->text));
	assert_string_equal(f->text.bytes, expected);
	buf_clear(&f->text);
}

static void
a_csv_has_a_header_and_quotes_where_needed(void **state)
{
	struct fixture *f = *state;
	const struct arg values[] = {ARG("plain"), ARG("a,b")};
	print_to(f, RESULT_STDOUT, "say \"x\"", 7);
	print_to(f, RESULT_STDERR, "one\ntwo\n", 8);
	put(f, values, 2, "echo plain a,b");
	assert_text(
	    f, "Seq,Host,Starttime,JobRuntime,Send,Receive,Exitval,Signal,Command,V1,V2,"
	       "Stdout,Stderr\n"
	       "5,:,1234.568,2.004,0,9,0,0,\"echo plain a,b\",plain,\"a,b\","
	       "\"say \"\"x\"\"\",\"one\ntwo\n\"\n");
	put(f, values, 2, "true");
	assert_text(f, "5,:,1234.568,2.004,0,9,0,0,true,plain,\"a,b\",,\n");
}

static void
a_tsv_quotes_tabs_and_not_commas(void **state)
{
	struct fixture *f = *state;
	const struct arg values[] = {ARG("a,b"), ARG("a\tb")};
	f->rows.format = RESULTS_TSV;
	f->rows.has_header = true;
	f->rows.value_columns = 2;
	put(f, values, 2, "x");
	assert_text(f, "5\t:\t1234.568\t2.004\t0\t9\t0\t0\tx\ta,b\t\"a\tb\"\t\t\n");
}

static void
all_that_a_reader_could_take_for_an_end_is_quoted(void **state)
{
	static const struct arg quoted[] = {ARG(" "),  ARG("\t"), ARG("\n"),
					    ARG("\r"), ARG("\v"), ARG("\f"),
					    ARG("\""), ARG(","),  ARG("\0")};
	struct fixture *f = *state;
	f->rows.has_header = true;
	f->rows.value_columns = 1;
	for (size_t i = 0; i < sizeof(quoted) / sizeof(*quoted); i++) {
		put(f, &quoted[i], 1, "x");
		const char *cell =
		    f->text.bytes + strlen("5,:,1234.568,2.004,0,9,0,0,x,");
		assert_int_equal(cell[0], '"');
		assert_memory_equal(cell + f->text.length - 1 -
					strlen("5,:,1234.568,2.004,0,9,0,0,x,") - 3,
				    "\",,", 3);
		buf_clear(&f->text);
	}
}

static void
rows_have_as_many_columns_as_the_header(void **state)
{
	struct fixture *f = *state;
	const struct arg values[] = {ARG("a"), ARG("b"), ARG("c")};
	const struct arg names[] = {ARG("first"), ARG("the second")};
	f->rows.names = names;
	f->rows.name_count = 2;
	put(f, values, 2, "x");
	buf_clear(&f->text);
	put(f, values, 1, "x");
	assert_text(f, "5,:,1234.568,2.004,0,9,0,0,x,a,,,\n");
	put(f, values, 3, "x");
	assert_text(f, "5,:,1234.568,2.004,0,9,0,0,x,a,\"b c\",,\n");
	put(f, values, 0, "x");
	assert_text(f, "5,:,1234.568,2.004,0,9,0,0,x,,,,\n");
}

static void
a_header_alone_is_there_before_any_row(void **state)
{
	struct fixture *f = *state;
	const struct arg names[] = {ARG("first"), ARG("the second")};
	f->rows.names = names;
	f->rows.name_count = 2;
	f->rows.value_columns = 3;
	assert_int_equal(results_rows_begin(&f->rows), 0);
	assert_non_null(buf_str(&f->rows.text));
	assert_string_equal(f->rows.text.bytes,
			    "Seq,Host,Starttime,JobRuntime,Send,Receive,Exitval,Signal,"
			    "Command,first,\"the second\",V3,Stdout,Stderr\n");
	f->rows.format = RESULTS_JSONL;
	assert_int_equal(results_rows_begin(&f->rows), 0);
	assert_int_equal(f->rows.text.length, 0);
}

static void
ends_are_told_as_gnu_parallel_does(void **state)
{
	static const struct {
		struct result result;
		const char *cells;
	} rows[] = {
	    {{.reason = RESULT_EXIT, .exit_status = 3}, "3,0"},
	    {{.reason = RESULT_SIGNAL, .signal = 9}, "0,9"},
	    {{.reason = RESULT_TIMEOUT, .signal = 15}, "-1,15"},
	    {{.reason = RESULT_CANNOT_EXECUTE, .exit_status = 127}, "127,0"},
	    {{.reason = RESULT_NO_OUTPUT, .exit_status = 1}, "1,0"},
	    {{.reason = RESULT_LOST}, "-1,0"},
	};
	struct fixture *f = *state;
	f->rows.has_header = true;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char expected[64];
		f->result = rows[i].result;
		put(f, NULL, 0, "x");
		snprintf(expected, sizeof(expected), "5,:,0.000,0.000,0,0,%s,x,,\n",
			 rows[i].cells);
		assert_text(f, expected);
	}
}

/* The one object that was put. */
static cJSON *
parse(struct fixture *f)
{
	cJSON *json = cJSON_ParseWithLength(f->text.bytes, f->text.length);
	assert_non_null(json);
	assert_int_equal(f->text.bytes[f->text.length - 1], '\n');
	assert_ptr_equal(memchr(f->text.bytes, '\n', f->text.length),
			 f->text.bytes + f->text.length - 1);
	buf_clear(&f->text);
	return json;
}

static const char *
text_of(const cJSON *json, const char *name)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name));
}

static double
number_of(const cJSON *json, const char *name)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);
	assert_true(cJSON_IsNumber(item));
	return cJSON_GetNumberValue(item);
}

static bool
has(const cJSON *json, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(json, name) != NULL;
}

static void
an_object_says_all_of_a_task(void **state)
{
	struct fixture *f = *state;
	const struct arg values[] = {ARG("a \"b\""), ARG("\xc3\xa4")};
	f->rows.format = RESULTS_JSONL;
	f->rows.has_commands = true;
	print_to(f, RESULT_STDOUT, "one\n\ttwo\\\n", 10);
	put(f, values, 2, "x");
	cJSON *json = parse(f);
	cJSON *args = cJSON_GetObjectItemCaseSensitive(json, "args");
	assert_int_equal(cJSON_GetArraySize(args), 2);
	assert_string_equal(cJSON_GetStringValue(cJSON_GetArrayItem(args, 0)), "a \"b\"");
	assert_string_equal(cJSON_GetStringValue(cJSON_GetArrayItem(args, 1)),
			    "\xc3\xa4");
	assert_string_equal(text_of(json, "stdout"), "one\n\ttwo\\\n");
	assert_string_equal(text_of(json, "stderr"), "");
	assert_string_equal(text_of(json, "status"), "done");
	assert_string_equal(text_of(json, "command"), "x");
	assert_true(number_of(json, "seq") == 5);
	assert_true(number_of(json, "exit") == 0);
	assert_false(has(json, "signal"));
	assert_true(number_of(json, "attempts") == 2);
	assert_true(number_of(json, "worker") == 3);
	assert_true(number_of(json, "cpu") == 2);
	assert_true(number_of(json, "pid") == 77);
	assert_true(number_of(json, "start_s") == 1234.56789);
	assert_true(number_of(json, "wall_s") == 2.004);
	assert_true(number_of(json, "user_s") == 1.5);
	assert_true(number_of(json, "sys_s") == 0);
	assert_true(number_of(json, "maxrss_bytes") == 4096);
	cJSON_Delete(json);
}

static void
what_is_not_known_is_left_out(void **state)
{
	struct fixture *f = *state;
	f->rows.format = RESULTS_JSONL;
	f->result = (struct result){.reason = RESULT_SIGNAL, .signal = 9, .cpu = -1};
	put(f, NULL, 0, "x");
	cJSON *json = parse(f);
	assert_string_equal(text_of(json, "status"), "killed");
	assert_false(has(json, "exit"));
	assert_true(number_of(json, "signal") == 9);
	assert_false(has(json, "cpu"));
	assert_false(has(json, "pid"));
	assert_false(has(json, "command")); /* of a call */
	assert_false(has(json, "user_s"));
	cJSON_Delete(json);
}

static void
bytes_that_are_no_text_are_base64_under_their_own_names(void **state)
{
	struct fixture *f = *state;
	const struct arg values[] = {ARG("ab"), ARG("\xff")};
	f->rows.format = RESULTS_JSON;
	print_to(f, RESULT_STDOUT, "\xff\xfe", 1);
	print_to(f, RESULT_STDOUT, "\xfe", 1);
	print_to(f, RESULT_STDERR, "\xc3", 1); /* a character in two pieces */
	print_to(f, RESULT_STDERR, "\xa4", 1);
	put(f, values, 2, "run \xff");
	cJSON *json = parse(f);
	cJSON *list = cJSON_GetObjectItemCaseSensitive(json, "V_base64");
	assert_string_equal(cJSON_GetStringValue(cJSON_GetArrayItem(list, 0)), "YWI=");
	assert_string_equal(cJSON_GetStringValue(cJSON_GetArrayItem(list, 1)), "/w==");
	assert_null(cJSON_GetObjectItemCaseSensitive(json, "V"));
	assert_null(text_of(json, "Stdout"));
	assert_string_equal(text_of(json, "Stdout_base64"), "//4=");
	assert_string_equal(text_of(json, "Stderr"), "\xc3\xa4");
	assert_string_equal(text_of(json, "Command_base64"), "cnVuIP8=");
	assert_true(number_of(json, "Seq") == 5);
	assert_true(number_of(json, "JobRuntime") == 2.004);
	cJSON_Delete(json);
}

static void
a_large_output_goes_in_pieces(void **state)
{
	struct fixture *f = *state;
	char block[64 * 1024];
	memset(block, '"', sizeof(block));
	f->rows.format = RESULTS_JSONL;
	for (int i = 0; i < 64; i++)
		print_to(f, RESULT_STDOUT, block, sizeof(block));
	put(f, NULL, 0, "x");
	assert_true(f->put_count >= 7);
	assert_true(f->longest <= RESULTS_ROWS_PIECE_BYTES + 6 * SPILL_BLOCK_BYTES);
	cJSON *json = parse(f);
	assert_int_equal(strlen(text_of(json, "stdout")), 64 * sizeof(block));
	cJSON_Delete(json);
}

static void
the_end_of_a_name_says_what_is_in_it(void **state)
{
	(void)state;
	assert_int_equal(results_rows_format("a/b.csv"), RESULTS_CSV);
	assert_int_equal(results_rows_format("B.TSV"), RESULTS_TSV);
	assert_int_equal(results_rows_format("-.json"), RESULTS_JSON);
	assert_int_equal(results_rows_format("x.y.jsonl"), RESULTS_JSONL);
	assert_int_equal(results_rows_format("csv"), -1);
	assert_int_equal(results_rows_format("x.csv/"), -1);
	assert_int_equal(results_rows_format("x.csv.gz"), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_csv_has_a_header_and_quotes_where_needed),
	    TEST(a_tsv_quotes_tabs_and_not_commas),
	    TEST(all_that_a_reader_could_take_for_an_end_is_quoted),
	    TEST(rows_have_as_many_columns_as_the_header),
	    TEST(a_header_alone_is_there_before_any_row),
	    TEST(ends_are_told_as_gnu_parallel_does),
	    TEST(an_object_says_all_of_a_task),
	    TEST(what_is_not_known_is_left_out),
	    TEST(bytes_that_are_no_text_are_base64_under_their_own_names),
	    TEST(a_large_output_goes_in_pieces),
	    TEST(the_end_of_a_name_says_what_is_in_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
