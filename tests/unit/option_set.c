/* Unit tests of input/option_set and option_value: what the values of options may be. */
#include "options.h"

static void
delimiter_is_one_byte_or_an_escape(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		char byte;
	} rows[] = {{",", ','},       {"\\n", '\n'},     {"\\t", '\t'},   {"\\0", '\0'},
		    {"\\x2c", ','},   {"\\054", ','},    {"\\\\", '\\'},  {"\\", '\\'},
		    {"\\r", '\r'},    {"\\xFF", '\xff'}, {"\\000", '\0'}, {" ", ' '},
		    {"\\377", '\xff'}};
	static const char *const wrong[] = {"",     "ab",   "\\x",      "\\x123",
					    "\\q",  "\\8",  "\\400",    "\\1234",
					    "\\xg", "\\nn", "\xc3\xa4", "\\x-1"};
	struct parsed parsed;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct spec *spec = PARSE_MAP(&parsed, "-d", rows[i].text, "echo");
		assert_int_equal(spec->delimiter, rows[i].byte);
		drop(&parsed);
	}
	for (size_t i = 0; i < COUNT(wrong); i++)
		REFUSE("is not one byte", "-d", wrong[i], "echo");
}

static void
colsep_trims_both_sides_unless_told_otherwise(void **state)
{
	(void)state;
	struct parsed parsed;
	struct spec *spec = PARSE_MAP(&parsed, "--colsep", "\\t+", "echo");
	assert_string_equal(spec->colsep, "\\t+");
	assert_int_equal(spec->trim, SPEC_TRIM_BOTH);
	drop(&parsed);
	spec = PARSE_MAP(&parsed, "--trim", "n", "-C,", "echo");
	assert_int_equal(spec->trim, SPEC_TRIM_NONE);
	drop(&parsed);
	REFUSE("--colsep: '' is empty", "--colsep", "", "echo");
}

static void
trim_takes_the_letters_of_gnu_parallel(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum spec_trim trim;
	} rows[] = {{"n", SPEC_TRIM_NONE},
		    {"l", SPEC_TRIM_LEFT},
		    {"r", SPEC_TRIM_RIGHT},
		    {"lr", SPEC_TRIM_BOTH},
		    {"rl", SPEC_TRIM_BOTH}};
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct parsed parsed;
		struct spec *spec = PARSE_MAP(&parsed, "--trim", rows[i].text, "echo");
		assert_int_equal(spec->trim, rows[i].trim);
		drop(&parsed);
	}
	REFUSE("--trim: 'q' is not one of n, l, r, lr, rl", "--trim=q", "echo");
	REFUSE("--trim: ''", "--trim=", "echo");
}

static void
header_is_the_first_line_only(void **state)
{
	(void)state;
	struct parsed parsed;
	struct spec *spec = PARSE_MAP(&parsed, "--header", ":", "echo");
	assert_true(spec->has_header);
	assert_int_equal(spec->trim, SPEC_TRIM_NONE);
	drop(&parsed);
	REFUSE("--header: '2' is not possible: write ':'", "--header", "2", "echo");
}

static void
flags_of_inputs_and_command_set_their_fields(void **state)
{
	(void)state;
	struct parsed parsed;
	struct spec *spec =
	    PARSE_MAP(&parsed, "--link", "--shuf", "-r", "-q", "--plus", "--null", "echo");
	assert_true(spec->is_all_linked);
	assert_true(spec->is_shuffled);
	assert_true(spec->skips_empty);
	assert_true(spec->is_quoted);
	assert_true(spec->has_plus);
	assert_int_equal(spec->delimiter, '\0');
	drop(&parsed);
	spec = PARSE_MAP(&parsed, "--xapply", "echo");
	assert_true(spec->is_all_linked);
	drop(&parsed);
}

