/* option_table.c: see option_table.h. */
#include "input/option_table.h"

#include <stdio.h>
#include <string.h>

#include "input/option_set.h"
#include "input/request.h"

#define FIELD(name) offsetof(struct spec, name)
#define REQUEST(name) offsetof(struct request, name)
#define NOTE(name) offsetof(struct option_state, name)

#define NONE OPTION_ARGUMENT_NONE
#define NEED OPTION_ARGUMENT_NEEDED
#define TEXT OPTION_ARGUMENT_TEXT
#define COUNT OPTION_ARGUMENT_COUNT
#define JOINED OPTION_ARGUMENT_JOINED

#define RUNNING OPTION_RUNNING
#define COMMANDS OPTION_COMMANDS
#define FEED OPTION_FEED
#define CALL OPTION_CALL
#define RUN OPTION_RUN
#define JOB OPTION_JOB
#define PARALLEL OPTION_PARALLEL

#define INPUT OPTION_SECTION_INPUT
#define COMMAND OPTION_SECTION_COMMAND
#define POOL OPTION_SECTION_POOL
#define OUTPUT OPTION_SECTION_OUTPUT
#define FAILURE OPTION_SECTION_FAILURE
#define RECORD OPTION_SECTION_RECORD
#define OTHER OPTION_SECTION_OTHER

