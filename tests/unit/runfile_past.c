/* What a chain of runs says of its tasks: by identity, with duplicates, tried again or not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "record/runfile_past.h"

struct fixture {
	char path[64];
	struct runfile_db db;
	struct spec spec; /* of no stage */
	struct past past;
	int64_t next_task_id;
	char told[256];
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct err err = {0};
	assert_non_null(f);
	strcpy(f->path, "/tmp/pinion-past.XXXXXX");
	int fd = mkstemp(f->path);
	assert_true(fd != -1);
	close(fd);
	f->next_task_id = 1;
	assert_int_equal(runfile_db_open(&f->db, f->path, true, &err), 0);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	past_fini(&f->past);
	runfile_db_close(&f->db);
	assert_int_equal(unlink(f->path), 0);
	free(f);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static void
execute(struct fixture *f, const char *sql)
{
	struct err err = {0};
	if (runfile_db_exec(&f->db, sql, &err) == -1)
		fail_msg("%s: %s", sql, err.text);
}

/*
 * A run and its tasks: each a letter, its identity, and what became of it: + well, - failed, c
 * cancelled, s skipped. `mode` NULL: it resumes nothing.
 */
static void
add_run(struct fixture *f, int id, const char *mode, const char *tasks)
{
	char sql[1024];
	snprintf(
	    sql, sizeof(sql),
	    "INSERT INTO run (id, name, resumes, resume_mode, verb, words, command,"
	    " command_identity, column_count, cwd, pinion_version, host, kernel, pid,"
	    " umask, nice, limits, worker_count, cpu_count, threads, first_task_id,"
	    " started_ns) VALUES (%d, 'n', %s%d, %s%s%s, 'map', '[]', '[]',"
	    " zeroblob(16), 1, '/', '', '', '', 1, 0, 0, '{}', 1, 1, '[1]', %d, 0)",
	    id, mode == NULL ? "NULL AND " : "", id - 1, mode == NULL ? "" : "'",
	    mode == NULL ? "NULL" : mode, mode == NULL ? "" : "'", (int)f->next_task_id);
	execute(f, sql);
	for (int seq = 0; tasks[0] != '\0'; seq++, tasks += 2) {
		const char *reason = tasks[1] == 'c'   ? "cancelled"
				     : tasks[1] == 's' ? "skipped"
						       : "exit";
		snprintf(sql, sizeof(sql),
			 "INSERT INTO task (id, run_id, seq, identity, reason, exit,"
			 " attempts, stdout_bytes, stderr_bytes, inputs) VALUES"
			 " (%d, %d, %d, CAST('%.15s%c' AS BLOB), '%s', %d, 1, 0, 0,"
			 " '[\"%c\"]')",
			 (int)f->next_task_id++, id, seq, "---------------", tasks[0],
			 reason, tasks[1] != '+', tasks[0]);
		execute(f, sql);
	}
}

static int
tell(void *context, sqlite3_stmt *row, struct err *err)
{
	struct fixture *f = context;
	const char *identity = f->db.sqlite.column_blob(row, PAST_IDENTITY);
	size_t length = strlen(f->told);
	(void)err;
	f->told[length] = identity[15];
	return 0;
}

static int
compare_letters(const void *a, const void *b)
{
	return *(const char *)a - *(const char *)b;
}

static void
find(struct fixture *f)
{
	struct err err = {0};
	past_fini(&f->past);
	assert_int_equal(past_find(&f->db, &f->spec, &f->past, &err), 0);
	memset(f->told, 0, sizeof(f->told));
}

static void
expect_done(struct fixture *f, enum spec_resume resume, const char *letters)
{
	struct err err = {0};
	find(f);
	assert_int_equal(past_each_done(&f->db, &f->past, resume, tell, f, &err), 0);
	qsort(f->told, strlen(f->told), 1, compare_letters);
	assert_string_equal(f->told, letters);
}

static void
expect_failed(struct fixture *f, const char *letters)
{
	struct err err = {0};
	find(f);
	assert_int_equal(past_each_failed(&f->db, &f->past, tell, f, &err), 0);
	qsort(f->told, strlen(f->told), 1, compare_letters);
	assert_string_equal(f->told, letters);
}

static void
empty_file_has_no_past(void **state)
{
	struct fixture *f = *state;
	find(f);
	assert_int_equal(f->past.last_run_id, 0);
	assert_int_equal(f->past.next_task_id, 1);
}

static void
run_that_ended_or_not_is_known(void **state)
{
	struct fixture *f = *state;
	add_run(f, 1, NULL, "a+b-");
	find(f);
	assert_int_equal(f->past.last_run_id, 1);
	assert_int_equal(f->past.first_task_id, 1);
	assert_int_equal(f->past.next_task_id, 3);
}

