/*
 * cmd_tasks.c: the verbs that run tasks: map, feed, call, parallel, run, bench. Words or a job's file
 * -> spec, and the job is run; they differ in the defaults of their spec.
 */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"
#include "cmd.h"
#include "input/job_print.h"
#include "pool/letter.h"
#include "pool/worker.h"

static const char *const tasks_verbs[] = {
    [SPEC_MAP] = "map",   [SPEC_PARALLEL] = "parallel", [SPEC_FEED] = "feed",
    [SPEC_CALL] = "call", [SPEC_BENCH] = "bench",       [SPEC_RUN] = "run"};

/* --- one of its workers --- */

/* The same words again, in a process that --start-method spawn has made. */
static _Noreturn void
tasks_work(enum spec_dialect dialect, int argc, char **argv, struct letter *letter)
{
	struct worker_config *worker = &letter->worker;
	struct spec spec;
	struct err err = {0};
	spec_init(&spec, dialect);
	spec.is_inherited = true;
	if (buf_append(&spec.job_text, letter->job_text.bytes, letter->job_text.length) ==
	    -1) {
		err_no_memory(&err);
		worker_fail(worker, &err);
	}
	if (options_parse(&spec, argc - 1, argv + 1, &err) != OPTIONS_RUN)
		worker_fail(worker, &err);
	struct spec *own = spec.stage_count > 0 ? &spec.stages[letter->stage_index] : &spec;
	own->shell = letter->shell;
	worker->spec = own;
	worker->template = template_new(own, letter->names, letter->name_count, &err);
	if (worker->template == NULL)
		worker_fail(worker, &err);
	worker_main(worker);
}

/* --- the verbs --- */

/* The words; what a recorded run read of a job's file is not read again. */
static enum options_outcome
tasks_parse(struct spec *spec, int argc, char **argv, const struct cmd_again *again,
	    struct err *err)
{
	if (again != NULL && again->job != NULL &&
	    buf_append_str(&spec->job_text, again->job) == -1)
		return err_no_memory(err), OPTIONS_ERROR;
	return options_parse(spec, argc - 1, argv + 1, err);
}

static int
tasks_run(const struct cmd_job *job)
{
	return job->spec->dialect == SPEC_BENCH ? cmd_bench_job(job) : cmd_job(job);
}

int
cmd_tasks(enum spec_dialect dialect, int argc, char **argv, const struct cmd_again *again)
{
	struct spec spec;
	struct sig_origin origin;
	struct letter letter;
	struct buf text = {0};
	struct err err = {0};
	int status = CMD_OK;
	if (letter_read(&letter))
		tasks_work(dialect, argc, argv, &letter);
	sig_origin_save(&origin);
	sig_handle(SIGCHLD, SIG_DFL); /* ignored, nobody could wait for a worker */
	sig_block(SIGXFSZ);           /* EFBIG says what it was about */
	spec_init(&spec, dialect);
	const struct diag diag = {.name = spec.program, .fd = STDERR_FILENO};
	enum options_outcome outcome = tasks_parse(&spec, argc, argv, again, &err);
	switch (outcome) {
	case OPTIONS_ERROR:
		diag_err(&diag, &err);
		status = dialect == SPEC_PARALLEL ? CMD_PARALLEL_ERROR : CMD_USAGE;
		break;
	case OPTIONS_HELP:
	case OPTIONS_VERSION:
	case OPTIONS_LIST:
		status = cmd_print_about(&diag, outcome, option_dialect_bit(dialect));
		break;
	case OPTIONS_SCHEMA:
		status = cmd_print(&diag, &text, job_print_schema(&text));
		break;
	case OPTIONS_PRINT:
		status = cmd_print(&diag, &spec.print, 0);
		break;
	case OPTIONS_CHECK:
		status = cmd_check(&spec, &diag);
		break;
	case OPTIONS_RUN:
		status = tasks_run(&(struct cmd_job){.spec = &spec,
						     .verb = tasks_verbs[dialect],
						     .origin = &origin,
						     .argc = argc,
						     .argv = argv,
						     .again = again});
		break;
	}
	spec_fini(&spec);
	return status;
}

int
cmd_map(int argc, char **argv)
{
	return cmd_tasks(SPEC_MAP, argc, argv, NULL);
}

int
cmd_feed(int argc, char **argv)
{
	return cmd_tasks(SPEC_FEED, argc, argv, NULL);
}

int
cmd_call(int argc, char **argv)
{
	return cmd_tasks(SPEC_CALL, argc, argv, NULL);
}

int
cmd_bench(int argc, char **argv)
{
	return cmd_tasks(SPEC_BENCH, argc, argv, NULL);
}

int
cmd_parallel(int argc, char **argv)
{
	return cmd_tasks(SPEC_PARALLEL, argc, argv, NULL);
}

enum spec_dialect
cmd_tasks_dialect(const char *verb)
{
	for (size_t i = 0; i < sizeof(tasks_verbs) / sizeof(*tasks_verbs); i++)
		if (strcmp(verb, tasks_verbs[i]) == 0)
			return (enum spec_dialect)i;
	return SPEC_MAP;
}

int
cmd_tasks_again(const struct cmd_again *again)
{
	return cmd_tasks(cmd_tasks_dialect(again->argv[0]), again->argc, again->argv,
			 again);
}
