/* A job's file: what each key becomes in the spec, and where errors are said to be. */
#include "options.h"

#include <fcntl.h>

#include "base/buf.h"
#include "base/io.h"
#include "input/job_keys.h"
#include "input/job_print.h"
#include "input/option_set.h"

struct job_file {
	struct parsed parsed;
	char path[32];
	int fd;
};

static void
write_job(struct job_file *file, const char *text)
{
	file->fd = io_memfd("job", 0);
	assert_int_not_equal(file->fd, -1);
	assert_int_equal(io_write_all(file->fd, text, strlen(text)), 0);
	snprintf(file->path, sizeof(file->path), "/proc/self/fd/%d", file->fd);
}

static void
read_list(struct job_file *file, const char *text, va_list ap)
{
	struct parsed *parsed = &file->parsed;
	int count = 1;
	write_job(file, text);
	*parsed = (struct parsed){.words = {file->path}};
	while ((parsed->words[count] = va_arg(ap, char *)) != NULL)
		assert_true(++count < WORDS_MAX);
	spec_init(&parsed->spec, SPEC_RUN);
	parsed->outcome = options_parse(&parsed->spec, count, parsed->words, &parsed->err);
	io_close(file->fd);
}

/* Options behind the file, up to a NULL. */
static struct spec *
read_words(struct job_file *file, const char *text, ...)
{
	va_list ap;
	va_start(ap, text);
	read_list(file, text, ap);
	va_end(ap);
	if (file->parsed.outcome == OPTIONS_ERROR)
		print_error("%s\n", file->parsed.err.text);
	assert_int_not_equal(file->parsed.outcome, OPTIONS_ERROR);
	return &file->parsed.spec;
}

#define READ(file, ...) read_words(file, __VA_ARGS__, NULL)

static void
end(struct job_file *file)
{
	drop(&file->parsed);
}

/* Refused with exactly this behind the file's name. */
static void
refuse_words(const char *text, const char *expected, ...)
{
	struct job_file file;
	va_list ap;
	va_start(ap, expected);
	read_list(&file, text, ap);
	va_end(ap);
	assert_int_equal(file.parsed.outcome, OPTIONS_ERROR);
	assert_int_equal(file.parsed.err.kind, ERR_USAGE);
	const char *said = file.parsed.err.text;
	if (strncmp(said, file.path, strlen(file.path)) == 0)
		said += strlen(file.path) + 1;
	assert_string_equal(said, expected);
	end(&file);
}

#define REFUSE_JOB(text, expected) refuse_words(text, expected, NULL)

static void
commands_are_lines_or_words(void **state)
{
	(void)state;
	struct job_file file;
	struct spec *spec = READ(&file, "{\"command\": \"gzip {}\"}");
	assert_int_equal(spec->dialect, SPEC_MAP);
	assert_words(spec, "gzip {}");
	assert_false(spec->is_quoted);
	end(&file);
	spec = READ(&file, "{\"command\": [\"gzip\", \"-9\", \"{}\"]}");
	assert_words(spec, "gzip|-9|{}");
	end(&file);
	spec = READ(&file, "{\"command\": [\"my tool\"]}");
	assert_true(spec->is_quoted);
	end(&file);
	spec = READ(&file, "{}");
	assert_int_equal(spec->word_count, 0);
	end(&file);
}

static void
programs_and_libraries_are_jobs_with_their_own_defaults(void **state)
{
	(void)state;
	struct job_file file;
	struct spec *spec = READ(&file, "{\"feed\": [\"./a b\"], \"inflight\": 2}");
	assert_int_equal(spec->dialect, SPEC_FEED);
	assert_int_equal(spec->executor, SPEC_COPROC);
	assert_int_equal(spec->window, 100000);
	assert_int_equal(spec->inflight_count, 2);
	assert_string_equal(spec->program_words[0], "'./a b'");
	end(&file);
	spec = READ(&file, "{\"call\": [\"libm.so:x\", \"arg\"], \"max_rss\": \"1M\"}");
	assert_int_equal(spec->executor, SPEC_PLUGIN);
	assert_string_equal(spec->plugin_path, "libm.so");
	assert_int_equal(spec->program_word_count, 2);
	end(&file);
	REFUSE_JOB("{\"call\": \"./nowhere.so\"}",
		   "1:10: call: cannot open ./nowhere.so: No such file or directory");
	REFUSE_JOB(
	    "{\"command\": \"a\", \"feed\": \"b\"}",
	    "1:18: feed: here is a command already: one of command, feed and call");
	REFUSE_JOB("{\"feed\": \"b\", \"quote\": true}",
		   "1:15: quote: goes with command only");
	REFUSE_JOB("{\"feed\": \"b\", \"stdin\": \"x\"}",
		   "1:15: stdin: goes with command only");
}