static void
numbers_are_whole_words_in_range(void **state)
{
	(void)state;
	static const char *const wrong[] = {"",
					    "x",
					    "-1",
					    "+1",
					    " 1",
					    "1 ",
					    "1x",
					    "1kk",
					    "1.5",
					    "0x1",
					    ".",
					    "1e3",
					    "k",
					    "1K1",
					    "18446744073709551616",
					    "99999999999999999999999",
					    "17E"};
	for (size_t i = 0; i < COUNT(wrong); i++)
		REFUSE("is not a number", "-n", wrong[i], "echo");
	REFUSE("--max-chars: '0' is too small: the least is 1", "-s0", "echo");
	REFUSE("--window: '0' is too small", "--window", "0", "echo");
	REFUSE("--maxtasksperchild: '0' is too small", "--maxtasksperchild=0", "echo");
	REFUSE("--chunksize: '0' is too small", "--chunksize=0", "echo");
}

static void
sizes_take_the_suffixes_of_gnu_parallel(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		uint64_t bytes;
	} rows[] = {{"0", 0},
		    {"1", 1},
		    {"1k", 1000},
		    {"1K", 1024},
		    {"1ki", 1024},
		    {"1Ki", 1024},
		    {"3m", 3000000},
		    {"3M", 3 << 20},
		    {"1.5G", UINT64_C(3) << 29},
		    {"2g", 2000000000},
		    {"1T", UINT64_C(1) << 40},
		    {"1t", UINT64_C(1000000000000)},
		    {"1P", UINT64_C(1) << 50},
		    {"0.5k", 500},
		    {"18446744073709551615", UINT64_MAX}};
	struct parsed parsed;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct spec *spec = PARSE_MAP(&parsed, "--buffer", rows[i].text, "echo");
		assert_true(spec->buffer_bytes == rows[i].bytes);
		drop(&parsed);
	}
	REFUSE("--buffer: '16384P' is not a size", "--buffer", "16384P", "echo");
	REFUSE("--buffer: '1Q' is not a size", "--buffer", "1Q", "echo");
	REFUSE("--buffer: '-1' is not a size", "--buffer", "-1", "echo");
}

static void
renamed_replacement_strings_name_what_they_replace(void **state)
{
	(void)state;
	static const char *const rows[][2] = {{"-I", "{}"},
					      {"-U", "{.}"},
					      {"--er", "{.}"},
					      {"--bnr", "{/}"},
					      {"--dnr", "{//}"},
					      {"--bner", "{/.}"},
					      {"--seqreplace", "{#}"},
					      {"--slotreplace", "{%}"},
					      {"--extensionreplace", "{.}"},
					      {"--basenamereplace", "{/}"},
					      {"--dirnamereplace", "{//}"},
					      {"--basenameextensionreplace", "{/.}"}};
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct parsed parsed;
		struct spec *spec = PARSE_MAP(&parsed, rows[i][0], "XX", "echo");
		assert_int_equal(spec->rpl_count, 1);
		assert_string_equal(spec->rpls[0].name, "XX");
		assert_string_equal(spec->rpls[0].edit, rows[i][1]);
		drop(&parsed);
	}
	REFUSE("-I: '' is empty", "-I", "", "echo");
}

static void
renaming_to_itself_changes_nothing(void **state)
{
	(void)state;
	struct parsed parsed;
	struct spec *spec = PARSE_MAP(&parsed, "-I{}", "-i", "echo");
	assert_int_equal(spec->rpl_count, 0);
	drop(&parsed);
}

static void
rpl_is_split_at_its_first_blank(void **state)
{
	(void)state;
	struct parsed parsed;
	struct spec *spec = PARSE_MAP(&parsed, "--rpl", "{b} s/a b/c/; s/d//", "echo");
	assert_string_equal(spec->rpls[0].name, "{b}");
	assert_string_equal(spec->rpls[0].edit, "s/a b/c/; s/d//");
	drop(&parsed);
	REFUSE("--rpl: '{b}' is not a tag, a blank and an edit", "--rpl", "{b}", "echo");
	REFUSE("--rpl: ' s/a/b/' is not", "--rpl", " s/a/b/", "echo");
}

