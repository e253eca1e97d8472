/* From a command and its values to what is executed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "task/template.h"

#define WORDS(...) ((char *[]){__VA_ARGS__, NULL})
#define VALUES(...) ((const char *[]){__VA_ARGS__, NULL})
#define NO_WORDS ((char *[]){NULL})
#define NO_VALUES ((const char *[]){NULL})

/* Word by word, as string literals are not `char *` under -Wwrite-strings. */
#define W(text) ((char[]){text})

enum way { EXPAND, EXPAND_SHELL, APPEND_LINE };

static const struct spec in_map = {.dialect = SPEC_MAP, .shell = "/bin/sh"};
static const struct spec in_parallel = {.dialect = SPEC_PARALLEL, .shell = "/bin/sh"};

static struct spec
spec_with_words(const struct spec *base, char **words)
{
	struct spec spec = *base;
	spec.words = words;
	for (spec.word_count = 0; words[spec.word_count] != NULL;)
		spec.word_count++;
	return spec;
}

static struct template *
new_template(const struct spec *spec)
{
	struct err err = {0};
	struct template *template = template_new(spec, NULL, 0, &err);
	if (template == NULL)
		fail_msg("%s", err.text);
	return template;
}

static size_t
borrow_values(const char *const *strings, struct arg *args)
{
	size_t count = 0;
	for (; strings[count] != NULL; count++)
		args[count] = (struct arg){strings[count], strlen(strings[count])};
	return count;
}

/* [a][b] behind its marks: S goes to a shell, P is a split line, N has a NUL byte. */
static void
show_command(const struct command *command, struct buf *shown)
{
	assert_int_equal(buf_printf(shown, "%s%s%s", command->is_shell ? "S" : "",
				    command->is_split ? "P" : "",
				    command->has_nul ? "N" : ""),
			 0);
	for (size_t i = 0; i < command->argc; i++)
		assert_int_equal(buf_printf(shown, "[%s]", command->argv[i]), 0);
	assert_null(command->argv[command->argc]);
}

static void
assert_lengths(const struct template *template, const struct template_values *values,
	       const struct command *command)
{
	size_t length = 0;
	size_t sum = template_base_length(template);
	for (size_t i = 0; i < command->argc; i++)
		length += strlen(command->argv[i]) + 1;
	assert_int_equal(template_length(template, values), length);
	for (size_t i = 0; i < values->arg_count; i++)
		sum += template_value_length(template, &values->args[i]);
	if (values->arg_count > 0)
		assert_true(sum >= length);
}

static void
show(const struct template *template, const struct template_values *values, enum way way,
     struct buf *shown)
{
	struct err err = {0};
	struct command command = {0};

	if (way == APPEND_LINE) {
		assert_int_equal(template_append_line(template, values, shown, &err), 0);
	} else if (way == EXPAND_SHELL) {
		assert_int_equal(template_expand_shell(template, values, &command, &err),
				 0);
		show_command(&command, shown);
	} else {
		assert_int_equal(template_expand(template, values, &command, &err), 0);
		show_command(&command, shown);
		assert_lengths(template, values, &command);
	}
	command_fini(&command);
	assert_non_null(buf_str(shown));
}

static void
assert_way(enum way way, const struct spec *base, char **words,
	   const char *const *strings, const char *expected)
{
	struct spec spec = spec_with_words(base, words);
	struct template *template = new_template(&spec);
	struct buf shown = {0};
	struct arg args[16];
	struct template_values values = {.seq = 41, .slot = 3, .args = args};
	values.arg_count = borrow_values(strings, args);
	show(template, &values, way, &shown);
	assert_string_equal(shown.bytes, expected);
	buf_fini(&shown);
	template_free(template);
}

static void
assert_expanded(const struct spec *base, char **words, const char *const *strings,
		const char *expected)
{
	assert_way(EXPAND, base, words, strings, expected);
}