static void
options_are_keys_and_take_what_they_take(void **state)
{
	(void)state;
	struct job_file file;
	struct spec *spec = READ(
	    &file, "{\"command\": \"x\", \"workers\": 3, \"timeout\": 1.5, \"retries\": "
		   "\"2\", \"buffer\": \"1k\", \"window\": 1e3, \"order\": \"finish\", "
		   "\"retry_on\": [\"exit\", \"lost\"], \"termseq\": [\"INT\", 100, "
		   "\"KILL\"], \"halt\": \"soon,fail=2\", \"fail_fast\": false, "
		   "\"plus\": true, \"cwd\": \"/\", \"chunksize\": \"auto\", \"rpl\": "
		   "[\"{a} s/x//\", \"{b} s/y//\"], \"show_commands\": true}");
	assert_int_equal(spec->jobs.kind, SPEC_JOBS_COUNT);
	assert_true(spec->jobs.value == 3);
	assert_int_equal(spec->timeout.ns, 1500000000);
	assert_int_equal(spec->max_attempts, 2);
	assert_int_equal(spec->buffer_bytes, 1000);
	assert_int_equal(spec->window, 1000);
	assert_false(spec->is_ordered);
	assert_int_equal(spec->retry_on, SPEC_RETRY_EXIT | SPEC_RETRY_LOST);
	assert_int_equal(spec->term_step_count, 2);
	assert_int_equal(spec->halt.when, SPEC_HALT_SOON);
	assert_true(spec->has_plus);
	assert_true(spec->is_verbose);
	assert_string_equal(spec->work_dir, "/");
	assert_int_equal(spec->rpl_count, 2);
	end(&file);
}

static void
values_are_refused_where_they_stand(void **state)
{
	(void)state;
	REFUSE_JOB(
	    "{\n \"workers\": \"x\"}",
	    "2:13: workers: 'x' is neither a number, N%, +N, -N, cores, threads nor a "
	    "file that can be read");
	REFUSE_JOB("{\"timeout\": true}",
		   "1:13: timeout: expected a number of seconds, or a "
		   "string like \"1h30m\", found true");
	REFUSE_JOB("{\"window\": 1.5}",
		   "1:12: window: expected a whole number, found 1.5");
	REFUSE_JOB("{\"window\": 0}", "1:12: window: '0' is too small: the least is 1");
	REFUSE_JOB("{\"window\": -4}",
		   "1:12: window: '-4' is not a number: write one like 8, 10k or 2M");
	REFUSE_JOB("{\"plus\": 1}", "1:10: plus: expected true or false, found a number");
	REFUSE_JOB("{\"plus\": \"true\"}",
		   "1:10: plus: expected true or false, found a string");
	REFUSE_JOB("{\"plus\": null}", "1:10: plus: expected true or false, found null");
	REFUSE_JOB("{\"bind\": 3}", "1:10: bind: expected a string, found a number");
	REFUSE_JOB("{\"retry_on\": [\"exit\", {}]}",
		   "1:23: retry_on[1]: expected a string, found an object");
	REFUSE_JOB(
	    "{\"rpl\": [\"{a} s/x/y/\", \"z\"]}",
	    "1:24: rpl[1]: 'z' is not a tag, a blank and an edit: write it like '{base} "
	    "s/_[0-9]*$//'");
	REFUSE_JOB("{\"order\": \"no\"}",
		   "1:11: order: expected \"finish\" or \"input\"");
	REFUSE_JOB("[]", "1:1: expected an object, found an array");
	REFUSE_JOB("{\"command\": []}",
		   "1:13: command: expected a program, found nothing");
}

