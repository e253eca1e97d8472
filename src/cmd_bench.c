/*
 * cmd_bench.c: pinion bench: the tasks with one worker and with all of them, in turn, each time
 * in a process of its own, which is a pinion map whose output nobody sees.
 */
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/io.h"
#include "cmd.h"
#include "pool/topology.h"
#include "sink/figures.h"

/* Without --rounds: so many, but no further one that would end after so long. */
#define BENCH_ROUNDS 3
#define BENCH_LIMIT_NS (60 * NS_PER_S)

#define BENCH_PROCESSES 15 /* started to see what that costs */
#define BENCH_PROCESS "/bin/true"

/* We wait for the process that runs, which is told of these. */
static const int bench_signals[] = {SIGINT,  SIGTERM, SIGHUP, SIGQUIT,
				    SIGTSTP, SIGCONT, SIGCHLD};

struct bench {
	const struct cmd_job *job;
	struct diag diag;
	size_t worker_count;
	size_t thread_count;          /* of the budget */
	double load;                  /* before we began */
	struct figures_round *rounds; /* shared with the processes that run */
	size_t round_count;
	sigset_t old_mask;
	int signal; /* ended the run, or it was told to end; 0: none */
};

/* --- inputs, which are read several times --- */

/* Everything, in memory. -1 and err. */
static int
bench_read_all(int fd, const char *name, struct err *err)
{
	char bytes[64 * 1024];
	ssize_t got = 0;
	int copy = io_memfd("pinion-bench", 0);
	if (copy == -1)
		return err_errno(err, "cannot keep the input");
	while ((got = io_read(fd, bytes, sizeof(bytes))) > 0)
		if (io_write_all(copy, bytes, (size_t)got) == -1) {
			err_errno(err, "cannot keep the input");
			goto close_copy;
		}
	if (got == 0)
		return copy;
	err_errno(err, "cannot read %s", name);

close_copy:
	close(copy);
	return -1;
}

/* A path that can be read again and again: this one, or that of a copy. NULL and err. */
static const char *
bench_keep(struct spec *spec, const char *path, struct err *err)
{
	struct stat st;
	char kept[64];
	bool is_stdin = strcmp(path, "-") == 0;
	if (!is_stdin && (stat(path, &st) == -1 || S_ISREG(st.st_mode)))
		return path; /* what cannot be seen the run will complain of */
	int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	int copy = fd == -1 ? err_errno(err, "cannot open %s", path)
			    : bench_read_all(fd, is_stdin ? "stdin" : path, err);
	if (!is_stdin)
		io_close(fd);
	if (copy == -1)
		return NULL;
	snprintf(kept, sizeof(kept), "/proc/%ld/fd/%d", (long)getpid(), copy);
	path = spec_strdup(spec, kept);
	if (path == NULL)
		err_no_memory(err);
	return path;
}

static int
bench_keep_inputs(struct spec *spec, struct err *err)
{
	const struct spec_input stdin_input = {.kind = SPEC_INPUT_FILE, .path = "-"};
	if (spec->input_count == 0 && spec_add_input(spec, &stdin_input) == -1)
		return err_no_memory(err);
	for (size_t i = 0; i < spec->input_count; i++) {
		struct spec_input *input = &spec->inputs[i];
		if (input->path != NULL &&
		    (input->path = bench_keep(spec, input->path, err)) == NULL)
			return -1;
	}
	return 0;
}

/* --- one run --- */

/* The process that runs: as pinion map, with so many workers. */
static _Noreturn void
bench_child(struct bench *bench, size_t worker_count, struct tally *tally, pid_t parent)
{
	struct cmd_job job = *bench->job;
	struct err err = {0};
	int status = CMD_BROKEN;
	setpgid(0, 0); /* a terminal's signals come by way of the parent, once */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(CMD_BROKEN);
	sigprocmask(SIG_SETMASK, &bench->old_mask, NULL);
	int null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	job.watcher = tally_sink_new(tally, &err);
	job.is_mute = true;
	if (job.watcher == NULL) {
		diag_err(&bench->diag, &err);
	} else if (null_fd == -1 || dup2(null_fd, STDOUT_FILENO) == -1) {
		diag_say(&bench->diag, "cannot open /dev/null: %m");
	} else {
		job.spec->jobs = (struct spec_jobs){.kind = SPEC_JOBS_COUNT,
						    .value = (double)worker_count};
		status = cmd_job(&job);
	}
	sink_free(job.watcher);
	spec_fini(job.spec);
	exit(status);
}

/* Tells it of the signals that come; its status. */
static int
bench_wait(struct bench *bench, pid_t pid, const sigset_t *set)
{
	int status, signal;
	while (waitpid(pid, &status, WNOHANG) != pid) {
		if (sigwait(set, &signal) != 0 || signal == SIGCHLD)
			continue;
		if (signal != SIGCONT && signal != SIGTSTP)
			bench->signal = signal;
		kill(pid, signal);
		if (signal == SIGTSTP)
			raise(SIGSTOP);
	}
	return status;
}