static void
map_words_are_an_argv_with_values_as_they_are(void **state)
{
	(void)state;
	assert_expanded(&in_map, WORDS(W("echo"), W("{}")), VALUES("a b"), "[echo][a b]");
	assert_expanded(&in_map, WORDS(W("echo"), W("x{.}y{/}")), VALUES("$(x)/'.c"),
			"[echo][x$(x)/'y'.c]");
	assert_expanded(&in_map, WORDS(W("echo"), W("*"), W("a b"), W(""), W("{}")),
			VALUES("-n\n\xff"), "[echo][*][a b][][-n\n\xff]");
	assert_expanded(&in_map, WORDS(W("echo"), W("{#}-{%}")), VALUES("a"),
			"[echo][42-3]");
}

static void
command_without_values_gets_them_at_its_end(void **state)
{
	(void)state;
	assert_expanded(&in_map, WORDS(W("echo"), W("x")), VALUES("a b"), "[echo][x][a b]");
	assert_expanded(&in_parallel, WORDS(W("ls"), W("x")), VALUES("a b"),
			"P[ls][x][a b]");
	assert_expanded(&in_map, WORDS(W("ls {foo}")), VALUES("a"),
			"S[/bin/sh][-c][ls {foo} a]");
	assert_expanded(&in_map, WORDS(W("ls"), W("{#}")), VALUES("a"), "[ls][42]");
	assert_expanded(&in_map, WORDS(W("ls"), W("{1}")), VALUES("a"), "[ls][a]");
}

static void
renamed_value_is_appended_under_no_name(void **state)
{
	(void)state;
	struct spec_rpl rpl = {",,", "{}"};
	struct spec spec = in_map;
	spec.rpls = &rpl;
	spec.rpl_count = 1;
	assert_expanded(&spec, WORDS(W("ls"), W("{}")), VALUES("a"), "[ls][{}][a]");
	assert_expanded(&spec, WORDS(W("ls"), W(",,{}")), VALUES("a"), "[ls][a{}]");
}

static void
several_values_are_several_words(void **state)
{
	(void)state;
	assert_expanded(&in_map, WORDS(W("e"), W("{}")), VALUES("a b", "c"), "[e][a b][c]");
	assert_expanded(&in_map, WORDS(W("e"), W("x{}y")), VALUES("a", "b", "c"),
			"[e][xa][b][cy]");
	assert_expanded(&in_map, WORDS(W("e"), W("{}-{.}")), VALUES("a.1", "b.2"),
			"[e][a.1][b.2-a][b]");
	assert_expanded(&in_map, WORDS(W("e {};")), VALUES("a b", "c"),
			"S[/bin/sh][-c][e 'a b' c;]");
}

static void
repeated_context_makes_a_word_for_each_value(void **state)
{
	(void)state;
	struct spec spec = in_map;
	spec.group = SPEC_GROUP_FILL_CONTEXT;
	assert_expanded(&spec, WORDS(W("e"), W("x{}y"), W("z")), VALUES("a", "b c"),
			"[e][xay][xb cy][z]");
	assert_expanded(&spec, WORDS(W("e"), W("{1}-{}"), W("{#}")), VALUES("a", "b"),
			"[e][a-a][a-b][42]");
	assert_expanded(&spec, WORDS(W("e x{}y;z")), VALUES("a", "b c"),
			"S[/bin/sh][-c][e xay;z x'b c'y;z]");
	assert_expanded(&spec, WORDS(W("e x{}y")), VALUES("a", "b c"), "P[e][xay][xb cy]");
	spec.group = SPEC_GROUP_COUNT;
	assert_expanded(&spec, WORDS(W("e"), W("x{}y")), VALUES("a", "b"), "[e][xa][by]");
	spec.repeats_context = true;
	assert_expanded(&spec, WORDS(W("e"), W("x{}y")), VALUES("a", "b"), "[e][xay][xby]");
}