static void
jobs_may_be_a_file_that_can_be_read(void **state)
{
	(void)state;
	struct parsed parsed;
	struct spec *spec = PARSE_MAP(&parsed, "-j", "/dev/null", "echo");
	assert_int_equal(spec->jobs.kind, SPEC_JOBS_FILE);
	assert_string_equal(spec->jobs.path, "/dev/null");
	drop(&parsed);
	REFUSE("--jobs: 'x%y' is neither a number, N%, +N, -N, cores, threads nor a file "
	       "that can be "
	       "read",
	       "-j", "x%y", "echo");
	REFUSE("--jobs: '/' is neither", "-j/", "echo");
	REFUSE("--jobs: '' is neither", "--jobs=", "echo");
}

static void
pool_options_set_their_fields(void **state)
{
	(void)state;
	struct parsed parsed;
	struct spec *spec =
	    PARSE_MAP(&parsed, "--bind", "numa", "--chunksize", "8", "--maxtasksperchild",
		      "100", "--initializer", ". ./env", "--delay", "0.5", "echo");
	assert_int_equal(spec->bind, SPEC_BIND_NUMA);
	assert_int_equal(spec->chunk_count, 8);
	assert_int_equal(spec->max_tasks_per_worker, 100);
	assert_string_equal(spec->initializer, ". ./env");
	assert_true(spec->delay_ns == 500000000);
	drop(&parsed);
	spec = PARSE_MAP(&parsed, "--chunksize=8", "--chunksize=auto", "echo");
	assert_int_equal(spec->chunk_count, 0);
	drop(&parsed);
	REFUSE("--bind: 'cpu' is not one of auto, core, share, pu, numa, none",
	       "--bind=cpu", "x");
	REFUSE("--initializer: '' is empty", "--initializer", "", "echo");
}

static void
the_jobserver_takes_its_style_only_in_the_same_word(void **state)
{
	(void)state;
	struct parsed parsed;
	static const struct {
		const char *text;
		enum spec_jobserver jobserver;
	} rows[] = {{"--jobserver", SPEC_JOBSERVER_AUTO},
		    {"--jobserver=auto", SPEC_JOBSERVER_AUTO},
		    {"--jobserver=pipe", SPEC_JOBSERVER_PIPE},
		    {"--jobserver=fifo", SPEC_JOBSERVER_FIFO},
		    {"--jobserver=none", SPEC_JOBSERVER_NONE}};
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct spec *spec = PARSE_MAP(&parsed, rows[i].text, "pipe");
		assert_int_equal(spec->jobserver, rows[i].jobserver);
		assert_int_equal(spec->word_count, 1);
		drop(&parsed);
	}
	REFUSE("--jobserver: 'x' is not one of auto, pipe, fifo, none", "--jobserver=x",
	       "x");
}

static void
every_start_method_has_its_name(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum spec_start_method method;
	} rows[] = {{"fork", SPEC_START_FORK},
		    {"spawn", SPEC_START_SPAWN},
		    {"forkserver", SPEC_START_FORKSERVER}};
	struct parsed parsed;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct spec *spec =
		    PARSE_MAP(&parsed, "--start-method", rows[i].text, "echo");
		assert_int_equal(spec->start_method, rows[i].method);
		drop(&parsed);
	}
	REFUSE("--start-method: 'vfork' is not one of fork, spawn, forkserver",
	       "--start-method", "vfork", "x");
}