/* clang-format off */
const struct option_row option_table[] = {
	/* names, letters, argument, its name, verbs, section, help, setter, operand, hint, words */
	{"arg-file", "a", NEED, "FILE", RUNNING, INPUT,
	 "take input items from FILE, - is stdin; several are combined each with each",
	 option_set_arg_file, 0, OPTION_HINT_FILE, NULL},
	{"csv", "", NEED, "FILE", RUNNING, INPUT,
	 "take records from the CSV in FILE, whose fields are {1} {2}, and by --header : {name}",
	 option_set_csv, 0, OPTION_HINT_FILE, NULL},
	{"jsonl", "", NEED, "FILE", RUNNING, INPUT,
	 "take a JSON object from each line of FILE, whose members are {name}",
	 option_set_jsonl, 0, OPTION_HINT_FILE, NULL},
	{"null", "0", NONE, NULL, RUNNING, INPUT,
	 "items end with a NUL byte", option_set_null, 0, 0, NULL},
	{"delimiter", "d", NEED, "C", RUNNING, INPUT,
	 "items end with the byte C; \\n \\t \\0 \\x2c \\054 are understood",
	 option_set_delimiter, 0, 0, NULL},
	{"", "E", NEED, "TEXT", RUNNING, INPUT,
	 "an item equal to TEXT ends the input", option_set_eof, 0, 0, NULL},
	{"eof", "e", TEXT, "TEXT", RUNNING, INPUT,
	 "as -E; without TEXT there is no such item", option_set_eof, 0, 0, NULL},
	{"colsep", "C", NEED, "REGEX", RUNNING, INPUT,
	 "split items into columns {1} {2} at matches of REGEX; implies --trim lr",
	 option_set_string, FIELD(colsep), 0, NULL},
	{"header", "", NEED, ":", RUNNING, INPUT,
	 "the first line names the columns: {name}; columns are apart by tabs unless --colsep says otherwise",
	 option_set_header, 0, OPTION_HINT_WORDS, ":"},
	{"link|xapply", "", NONE, NULL, RUNNING, INPUT,
	 "take one value from each input source in step, not each with each",
	 option_set_true, FIELD(is_all_linked), 0, NULL},
	{"max-args", "n", NEED, "N", RUNNING, INPUT,
	 "put up to N items into one command; 0: run once for each, put none in",
	 option_set_max_args, 0, 0, NULL},
	{"max-replace-args", "N", NEED, "N", RUNNING, INPUT,
	 "as -n, and repeat the word around {} for each; {1} to {N} are the single items",
	 option_set_max_replace_args, 0, 0, NULL},
	{"", "L", NEED, "N", RUNNING, INPUT,
	 "put up to N lines of input into one command; a line that ends in a blank goes on with the next",
	 option_set_max_lines, 0, 0, NULL},
	{"max-lines", "l", COUNT, "N", RUNNING, INPUT,
	 "as -L; without N, 1", option_set_max_lines_old, 0, 0, NULL},
	{"", "X", NONE, NULL, COMMANDS, INPUT,
	 "put as many items as fit into one command, repeating the word around {}",
	 option_note, NOTE(is_context_fill_given), 0, NULL},
	{"", "m", NONE, NULL, COMMANDS, INPUT,
	 "put as many items as fit into one command", option_note, NOTE(is_fill_given), 0, NULL},
	{"xargs", "", NONE, NULL, COMMANDS, INPUT,
	 "as -m, but without sharing the last items among the workers",
	 option_note, NOTE(is_xargs_given), 0, NULL},
	{"max-chars", "s", NEED, "SIZE", COMMANDS, INPUT,
	 "let no command be longer than SIZE bytes",
	 option_set_count, FIELD(max_chars), 0, NULL},
	{"no-run-if-empty", "r", NONE, NULL, RUNNING, INPUT,
	 "skip items that are empty or blank", option_set_true, FIELD(skips_empty), 0, NULL},
	{"trim", "", NEED, "n|l|r|lr", RUNNING, INPUT,
	 "take blanks off items: none, left, right, both",
	 option_set_trim, 0, OPTION_HINT_WORDS, "n l r lr rl"},
	{"shuf", "", NONE, NULL, RUNNING, INPUT,
	 "run the tasks in random order", option_set_true, FIELD(is_shuffled), 0, NULL},
	{"arg-sep", "", NEED, "WORD", RUNNING, INPUT,
	 "use WORD in place of :::", option_set_value_sep, 0, 0, NULL},
	{"arg-file-sep", "", NEED, "WORD", RUNNING, INPUT,
	 "use WORD in place of ::::", option_set_file_sep, 0, 0, NULL},

	{"", "I", NEED, "STRING", COMMANDS, COMMAND,
	 "use STRING in place of {}", option_set_rpl_name, 0, 0, "{}"},
	{"replace", "i", TEXT, "STRING", COMMANDS, COMMAND,
	 "as -I; without STRING, {}", option_set_rpl_name, 0, 0, "{}"},
	{"extensionreplace|er", "U", NEED, "STRING", COMMANDS, COMMAND,
	 "use STRING in place of {.}", option_set_rpl_name, 0, 0, "{.}"},
	{"basenamereplace|bnr", "", NEED, "STRING", COMMANDS, COMMAND,
	 "use STRING in place of {/}", option_set_rpl_name, 0, 0, "{/}"},
	{"dirnamereplace|dnr", "", NEED, "STRING", COMMANDS, COMMAND,
	 "use STRING in place of {//}", option_set_rpl_name, 0, 0, "{//}"},
	{"basenameextensionreplace|bner", "", NEED, "STRING", COMMANDS, COMMAND,
	 "use STRING in place of {/.}", option_set_rpl_name, 0, 0, "{/.}"},
	{"seqreplace", "", NEED, "STRING", COMMANDS, COMMAND,
	 "use STRING in place of {#}", option_set_rpl_name, 0, 0, "{#}"},
	{"slotreplace", "", NEED, "STRING", COMMANDS, COMMAND,
	 "use STRING in place of {%}", option_set_rpl_name, 0, 0, "{%}"},
	{"rpl", "", NEED, "'TAG EDIT'", COMMANDS, COMMAND,
	 "make TAG a replacement string: the value after the s/regex/text/ in EDIT",
	 option_set_rpl, 0, 0, NULL},
	{"plus", "", NONE, NULL, COMMANDS, COMMAND,
	 "add {..} {/..} {+/} {+.} {+..} and their kind, and {:-text} {%tail} {/a/b} as bash has them",
	 option_set_true, FIELD(has_plus), 0, NULL},
	{"quote", "q", NONE, NULL, COMMANDS, COMMAND,
	 "quote the words of the command for the shell, too",
	 option_set_true, FIELD(is_quoted), 0, NULL},
	{"workdir|wd", "", NEED, "DIR", RUNNING, COMMAND,
	 "run the tasks in DIR",
	 option_set_directory, FIELD(work_dir), OPTION_HINT_DIRECTORY, NULL},
	{"output", "", NEED, "TEMPLATE", COMMANDS, COMMAND,
	 "the task makes this file, under the name {out}; it is there whole or not at all",
	 option_set_output, 0, OPTION_HINT_FILE, NULL},
	{"fsync", "", NEED, "WHAT", COMMANDS, COMMAND,
	 "what is on disk before a task is done: none, its outputs (file), their names too (dir)",
	 option_set_fsync, 0, OPTION_HINT_WORDS, "none file dir"},
	{"stdin", "", NEED, "FILE", COMMANDS, COMMAND,
	 "let each task read FILE as its standard input",
	 option_set_string, FIELD(stdin_path), OPTION_HINT_FILE, NULL},
	{"dry-run|dr", "", NONE, NULL, RUNNING | RUN, COMMAND,
	 "print the commands and run nothing", option_set_true, FIELD(is_dry_run), 0, NULL},

	{"protocol", "", NEED, "NAME", FEED, COMMAND,
	 "line: a line in, a line out; nul: NUL bytes for newlines; json: an object each; count: out a number of bytes, then the bytes",
	 option_set_protocol, 0, OPTION_HINT_WORDS, "line nul json count"},
	{"inflight", "", NEED, "N", FEED, POOL,
	 "let a program have up to N tasks at once, to overlap the pipe with the work",
	 option_set_inflight, 0, 0, NULL},
	{"max-rss", "", NEED, "SIZE", FEED | CALL, POOL,
	 "replace a program (call: a worker) that has grown beyond SIZE, after the task that made it grow",
	 option_set_size, FIELD(max_rss_bytes), 0, NULL},
	{"jobs|max-procs", "jP", NEED, "N", RUNNING | RUN | OPTION_TOPOLOGY, POOL,
	 "run N tasks at once; N%, +N, -N: of or around the budget; cores; threads; 0: as many as possible; a file",
	 option_set_jobs, 0, OPTION_HINT_FILE, NULL},
	{"bind", "", NEED, "KIND", RUNNING | OPTION_TOPOLOGY, POOL,
	 "pin each worker to a core, its share of the cores, a pu, a numa node, none, or auto",
	 option_set_bind, 0, OPTION_HINT_WORDS, "auto core share pu numa none"},
	{"chunksize", "", NEED, "N", RUNNING, POOL,
	 "let a worker claim up to N tasks at once, or auto",
	 option_set_chunksize, 0, OPTION_HINT_WORDS, "auto"},
	{"maxtasksperchild", "", NEED, "N", RUNNING, POOL,
	 "replace a worker after N tasks",
	 option_set_task_count, FIELD(max_tasks_per_worker), 0, NULL},
	{"start-method", "", NEED, "METHOD", RUNNING, POOL,
	 "make each worker by fork, spawn (a fresh process) or forkserver (a copy of a server that is ready to work)",
	 option_set_start_method, 0, OPTION_HINT_WORDS, "fork spawn forkserver"},
	{"initializer", "", NEED, "COMMAND", RUNNING, POOL,
	 "run COMMAND once in each worker; what it exports its tasks see",
	 option_set_string, FIELD(initializer), OPTION_HINT_COMMAND, NULL},
	{"delay", "", NEED, "TIME", RUNNING, POOL,
	 "wait TIME between starts; seconds, or 1m30s",
	 option_set_duration, FIELD(delay_ns), 0, NULL},
	{"load", "", NEED, "N", RUNNING, POOL,
	 "start no task while N or more processes run on the machine, or N% of its CPUs",
	 option_set_load, 0, 0, NULL},
	{"memfree", "", NEED, "SIZE", RUNNING, POOL,
	 "start no task while less than SIZE of memory is free, here or in our control group",
	 option_set_size, FIELD(memfree_bytes), 0, NULL},
	{"max-pressure", "", NEED, "cpu=N,...", RUNNING, POOL,
	 "start no task while others stall N% of the time for want of cpu, memory or io",
	 option_set_max_pressure, 0, OPTION_HINT_WORDS, "cpu= memory= io="},
	{"nice", "", NEED, "N", RUNNING, POOL,
	 "run the tasks at niceness N, 19 is the nicest", option_set_nice, 0, 0, NULL},
	{"ionice", "", NEED, "CLASS[:LEVEL]", RUNNING, POOL,
	 "let the tasks use disks when idle, as best-effort or realtime; levels are 0 (first) to 7",
	 option_set_ionice, 0, OPTION_HINT_WORDS, "idle best-effort realtime"},
	{"deadline", "", NEED, "TIME", RUNNING | RUN, POOL,
	 "start no task from TIME on: 06:30, or 8h from now, or 2026-11-22T06:00",
	 option_set_deadline, 0, 0, NULL},
	{"cron", "", NEED, "NAME", RUNNING | RUN, POOL,
	 "one run of that name at a time, silent when all is well, one screen when not",
	 option_set_cron, 0, 0, NULL},

	{"jobserver", "", JOINED, "STYLE", RUNNING, POOL,
	 "share the workers' cores with each make, ninja, cargo in a task: auto, pipe, fifo, none",
	 option_set_jobserver, 0, OPTION_HINT_WORDS, "auto pipe fifo none"},

	{"keep-order", "k", NONE, NULL, RUNNING, OUTPUT,
	 "print in the order of the input", option_set_true, FIELD(is_ordered), 0, NULL},
	{"unordered|no-keep-order", "", NONE, NULL, RUNNING, OUTPUT,
	 "print as tasks finish", option_set_false, FIELD(is_ordered), 0, NULL},
	{"group", "", NONE, NULL, RUNNING, OUTPUT,
	 "print each task's output as one block (the default)",
	 option_set_output_mode, SPEC_OUTPUT_GROUP, 0, NULL},
	{"line-buffer|line-buffered|lb", "", NONE, NULL, RUNNING, OUTPUT,
	 "print whole lines as they come", option_set_output_mode, SPEC_OUTPUT_LINE, 0, NULL},
	{"ungroup", "u", NONE, NULL, COMMANDS, OUTPUT,
	 "give the tasks stdout and stderr themselves",
	 option_set_output_mode, SPEC_OUTPUT_NONE, 0, NULL},
	{"tag", "", NONE, NULL, RUNNING, OUTPUT,
	 "start each line with the task's values and a tab", option_set_tag, 0, 0, NULL},
	{"tagstring", "", NEED, "TEMPLATE", RUNNING, OUTPUT,
	 "start each line with TEMPLATE, filled in, and a tab", option_set_tagstring, 0, 0, NULL},
	{"json", "", NONE, NULL, RUNNING | RUN, OUTPUT,
	 "print a JSON object a line for each task, with its output, its end and its cost",
	 option_set_json, SPEC_JSON_OBJECTS, 0, NULL},
	{"json-stream", "", NONE, NULL, RUNNING | RUN, OUTPUT,
	 "print a JSON object a line for each start, piece of output and end, as they happen",
	 option_set_json, SPEC_JSON_EVENTS, 0, NULL},
	{"results|result|res", "", NEED, "DIR", RUNNING, OUTPUT,
	 "keep output in files below DIR, named by the values; or in FILE.csv .tsv .json .jsonl",
	 option_set_string, FIELD(results), OPTION_HINT_FILE, NULL},
	{"buffer", "", NEED, "SIZE", RUNNING, OUTPUT,
	 "keep up to SIZE of waiting output in memory, the rest in unlinked files",
	 option_set_size, FIELD(buffer_bytes), 0, NULL},
	{"window", "", NEED, "N", RUNNING, OUTPUT,
	 "run at most N tasks ahead of the one whose output is next",
	 option_set_count, FIELD(window), 0, NULL},
	{"tmpdir|tempdir", "", NEED, "DIR", RUNNING, OUTPUT,
	 "put those files into DIR, not $TMPDIR",
	 option_set_directory, FIELD(tmp_dir), OPTION_HINT_DIRECTORY, NULL},
	{"", "v", NONE, NULL, RUNNING, OUTPUT,
	 "print each command before its output", option_set_true, FIELD(is_verbose), 0, NULL},
	{"verbose", "t", NONE, NULL, RUNNING, OUTPUT,
	 "print each command on stderr when it starts", option_set_true, FIELD(is_traced), 0, NULL},
	{"silent", "", NONE, NULL, RUNNING, OUTPUT,
	 "undo -v", option_note, NOTE(is_silent), 0, NULL},
	{"quiet", "", NONE, NULL, RUNNING | RUN, OUTPUT,
	 "say nothing of the run: no progress, no summary of failed tasks",
	 option_set_true, FIELD(is_quiet), 0, NULL},
	{"progress", "", NONE, NULL, RUNNING | RUN, OUTPUT,
	 "show on stderr how the run is going, and what each worker does",
	 option_set_progress, SPEC_PROGRESS_LANES, 0, NULL},
	{"bar", "", NONE, NULL, RUNNING | RUN, OUTPUT,
	 "show a bar as wide as the terminal instead",
	 option_set_progress, SPEC_PROGRESS_BAR, 0, NULL},
	{"eta", "", NONE, NULL, RUNNING | RUN, OUTPUT,
	 "show when the run will be over, in the words of GNU parallel",
	 option_set_progress, SPEC_PROGRESS_ETA, 0, NULL},
	{"no-progress", "", NONE, NULL, RUNNING | RUN, OUTPUT,
	 "show no progress on a terminal",
	 option_set_progress, SPEC_PROGRESS_NONE, 0, NULL},

	{"retries", "", NEED, "N", RUNNING, FAILURE,
	 "try a failing task up to N times in all; 0: until it succeeds",
	 option_set_retries, 0, 0, NULL},
	{"retry-on", "", NEED, "LIST", RUNNING, FAILURE,
	 "retry only after these ends: exit, signal, timeout, lost, memory, all",
	 option_set_retry_on, 0, OPTION_HINT_WORDS, "exit signal timeout lost memory all"},
	{"backoff", "", NEED, "TIME", RUNNING, FAILURE,
	 "wait TIME before the second try, twice as long before each further one",
	 option_set_duration, FIELD(backoff_ns), 0, NULL},
	{"timeout", "", NEED, "TIME", RUNNING, FAILURE,
	 "end a task that runs longer than TIME, or than N% of the median run time",
	 option_set_timeout, 0, 0, NULL},
	{"halt|halt-on-error", "", NEED, "WHEN", RUNNING, FAILURE,
	 "never; soon or now, then ,fail=N ,success=N or ,done=N (or N%): end the run then",
	 option_set_halt, 0, OPTION_HINT_WORDS,
	 "never now,fail=1 soon,fail=1 now,success=1 soon,success=1 now,done=1 soon,done=1"},
	{"fail-fast", "", NONE, NULL, RUNNING, FAILURE,
	 "as --halt now,fail=1", option_set_fail_fast, 0, 0, NULL},
	{"termseq", "", NEED, "SIGNAL,MS,...", COMMANDS | FEED, FAILURE,
	 "how to end a task: signals, each with the wait after it (TERM,200,TERM,100,TERM,50,KILL,25)",
	 option_set_termseq, 0, 0, NULL},

	{"run-file", "", NEED, "FILE", RUNNING | RUN, RECORD,
	 "record the run and all about its tasks in FILE, an SQLite database; a further run is added",
	 option_set_string, FIELD(run_file), OPTION_HINT_FILE, NULL},
	{"joblog|jl", "", NEED, "FILE", RUNNING | RUN, RECORD,
	 "write a line about each task that has ended to FILE, over what is there; +FILE: behind it",
	 option_set_string, FIELD(joblog), OPTION_HINT_FILE, NULL},
	{"resume", "", NONE, NULL, RUNNING | RUN, RECORD,
	 "run only the tasks that the record of the earlier run does not know",
	 option_set_resume, SPEC_RESUME_REST, 0, NULL},
	{"resume-failed", "", NONE, NULL, RUNNING | RUN, RECORD,
	 "as --resume, and run those again that failed",
	 option_set_resume, SPEC_RESUME_FAILED, 0, NULL},
	{"retry-failed|retryfailed", "", NONE, NULL, RUNNING | RUN, RECORD,
	 "run again those that failed, with the inputs of the record",
	 option_set_resume, SPEC_RETRY_FAILED, 0, NULL},

	{"env", "", NEED, "VAR[=VALUE]", RUNNING, OTHER,
	 "set VAR for the tasks; without VALUE not needed: they get the whole environment",
	 option_set_env, 0, 0, NULL},
	{"print-spec", "", NONE, NULL, JOB | RUN, OTHER,
	 "print the job as a file for pinion run, and run nothing",
	 option_note, NOTE(is_print_wanted), 0, NULL},
	{"set", "", NEED, "KEY=VALUE", RUN, OTHER,
	 "have VALUE for KEY, whatever the file says: workers=2, inputs.glob='x/*.jpg'",
	 option_set_set, 0, 0, NULL},
	{"check", "", NONE, NULL, RUN, OTHER,
	 "say whether the file is right and what would be done, and run nothing",
	 option_note, NOTE(is_check_wanted), 0, NULL},
	{"schema", "", NONE, NULL, RUN, OTHER,
	 "print the JSON Schema of job files", option_ask, OPTIONS_SCHEMA, 0, NULL},
	{"plain", "", NONE, NULL, PARALLEL, OTHER,
	 "do not read options from $PARALLEL", option_set_plain, 0, 0, NULL},
	{"gnu", "", NONE, NULL, PARALLEL, OTHER,
	 "accepted and ignored", option_ignore, 0, 0, NULL},
	{"will-cite|no-notice|nn", "", NONE, NULL, PARALLEL, OTHER,
	 "accepted and ignored", option_ignore, 0, 0, NULL},
	{"citation|bibtex", "", NONE, NULL, PARALLEL, OTHER,
	 "accepted and ignored", option_ignore, 0, 0, NULL},
	{"html", "", NEED, "FILE", OPTION_REPORT, OTHER,
	 "write one page with everything, for a browser; needs no network",
	 request_set_target, REQUEST(html), OPTION_HINT_FILE, NULL},
	{"trace", "", NEED, "FILE", OPTION_REPORT, OTHER,
	 "write trace events, for ui.perfetto.dev or chrome://tracing",
	 request_set_target, REQUEST(trace), OPTION_HINT_FILE, NULL},
	{"json", "", TEXT, "FILE", OPTION_REPORT, OTHER,
	 "write a JSON object a line for each task, as of map --json",
	 request_set_target, REQUEST(json), OPTION_HINT_FILE, NULL},
	{"csv", "", TEXT, "FILE", OPTION_REPORT, OTHER,
	 "write a row for each task", request_set_target, REQUEST(csv), OPTION_HINT_FILE, NULL},
	{"run", "", NEED, "ID", OPTION_REPORT, OTHER,
	 "that run of the file; else its last one", request_set_run, 0, 0, NULL},
	{"top", "n", NEED, "N", OPTION_REPORT, OTHER,
	 "tell of so many failed and slowest tasks; else 10", request_set_top, 0, 0, NULL},
	{"failed", "", NONE, NULL, OPTION_REPLAY, OTHER,
	 "run all tasks again that failed, with the options of their run",
	 option_set_true, REQUEST(is_failed), 0, NULL},
	{"print", "", NONE, NULL, OPTION_REPLAY, OTHER,
	 "print a command line to paste instead", option_set_true, REQUEST(is_print), 0, NULL},
	{"run", "", NEED, "ID", OPTION_REPLAY, OTHER,
	 "the task of this run; else of the last run that has it", request_set_run, 0, 0, NULL},
	{"shell", "", NONE, NULL, OPTION_REPLAY, OTHER,
	 "open a shell in its directory and environment instead",
	 option_set_true, REQUEST(is_shell), 0, NULL},
	{"watch", "w", NONE, NULL, OPTION_STATUS, OTHER,
	 "again each second, until the runs have ended",
	 option_set_true, REQUEST(is_watched), 0, NULL},
	{"json", "", NONE, NULL, OPTION_STATUS, OTHER,
	 "a line of JSON for each run, as pinion-control(7) has it",
	 option_set_true, REQUEST(wants_json), 0, NULL},
	{"names", "", NONE, NULL, OPTION_STATUS, OTHER,
	 "the names alone, a line each", option_set_true, REQUEST(wants_names), 0, NULL},
	{"json", "", NONE, NULL, OPTION_TOPOLOGY, OUTPUT,
	 "one JSON object instead of text", option_set_true, REQUEST(wants_json), 0, NULL},
	{"rounds", "", NEED, "N", OPTION_BENCH, OTHER,
	 "measure N times with one worker and N times with all; else 3, as far as a minute allows",
	 option_set_rounds, 0, 0, NULL},
	{"json", "", NONE, NULL, OPTION_BENCH, OTHER,
	 "print the figures as JSON", option_set_true, FIELD(has_json_figures), 0, NULL},
	{"help", "h", NONE, NULL, OPTION_ALL, OTHER,
	 "print this help", option_ask, OPTIONS_HELP, 0, NULL},
	{"version", "V", NONE, NULL, OPTION_ALL, OTHER,
	 "print the version", option_ask, OPTIONS_VERSION, 0, NULL},
	{"name", "", NEED, "NAME", RUNNING | RUN, OTHER,
	 "what pinion status and pinion ctl call the run; else made of the command, such as gzip-1",
	 option_set_name, 0, 0, NULL},
	{"list-options", "", NONE, NULL, OPTION_ALL, OTHER,
	 NULL, option_ask, OPTIONS_LIST, 0, NULL},
};
/* clang-format on */
const size_t option_count = sizeof(option_table) / sizeof(option_table[0]);