static void
rest_is_what_has_no_end(void **state)
{
	struct fixture *f = *state;
	add_run(f, 1, NULL, "a+b-cccsd+");
	expect_done(f, SPEC_RESUME_REST, "abd");
	expect_done(f, SPEC_RESUME_FAILED, "ad");
	expect_failed(f, "b");
}

static void
equal_tasks_count_each(void **state)
{
	struct fixture *f = *state;
	add_run(f, 1, NULL, "a+a+a-a-b+");
	expect_done(f, SPEC_RESUME_REST, "aaaab");
	expect_done(f, SPEC_RESUME_FAILED, "aab");
	expect_failed(f, "aa");
}

static void
run_of_its_own_forgets_those_before(void **state)
{
	struct fixture *f = *state;
	add_run(f, 1, NULL, "a+b-");
	add_run(f, 2, NULL, "c+");
	expect_done(f, SPEC_RESUME_REST, "c");
	expect_failed(f, "");
	assert_int_equal(f->past.first_task_id, 3);
}

static void
chain_adds_up(void **state)
{
	struct fixture *f = *state;
	add_run(f, 1, NULL, "x+");
	add_run(f, 2, NULL, "a+b-");
	add_run(f, 3, "rest", "c+d-");
	add_run(f, 4, "rest", "b+"); /* a list that grew by an equal one */
	expect_done(f, SPEC_RESUME_REST, "abbcd");
	expect_done(f, SPEC_RESUME_FAILED, "abc");
	expect_failed(f, "bd");
}

static void
failure_that_was_tried_again_is_replaced(void **state)
{
	struct fixture *f = *state;
	add_run(f, 1, NULL, "a-b-c-");
	add_run(f, 2, "failed", "a+b-");
	expect_failed(f, "bc");
	expect_done(f, SPEC_RESUME_REST, "abc");
	add_run(f, 3, "retry", "b+c-");
	expect_failed(f, "c");
	expect_done(f, SPEC_RESUME_REST, "abc");
	expect_done(f, SPEC_RESUME_FAILED, "ab");
}

static void
equal_failures_are_replaced_one_by_one(void **state)
{
	struct fixture *f = *state;
	add_run(f, 1, NULL, "a-a-a-");
	add_run(f, 2, "retry", "a+a-");
	expect_failed(f, "aa"); /* the third of the first run, and the second try that failed */
	add_run(f, 3, "retry", "a-a+");
	expect_failed(f, "a");
	expect_done(f, SPEC_RESUME_REST, "aaa");
}

static void
try_that_was_cut_short_replaces_nothing(void **state)
{
	struct fixture *f = *state;
	add_run(f, 1, NULL, "a-b-");
	add_run(f, 2, "failed", "acbs");
	expect_failed(f, "ab");
}

static void
each_stage_has_a_past_of_its_own(void **state)
{
	struct fixture *f = *state;
	add_run(f, 1, NULL, "a+b+a-");
	execute(f, "UPDATE task SET stage = id - 1");
	expect_done(f, SPEC_RESUME_REST, "");
	f->spec.stage = "first";
	expect_done(f, SPEC_RESUME_REST, "a");
	f->spec.stage_index = 1;
	expect_done(f, SPEC_RESUME_FAILED, "b");
	f->spec.stage_index = 2;
	expect_done(f, SPEC_RESUME_FAILED, "");
	expect_failed(f, "a");
}

static void
row_without_a_sound_identity_is_an_error(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	add_run(f, 1, NULL, "a-");
	add_run(f, 2, "failed", "a-");
	execute(f, "UPDATE task SET identity = x'00'");
	find(f);
	assert_int_equal(past_each_failed(&f->db, &f->past, tell, f, &err), -1);
	assert_non_null(strstr(err.text, "no sound identity"));
}

static void
run_that_says_it_resumes_itself_or_a_later_one_begins_the_chain(void **state)
{
	struct fixture *f = *state;
	add_run(f, 1, NULL, "a+");
	add_run(f, 2, "rest", "b-");
	execute(f, "UPDATE run SET resumes = 2 WHERE id = 2");
	expect_failed(f, "b");
	expect_done(f, SPEC_RESUME_FAILED, "");
	execute(f, "UPDATE run SET resumes = 1 WHERE id = 2");
	execute(f, "UPDATE run SET resumes = 2 WHERE id = 1");
	expect_done(f, SPEC_RESUME_FAILED, "a");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(empty_file_has_no_past),
	    TEST(run_that_ended_or_not_is_known),
	    TEST(rest_is_what_has_no_end),
	    TEST(equal_tasks_count_each),
	    TEST(run_of_its_own_forgets_those_before),
	    TEST(chain_adds_up),
	    TEST(failure_that_was_tried_again_is_replaced),
	    TEST(equal_failures_are_replaced_one_by_one),
	    TEST(try_that_was_cut_short_replaces_nothing),
	    TEST(each_stage_has_a_past_of_its_own),
	    TEST(run_that_says_it_resumes_itself_or_a_later_one_begins_the_chain),
	    TEST(row_without_a_sound_identity_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