static void
inherited_words_are_not_checked_again(void **state)
{
	(void)state;
	char words[][20] = {"-j", "no-such-file", "--wd", "no-such-folder", "echo"};
	char *argv[] = {words[0], words[1], words[2], words[3], words[4]};
	struct spec spec;
	struct err err = {0};
	spec_init(&spec, SPEC_MAP);
	assert_int_equal(options_parse(&spec, 5, argv, &err), OPTIONS_ERROR);
	spec_fini(&spec);
	spec_init(&spec, SPEC_MAP);
	spec.is_inherited = true;
	assert_int_equal(options_parse(&spec, 5, argv, &err), OPTIONS_RUN);
	assert_string_equal(spec.jobs.path, "no-such-file");
	assert_string_equal(spec.work_dir, "no-such-folder");
	spec_fini(&spec);
}

static void
every_kind_of_binding_has_its_name(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum spec_bind bind;
	} rows[] = {{"auto", SPEC_BIND_AUTO},   {"core", SPEC_BIND_CORE},
		    {"share", SPEC_BIND_SHARE}, {"pu", SPEC_BIND_PU},
		    {"numa", SPEC_BIND_NUMA},   {"none", SPEC_BIND_NONE}};
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct parsed parsed;
		struct spec *spec = PARSE_MAP(&parsed, "--bind", rows[i].text, "echo");
		assert_int_equal(spec->bind, rows[i].bind);
		drop(&parsed);
	}
}

static void
durations_are_seconds_or_sums_of_units(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t ns;
	} rows[] = {{"0", 0},
		    {"2", INT64_C(2000000000)},
		    {"0.25", 250000000},
		    {".5", 500000000},
		    {"90s", INT64_C(90000000000)},
		    {"1.5m", INT64_C(90000000000)},
		    {"1h30m", INT64_C(5400000000000)},
		    {"1D", INT64_C(86400000000000)},
		    {"1d3.5h16.6m4s", INT64_C(100000000000000)},
		    {"2305843009", INT64_C(2305843009000000000)}};
	static const char *const wrong[] = {
	    "",      "x",     "-1",  "1x",         "1 s",
	    "s",     "1.2.3", "1s2", "1m ",        "5%s",
	    "auto",  "1auto", ".",   "2305843010", "99999999999999999999",
	    "26689d"};
	struct parsed parsed;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct spec *spec = PARSE_MAP(&parsed, "--delay", rows[i].text, "echo");
		assert_true(spec->delay_ns == rows[i].ns);
		drop(&parsed);
	}
	for (size_t i = 0; i < COUNT(wrong); i++)
		REFUSE("is not a time: write seconds", "--delay", wrong[i], "echo");
}

static void
output_options_set_their_fields(void **state)
{
	(void)state;
	struct parsed parsed;
	struct spec *spec =
	    PARSE_MAP(&parsed, "--lb", "--unordered", "--window=5", "--tmpdir", "/tmp",
		      "--wd", ".", "-t", "--quiet", "echo");
	assert_int_equal(spec->output_mode, SPEC_OUTPUT_LINE);
	assert_false(spec->is_ordered);
	assert_int_equal(spec->window, 5);
	assert_string_equal(spec->tmp_dir, "/tmp");
	assert_string_equal(spec->work_dir, ".");
	assert_true(spec->is_traced);
	assert_false(spec->is_verbose);
	assert_true(spec->is_quiet);
	drop(&parsed);
	spec = PARSE_MAP(&parsed, "-u", "--verbose", "echo");
	assert_int_equal(spec->output_mode, SPEC_OUTPUT_NONE);
	assert_true(spec->is_traced);
	drop(&parsed);
}

static void
outputs_are_kept_in_their_order(void **state)
{
	(void)state;
	struct parsed parsed;
	struct spec *spec =
	    PARSE_MAP(&parsed, "--output", "{.}.a", "--output={.}.b", "--output", "c",
		      "--fsync", "dir", "cp", "{}", "{out}");
	assert_int_equal(spec->output_count, 3);
	assert_string_equal(spec->outputs[0], "{.}.a");
	assert_string_equal(spec->outputs[1], "{.}.b");
	assert_string_equal(spec->outputs[2], "c");
	assert_int_equal(spec->fsync, SPEC_FSYNC_DIR);
	drop(&parsed);
	spec = PARSE_MAP(&parsed, "echo");
	assert_int_equal(spec->output_count, 0);
	assert_int_equal(spec->fsync, SPEC_FSYNC_NONE);
	drop(&parsed);
	REFUSE("--output: '' is empty", "--output=", "echo");
	REFUSE("--fsync: 'all' is not one of none, file, dir", "--fsync", "all", "echo");
}

