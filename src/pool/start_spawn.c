/* start_spawn.c: see start.h. */
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "pool/letter.h"
#include "pool/start_parts.h"

#define START_SPAWN_PROGRAM "/proc/self/exe" /* also when that file was replaced since */

/*
 * In the child. The place is taken here: it outlives the exec, and the new process needs not
 * look at the machine again.
 */
static _Noreturn void
start_spawn_child(const struct starter_config *config, struct worker_config *worker)
{
	struct err err = {0};
	sigset_t all;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* until worker_main sees to it */
	if (getppid() != worker->coordinator)
		_exit(WORKER_BROKEN);
	worker->place = worker_take_place(worker);
	if (letter_write(worker, config->names, config->name_count, &err) == 0) {
		execv(START_SPAWN_PROGRAM, (char *const *)config->argv);
		err_errno(&err, "cannot execute %s", START_SPAWN_PROGRAM);
	}
	worker_fail(worker, &err);
}

static pid_t
start_spawn(struct starter *starter, const struct starter_request *request, struct err *err)
{
	struct worker_config worker = starter_worker(&starter->config, request);
	pid_t pid = fork();
	if (pid == 0)
		start_spawn_child(&starter->config, &worker);
	return pid == -1 ? err_errno(err, "cannot fork a worker") : pid;
}

static const struct starter_ops start_spawn_ops = {
    .open = starter_always_open,
    .start = start_spawn,
    .free = starter_plain_free,
};

struct starter *
start_spawn_new(void)
{
	struct starter *starter = calloc(1, sizeof(*starter));
	if (starter != NULL)
		starter->ops = &start_spawn_ops;
	return starter;
}
