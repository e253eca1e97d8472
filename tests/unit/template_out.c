/* {out}: the outputs of a task, by their own names and by those its command is given. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "task/template.h"

struct job {
	struct spec spec;
	struct template *template;
	struct arg args[4];
	struct template_values values;
};

/* Lists end with a NULL. */
static void
job_init(struct job *job, enum spec_dialect dialect, const char *const *outputs,
	 const char *const *words)
{
	*job = (struct job){0};
	spec_init(&job->spec, dialect);
	for (; *outputs != NULL; outputs++)
		assert_int_equal(spec_add_output(&job->spec, *outputs), 0);
	job->spec.words = (char **)(uintptr_t)words;
	while (words[job->spec.word_count] != NULL)
		job->spec.word_count++;
}

static void
job_set_values(struct job *job, const char *const *values)
{
	job->values = (struct template_values){.seq = 6, .slot = 2, .args = job->args};
	for (; values[job->values.arg_count] != NULL; job->values.arg_count++) {
		const char *value = values[job->values.arg_count];
		job->args[job->values.arg_count] = (struct arg){value, strlen(value)};
	}
}

static void
job_fini(struct job *job)
{
	template_free(job->template);
	spec_fini(&job->spec);
}

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

static void
assert_refused(const char *const *outputs, const char *const *words, const char *text)
{
	struct job job;
	struct err err = {0};
	job_init(&job, SPEC_MAP, outputs, words);
	job.template = template_new(&job.spec, NULL, 0, &err);
	assert_null(job.template);
	assert_int_equal(err.kind, ERR_USAGE);
	assert_string_equal(err.text, text);
	job_fini(&job);
}

/* `line` with the outputs' own names; then the words, each in brackets, with those in `outs`. */
static void
assert_expanded(const char *const *outputs, const char *const *words,
		const char *const *values, const char *const *outs, const char *line,
		const char *expected)
{
	struct job job;
	struct err err = {0};
	struct buf text = {0};
	struct command command = {0};
	struct arg out_args[4] = {{0}};
	job_init(&job, SPEC_MAP, outputs, words);
	job_set_values(&job, values);
	job.template = template_new(&job.spec, NULL, 0, &err);
	assert_string_equal(err.text, "");
	assert_int_equal(template_append_line(job.template, &job.values, &text, &err), 0);
	assert_string_equal(buf_str(&text), line);
	buf_clear(&text);
	for (size_t i = 0; outs[i] != NULL; i++)
		out_args[i] = (struct arg){outs[i], strlen(outs[i])};
	job.values.outs = out_args;
	assert_int_equal(template_expand(job.template, &job.values, &command, &err), 0);
	for (size_t i = 0; i < command.argc; i++)
		assert_int_equal(buf_printf(&text, "[%s]", command.argv[i]), 0);
	assert_string_equal(buf_str(&text), expected);
	buf_fini(&text);
	command_fini(&command);
	job_fini(&job);
}

static void
out_is_a_word_as_it_is(void **state)
{
	(void)state;
	assert_expanded(LIST("o/{/.} x"), LIST("cp", "{}", "{out}"), LIST("d/a b.c"),
			LIST("$(t)/'"), "cp 'd/a b.c' 'o/a b x'", "[cp][d/a b.c][$(t)/']");
	assert_expanded(LIST("{}.o"), LIST("cc", "-o{out}", "{}"), LIST("a.c"), LIST("T"),
			"cc -oa.c.o a.c", "[cc][-oT][a.c]");
}

static void
out_is_quoted_for_a_shell(void **state)
{
	(void)state;
	assert_expanded(LIST("{}.o"), LIST("tr a b <{} >{out}"), LIST("it's"),
			LIST("t t"), "tr a b <'it'\\''s' >'it'\\''s.o'",
			"[/bin/sh][-c][tr a b <'it'\\''s' >'t t']");
}

static void
line_that_needs_no_shell_goes_without(void **state)
{
	(void)state;
	assert_expanded(LIST("{}.o"), LIST("cp {} {out}"), LIST("a b"), LIST("t t"),
			"cp 'a b' 'a b.o'", "[cp][a b][t t]");
}