static void
silent_takes_back_v_wherever_it_stands(void **state)
{
	(void)state;
	struct parsed parsed;
	struct spec *spec = PARSE_MAP(&parsed, "--silent", "-v", "-v", "echo");
	assert_false(spec->is_verbose);
	drop(&parsed);
}

static void
dry_run_groups_its_output(void **state)
{
	(void)state;
	struct parsed parsed;
	struct spec *spec = PARSE_MAP(&parsed, "--dry-run", "-u", "echo");
	assert_true(spec->is_dry_run);
	assert_int_equal(spec->output_mode, SPEC_OUTPUT_GROUP);
	drop(&parsed);
}

static void
json_is_refused_with_what_would_print_something_else(void **state)
{
	(void)state;
	struct parsed parsed;
	struct spec *spec = PARSE_MAP(&parsed, "--json", "echo");
	assert_int_equal(spec->json, SPEC_JSON_OBJECTS);
	drop(&parsed);
	spec = PARSE_MAP(&parsed, "--json-stream", "-t", "--silent", "-v", "echo");
	assert_int_equal(spec->json, SPEC_JSON_EVENTS);
	drop(&parsed);
	REFUSE("--json cannot be combined with --ungroup", "--json", "-u", "echo");
	REFUSE("--json cannot be combined with --line-buffer", "--lb", "--json", "echo");
	REFUSE("--json-stream cannot be combined with --tag", "--json-stream", "--tag",
	       "echo");
	REFUSE("--json cannot be combined with --tag", "--json", "--tagstring", "x",
	       "echo");
	REFUSE("--json cannot be combined with -v", "-v", "--json", "echo");
}

static void
tagstring_beats_tag_and_knows_blanks(void **state)
{
	(void)state;
	struct parsed parsed;
	struct spec *spec =
	    PARSE_MAP(&parsed, "--tagstring", "a\\tb\\n\\r\\q\\", "--tag", "echo");
	assert_string_equal(spec->tag, "a\tb\n\r\\q\\");
	drop(&parsed);
	spec = PARSE_MAP(&parsed, "echo");
	assert_null(spec->tag);
	drop(&parsed);
}

static void
directories_must_be_there(void **state)
{
	(void)state;
	REFUSE("--workdir: '...' is for remote machines only", "--wd", "...", "pwd");
	REFUSE("--workdir: '/dev/null' is not a directory", "--wd", "/dev/null", "pwd");
	REFUSE("--tmpdir: '/nonexistent/x' is not a directory", "--tmpdir=/nonexistent/x",
	       "pwd");
}

static void
retries_count_tries_and_zero_has_no_limit(void **state)
{
	(void)state;
	struct parsed parsed;
	struct spec *spec = PARSE_MAP(&parsed, "--retries", "3", "--backoff", "2",
				      "--retry-on", "exit,lost", "echo");
	assert_int_equal(spec->max_attempts, 3);
	assert_true(spec->backoff_ns == INT64_C(2000000000));
	assert_int_equal(spec->retry_on, SPEC_RETRY_EXIT | SPEC_RETRY_LOST);
	drop(&parsed);
	spec = PARSE_MAP(&parsed, "--retries=0", "--retry-on=all", "echo");
	assert_true(spec->max_attempts == UINT_MAX);
	assert_int_equal(spec->retry_on, SPEC_RETRY_ALL);
	drop(&parsed);
	spec = PARSE_MAP(&parsed, "--retry-on=signal,timeout", "echo");
	assert_int_equal(spec->retry_on, SPEC_RETRY_SIGNAL | SPEC_RETRY_TIMEOUT);
	drop(&parsed);
	spec = PARSE_MAP(&parsed, "--retry-on=memory", "echo");
	assert_int_equal(spec->retry_on, SPEC_RETRY_MEMORY);
	drop(&parsed);
	REFUSE("--retries: '4294967296' is not a number of tries", "--retries=4294967296",
	       "x");
	REFUSE("--retry-on: 'exit,' is not a list", "--retry-on=exit,", "x");
	REFUSE("--retry-on: 'crash' is not a list", "--retry-on=crash", "x");
	REFUSE("--retry-on: '' is not a list", "--retry-on=", "x");
}

