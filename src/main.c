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
 *   main.c, cmd_*.c   one file per verb, cmd_tasks for those that run tasks; cmd_job (what its
 *            stages share, the end, exit status) and cmd_stage (joins source, plan, backend,
 *            sinks); cmd_bench has a job done several times; cmd_show: whether and where a job
 *            is shown while it goes on
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

#include "base/buf.h"
#include "base/diag.h"
#include "base/io.h"
#include "cmd.h"

struct verb {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
};

static const struct verb verbs[] = {
    {"map", cmd_map, "run a command for each input: pinion map gzip {} ::: ./*.log"},
    {"feed", cmd_feed,
     "feed inputs to a program that is kept alive: pinion feed ./score.py"},
    {"call", cmd_call, "call a C function for each input: pinion call ./crc.so"},
    {"run", cmd_run, "run what a job file says: pinion run JOB.json"},
    {"parallel", cmd_parallel,
     "the same with GNU parallel's defaults, for scripts written for it"},
    {"bench", cmd_bench, "what more workers gain: the tasks with one and with all of them"},
    {"topology", cmd_topology, "show the machine's budget and where workers would sit"},
    {"report", cmd_report, "tell what a recorded run did: pinion report RUN.db"},
    {"replay", cmd_replay, "run a task of a recorded run again, exactly as it was"},
    {"status", cmd_status, "show the runs that are under way, or one of them in detail"},
    {"ctl", cmd_ctl, "tell one what to do: jobs, pause, resume, drain, cancel, stop"},
    {"completion", cmd_completion, "print the completion script for bash, zsh or fish"},
};

static const char main_help[] = "usage: pinion VERB [OPTIONS] ...\n"
				"\n";

static int
main_print(const char *head, bool has_verbs)
{
	struct buf text = {0};
	int status = buf_append_str(&text, head);
	for (size_t i = 0; has_verbs && status == 0 && i < sizeof(verbs) / sizeof(*verbs);
	     i++)
		status = buf_printf(&text, "  %-12s%s\n", verbs[i].name, verbs[i].help);
	if (has_verbs && status == 0)
		status = buf_append_str(
		    &text, "\npinion VERB --help tells more; so does man pinion.\n");
	if (status == 0)
		status = io_write_all(STDOUT_FILENO, text.bytes, text.length);
	buf_fini(&text);
	return status == 0 ? CMD_OK : CMD_BROKEN;
}

int
main(int argc, char **argv)
{
	struct diag diag = {.name = "pinion", .fd = STDERR_FILENO};
	if (io_ensure_standard() == -1) {
		diag_say(&diag, "cannot open /dev/null in place of a closed descriptor");
		return CMD_BROKEN;
	}
	if (argc > 0 && strcmp(basename(argv[0]), "parallel") == 0)
		return cmd_parallel(argc, argv);
	if (argc < 2) {
		diag_say(&diag, "which verb? Say one of: map, feed, call, run, parallel, "
				"bench, topology, report, replay, status, ctl, "
				"completion; or --help");
		return CMD_USAGE;
	}
	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
		if (strcmp(argv[1], verbs[i].name) == 0)
			return verbs[i].run(argc - 1, argv + 1);
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "help") == 0)
		return main_print(main_help, true);
	if (strcmp(argv[1], "--version") == 0)
		return main_print("pinion " PINION_VERSION "\n", false);
	diag_say(&diag, "no such verb: %s; pinion --help lists them", argv[1]);
	return CMD_USAGE;
}
