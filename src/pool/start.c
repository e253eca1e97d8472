/* start.c: see start.h. */
#include <stdlib.h>

#include "pool/start_parts.h"

struct starter *
starter_new(const struct starter_config *config, struct err *err)
{
	static struct starter *(*const constructors[])(void) = {
	    [SPEC_START_FORK] = start_fork_new,
	    [SPEC_START_SPAWN] = start_spawn_new,
	    [SPEC_START_FORKSERVER] = start_server_new,
	};
	struct starter *starter = constructors[config->worker.spec->start_method]();
	if (starter == NULL) {
		err_no_memory(err);
		return NULL;
	}
	starter->config = *config;
	return starter;
}

void
starter_free(struct starter *starter)
{
	if (starter != NULL)
		starter->ops->free(starter);
}

int
starter_open(struct starter *starter, struct err *err)
{
	return starter->ops->open(starter, err);
}

pid_t
starter_start(struct starter *starter, const struct starter_request *request,
	      struct err *err)
{
	return starter->ops->start(starter, request, err);
}

int
starter_always_open(struct starter *starter, struct err *err)
{
	(void)starter;
	(void)err;
	return 1;
}

void
starter_plain_free(struct starter *starter)
{
	free(starter);
}

struct worker_config
starter_worker(const struct starter_config *config, const struct starter_request *request)
{
	struct worker_config worker = config->worker;
	worker.seat = &worker.board->seats[request->slot_index];
	worker.number = request->number;
	worker.slot_index = request->slot_index;
	worker.worker_count = request->worker_count;
	worker.result_fd = request->result_fd;
	return worker;
}