static void
filled_commands_take_every_nth_value(void **state)
{
	(void)state;
	struct spec spec = spec_with_words(&in_map, WORDS(W("e"), W("{1}"), W("x{-1}y")));
	spec.group = SPEC_GROUP_FILL;
	struct template *template = new_template(&spec);
	struct arg args[16];
	struct template_values values = {.args = args, .column_count = 2};
	struct buf shown = {0};
	values.arg_count = borrow_values(VALUES("a", "b", "c", "d"), args);
	show(template, &values, EXPAND, &shown);
	assert_string_equal(shown.bytes, "[e][a][c][xb][dy]");
	buf_clear(&shown);
	values.column_count = 0;
	show(template, &values, EXPAND, &shown);
	assert_string_equal(shown.bytes, "[e][a][xdy]");
	buf_fini(&shown);
	template_free(template);
}

static void
missing_values_are_nothing_and_empty_ones_are_words(void **state)
{
	(void)state;
	assert_expanded(&in_map, WORDS(W("e"), W("{2}"), W("x{2}"), W("{1}")), VALUES(""),
			"[e][x][]");
	assert_expanded(&in_map, WORDS(W("e {2} x{-3} {1};")), VALUES(""),
			"S[/bin/sh][-c][e  x '';]");
	assert_expanded(&in_parallel, WORDS(W("e"), W("{2}"), W("{}")), VALUES(""),
			"P[e][]");
	assert_expanded(&in_map, WORDS(W("e"), W("{}"), W("x{}")), NO_VALUES, "[e][x]");
}

static void
lines_with_something_to_do_go_to_the_shell_with_values_quoted(void **state)
{
	(void)state;
	assert_expanded(&in_map, WORDS(W("cd {}; ls")), VALUES("a b"),
			"S[/bin/sh][-c][cd 'a b'; ls]");
	assert_expanded(&in_map, WORDS(W("ls {} | wc")), VALUES("$(x)`y`'z"),
			"S[/bin/sh][-c][ls '$(x)`y`'\\''z' | wc]");
	assert_expanded(&in_parallel, WORDS(W("echo"), W("a  b"), W("{}")),
			VALUES("c\nd"), "S[/bin/sh][-c][echo a  b 'c\nd']");
	assert_expanded(&in_map, WORDS(W("{} x")), VALUES("ls"), "S[/bin/sh][-c][ls x]");
	assert_expanded(&in_map, WORDS(W("ls '{}'")), VALUES("a"),
			"S[/bin/sh][-c][ls 'a']");
}

static void
plain_lines_go_without_a_shell(void **state)
{
	(void)state;
	assert_expanded(&in_map, WORDS(W("gzip  -9\t{}")), VALUES("$(x) 'y"),
			"P[gzip][-9][$(x) 'y]");
	assert_expanded(&in_parallel, WORDS(W("convert"), W("-resize '50%' {} {.}.png")),
			VALUES("a b.jpg"), "P[convert][-resize][50%][a b.jpg][a b.png]");
	assert_expanded(&in_map, WORDS(W("echo {}")), VALUES("a"),
			"S[/bin/sh][-c][echo a]");
}

static void
other_shells_get_every_line(void **state)
{
	(void)state;
	struct spec spec = in_map;
	spec.shell = "/usr/bin/fish";
	assert_expanded(&spec, WORDS(W("ls {}")), VALUES("a"),
			"S[/usr/bin/fish][-c][ls a]");
	assert_expanded(&spec, WORDS(W("ls"), W("{}")), VALUES("a"), "[ls][a]");
	spec = in_map;
	spec.initializer = "f() { :; }";
	assert_expanded(&spec, WORDS(W("ls {}")), VALUES("a"), "S[/bin/sh][-c][ls a]");
}