static void
timeout_is_a_time_or_a_percentage(void **state)
{
	(void)state;
	struct parsed parsed;
	struct spec *spec = PARSE_MAP(&parsed, "--timeout", "1.5", "echo");
	assert_true(spec->timeout.ns == 1500000000);
	assert_int_equal((int)spec->timeout.percent, 0);
	drop(&parsed);
	spec = PARSE_MAP(&parsed, "--timeout=9", "--timeout=250%", "echo");
	assert_int_equal((int)spec->timeout.percent, 250);
	assert_true(spec->timeout.ns == 0);
	drop(&parsed);
	REFUSE("--timeout: '0%' is not a time", "--timeout=0%", "x");
	REFUSE("--timeout: '5x' is not a time", "--timeout=5x", "x");
}

static void
halt_has_all_forms_of_gnu_parallel(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		struct spec_halt halt;
	} rows[] = {
	    {"never", {SPEC_HALT_NEVER, SPEC_HALT_FAIL, false, 0}},
	    {"now,fail=1", {SPEC_HALT_NOW, SPEC_HALT_FAIL, false, 1}},
	    {"soon,fail=3%", {SPEC_HALT_SOON, SPEC_HALT_FAIL, true, 3}},
	    {"now,success=2", {SPEC_HALT_NOW, SPEC_HALT_SUCCESS, false, 2}},
	    {"soon,done=100%", {SPEC_HALT_SOON, SPEC_HALT_DONE, true, 100}},
	    {"0", {SPEC_HALT_NEVER, SPEC_HALT_FAIL, false, 0}},
	    {"1", {SPEC_HALT_SOON, SPEC_HALT_FAIL, false, 1}},
	    {"2", {SPEC_HALT_NOW, SPEC_HALT_FAIL, false, 1}},
	    {"-1", {SPEC_HALT_SOON, SPEC_HALT_SUCCESS, false, 1}},
	    {"-2", {SPEC_HALT_NOW, SPEC_HALT_SUCCESS, false, 1}},
	    {"10%", {SPEC_HALT_SOON, SPEC_HALT_FAIL, true, 10}},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct parsed parsed;
		struct spec *spec = PARSE_MAP(&parsed, "--halt", rows[i].text, "echo");
		assert_int_equal(spec->halt.when, rows[i].halt.when);
		assert_int_equal(spec->halt.why, rows[i].halt.why);
		assert_int_equal(spec->halt.is_percent, rows[i].halt.is_percent);
		assert_int_equal((int)spec->halt.value, (int)rows[i].halt.value);
		drop(&parsed);
	}
}

static void
wrong_halt_is_refused(void **state)
{
	(void)state;
	static const char *const wrong[] = {"",
					    "3",
					    "now",
					    "now,fail",
					    "now,fail=",
					    "now,fail=0",
					    "now,fail=0%",
					    "now,fail=101%",
					    "later,done=1",
					    "now,crash=1",
					    "now,fail=-1",
					    "never,fail=1",
					    "now,fail=1x",
					    "now,fail=1.5",
					    "0%",
					    "now fail=1"};
	for (size_t i = 0; i < COUNT(wrong); i++)
		REFUSE("--halt: '", "--halt", wrong[i], "echo");
}