const struct option_verb option_verbs[] = {
    {"map", OPTION_MAP, "run a command for each input: pinion map gzip {} ::: ./*.log",
     true, "", false},
    {"feed", OPTION_FEED,
     "feed inputs to a program that is kept alive: pinion feed ./score.py", true, "", false},
    {"call", OPTION_CALL, "call a C function for each input: pinion call ./crc.so", true,
     "", false},
    {"run", OPTION_RUN, "run what a job file says: pinion run JOB.json", false, NULL, false},
    {"parallel", OPTION_PARALLEL,
     "as map, with GNU parallel's defaults, for scripts written for it", true, "", false},
    {"bench", OPTION_BENCH,
     "what more workers gain: the tasks with one and with all of them", true, "", false},
    {"topology", OPTION_TOPOLOGY, "show the machine's budget and where workers would sit",
     false, "", false},
    {"report", OPTION_REPORT, "tell what a recorded run did: pinion report RUN.db", false,
     NULL, false},
    {"replay", OPTION_REPLAY, "run a task of a recorded run again, exactly as it was",
     false, NULL, false},
    {"status", OPTION_STATUS,
     "show the runs that are under way, or one of them in detail", false, "", true},
    {"ctl", OPTION_CTL, "tell one what to do: jobs, pause, resume, drain, cancel, stop",
     false, "jobs pause resume drain cancel stop", true},
    {"completion", OPTION_COMPLETION, "print the completion script for bash, zsh or fish",
     false, "bash zsh fish", false},
};
const size_t option_verb_count = sizeof(option_verbs) / sizeof(option_verbs[0]);