static void
variables_of_the_job_need_no_shell_but_where_one_reads_them(void **state)
{
	static const char *plain[] = {"A=b", "ENV="};
	static const char *function[] = {"A=b", "BASH_FUNC_other%%=() {  :; }"};
	static const char *start_file[] = {"ENV=file"};
	struct spec spec = in_map;
	(void)state;
	spec.env = plain;
	spec.env_count = 2;
	assert_expanded(&spec, WORDS(W("ls {}")), VALUES("a"), "P[ls][a]");
	assert_expanded(&spec, WORDS(W("ls $A {}")), VALUES("a"),
			"S[/bin/sh][-c][ls $A a]");
	spec.env = function;
	assert_expanded(&spec, WORDS(W("ls {}")), VALUES("a"), "S[/bin/sh][-c][ls a]");
	spec.env = start_file;
	spec.env_count = 1;
	assert_expanded(&spec, WORDS(W("ls {}")), VALUES("a"), "S[/bin/sh][-c][ls a]");
}

static void
values_are_edited_in_a_line_that_is_an_input(void **state)
{
	(void)state;
	struct spec_rpl rpl = {"{x}", "s/a/b/"};
	struct spec spec = in_parallel;
	spec.rpls = &rpl;
	spec.rpl_count = 1;
	assert_expanded(&spec, WORDS(W("{} {x} {x}")), VALUES("ls a"),
			"P[ls][a][ls][b][ls][b]");
	assert_expanded(&spec, WORDS(W("{} {x}")), VALUES("ls a;"),
			"S[/bin/sh][-c][ls a; ls b;]");
}

static void
exported_functions_and_start_files_keep_the_shell(void **state)
{
	(void)state;
	setenv("BASH_FUNC_myls%%", "() {  :; }", 1);
	assert_expanded(&in_map, WORDS(W("myls {}")), VALUES("a"),
			"S[/bin/sh][-c][myls a]");
	assert_expanded(&in_map, NO_WORDS, VALUES("myls a"), "S[/bin/sh][-c][myls a]");
	assert_expanded(&in_map, WORDS(W("ls {}")), VALUES("a"), "P[ls][a]");
	unsetenv("BASH_FUNC_myls%%");
	assert_expanded(&in_map, WORDS(W("myls {}")), VALUES("a"), "P[myls][a]");
	setenv("BASH_ENV", "/dev/null", 1);
	assert_expanded(&in_map, WORDS(W("ls {}")), VALUES("a"), "S[/bin/sh][-c][ls a]");
	unsetenv("BASH_ENV");
}

static void
line_that_begins_like_an_option_gets_a_blank(void **state)
{
	(void)state;
	assert_expanded(&in_map, WORDS(W("{};")), VALUES("-x"), "S[/bin/sh][-c][ -x;]");
	assert_expanded(&in_map, WORDS(W("{};")), VALUES("+x"), "S[/bin/sh][-c][ +x;]");
	assert_expanded(&in_map, NO_WORDS, VALUES("-x;"), "S[/bin/sh][-c][ -x;]");
	assert_expanded(&in_map, WORDS(W("{#} {};")), VALUES("-x"),
			"S[/bin/sh][-c][42 -x;]");
	assert_way(APPEND_LINE, &in_map, WORDS(W("{};")), VALUES("-x"), "-x;");
}

static void
quoted_words_reach_the_command_as_they_are(void **state)
{
	(void)state;
	struct spec spec = in_parallel;
	spec.is_quoted = true;
	assert_expanded(&spec, WORDS(W("ls"), W("a b{}"), W("*"), W("")), VALUES("x y"),
			"P[ls][a bx y][*][]");
	assert_expanded(&spec, WORDS(W("echo"), W("a b{}"), W("$x")), VALUES("x y"),
			"S[/bin/sh][-c][echo 'a bx y' '$x']");
	assert_expanded(&spec, WORDS(W("my prog"), W("{}")), VALUES("x"),
			"S[/bin/sh][-c]['my prog' x]");
	assert_way(APPEND_LINE, &spec, WORDS(W("ls"), W("a b{}")), VALUES("c"),
		   "ls 'a bc'");
	spec.dialect = SPEC_MAP;
	assert_expanded(&spec, WORDS(W("my prog")), VALUES("x"), "[my prog][x]");
}