static void
fail_fast_is_halt_now_at_the_first_failure(void **state)
{
	(void)state;
	struct parsed parsed;
	struct spec *spec = PARSE_MAP(&parsed, "--fail-fast", "echo");
	assert_int_equal(spec->halt.when, SPEC_HALT_NOW);
	assert_int_equal(spec->halt.why, SPEC_HALT_FAIL);
	assert_int_equal((int)spec->halt.value, 1);
	assert_false(spec->halt.is_percent);
	drop(&parsed);
}

static void
termseq_takes_names_and_numbers(void **state)
{
	(void)state;
	struct parsed parsed;
	struct spec *spec = PARSE_MAP(&parsed, "--termseq", "INT,1000,SIGterm,5,9", "echo");
	assert_int_equal(spec->term_step_count, 3);
	assert_int_equal(spec->term_steps[0].signal, SIGINT);
	assert_int_equal(spec->term_steps[0].wait_ms, 1000);
	assert_int_equal(spec->term_steps[1].signal, SIGTERM);
	assert_int_equal(spec->term_steps[1].wait_ms, 5);
	assert_int_equal(spec->term_steps[2].signal, SIGKILL);
	assert_int_equal(spec->term_steps[2].wait_ms, 0);
	drop(&parsed);
	static const char *const wrong[] = {
	    "",
	    "NOPE,1",
	    "TERM,",
	    "TERM,x",
	    "TERM,1,",
	    ",1",
	    "0,1",
	    "99,1",
	    "TERM,-1",
	    "TERM,2147483648",
	    "TERM,1,2,3,",
	    "TERM 1",
	    "SIG,1",
	    "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1"};
	for (size_t i = 0; i < COUNT(wrong); i++)
		REFUSE("--termseq: '", "--termseq", wrong[i], "echo");
}

static void
what_goes_on_needs_the_record_of_what_was(void **state)
{
	(void)state;
	static const struct {
		const char *option;
		enum spec_resume resume;
	} rows[] = {{"--resume", SPEC_RESUME_REST},
		    {"--resume-failed", SPEC_RESUME_FAILED},
		    {"--retry-failed", SPEC_RETRY_FAILED},
		    {"--retryfailed", SPEC_RETRY_FAILED}};
	struct parsed parsed;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct spec *spec = PARSE_MAP(&parsed, rows[i].option, "--jl", "x", "echo");
		assert_int_equal(spec->resume, rows[i].resume);
		assert_string_equal(spec->joblog, "x");
		assert_true(spec_is_recorded(spec));
		drop(&parsed);
		REFUSE("needs the record of the earlier run", rows[i].option, "echo");
	}
	/* The one that runs most counts, wherever it stands. */
	struct spec *spec =
	    PARSE_MAP(&parsed, "--resume-failed", "--resume", "--joblog", "x", "echo");
	assert_int_equal(spec->resume, SPEC_RESUME_FAILED);
	drop(&parsed);
	spec = PARSE_MAP(&parsed, "echo");
	assert_int_equal(spec->resume, SPEC_RESUME_NOTHING);
	assert_false(spec_is_recorded(spec));
	drop(&parsed);
	REFUSE("--joblog: '' is empty", "--joblog", "", "echo");
}

static void
retry_failed_needs_no_command_and_takes_no_inputs(void **state)
{
	(void)state;
	struct parsed parsed;
	struct spec *spec = PARSE_MAP(&parsed, "--retry-failed", "--joblog", "x", "echo",
				      "{}", ":::", "a");
	assert_int_equal(spec->word_count, 0);
	assert_null(spec->words[0]);
	assert_int_equal(spec->input_count, 0);
	drop(&parsed);
	spec = parse(&parsed, SPEC_FEED, "--retry-failed", "--joblog", "x", "cat", "-u",
		     ":::", "a", NULL);
	assert_int_equal(spec->program_word_count, 2);
	assert_int_equal(spec->input_count, 0);
	drop(&parsed);
}

