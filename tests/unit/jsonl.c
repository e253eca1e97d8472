/* JSON lines as tasks: values, members that templates name, overrides, and refusals. */
#include "inputs.h"

#include "base/clock.h"
#include "input/members.h"
#include "task/override.h"

/* A job of these words over such lines. */
static void
job_init_lines(struct job *job, const char *const *words, const char *text)
{
	struct err err = {0};
	int fd = io_memfd("input", 0);
	job_init(job, SPEC_MAP);
	job_set_words(job, words);
	assert_int_not_equal(fd, -1);
	assert_int_equal(io_write_all(fd, text, strlen(text)), 0);
	const struct spec_input input = {.kind = SPEC_INPUT_JSONL,
					 .path = job_add_fd(job, fd)};
	assert_int_equal(spec_add_input(&job->spec, &input), 0);
	assert_int_equal(members_settle(&job->spec, &err), 0);
}

/* The commands, each with a newline behind it. */
static void
assert_commands(const char *const *words, const char *text, const char *expected)
{
	struct job job;
	struct task *task;
	struct arg *args = NULL;
	size_t capacity = 0;
	struct buf line = {0};
	struct err err = {0};
	job_init_lines(&job, words, text);
	job_open(&job, 1);
	enum source_status status;
	while ((status = source_next(args_source(job.args), 1, &task, &err)) ==
	       SOURCE_TASK) {
		assert_int_equal(task_unpack(task_bytes(task), task->packed_bytes,
					     task->arg_count, &args, &capacity),
				 0);
		const struct template_values values = {
		    .args = args, .arg_count = task->arg_count, .seq = task->seq};
		assert_int_equal(template_append_line(job.template, &values, &line, NULL),
				 0);
		assert_int_equal(buf_append_char(&line, '\n'), 0);
		free(task);
	}
	assert_string_equal(err.text, "");
	assert_int_equal(status, SOURCE_END);
	assert_string_equal(buf_str(&line), expected);
	free(args);
	buf_fini(&line);
	job_fini(&job);
}

static void
refuse(const char *const *words, const char *text, const char *expected)
{
	struct job job;
	struct task *task;
	struct err err = {0};
	job_init_lines(&job, words, text);
	job_open(&job, 1);
	assert_int_equal(source_next(args_source(job.args), 1, &task, &err), SOURCE_ERROR);
	assert_int_equal(err.kind, ERR_USAGE);
	const char *behind_name = strchr(err.text, ':');
	assert_non_null(behind_name);
	assert_string_equal(behind_name, expected);
	job_fini(&job);
}

static void
members_are_named_by_their_keys(void **state)
{
	(void)state;
	assert_commands(VALUES("echo", "{name}", "{n}-{name.}"),
			"{\"name\": \"a b.c\", \"n\": 1.50, \"more\": 1}\n"
			"{\"n\": true, \"name\": \"x\"}\n",
			"echo 'a b.c' '1.50-a b'\necho x true-x\n");
	assert_commands(VALUES("echo {a} {b}"),
			"{\"a\": null, \"b\": [1, {\"c\": \"d\"}]}\n",
			"echo '' '[1, {\"c\": \"d\"}]'\n");
}

static void
values_are_args_or_else_the_line(void **state)
{
	(void)state;
	assert_commands(VALUES("echo", "{2}", "{1}"), "{\"args\": [\"a\", 2]}\n",
			"echo 2 a\n");
	assert_commands(VALUES("echo", "{}"), " {\"a\": 1} \r\n", "echo ' {\"a\": 1} '\n");
	assert_commands(VALUES("echo", "{k}", "{}"),
			"{\"args\": [\"a\", \"b\"], \"k\": \"v\"}\n", "echo v a b\n");
	assert_commands(VALUES("echo"), "{\"args\": []}\n{\"args\": [\"x\"]}\n",
			"echo \necho x\n");
}

static void
what_can_be_no_name_is_plain_text(void **state)
{
	(void)state;
	assert_commands(VALUES("awk '{ print }' ${HOME} {1..3} {a,b} {k}"),
			"{\"k\": \"v\"}\n", "awk '{ print }' ${HOME} {1..3} {a,b} v\n");
}

static void
assert_members(struct job *job, const char *joined)
{
	struct err err = {0};
	assert_int_equal(members_settle(&job->spec, &err), 0);
	for (size_t i = 0; i < job->spec.member_count; i++) {
		assert_int_equal(buf_append(&job->text, job->spec.members[i].bytes,
					    job->spec.members[i].length),
				 0);
		assert_int_equal(buf_append_char(&job->text, '|'), 0);
	}
	assert_string_equal(job_text(job), joined);
	job_fini(job);
}

static void
what_options_name_is_no_member(void **state)
{
	(void)state;
	struct spec_rpl rpl = {.name = "{mine}", .edit = "s/a/b/"};
	struct job job;
	job_init_lines(&job, NO_VALUES, "");
	job_set_words(&job,
		      VALUES("x {slot} {mine} {mines} {out} {out2} {outer} {k:-y}"));
	assert_members(&job, "slot|mine|mines|out|out2|outer|");
	job_init_lines(&job, NO_VALUES, "");
	job_set_words(&job,
		      VALUES("x {slot} {mine} {mines} {out} {out2} {outer} {k:-y}"));
	job.spec.has_plus = true;
	job.spec.rpls = &rpl;
	job.spec.rpl_count = 1;
	assert_int_equal(spec_add_output(&job.spec, "made"), 0);
	assert_members(&job, "mines|outer|k|");
}