static void
inputs_are_command_lines_without_a_command(void **state)
{
	(void)state;
	assert_expanded(&in_map, NO_WORDS, VALUES("gzip -9 'a b'"), "P[gzip][-9][a b]");
	assert_expanded(&in_map, NO_WORDS, VALUES("ls {} | wc"),
			"S[/bin/sh][-c][ls {} | wc]");
	assert_expanded(&in_parallel, NO_WORDS, VALUES("echo a", "b"),
			"S[/bin/sh][-c][echo a b]");
	assert_expanded(&in_parallel, NO_WORDS, VALUES("ls a", "b"), "P[ls][a][b]");
	assert_expanded(&in_parallel, WORDS(W("l{} -l")), VALUES("s a"), "P[ls][a][-l]");
	assert_expanded(&in_parallel, WORDS(W("A={} ls")), VALUES("s a"),
			"S[/bin/sh][-c][A='s a' ls]");
	assert_expanded(&in_map, NO_WORDS, VALUES(""), "S[/bin/sh][-c][]");
	assert_way(APPEND_LINE, &in_map, NO_WORDS, VALUES("ls  'a'"), "ls  'a'");
}

static void
shell_can_be_forced_on_every_shape(void **state)
{
	(void)state;
	assert_way(EXPAND_SHELL, &in_map, WORDS(W("ls  {}")), VALUES("a b"),
		   "S[/bin/sh][-c][ls  'a b']");
	assert_way(EXPAND_SHELL, &in_map, WORDS(W("ls"), W("x {}")), VALUES("a b", "c"),
		   "S[/bin/sh][-c][ls 'x a b' c]");
	assert_way(EXPAND_SHELL, &in_map, NO_WORDS, VALUES("ls  'a'"),
		   "S[/bin/sh][-c][ls  'a']");
}

static void
line_to_paste_is_quoted_or_the_line_itself(void **state)
{
	(void)state;
	assert_way(APPEND_LINE, &in_map, WORDS(W("ls"), W("a b"), W("{}")), VALUES("c'd"),
		   "ls 'a b' 'c'\\''d'");
	assert_way(APPEND_LINE, &in_map, WORDS(W("ls  \"x\" {};")), VALUES("c d"),
		   "ls  \"x\" 'c d';");
	assert_way(APPEND_LINE, &in_parallel, WORDS(W("ls"), W("a  b"), W("{}")),
		   VALUES("c"), "ls a  b c");
}

static void
nul_in_a_value_is_told(void **state)
{
	(void)state;
	char *commands[][3] = {{(char[]){"ls"}, (char[]){"{}"}, NULL},
			       {(char[]){"ls {};"}, NULL},
			       {(char[]){"ls {}"}, NULL},
			       {NULL}};
	struct arg bad = {"a\0b", 3};
	struct arg good = {"ls", 2};
	for (size_t i = 0; i < 4; i++) {
		struct spec spec = spec_with_words(&in_map, commands[i]);
		struct template *template = new_template(&spec);
		struct template_values values = {.args = &bad, .arg_count = 1};
		struct command command = {0};
		assert_int_equal(template_expand(template, &values, &command, NULL), 0);
		assert_true(command.has_nul);
		values.args = &good;
		assert_int_equal(template_expand(template, &values, &command, NULL), 0);
		assert_false(command.has_nul);
		command_fini(&command);
		template_free(template);
	}
}