static void
values_that_are_none_are_refused_with_what_to_write(void **state)
{
	(void)state;
	REFUSE("not a load: write 4", "--load", "many", "x");
	REFUSE("not a list of cpu=N", "--max-pressure", "gpu=3", "x");
	REFUSE("not a niceness", "--nice", "20", "x");
	REFUSE("not idle, nor best-effort", "--ionice", "slow", "x");
	REFUSE("not a time: write 06:30", "--deadline", "25:00", "x");
	REFUSE("write NAME=VALUE", "--env", "=x", "x");
	REFUSE("in place of ::::", "--arg-file-sep", "", "x");
	REFUSE("'x'", "--max-lines=x", "x");
	REFUSE("'\\xzz'", "-d", "\\xzz", "x");
	REFUSE("cpu=N", "--max-pressure", "cpu=1000000000000000000000000000000000000", "x");
	refuse(SPEC_FEED, "65536 at most", "--inflight", "65537", "x", NULL);
	refuse(SPEC_RUN, "which job?", "--check", NULL);
	refuse(SPEC_RUN, "'b' is one word too many", "a.json", "b", NULL);
	refuse(SPEC_RUN, "nosuch", "a.json", "--nosuch", NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(delimiter_is_one_byte_or_an_escape),
	    cmocka_unit_test(colsep_trims_both_sides_unless_told_otherwise),
	    cmocka_unit_test(trim_takes_the_letters_of_gnu_parallel),
	    cmocka_unit_test(header_is_the_first_line_only),
	    cmocka_unit_test(flags_of_inputs_and_command_set_their_fields),
	    cmocka_unit_test(numbers_are_whole_words_in_range),
	    cmocka_unit_test(sizes_take_the_suffixes_of_gnu_parallel),
	    cmocka_unit_test(renamed_replacement_strings_name_what_they_replace),
	    cmocka_unit_test(renaming_to_itself_changes_nothing),
	    cmocka_unit_test(rpl_is_split_at_its_first_blank),
	    cmocka_unit_test(jobs_may_be_a_file_that_can_be_read),
	    cmocka_unit_test(pool_options_set_their_fields),
	    cmocka_unit_test(every_kind_of_binding_has_its_name),
	    cmocka_unit_test(the_jobserver_takes_its_style_only_in_the_same_word),
	    cmocka_unit_test(every_start_method_has_its_name),
	    cmocka_unit_test(inherited_words_are_not_checked_again),
	    cmocka_unit_test(durations_are_seconds_or_sums_of_units),
	    cmocka_unit_test(output_options_set_their_fields),
	    cmocka_unit_test(outputs_are_kept_in_their_order),
	    cmocka_unit_test(silent_takes_back_v_wherever_it_stands),
	    cmocka_unit_test(dry_run_groups_its_output),
	    cmocka_unit_test(json_is_refused_with_what_would_print_something_else),
	    cmocka_unit_test(tagstring_beats_tag_and_knows_blanks),
	    cmocka_unit_test(directories_must_be_there),
	    cmocka_unit_test(values_that_are_none_are_refused_with_what_to_write),
	    cmocka_unit_test(retries_count_tries_and_zero_has_no_limit),
	    cmocka_unit_test(timeout_is_a_time_or_a_percentage),
	    cmocka_unit_test(halt_has_all_forms_of_gnu_parallel),
	    cmocka_unit_test(wrong_halt_is_refused),
	    cmocka_unit_test(fail_fast_is_halt_now_at_the_first_failure),
	    cmocka_unit_test(termseq_takes_names_and_numbers),
	    cmocka_unit_test(what_goes_on_needs_the_record_of_what_was),
	    cmocka_unit_test(retry_failed_needs_no_command_and_takes_no_inputs),
	};
	/* What the shell of whoever runs the tests has set is not part of them. */
	unsetenv("PARALLEL");
	unsetenv("PARALLEL_SHELL");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