static void
unknown_keys_are_refused_with_the_nearest(void **state)
{
	(void)state;
	REFUSE_JOB("{\"comand\": \"x\"}",
		   "1:2: comand: unknown key: did you mean command?");
	REFUSE_JOB("{\"jobs\": 1}", "1:2: jobs: unknown key: did you mean workers?");
	REFUSE_JOB("{\"max-procs\": 1}",
		   "1:2: max-procs: unknown key: did you mean workers?");
	REFUSE_JOB("{\"keep_order\": true}",
		   "1:2: keep_order: unknown key: did you mean order: \"input\"?");
	REFUSE_JOB("{\"zzzzzz\": 1}",
		   "1:2: zzzzzz: unknown key; pinion-job(5) lists those there are");
	REFUSE_JOB(
	    "{\"inputs\": {\"lins\": \"f\"}}",
	    "1:13: inputs.lins: unknown here: expected one of args, product, zip, lines, "
	    "nul, glob, csv, jsonl, range");
}

static void
inputs_are_one_or_several(void **state)
{
	(void)state;
	struct job_file file;
	struct spec *spec = READ(&file, "{\"inputs\": {\"args\": [\"a\", 2]}}");
	assert_int_equal(spec->input_count, 1);
	assert_values(&spec->inputs[0], "a|2");
	end(&file);
	spec = READ(&file, "{\"inputs\": {\"product\": [[\"a\"], [\"b\", \"c\"]]}}");
	assert_int_equal(spec->input_count, 2);
	assert_false(spec->inputs[1].is_linked);
	assert_values(&spec->inputs[1], "b|c");
	end(&file);
	spec = READ(&file, "{\"inputs\": {\"zip\": [[\"a\"], [\"b\"]]}}");
	assert_true(spec->inputs[1].is_linked);
	end(&file);
	spec =
	    READ(&file,
		 "{\"inputs\": [{\"lines\": \"f\"}, {\"nul\": \"g\", \"linked\": true}, "
		 "{\"csv\": \"-\", \"header\": true, \"separator\": \"\\\\t\"}]}");
	assert_int_equal(spec->input_count, 3);
	assert_string_equal(spec->inputs[0].path, "f");
	assert_true(spec->inputs[1].is_nul && spec->inputs[1].is_linked);
	assert_true(spec->inputs[2].has_header);
	assert_int_equal(spec->inputs[2].separator, '\t');
	end(&file);
	spec = READ(&file, "{\"inputs\": {\"range\": [1, 2.5, 0.5]}}");
	assert_int_equal(spec->inputs[0].range.decimals, 1);
	assert_int_equal(spec->inputs[0].range.to, 25);
	end(&file);
	spec =
	    READ(&file,
		 "{\"inputs\": {\"glob\": \"*\", \"newer_than\": \"2026-01-31 22:00\"}}");
	assert_true(spec->inputs[0].is_newer);
	end(&file);
	spec = READ(
	    &file,
	    "{\"command\": \"echo {k}\", \"tag\": true, \"inputs\": {\"jsonl\": \"f\"}}");
	assert_int_equal(spec->hidden_count, 2);
	end(&file);
}

