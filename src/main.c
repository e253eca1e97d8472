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
 *   main.c   cmd_* are the verbs: over cmd_tasks those that run tasks (cmd_run, cmd_bench),
 *            over cmd_request the others (cmd_topology, cmd_report, cmd_replay, cmd_status,
 *            cmd_ctl, cmd_completion); cmd_job what the stages of a job share, its end, the
 *            exit status; cmd_stage joins source, plan, backend, sinks; cmd_show whether and
 *            where progress is drawn
 *   input/   what the user wrote.
 *            Options: options; option_table the rows, option_scan words -> rows, option_find
 *            one by its name, option_set and option_set_manners rows -> task/spec, option_value
 *            and value_manners what values mean, option_refuse, option_settle the rest,
 *            option_words $PARALLEL, shell which one; option_help, option_complete; request the
 *            words of verbs without tasks; library, members
 *            Job files: job_json (job_keys, job_tree, job_inputs, job_parts), job_print and
 *            job_schema; json_read bytes -> json_tree
 *            Inputs: args is the task/source; items of lines (and columns), csv, jsonl, lists,
 *            glob, range; rows, zip, combine, shuffle, group on their way to tasks; link, the
 *            stage before
 *   task/    spec, arg, task, result (result_json), override, source, backend, sink, history
 *            (interfaces); plan what may run next, ends, median; template (template_form,
 *            template_compiled, template_expand, template_length), its strings rpl, rpl_plus,
 *            edit, subst, perl_regex; shell_words; stamp how a file was made
 *   run/     conductor the loop over all runs of a job, signals; run (run_parts) feed, wait,
 *            settle, run_hear results, attempts time limits; sinks and late, what records hear
 *            once the output is out; throttle, which reads gauge; memkills which tasks the
 *            kernel has killed; tokens cores lent to make and its kind; control
 *            (control_request) a socket, steer (steer_parts, steer_tell) what status and ctl
 *            want, live their end of it
 *   pool/    topology (topology_parts, topology_print) of budget, machine (machine_sysfs,
 *            hwloc_late) and places; pool (pool_parts, pool_hear, pool_staff, pool_steer,
 *            pool_tail) watch, replace, let the last go; flights, chunking, family; dry in its
 *            place
 *            start (start_parts) a worker: start_fork, start_spawn, start_server and its
 *            server; letter, what it cannot know
 *            worker its channel, initializer and executor: exec_spawn (spawn, capture),
 *            exec_coproc (coproc_program, coproc_requests, coproc_silence, protocol, doze),
 *            exec_plugin (plugin); task_env and task_setting, outputs the files that tasks
 *            make, child, tree
 *   sink/    output (output_parts) in order: output_plain or output_json; outlet, writer,
 *            decorate, pending on the way; failures the summary, tails, hint; tally, figures
 *            and figures_advise of bench; progress (progress_text, eta) and lanes in a display;
 *            status_text
 *   record/  what is kept of a run, and what it says when one is resumed: records all of them;
 *            joblog (joblog_parts, joblog_file, joblog_line, joblog_past, joblog_retry,
 *            relog what it lacks of a run file);
 *            uptodate files that need not be made again; results a tree, tables, objects
 *            (results_tree, results_table, results_rows, results_path, results_front,
 *            results_history); runfile, over runfile_pipe and runfile_wire, to
 *            runfile_recorder, a process that writes runfile_run and runfile_rows, over
 *            runfile_db (sqlite_late); read by runfile_past, runfile_ends, runfile_kept, runfile_source,
 *            runfile_read, runfile_tasks, over reading; hidden,
 *            words, reason, limits in columns; apart, whether records are files of their own, intact,
 *            whether one is still what was written;
 *            identity, identity_bag; cron one run of a name,
 *            silent unless it fails
 *   report/  what a run file tells of a run: report; report_text, report_page (page.html, .css
 *            and .js through page_file), report_trace, report_json, report_csv to report_out,
 *            with report_words, shown, quantity, durations, usage, picture, column
 *   ipc/     ring, board, blocks, outbox and its frame (between processes), jobserver make's
 *            pipe of tokens, spill, loop epoll, sock Unix sockets of this user, run_name
 *   base/    err, diag, buf, io, slurp, private_dir, cgroup, clock, decimal, sig, quote,
 *            makeflags, hash, blake2b, json_text, seqmap, seqset, draft files that are there
 *            whole or not at all, screen lines that come and go on a terminal, cells text as
 *            wide as there, utf8 and visible what may go to a terminal
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