static void
several_outputs_have_numbers(void **state)
{
	(void)state;
	assert_expanded(LIST("{.}.a", "{#}-{%}"),
			LIST("x", "{out2}", "{out1}", "{out}", "{}"), LIST("f.c"),
			LIST("A", "B"), "x 7-2 f.a f.a f.c", "[x][B][A][A][f.c]");
}

static void
out_is_not_the_input(void **state)
{
	(void)state;
	assert_expanded(LIST("{}.o"), LIST("sort", "-o", "{out}"), LIST("a"), LIST("T"),
			"sort -o a.o a", "[sort][-o][T][a]");
	assert_expanded(LIST("{}.o"), LIST("sort -o {out}"), LIST("a"), LIST("T"),
			"sort -o a.o a", "[sort][-o][T][a]");
}

static void
without_outputs_out_is_plain_text(void **state)
{
	(void)state;
	assert_expanded((const char *const[]){NULL}, LIST("echo", "{out}", "{}"), LIST("a"),
			(const char *const[]){NULL}, "echo '{out}' a", "[echo][{out}][a]");
}

static void
what_cannot_be_an_output_stays_text(void **state)
{
	(void)state;
	assert_expanded(LIST("{}.o"), LIST("x", "{out}", "{out", "{outx}", "{out-1}", "{}"),
			LIST("a"), LIST("T"), "x a.o '{out' '{outx}' '{out-1}' a",
			"[x][T][{out][{outx}][{out-1}][a]");
}

static void
outputs_that_are_not_written_are_refused(void **state)
{
	(void)state;
	assert_refused(LIST("a"), LIST("cp", "{}", "b"),
		       "--output: the command has no {out} to write to");
	assert_refused(LIST("a", "b"), LIST("cp {} {out}; :"),
		       "--output: the command has no {out2} to write to");
	assert_refused(LIST("a"), LIST("cp", "{}", "{out2}"),
		       "{out2}: there is no such output, only 1 --output");
	assert_refused(LIST("a"), LIST("cp", "{}", "{out0}"),
		       "{out0}: there is no such output, only 1 --output");
	assert_refused(LIST("a"), (const char *const[]){NULL},
		       "--output: the command has no {out} to write to");
}

static void
column_of_that_name_comes_first(void **state)
{
	static const struct arg name = {"out", 3};
	struct job job;
	struct err err = {0};
	struct buf text = {0};
	(void)state;
	job_init(&job, SPEC_MAP, LIST("{out}.o"), LIST("x", "{out}", "{out1}"));
	job_set_values(&job, LIST("a"));
	job.template = template_new(&job.spec, &name, 1, &err);
	assert_string_equal(err.text, "");
	assert_int_equal(template_append_line(job.template, &job.values, &text, &err), 0);
	assert_string_equal(buf_str(&text), "x a a.o");
	buf_fini(&text);
	job_fini(&job);
}

static void
name_of_an_output_is_made_of_all_values_once(void **state)
{
	struct job job;
	struct err err = {0};
	struct buf name = {0};
	(void)state;
	job_init(&job, SPEC_MAP, LIST("{#}.tar", "{1}-{2.}"),
		 LIST("tar", "{out}", "{out2}", "{}"));
	job.spec.group = SPEC_GROUP_FILL_CONTEXT;
	job_set_values(&job, LIST("a", "b.c"));
	job.template = template_new(&job.spec, NULL, 0, &err);
	assert_string_equal(err.text, "");
	assert_int_equal(template_output_count(job.template), 2);
	assert_int_equal(template_append_output(job.template, 0, &job.values, &name, &err),
			 0);
	assert_string_equal(buf_str(&name), "7.tar");
	assert_true(template_base_length(job.template) > 2 * name.length);
	buf_fini(&name);
	job_fini(&job);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(out_is_a_word_as_it_is),
	    cmocka_unit_test(out_is_quoted_for_a_shell),
	    cmocka_unit_test(line_that_needs_no_shell_goes_without),
	    cmocka_unit_test(several_outputs_have_numbers),
	    cmocka_unit_test(out_is_not_the_input),
	    cmocka_unit_test(without_outputs_out_is_plain_text),
	    cmocka_unit_test(what_cannot_be_an_output_stays_text),
	    cmocka_unit_test(outputs_that_are_not_written_are_refused),
	    cmocka_unit_test(column_of_that_name_comes_first),
	    cmocka_unit_test(name_of_an_output_is_made_of_all_values_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
