/* The link between two stages: what becomes a task of the next, in which order, and how much. */
#include "fake_source.h"

#include "child.h"

#include "input/link.h"
#include "task/override.h"
#include "task/spec.h"

struct fixture {
	struct spec from;
	struct spec to;
	struct fake_source inputs;
	struct plan *plan;
	struct link *link;
	struct task *task; /* scratch */
	struct err err;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	limit_time(state);
	spec_init(&f->from, SPEC_MAP);
	spec_init(&f->to, SPEC_MAP);
	f->from.stage = "one";
	f->to.stage_index = 1;
	f->to.hidden_count = 1;
	fake_source_init(&f->inputs, "");
	f->plan = plan_new(&f->from, &f->inputs.source, &f->err);
	assert_non_null(f->plan);
	const struct buf nothing = {0};
	f->task = task_new(0, 1, 0, &nothing);
	assert_non_null(f->task);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	link_free(f->link);
	plan_free(f->plan);
	free(f->task);
	spec_fini(&f->from);
	spec_fini(&f->to);
	free(f);
	return lift_limit(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static void
make_link(struct fixture *f, uint64_t buffer_bytes)
{
	const struct link_config config = {
	    .from = &f->from, .to = &f->to, .plan = f->plan, .buffer_bytes = buffer_bytes};
	f->link = link_new(&config, &f->err);
	assert_non_null(f->link);
}

static struct task *
task_of(struct fixture *f, uint64_t seq)
{
	f->task->seq = seq;
	return f->task;
}

static void
prints(struct fixture *f, uint64_t seq, const char *text)
{
	struct sink *sink = link_sink(f->link);
	assert_int_equal(sink->ops->output(sink, task_of(f, seq), RESULT_STDOUT, text,
					   strlen(text), &f->err),
			 0);
}

static void
ends(struct fixture *f, uint64_t seq, int exit_status)
{
	struct sink *sink = link_sink(f->link);
	const struct result result = {.reason = RESULT_EXIT, .exit_status = exit_status};
	assert_int_equal(sink->ops->settled(sink, task_of(f, seq), &result, &f->err), 0);
}

/* The tasks there are now, as "SEQ<FROM:VALUE " each; chunks have '+' between theirs. */
static void
assert_tasks(struct fixture *f, uint32_t count_max, const char *expected)
{
	struct source *source = link_source(f->link);
	struct arg *args = NULL;
	size_t capacity = 0;
	struct task *task;
	struct buf text = {0};
	enum source_status status;
	while ((status = source_next(source, count_max, &task, &f->err)) == SOURCE_TASK) {
		const char *at = task_bytes(task);
		size_t left = task->packed_bytes;
		for (uint32_t i = 0; i < task->count; i++) {
			struct arg from;
			uint64_t seq;
			assert_int_equal(task_unpack_next(&at, &left, task->arg_count,
							  &args, &capacity),
					 0);
			assert_true(override_find(&args[0], OVERRIDE_FROM, &from));
			assert_int_equal(from.length, sizeof(seq));
			memcpy(&seq, from.bytes, sizeof(seq));
			assert_int_equal(buf_printf(&text, "%s%d<%d:%.*s", i > 0 ? "+" : "",
						    (int)(task->seq + i), (int)seq,
						    (int)args[1].length, args[1].bytes),
					 0);
		}
		assert_int_equal(buf_append_char(&text, ' '), 0);
		free(task);
	}
	assert_int_equal(status, SOURCE_WAIT);
	assert_string_equal(text.length > 0 ? buf_str(&text) : "", expected);
	buf_fini(&text);
	free(args);
}

static void
nothing_goes_on_before_its_task_has_succeeded(void **state)
{
	struct fixture *f = *state;
	make_link(f, 1 << 20);
	prints(f, 0, "a\nb");
	assert_tasks(f, 1, "");
	prints(f, 0, "c\n");
	ends(f, 0, 0);
	assert_tasks(f, 1, "0<0:a 1<0:bc ");
}

static void
a_failure_passes_nothing_on_and_stands_in_nobodys_way(void **state)
{
	struct fixture *f = *state;
	make_link(f, 1 << 20);
	prints(f, 1, "b\n");
	ends(f, 1, 0);
	prints(f, 0, "a\n");
	assert_tasks(f, 1, "");
	ends(f, 0, 1);
	assert_tasks(f, 1, "0<1:b ");
}

static void
in_order_the_first_goes_first(void **state)
{
	struct fixture *f = *state;
	make_link(f, 1 << 20);
	prints(f, 2, "c\n");
	ends(f, 2, 0);
	ends(f, 1, 0); /* prints nothing */
	prints(f, 0, "a\n");
	ends(f, 0, 0);
	assert_tasks(f, 1, "0<0:a 1<2:c ");
}

static void
unordered_whoever_is_done_goes_first(void **state)
{
	struct fixture *f = *state;
	f->from.is_ordered = false;
	make_link(f, 1 << 20);
	prints(f, 0, "a\n");
	prints(f, 2, "c\n");
	ends(f, 2, 0);
	assert_tasks(f, 1, "0<2:c ");
	ends(f, 0, 0);
	assert_tasks(f, 1, "1<0:a ");
	assert_int_equal(link_sink(f->link)->ops->window_end(link_sink(f->link)),
			 UINT64_MAX);
}

static void
a_retried_attempt_is_forgotten(void **state)
{
	struct fixture *f = *state;
	struct sink *sink;
	make_link(f, 1 << 20);
	sink = link_sink(f->link);
	prints(f, 0, "half");
	assert_int_equal(sink->ops->retried(sink, task_of(f, 0), NULL, &f->err), 0);
	prints(f, 0, "whole\n");
	ends(f, 0, 0);
	assert_tasks(f, 1, "0<0:whole ");
}

static void
tasks_done_before_count_for_the_order(void **state)
{
	struct fixture *f = *state;
	struct sink *sink;
	make_link(f, 1 << 20);
	sink = link_sink(f->link);
	prints(f, 3, "d\n");
	ends(f, 3, 0);
	f->task->count = 2;
	assert_int_equal(sink->ops->passed(sink, task_of(f, 1), &f->err), 0);
	f->task->count = 1;
	assert_tasks(f, 1, "");
	ends(f, 0, 0);
	assert_tasks(f, 1, "0<3:d ");
}

static void
several_at_once_make_a_chunk(void **state)
{
	struct fixture *f = *state;
	make_link(f, 1 << 20);
	prints(f, 0, "a\nb\n");
	ends(f, 0, 0);
	prints(f, 1, "\nd\n");
	ends(f, 1, 0);
	assert_tasks(f, 3, "0<0:a+1<0:b+2<1: 3<1:d ");
}

static void
whole_outputs_lose_their_last_newline_only(void **state)
{
	struct fixture *f = *state;
	f->from.pass = SPEC_PASS_OUTPUT;
	make_link(f, 1 << 20);
	prints(f, 0, "a\nb\n\n");
	ends(f, 0, 0);
	ends(f, 1, 0);
	prints(f, 2, "c");
	ends(f, 2, 0);
	assert_tasks(f, 1, "0<0:a\nb\n 1<1: 2<2:c ");
}

static void
the_sink_is_behind_while_a_window_of_lines_waits(void **state)
{
	struct fixture *f = *state;
	struct sink *sink;
	struct task *task;
	f->to.window = 2;
	make_link(f, 1 << 20);
	sink = link_sink(f->link);
	prints(f, 0, "a\nb\n");
	assert_false(sink->ops->is_behind(sink));
	ends(f, 0, 0);
	assert_true(sink->ops->is_behind(sink));
	assert_int_equal(source_next(link_source(f->link), 1, &task, &f->err), SOURCE_TASK);
	free(task);
	assert_false(sink->ops->is_behind(sink));
}

static void
outputs_that_wait_their_turn_are_bounded_by_the_window(void **state)
{
	struct fixture *f = *state;
	struct sink *sink;
	f->from.window = 5;
	make_link(f, 1 << 20);
	sink = link_sink(f->link);
	assert_int_equal(sink->ops->window_end(sink), 5);
	ends(f, 0, 0);
	ends(f, 2, 0);
	assert_int_equal(sink->ops->window_end(sink), 6);
	ends(f, 1, 1);
	assert_int_equal(sink->ops->window_end(sink), 8);
}

static void
lines_come_out_of_a_file_whole(void **state)
{
	struct fixture *f = *state;
	struct source *source;
	struct task *task;
	static char line[300001];
	make_link(f, 1000); /* all but the first bytes goes to the disk */
	memset(line, 'x', sizeof(line) - 1);
	for (int i = 0; i < 3; i++) {
		prints(f, 0, line);
		prints(f, 0, "\n");
	}
	ends(f, 0, 0);
	assert_true(link_sink(f->link)->ops->is_behind(link_sink(f->link)));
	source = link_source(f->link);
	for (int i = 0; i < 3; i++) {
		struct arg *args = NULL;
		size_t capacity = 0;
		assert_int_equal(source_next(source, 1, &task, &f->err), SOURCE_TASK);
		assert_int_equal(task_unpack(task_bytes(task), task->packed_bytes,
					     task->arg_count, &args, &capacity),
				 0);
		assert_int_equal(args[1].length, sizeof(line) - 1);
		assert_memory_equal(args[1].bytes, line, sizeof(line) - 1);
		free(args);
		free(task);
	}
	assert_false(link_sink(f->link)->ops->is_behind(link_sink(f->link)));
}

static void
the_source_ends_with_the_stage_before(void **state)
{
	struct fixture *f = *state;
	struct task *task;
	make_link(f, 1 << 20);
	prints(f, 0, "a\n");
	ends(f, 0, 0);
	assert_int_equal(plan_next(f->plan, UINT64_MAX, 1, 0, &task, &f->err), PLAN_END);
	assert_true(plan_is_finished(f->plan));
	assert_int_equal(source_next(link_source(f->link), 1, &task, &f->err), SOURCE_TASK);
	free(task);
	assert_int_equal(source_next(link_source(f->link), 1, &task, &f->err), SOURCE_END);
}

static void
what_is_no_object_is_no_task_and_is_counted(void **state)
{
	struct fixture *f = *state;
	const struct err *first;
	f->from.pass = SPEC_PASS_JSON;
	f->to.takes_objects = true;
	make_link(f, 1 << 20);
	prints(f, 0, "[1]\n{\"a\": 1}\n{");
	ends(f, 0, 0);
	assert_tasks(f, 9, "0<0:{\"a\": 1} ");
	assert_int_equal(link_refused(f->link, &first), 2);
	assert_string_equal(first->text,
			    "task 1: its output:1:1: expected an object, found an array");
}

static void
where_failures_end_the_job_what_is_no_object_does_after_what_came_before(void **state)
{
	struct fixture *f = *state;
	struct task *task;
	f->from.halt = (struct spec_halt){SPEC_HALT_SOON, SPEC_HALT_FAIL, false, 1};
	f->from.pass = SPEC_PASS_JSON;
	f->to.takes_objects = true;
	make_link(f, 1 << 20);
	prints(f, 0, "{\"a\": 1}\n\noops\n");
	ends(f, 0, 0);
	assert_int_equal(source_next(link_source(f->link), 9, &task, &f->err), SOURCE_TASK);
	assert_int_equal(task->count, 1);
	free(task);
	assert_int_equal(source_next(link_source(f->link), 9, &task, &f->err),
			 SOURCE_ERROR);
	assert_non_null(strstr(f->err.text, "stage one: task 1: its output:3:1: "));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(nothing_goes_on_before_its_task_has_succeeded),
	    TEST(a_failure_passes_nothing_on_and_stands_in_nobodys_way),
	    TEST(in_order_the_first_goes_first),
	    TEST(unordered_whoever_is_done_goes_first),
	    TEST(a_retried_attempt_is_forgotten),
	    TEST(tasks_done_before_count_for_the_order),
	    TEST(several_at_once_make_a_chunk),
	    TEST(whole_outputs_lose_their_last_newline_only),
	    TEST(the_sink_is_behind_while_a_window_of_lines_waits),
	    TEST(outputs_that_wait_their_turn_are_bounded_by_the_window),
	    TEST(lines_come_out_of_a_file_whole),
	    TEST(the_source_ends_with_the_stage_before),
	    TEST(what_is_no_object_is_no_task_and_is_counted),
	    TEST(where_failures_end_the_job_what_is_no_object_does_after_what_came_before),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