static void
inputs_that_are_none_are_refused(void **state)
{
	(void)state;
	REFUSE_JOB(
	    "{\"inputs\": {\"args\": [1], \"lines\": \"f\"}}",
	    "1:26: inputs.lines: here is args already: several are an array of objects");
	REFUSE_JOB(
	    "{\"inputs\": {\"range\": [1]}}",
	    "1:22: inputs.range: expected [from, to] or [from, to, step], of numbers");
	REFUSE_JOB(
	    "{\"inputs\": {\"range\": [1, 2, 0]}}",
	    "1:22: inputs.range: expected numbers of up to 9 decimal places and 18 "
	    "digits, and a step that is not 0");
	REFUSE_JOB(
	    "{\"inputs\": {\"csv\": \"f\", \"separator\": \"ab\"}}",
	    "1:38: inputs.separator: expected one character, such as \";\" or \"\\t\"");
	REFUSE_JOB(
	    "{\"inputs\": {\"glob\": \"*\", \"newer_than\": \"yesterday\"}}",
	    "1:40: inputs.newer_than: 'yesterday' is neither a file that is there, nor a "
	    "date like 2026-01-31 22:00, nor a time like 24h");
	REFUSE_JOB("{\"inputs\": [{\"args\": [], \"linked\": true}]}",
		   "1:26: inputs[0].linked: there is no input before this one");
	REFUSE_JOB(
	    "{\"inputs\": [{\"jsonl\": \"f\"}, {\"args\": [1]}]}",
	    "1:1: JSON lines are tasks, an object each: they do not go together with "
	    "other inputs");
	REFUSE_JOB("{\"inputs\": [{\"args\": [], \"linked\": 1}]}",
		   "1:36: inputs[0].linked: expected true or false, found a number");
	REFUSE_JOB("{\"inputs\": []}", "1:12: inputs: expected one input at least");
}

static void
values_of_the_wrong_kind_are_refused(void **state)
{
	(void)state;
	static const char *const bad[][2] = {
	    {"{\"inputs\": 1}", "inputs: "},
	    {"{\"inputs\": [1]}", "inputs[0]: expected an object with one of"},
	    {"{\"inputs\": {}}", "inputs: expected one of"},
	    {"{\"inputs\": {\"args\": 1}}", "inputs.args: expected an array of strings"},
	    {"{\"inputs\": {\"zip\": []}}", "inputs.zip: expected an array of arrays"},
	    {"{\"inputs\": {\"product\": [1]}}", "inputs.product[0]: expected an array"},
	    {"{\"inputs\": {\"lines\": \"\"}}",
	     "inputs.lines: expected the name of a file"},
	    {"{\"inputs\": {\"csv\": \"f\", \"header\": 1}}",
	     "inputs.header: expected true or"},
	    {"{\"inputs\": {\"glob\": \"*\", \"newer_than\": 1}}",
	     "inputs.newer_than: expected a string"},
	    {"{\"inputs\": {\"glob\": [\"\"]}}",
	     "inputs.glob: expected a pattern, found nothing"},
	    {"{\"inputs\": {\"range\": [\"1\", 2]}}",
	     "inputs.range[0]: expected a number"},
	    {"{\"inputs\": {\"csv\": \"f\"}, \"colsep\": \",\"}",
	     "CSV has its own separator"},
	    {"{\"command\": \"x\", \"env\": []}", "env: expected an object of variables"},
	    {"{\"command\": \"x\", \"env\": {\"A=B\": \"c\"}}", "no name of a variable"},
	    {"{\"command\": \"x\", \"env\": {\"\": \"c\"}}", "no name of a variable"},
	    {"{\"command\": \"x\", \"stdin\": {}}", "stdin: expected the name of a file"},
	    {"{\"feed\": \"x\", \"stdin\": \"f\"}", "goes with command only"},
	    {"{\"command\": \"x\", \"max_rss\": 1}", "goes with feed or call only"},
	    {"{\"stages\": {}}", "stages: expected an array of stages"},
	    {"{\"stages\": [1]}", "stages[0]: expected an object"},
	    {"{\"stages\": [{\"command\": \"a\"}, 2]}", "stages[1]: expected an object"},
	    {"{\"comm\\nand\\u0001\": 1}", "comm?and?: "},
	};
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct job_file file;
		write_job(&file, bad[i][0]);
		file.parsed = (struct parsed){.words = {file.path}};
		spec_init(&file.parsed.spec, SPEC_RUN);
		assert_int_equal(options_parse(&file.parsed.spec, 1, file.parsed.words,
					       &file.parsed.err),
				 OPTIONS_ERROR);
		if (strstr(file.parsed.err.text, bad[i][1]) == NULL)
			fail_msg("%s: %s", bad[i][0], file.parsed.err.text);
		io_close(file.fd);
		end(&file);
	}
}

