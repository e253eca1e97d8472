/*
 * main.c: dispatch to the verbs, and the map of all files.
 *
 *   options, lists, files         commands, retries, halt         forked, pinned workers
 *   +-------+  records  +----------------+  tasks   +-------+  ring  +------------------+
 *   | input | --------> | task: template | -------> |  run: | -----> | pool: worker,    |
 *   +-------+           |       plan     | <------- |  loop | <----- | executor, capture|
 *                       +----------------+ finished +-------+ frames +------------------+
 *                                                       | results
 *                                                       v
 *                                sink: output, failures; record
 *
 *   main.c, cmd_*.c   one file per verb: over cmd_tasks those that run tasks, over cmd_request the
 *            others; cmd_job (what its stages share, the end, exit status) and cmd_stage (joins
 *            source, plan, backend, sinks); cmd_bench has a job done several times; cmd_show:
 *            whether and where a job is shown while it goes on
 *   input/   what the user wrote: options, job files (job_*, json_read) -> task/spec;
 *            files (lines, csv, jsonl), lists, glob, range, link (the stage before) -> a
 *            task/source
 *   task/    spec, task, override, template, plan, ends, stamp (how a file was made), and the
 *            interfaces source.h, history.h, backend.h, sink.h
 *   run/     conductor (the loop over all runs of a job, signals); run: feed, wait, settle;
 *            run_hear: results; sinks and late (what records hear once the output is out);
 *            throttle, which reads gauge; memkills (which tasks the kernel has killed); tokens
 *            (cores lent to make and its kind in tasks); time limits; control (a socket for
 *            status and ctl) and steer (what they want of a job); live: their end of it
 *   pool/    topology (budget, machine: from sysfs or hwloc, places); pool (watch, replace, let
 *            the last tasks go) with flights and chunking; start (by fork, spawn or a server);
 *            worker, its channel and its executor: spawn, coproc (a program, its protocol, doze),
 *            plugin (dlopen); tree (a task's processes, and ending them); outputs
 *            (files that tasks make)
 *   sink/    output (order; as it was printed, or JSON), failures (the summary, with tails), tally
 *            and figures (of bench), display (of the progress of each run; with eta, and lanes:
 *            what the workers do), status_text
 *   record/  what is kept of a run, and what it says when a run is resumed: records (all of
 *            them), joblog, uptodate (files that need not be made again), results
 *            (a tree of files, tables, objects), runfile with its recorder, a process that
 *            writes the database; cron (one run of a name, silent unless it fails)
 *   report/  what a run file tells of a run: a summary, a page for a browser (page.html, .css and
 *            .js are put into the program as they are), a trace, rows
 *   ipc/     ring, board, outbox and its frames (between processes), jobserver (make's pipe of
 *            tokens), spill, loop (epoll), sock (Unix sockets of this user), run_name
 *   base/    err, diag, buf, io, slurp, cgroup, clock, decimal, sig, quote, makeflags, hash,
 *            blake2b, json_text, seqmap, seqset, draft (files that are there whole or not at
 *            all), screen (lines that come and go on a terminal), cells (text as wide as there)
 *   pinion-plugin.h   what plugins are compiled with; installed
 *
 * Processes: the coordinator is the commands, input, task, run, sink and pool.c; a worker is
 * worker.c and what it calls; a worker's children are the user's commands; a run file has its
 * recorder. Includes point one way:
 * base <- ipc, task <- input, run, pool, sink, record <- report <- cmd_*.c (scripts/check-layers).
 */
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "cmd.h"
#include "input/option_find.h"

/* By name; what they are about is in option_verbs, in that order. */
static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} verbs[] = {
    {"map", cmd_map},           {"feed", cmd_feed},
    {"call", cmd_call},         {"run", cmd_run},
    {"parallel", cmd_parallel}, {"bench", cmd_bench},
    {"topology", cmd_topology}, {"report", cmd_report},
    {"replay", cmd_replay},     {"status", cmd_status},
    {"ctl", cmd_ctl},           {"completion", cmd_completion},
};

static int
main_help(const struct diag *diag)
{
	struct buf text = {0};
	int failed = buf_append_str(&text, "Usage: pinion VERB [OPTION]...\n\n");
	for (size_t i = 0; failed == 0 && i < option_verb_count; i++)
		failed = buf_printf(&text, "  %-12s%s\n", option_verbs[i].name,
				    option_verbs[i].help);
	if (failed == 0)
		failed = buf_append_str(
		    &text, "\npinion VERB --help tells more; so does man pinion.\n");
	return cmd_print(diag, &text, failed);
}

static int
main_ask(const struct diag *diag)
{
	struct buf names = {0};
	int failed = 0;
	for (size_t i = 0; failed == 0 && i < option_verb_count; i++)
		failed = buf_printf(&names, "%s, ", option_verbs[i].name);
	diag_say(diag, "which verb? Say one of: %.*sor --help", (int)names.length,
		 failed == -1 ? "" : names.bytes);
	buf_fini(&names);
	return CMD_USAGE;
}

static int
main_refuse(const struct diag *diag, const char *word)
{
	const char *nearest = option_nearest_verb(word);
	if (nearest != NULL)
		diag_say(diag, "no such verb: %.100s: did you mean %s?", word, nearest);
	else
		diag_say(diag, "no such verb: %.100s; pinion --help lists them", word);
	return CMD_USAGE;
}

int
main(int argc, char **argv)
{
	const struct diag diag = {.name = "pinion", .fd = STDERR_FILENO};
	if (io_ensure_standard() == -1) {
		diag_say(&diag, "cannot open /dev/null in place of a closed descriptor");
		return CMD_BROKEN;
	}
	if (argc > 0 && strcmp(basename(argv[0]), "parallel") == 0)
		return cmd_parallel(argc, argv);
	if (argc < 2)
		return main_ask(&diag);
	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
		if (strcmp(argv[1], verbs[i].name) == 0)
			return verbs[i].run(argc - 1, argv + 1);
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "help") == 0)
		return main_help(&diag);
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)
		return cmd_print_about(&diag, OPTIONS_VERSION, 0);
	return main_refuse(&diag, argv[1]);
}