static bool
option_is_kept_by_bench(const struct option_row *option)
{
	if ((option->verbs & OPTION_COMMANDS) != OPTION_COMMANDS ||
	    option->section == OUTPUT || option->section == RECORD)
		return false;
	return option->set != option_set_output && option->set != option_set_fsync &&
	       option->set != option_set_cron &&
	       !(option->set == option_set_true && option->operand == FIELD(is_dry_run));
}

unsigned int
option_verbs_of(const struct option_row *option)
{
	return option->verbs | (option_is_kept_by_bench(option) ? OPTION_BENCH : 0);
}

unsigned int
option_dialect_bit(enum spec_dialect dialect)
{
	static const unsigned int bits[] = {
	    [SPEC_MAP] = OPTION_MAP,     [SPEC_PARALLEL] = OPTION_PARALLEL,
	    [SPEC_FEED] = OPTION_FEED,   [SPEC_CALL] = OPTION_CALL,
	    [SPEC_BENCH] = OPTION_BENCH, [SPEC_RUN] = OPTION_RUN};
	return bits[dialect];
}

const char *
option_name(const struct option_row *option, char text[OPTION_NAME_BYTES])
{
	const char *rest = option->names, *name;
	size_t length = option_next_name(&rest, &name);
	if (length == 0)
		snprintf(text, OPTION_NAME_BYTES, "-%c", option->letters[0]);
	else
		snprintf(text, OPTION_NAME_BYTES, "--%.*s", (int)length, name);
	return text;
}

size_t
option_next_name(const char **rest, const char **name)
{
	*name = *rest;
	size_t length = strcspn(*rest, "|");
	*rest += length;
	if (**rest == '|')
		(*rest)++;
	return length;
}