static void
cut_away_nul_does_no_harm(void **state)
{
	(void)state;
	struct spec spec = spec_with_words(&in_map, WORDS(W("ls"), W("{/}")));
	struct template *template = new_template(&spec);
	struct template_values values = {.args = &(struct arg){"\0/b", 3}, .arg_count = 1};
	struct command command = {0};
	assert_int_equal(template_expand(template, &values, &command, NULL), 0);
	assert_false(command.has_nul);
	assert_string_equal(command.argv[1], "b");
	command_fini(&command);
	template_free(template);
}

static void
perl_expressions_are_refused(void **state)
{
	char *commands[][4] = {{(char[]){"ls {= s/a/b/ =}"}, NULL},
			       {(char[]){"ls"}, (char[]){"{="}, (char[]){"x=}"}, NULL}};
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct spec spec = spec_with_words(&in_map, commands[i]);
		struct err err = {0};
		assert_null(template_new(&spec, NULL, 0, &err));
		assert_int_equal(err.kind, ERR_USAGE);
		assert_non_null(strstr(err.text, "Perl expressions"));
	}
	assert_expanded(&in_map, WORDS(W("ls"), W("=}{="), W("{}")), VALUES("a"),
			"[ls][=}{=][a]");
}

static void
header_names_stand_for_their_columns(void **state)
{
	(void)state;
	static const struct arg names[] = {{"x", 1}, {"y z", 3}};
	struct spec spec =
	    spec_with_words(&in_map, WORDS(W("ls"), W("{y z.}-{x}"), W("{q}")));
	struct template *template = template_new(&spec, names, 2, NULL);
	assert_non_null(template);
	struct arg args[2];
	struct template_values values = {.args = args};
	struct buf shown = {0};
	values.arg_count = borrow_values(VALUES("1", "2.3"), args);
	show(template, &values, EXPAND, &shown);
	assert_string_equal(shown.bytes, "[ls][2-1][{q}]");
	buf_fini(&shown);
	template_free(template);
}

static void
text_takes_values_unquoted_and_appends_none(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		const char *expected;
	} rows[] = {
	    {"x {/}:{#}", "x b c d:42"}, {"plain", "plain"}, {"{2}{3}", "d"}, {"", ""}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err err = {0};
		struct template *template =
		    template_new_text(&in_map, rows[i].text, NULL, 0, &err);
		assert_non_null(template);
		struct arg args[2];
		struct template_values values = {.seq = 41, .args = args};
		struct buf text = {0};
		values.arg_count = borrow_values(VALUES("a/b c", "d"), args);
		assert_int_equal(template_expand_text(template, &values, &text, &err), 0);
		assert_string_equal(buf_str(&text), rows[i].expected);
		buf_fini(&text);
		template_free(template);
	}
}

static void
text_says_where_its_first_replacement_string_is(void **state)
{
	static const struct {
		const char *text;
		size_t start;
	} rows[] = {
	    {"plain/text", 10},   {"a/b-{}/c", 4}, {"{1}x", 0},
	    {"{nothing} {}", 10}, {"", 0},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err err = {0};
		struct template *template =
		    template_new_text(&in_map, rows[i].text, NULL, 0, &err);
		assert_non_null(template);
		assert_int_equal(template_text_start(template), rows[i].start);
		template_free(template);
	}
}

/* Base and values add up to the length, with no slack where the header promises none. */
static void
assert_sum_is_exact(const struct spec *base, char **words)
{
	static const char *const strings[] = {"a", "b c'd/e.f", "", "x/y"};
	struct spec spec = spec_with_words(base, words);
	struct template *template = new_template(&spec);
	struct arg args[4];
	size_t sum = template_base_length(template);
	for (size_t i = 0; i < 4; i++) {
		args[i] = (struct arg){strings[i], strlen(strings[i])};
		sum += template_value_length(template, &args[i]);
		struct template_values values = {.args = args, .arg_count = i + 1};
		assert_int_equal(sum, template_length(template, &values));
	}
	template_free(template);
}