static void
variables_of_the_environment_are_put_in(void **state)
{
	(void)state;
	struct job_file file;
	setenv("JOB_A", "v\"1", 1);
	setenv("JOB_EMPTY", "", 1);
	unsetenv("JOB_B");
	struct spec *spec = READ(
	    &file,
	    "{\"command\": \"${JOB_A} ${JOB_B:-d e} ${JOB_EMPTY:-f}${JOB_EMPTY} $${x} $y "
	    "$$ $$${z}\", \"env\": {\"N\": \"${JOB_A}\"}}");
	assert_words(spec, "v\"1 d e f ${x} $y $$ $${z}");
	assert_int_equal(spec->env_count, 1);
	assert_string_equal(spec->env[0], "N=v\"1");
	end(&file);
	char name[301], text[400];
	memset(name, 'V', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	setenv(name, "long", 1);
	snprintf(text, sizeof(text), "{\"command\": \"${%s}\"}", name);
	assert_words(READ(&file, text), "long");
	end(&file);
	unsetenv(name);
	REFUSE_JOB("{\"command\": \"a ${JOB_B}\"}",
		   "1:13: command: ${JOB_B} is not set in the "
		   "environment; ${JOB_B:-default} would do");
	REFUSE_JOB(
	    "{\"command\": \"a ${x%.jpg}\"}",
	    "1:13: command: ${x%.jpg} is no variable of the environment: write $${ for "
	    "${, or ${NAME:-default}");
	REFUSE_JOB(
	    "{\"command\": \"a ${JOB_B:-b/${JOB_A}}\"}",
	    "1:13: command: ${JOB_B:-b/${JOB_A}: a default has no variables in it");
	REFUSE_JOB(
	    "{\"command\": \"a ${JOB_A\"}",
	    "1:13: command: ${JOB_A is no variable of the environment: write $${ for "
	    "${, or ${NAME:-default}");
}

static void
sets_win_over_the_file(void **state)
{
	(void)state;
	struct job_file file;
	struct spec *spec = READ(
	    &file, "{\"command\": \"x\", \"workers\": 1, \"inputs\": {\"args\": [\"a\", \"b\"]}}",
	    "--set", "workers=2", "--set", "inputs.args.1=c d", "--set", "env.A=1",
	    "--set", "retry_on=[\"lost\"]", "--set", "name=null", "--set", "tag=true");
	assert_true(spec->jobs.value == 2);
	assert_values(&spec->inputs[0], "a|c d");
	assert_string_equal(spec->env[0], "A=1");
	assert_int_equal(spec->retry_on, SPEC_RETRY_LOST);
	assert_string_equal(spec->tag, "{}");
	end(&file);
	refuse_words("{\"command\": \"x\"}",
		     "--set window=x: window: 'x' is not a number: write "
		     "one like 8, 10k or 2M",
		     "--set", "window=x", NULL);
	refuse_words("{\"command\": \"x\"}",
		     "1:13: command: --set command.y=1: here is a string, which has no y",
		     "--set", "command.y=1", NULL);
	refuse_words(
	    "{\"command\": \"x\", \"inputs\": {\"args\": [\"a\"]}}",
	    "1:37: inputs.args: --set inputs.args.one=b: here is an array, which "
	    "has no one",
	    "--set", "inputs.args.one=b", NULL);
	refuse_words("{}",
		     "--set: 'x' is no key and value: write it like workers=2 or "
		     "inputs.glob='x/*.jpg'",
		     "--set", "x", NULL);
}

static void
stages_are_specs_of_their_own(void **state)
{
	(void)state;
	struct job_file file;
	struct spec *spec = READ(
	    &file,
	    "{\"inputs\": {\"args\": [\"a\"]}, \"halt\": \"now,fail=1\", \"stages\": ["
	    "{\"name\": \"one\", \"command\": \"cat {}\", \"workers\": 32, \"bind\": "
	    "\"none\", \"pass\": \"output\"}, {\"feed\": \"sort\", \"window\": 5}]}");
	assert_int_equal(spec->stage_count, 2);
	assert_string_equal(spec->stages[0].name, "one");
	assert_int_equal(spec->stages[0].pass, SPEC_PASS_OUTPUT);
	assert_int_equal(spec->stages[0].bind, SPEC_BIND_NONE);
	assert_int_equal(spec->stages[1].executor, SPEC_COPROC);
	assert_int_equal(spec->stages[1].window, 5);
	assert_int_equal(spec->halt.when, SPEC_HALT_NOW);
	end(&file);
	spec = READ(&file,
		    "{\"name\": \"job\", \"order\": \"finish\", \"stages\": [{\"name\": "
		    "\"only\", \"command\": \"x\", \"workers\": 2}]}");
	assert_int_equal(spec->stage_count, 0);
	assert_words(spec, "x");
	assert_true(spec->jobs.value == 2);
	assert_false(spec->is_ordered);
	assert_string_equal(spec->name, "job");
	end(&file);
	REFUSE_JOB("{\"timeout\": 1, \"stages\": [{\"command\": \"x\"}]}",
		   "1:2: timeout: with stages this belongs into each of them");
	REFUSE_JOB("{\"stages\": [{\"command\": \"x\"}, {\"command\": \"y\", \"order\": "
		   "\"input\"}]}",
		   "1:48: stages[1].order: belongs to the job, not to a stage");
	REFUSE_JOB("{\"pass\": \"lines\"}", "1:2: pass: belongs into a stage");
	REFUSE_JOB(
	    "{\"stages\": [{\"command\": \"x\", \"pass\": \"words\"}, {\"command\": "
	    "\"y\"}]}",
	    "1:38: stages[0].pass: expected \"lines\" or \"output\" or \"json\"");
	REFUSE_JOB("{\"stages\": []}",
		   "1:12: stages: expected an array of stages, one at least");
}

static void
a_file_that_is_not_there_or_too_much_is_refused(void **state)
{
	(void)state;
	struct spec spec;
	struct err err = {0};
	char *nothing[] = {(char *)(uintptr_t) "/nowhere/job.json", NULL};
	char *endless[] = {(char *)(uintptr_t) "/dev/zero", NULL};
	spec_init(&spec, SPEC_RUN);
	assert_int_equal(options_parse(&spec, 1, nothing, &err), OPTIONS_ERROR);
	assert_string_equal(err.text,
			    "cannot open /nowhere/job.json: No such file or directory");
	assert_int_equal(err.kind, ERR_USAGE);
	spec_fini(&spec);
	spec_init(&spec, SPEC_RUN);
	assert_int_equal(options_parse(&spec, 1, endless, &err), OPTIONS_ERROR);
	assert_string_equal(err.text,
			    "/dev/zero: larger than 256 MiB: no job file; long lists of "
			    "inputs go into files of their own");
	spec_fini(&spec);
}

/* The option's exception in job_keys, by its long name or letter. */
static const struct job_exception *
exception_of(const struct option_row *row)
{
	const char *rest = row->names, *name;
	size_t length = option_next_name(&rest, &name);
	for (size_t i = 0; i < job_exception_count; i++) {
		const char *known = job_exceptions[i].option;
		if (length > 0 ? strlen(known) == length && memcmp(known, name, length) == 0
			       : known[0] == row->letters[0] && known[1] == '\0')
			return &job_exceptions[i];
	}
	return NULL;
}

static void
every_option_of_the_verbs_is_a_key_or_says_what_is(void **state)
{
	(void)state;
	size_t key_count = 0;
	for (size_t i = 0; i < option_count; i++) {
		const struct option_row *row = &option_table[i];
		struct job_key key, found;
		if ((row->verbs & OPTION_JOB) == 0)
			continue;
		if (exception_of(row) != NULL) {
			assert_false(job_key_of(row, &key));
			continue;
		}
		assert_true(job_key_of(row, &key));
		assert_true(strlen(key.name) > 1); /* no letter is a key */
		assert_true(job_key_find(key.name, strlen(key.name), &found));
		assert_ptr_equal(found.row, row); /* no two have one key */
		key_count++;
	}
	assert_true(key_count > 40);
	for (size_t i = 0; i < job_exception_count; i++) {
		size_t users = 0;
		for (size_t j = 0; j < option_count; j++)
			users += (option_table[j].verbs & OPTION_JOB) != 0 &&
				 exception_of(&option_table[j]) == &job_exceptions[i];
		assert_int_equal(users, 1); /* no exception is for nothing */
	}
}

/* What --print-spec prints of a command line. */
static void
assert_printed(const char *expected, ...)
{
	struct parsed parsed;
	va_list ap;
	va_start(ap, expected);
	parse_list(&parsed, SPEC_MAP, ap);
	va_end(ap);
	assert_int_equal(parsed.outcome, OPTIONS_PRINT);
	assert_string_equal(buf_str(&parsed.spec.print), expected);
	struct job_file file;
	struct spec *spec = READ(&file, parsed.spec.print.bytes, "--print-spec");
	assert_string_equal(buf_str(&spec->print), expected);
	end(&file);
	drop(&parsed);
}

static void
a_command_line_is_printed_as_a_file_that_reads_the_same(void **state)
{
	(void)state;
	assert_printed("{\n  \"command\": \"gzip {}\"\n}\n", "--print-spec", "gzip {}",
		       NULL);
	assert_printed(
	    "{\n"
	    "  \"command\": [\"gzip\", \"{}\", \"$${x}\"],\n"
	    "  \"inputs\": [{\"args\": [\"a\", \"b\\\"\\n\"]}, {\"lines\": \"f\", "
	    "\"linked\": true}],\n"
	    "  \"env\": {\"A\": \"b=c\"},\n"
	    "  \"timeout\": \"10s\",\n"
	    "  \"workers\": 3,\n"
	    "  \"order\": \"finish\",\n"
	    "  \"retry_on\": [\"exit\", \"lost\"],\n"
	    "  \"rpl\": [\"{a} s/x/y/\", \"{b} s/x/y/\"],\n"
	    "  \"header\": \":\",\n"
	    "  \"max_lines\": 2,\n"
	    "  \"cwd\": \"/\",\n"
	    "  \"tag\": true\n"
	    "}\n",
	    "--print-spec", "-j2", "--timeout", "10s", "-j", "3", "-k", "--unordered",
	    "--retry-on", "exit,lost", "--rpl", "{a} s/x/y/", "--rpl", "{b} s/x/y/",
	    "--env", "A=x", "--env", "A=b=c", "--env", "HOME", "--header", ":", "-L", "2",
	    "--wd", "/", "--tag", "gzip", "{}", "${x}", ":::", "a", "b\"\n", "::::+", "f",
	    NULL);
}

static void
the_schema_is_json_and_has_every_key(void **state)
{
	(void)state;
	struct buf text = {0};
	struct job_key key;
	size_t cursor = 0;
	assert_int_equal(job_print_schema(&text), 0);
	assert_non_null(buf_str(&text));
	while (job_key_next(&cursor, &key)) {
		char quoted[OPTION_NAME_BYTES + 32];
		snprintf(quoted, sizeof(quoted), "\n        \"%s\": {", key.name);
		assert_non_null(strstr(text.bytes, quoted));
	}
	buf_fini(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(commands_are_lines_or_words),
	    cmocka_unit_test(programs_and_libraries_are_jobs_with_their_own_defaults),
	    cmocka_unit_test(options_are_keys_and_take_what_they_take),
	    cmocka_unit_test(values_are_refused_where_they_stand),
	    cmocka_unit_test(unknown_keys_are_refused_with_the_nearest),
	    cmocka_unit_test(inputs_are_one_or_several),
	    cmocka_unit_test(inputs_that_are_none_are_refused),
	    cmocka_unit_test(values_of_the_wrong_kind_are_refused),
	    cmocka_unit_test(variables_of_the_environment_are_put_in),
	    cmocka_unit_test(sets_win_over_the_file),
	    cmocka_unit_test(stages_are_specs_of_their_own),
	    cmocka_unit_test(a_file_that_is_not_there_or_too_much_is_refused),
	    cmocka_unit_test(every_option_of_the_verbs_is_a_key_or_says_what_is),
	    cmocka_unit_test(a_command_line_is_printed_as_a_file_that_reads_the_same),
	    cmocka_unit_test(the_schema_is_json_and_has_every_key),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