static void
an_object_without_a_named_member_is_refused_with_its_line(void **state)
{
	(void)state;
	refuse(VALUES("echo", "{name}"), "\n{\"nam\": 1}\n",
	       ":2:1: there is no name, which the command names as {name}; write { name "
	       "} if it "
	       "is no name");
	refuse(VALUES("echo"), "[1]\n", ":1:1: expected an object, found an array");
	refuse(VALUES("echo"), "{\"a\": 1\n",
	       ":1:8: expected a comma or }, but here is the end");
	refuse(VALUES("echo"), "{\"args\": 1}\n",
	       ":1:10: args: expected an array, found a number");
	refuse(
	    VALUES("echo"), "{\"timeout\": \"soon\"}\n",
	    ":1:13: timeout: expected a number of seconds, or a string like \"1h30m\"");
	refuse(VALUES("echo"), "{\"env\": [1]}\n",
	       ":1:9: env: expected an object of variables, found an array");
	refuse(VALUES("echo"), "{\"env\": {\"A\": true}}\n",
	       ":1:15: env.A: expected a string or a number, found true");
	refuse(VALUES("echo"), "{\"env\": {\"A=B\": \"\"}}\n",
	       ":1:10: env.A=B: no name of a variable");
	refuse(VALUES("echo"), "{\"stdin\": {\"text\": \"a\", \"file\": \"b\"}}\n",
	       ":1:11: stdin: expected the name of a file, or {\"text\": \"...\"}");
}

static void
overrides_travel_as_the_first_hidden_value(void **state)
{
	(void)state;
	struct job job;
	struct task *task;
	struct arg value;
	int64_t timeout_ns;
	job_init_lines(
	    &job, VALUES("echo", "{k}"),
	    "{\"k\": 1, \"id\": \"x\", \"timeout\": 2.5, \"cwd\": \"/d\", \"env\": "
	    "{\"A\": \"b\", \"C\": 3}, \"stdin\": {\"text\": \"t\"}}\n{\"k\": 2}\n");
	assert_int_equal(job.spec.hidden_count, 2);
	job_open(&job, 1);
	assert_int_equal(source_next(args_source(job.args), 2, &task, NULL), SOURCE_TASK);
	assert_int_equal(task->count, 2);
	struct arg overrides = override_of_task(&job.spec, task);
	assert_true(override_find(&overrides, OVERRIDE_TIMEOUT, &value));
	memcpy(&timeout_ns, value.bytes, sizeof(timeout_ns));
	assert_int_equal(timeout_ns, 5 * NS_PER_S / 2);
	assert_true(override_find(&overrides, OVERRIDE_CWD, &value));
	assert_string_equal(value.bytes, "/d");
	assert_true(override_find(&overrides, OVERRIDE_ID, &value));
	assert_string_equal(value.bytes, "x");
	assert_true(override_find(&overrides, OVERRIDE_STDIN_TEXT, &value));
	assert_false(override_find(&overrides, OVERRIDE_STDIN_FILE, &value));
	enum override_kind kind;
	struct buf variables = {0};
	for (struct arg at = overrides; override_next(&at, &kind, &value);)
		if (kind == OVERRIDE_ENV)
			assert_int_equal(buf_printf(&variables, "%s;", value.bytes), 0);
	assert_string_equal(buf_str(&variables), "A=b;C=3;");
	buf_fini(&variables);
	task_drop(task, 1);
	overrides = override_of_task(&job.spec, task);
	assert_int_equal(overrides.length, 0);
	assert_false(override_find(&overrides, OVERRIDE_CWD, &value));
	free(task);
	job_fini(&job);
}

static void
what_makes_other_values_does_not_go_with_objects(void **state)
{
	(void)state;
	struct job job;
	struct err err = {0};
	job_init_lines(&job, VALUES("echo"), "");
	job_add_values(&job, false, VALUES("a"));
	assert_int_equal(members_settle(&job.spec, &err), -1);
	assert_non_null(strstr(err.text, "other inputs"));
	job.spec.input_count = 1;
	job.spec.colsep = ",";
	assert_int_equal(members_settle(&job.spec, &err), -1);
	assert_non_null(strstr(err.text, "columns"));
	job.spec.colsep = NULL;
	job.spec.group = SPEC_GROUP_COUNT;
	assert_int_equal(members_settle(&job.spec, &err), -1);
	assert_non_null(strstr(err.text, "several inputs to a task"));
	job_fini(&job);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(members_are_named_by_their_keys),
	    cmocka_unit_test(values_are_args_or_else_the_line),
	    cmocka_unit_test(what_can_be_no_name_is_plain_text),
	    cmocka_unit_test(what_options_name_is_no_member),
	    cmocka_unit_test(an_object_without_a_named_member_is_refused_with_its_line),
	    cmocka_unit_test(overrides_travel_as_the_first_hidden_value),
	    cmocka_unit_test(what_makes_other_values_does_not_go_with_objects),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