static void
lengths_add_up(void **state)
{
	(void)state;
	static const enum spec_group groups[] = {SPEC_GROUP_ONE, SPEC_GROUP_FILL,
						 SPEC_GROUP_FILL_CONTEXT};
	for (size_t i = 0; i < 3; i++) {
		struct spec spec = in_map;
		spec.group = groups[i];
		assert_sum_is_exact(&spec, WORDS(W("ls"), W("{}")));
		assert_sum_is_exact(&spec, WORDS(W("ls"), W("x{}y{/}"), W("z"), W("{//}")));
		assert_sum_is_exact(&spec, WORDS(W("ls {} {/.}; x")));
		assert_sum_is_exact(&spec, WORDS(W("ls x{}y{.}z;a b")));
		assert_sum_is_exact(&spec, WORDS(W("ls  x{}y{.}z a")));
		assert_sum_is_exact(&spec, WORDS(W("echo")));
	}
}

static void
memory_is_kept_between_expansions(void **state)
{
	(void)state;
	struct spec spec = spec_with_words(&in_map, WORDS(W("ls"), W("{}")));
	struct template *template = new_template(&spec);
	struct template_values values = {.args = &(struct arg){"abc", 3}, .arg_count = 1};
	struct command command = {0};
	assert_int_equal(template_expand(template, &values, &command, NULL), 0);
	char **argv = command.argv;
	const char *text = command.text.bytes;
	for (int i = 0; i < 100; i++) {
		values.seq++;
		assert_int_equal(template_expand(template, &values, &command, NULL), 0);
		assert_ptr_equal(command.argv, argv);
		assert_ptr_equal(command.text.bytes, text);
		assert_string_equal(command.argv[1], "abc");
	}
	command_fini(&command);
	template_free(template);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(map_words_are_an_argv_with_values_as_they_are),
	    cmocka_unit_test(command_without_values_gets_them_at_its_end),
	    cmocka_unit_test(renamed_value_is_appended_under_no_name),
	    cmocka_unit_test(several_values_are_several_words),
	    cmocka_unit_test(repeated_context_makes_a_word_for_each_value),
	    cmocka_unit_test(filled_commands_take_every_nth_value),
	    cmocka_unit_test(missing_values_are_nothing_and_empty_ones_are_words),
	    cmocka_unit_test(lines_with_something_to_do_go_to_the_shell_with_values_quoted),
	    cmocka_unit_test(plain_lines_go_without_a_shell),
	    cmocka_unit_test(other_shells_get_every_line),
	    cmocka_unit_test(variables_of_the_job_need_no_shell_but_where_one_reads_them),
	    cmocka_unit_test(values_are_edited_in_a_line_that_is_an_input),
	    cmocka_unit_test(exported_functions_and_start_files_keep_the_shell),
	    cmocka_unit_test(line_that_begins_like_an_option_gets_a_blank),
	    cmocka_unit_test(quoted_words_reach_the_command_as_they_are),
	    cmocka_unit_test(inputs_are_command_lines_without_a_command),
	    cmocka_unit_test(shell_can_be_forced_on_every_shape),
	    cmocka_unit_test(line_to_paste_is_quoted_or_the_line_itself),
	    cmocka_unit_test(nul_in_a_value_is_told),
	    cmocka_unit_test(cut_away_nul_does_no_harm),
	    cmocka_unit_test(perl_expressions_are_refused),
	    cmocka_unit_test(header_names_stand_for_their_columns),
	    cmocka_unit_test(text_takes_values_unquoted_and_appends_none),
	    cmocka_unit_test(text_says_where_its_first_replacement_string_is),
	    cmocka_unit_test(lengths_add_up),
	    cmocka_unit_test(memory_is_kept_between_expansions),
	};
	/* What the user's environment may hold must not decide the shape. */
	unsetenv("ENV");
	unsetenv("BASH_ENV");
	unsetenv("SHELLOPTS");
	unsetenv("BASHOPTS");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
