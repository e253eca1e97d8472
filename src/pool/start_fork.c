/* start_fork.c: see start.h. Home of fork, with the other two. */
#include <stdlib.h>
#include <unistd.h>

#include "pool/start_parts.h"

static pid_t
start_fork(struct starter *starter, const struct starter_request *request, struct err *err)
{
	struct worker_config worker = starter_worker(&starter->config, request);
	pid_t pid = fork();
	if (pid == 0)
		starter->config.run(&worker);
	return pid == -1 ? err_errno(err, "cannot fork a worker") : pid;
}

static const struct starter_ops start_fork_ops = {
    .open = starter_always_open,
    .start = start_fork,
    .free = starter_plain_free,
};

struct starter *
start_fork_new(void)
{
	struct starter *starter = calloc(1, sizeof(*starter));
	if (starter != NULL)
		starter->ops = &start_fork_ops;
	return starter;
}