/* A run with so many workers. Its exit status: CMD_OK also if tasks failed. */
static int
bench_run(struct bench *bench, size_t worker_count, struct figures_run *run)
{
	sigset_t set;
	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(bench_signals) / sizeof(*bench_signals); i++)
		if (!sig_was_ignored(bench->job->origin, bench_signals[i]))
			sigaddset(&set, bench_signals[i]);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, &bench->old_mask);
	run->started_ns = clock_real_ns();
	pid_t parent = getpid(), pid = fork();
	if (pid == 0)
		bench_child(bench, worker_count, &run->tally, parent);
	int status = 0;
	if (pid == -1)
		diag_say(&bench->diag, "cannot start a run: %m");
	else
		status = bench_wait(bench, pid, &set);
	run->ended_ns = clock_real_ns();
	sigprocmask(SIG_SETMASK, &bench->old_mask, NULL);
	if (pid == -1)
		return CMD_BROKEN;
	if (WIFSIGNALED(status)) {
		if (bench->signal == 0)
			diag_say(&bench->diag, "a run was killed by signal %d",
				 WTERMSIG(status));
		return CMD_BROKEN;
	}
	status = WEXITSTATUS(status);
	return status == CMD_TASK_FAILED ? CMD_OK : status;
}

/* --- all of them --- */

/* Whether one more round would be within the bounds. */
static bool
bench_has_time(const struct bench *bench, int64_t started_at_ns)
{
	int64_t passed_ns = clock_now_ns() - started_at_ns;
	int64_t rounds = (int64_t)bench->round_count;
	return bench->job->spec->round_count > 0 || rounds == 0 ||
	       passed_ns + passed_ns / rounds <= BENCH_LIMIT_NS;
}

static int
bench_run_rounds(struct bench *bench)
{
	struct spec *spec = bench->job->spec;
	size_t wanted = spec->round_count > 0 ? spec->round_count : BENCH_ROUNDS;
	int64_t started_at_ns = clock_now_ns();
	int status = CMD_OK;
	while (bench->round_count < wanted && bench_has_time(bench, started_at_ns)) {
		struct figures_round *round = &bench->rounds[bench->round_count];
		status = bench_run(bench, 1, &round->one);
		spec->is_quiet = true; /* what failed has been said */
		if (status == CMD_OK && round->one.tally.task_count == 0) {
			diag_say(&bench->diag, "there are no inputs, so nothing was run");
			return CMD_USAGE;
		}
		if (status == CMD_OK)
			status = bench_run(bench, bench->worker_count, &round->many);
		if (status != CMD_OK || bench->signal != 0)
			return status;
		bench->round_count++;
	}
	return status;
}

/* What the smallest of processes costs here, in seconds; 0: there is none to start. */
static double
bench_process(void)
{
	char program[] = BENCH_PROCESS;
	char *argv[] = {program, NULL};
	int64_t least_ns = CLOCK_NEVER;
	for (size_t i = 0; i < BENCH_PROCESSES; i++) {
		pid_t pid;
		int status;
		int64_t started_at_ns = clock_now_ns();
		if (posix_spawn(&pid, program, NULL, NULL, argv, environ) != 0 ||
		    waitpid(pid, &status, 0) != pid || status != 0)
			return 0;
		int64_t passed_ns = clock_now_ns() - started_at_ns;
		least_ns = passed_ns < least_ns ? passed_ns : least_ns;
	}
	return (double)least_ns / (double)NS_PER_S;
}

static int
bench_print(const struct bench *bench)
{
	struct figures figures;
	struct buf text = {0};
	figures_make(&figures, bench->rounds, bench->round_count, bench->worker_count);
	figures.process = bench_process();
	figures.load = bench->load;
	figures.thread_count = bench->thread_count;
	int status = bench->job->spec->has_json_figures
			 ? figures_append_json(&figures, &text)
			 : figures_append_text(&figures, &text);
	return cmd_print(&bench->diag, &text, status);
}

static int
bench_count_workers(struct bench *bench, struct err *err)
{
	const struct spec *spec = bench->job->spec;
	struct topology *topology = topology_new(err);
	if (topology == NULL)
		return -1;
	if (getloadavg(&bench->load, 1) != 1)
		bench->load = 0;
	bench->thread_count = topology_facts(topology)->budget_threads;
	bench->worker_count = topology_worker_count(topology, &spec->jobs, SPEC_MAP,
						    topology_worker_limit(1), err);
	topology_free(topology);
	return bench->worker_count == 0 ? -1 : 0;
}

static void
bench_say_rounds(const struct bench *bench)
{
	size_t wanted = bench->job->spec->round_count;
	diag_say(&bench->diag,
		 "each command is run %s%zu times, with 1 worker and with %zu in turn",
		 wanted > 0 ? "" : "up to ", 2 * (wanted > 0 ? wanted : BENCH_ROUNDS),
		 bench->worker_count);
}

static int
bench_set_up(struct bench *bench, struct err *err)
{
	size_t bytes = FIGURES_ROUNDS_MAX * sizeof(*bench->rounds);
	if (bench_count_workers(bench, err) == -1 ||
	    bench_keep_inputs(bench->job->spec, err) == -1)
		return -1;
	void *shared =
	    mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return err_errno(err, "cannot map memory for the figures");
	bench->rounds = shared;
	return 0;
}

int
cmd_bench_job(const struct cmd_job *job)
{
	struct bench bench = {.job = job,
			      .diag = {.name = job->spec->program, .fd = STDERR_FILENO}};
	struct err err = {0};
	if (bench_set_up(&bench, &err) == -1) {
		diag_err(&bench.diag, &err);
		return err.kind == ERR_USAGE ? CMD_USAGE : CMD_BROKEN;
	}
	bench_say_rounds(&bench);
	int status = bench_run_rounds(&bench);
	if (status == CMD_OK && bench.signal == 0)
		status = bench_print(&bench);
	munmap(bench.rounds, FIGURES_ROUNDS_MAX * sizeof(*bench.rounds));
	if (bench.signal != 0) {
		sig_die_of(bench.signal);
		return 128 + bench.signal;
	}
	return status;
}
