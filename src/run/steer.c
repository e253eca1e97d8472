/* steer.c: see steer.h. */
#include "run/steer.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "ipc/run_name.h"
#include "run/run_parts.h"
#include "run/steer_parts.h"

/* The word the job is called by if it has no name of its own: what it runs first. */
static const char *
steer_command(const struct spec *spec)
{
	const char *blank = strrchr(spec->program, ' ');
	if (spec->stage_count > 0)
		spec = spec->stages;
	if (spec->executor != SPEC_SPAWN && spec->program_word_count > 0)
		return spec->program_words[0];
	if (spec->word_count > 0)
		return spec->words[0];
	return blank != NULL ? blank + 1 : spec->program;
}

/* --- what is done --- */

static int
steer_append_count(struct buf *reply, const char *name, uint64_t count, struct err *err)
{
	if (buf_printf(reply, ",\"%s\":%" PRIu64, name, count) == -1)
		return err_no_memory(err);
	return 0;
}

/* In each of the runs. */
static int
steer_jobs(struct conductor *conductor, uint64_t count, struct buf *reply, struct err *err)
{
	for (size_t i = 0; i < conductor->run_count; i++) {
		struct backend *backend = conductor->runs[i]->backend;
		size_t most = backend->ops->seat_count(backend);
		if (count > most)
			return err_set(err, ERR_USAGE,
				       "this run can have %zu workers at most", most);
	}
	for (size_t i = 0; i < conductor->run_count; i++) {
		struct run *run = conductor->runs[i];
		run->config.worker_count = NULL; /* -j FILE has had its say */
		run->backend->ops->resize(run->backend, (size_t)count);
	}
	return steer_append_count(reply, "jobs", count, err);
}

static void
steer_pause(struct run *run, bool is_paused)
{
	if (is_paused == run->is_paused)
		return;
	run->is_paused = is_paused;
	if (is_paused)
		run->backend->ops->withdraw(run->backend);
	run->backend->ops->pause(run->backend, is_paused);
}

static void
steer_drain(struct run *run)
{
	run_end(run, RUN_DRAINED);
	run->backend->ops->retire(run->backend);
}

static int
steer_cancel_one(struct run *run, uint64_t seq, struct err *err)
{
	enum plan_place place = plan_cancel(run->config.plan, seq);
	if (place == PLAN_NO_MEMORY)
		return err_no_memory(err);
	if (place == PLAN_NOWHERE)
		return err_set(err, ERR_USAGE,
			       "task %" PRIu64 " has ended, or there is none", seq + 1);
	run->has_cancelled = true;
	if (place == PLAN_WITH_POOL)
		run_recall(run, seq);
	return 0;
}

/* What is in the workers' hands now. */
static int
steer_cancel_running(struct run *run, uint64_t *count, struct err *err)
{
	const struct backend_ops *ops = run->backend->ops;
	struct backend_worker worker;
	size_t seat_count = ops->seat_count(run->backend);
	for (size_t i = 0; i < seat_count; i++) {
		struct err gone = {0};
		if (!ops->look(run->backend, i, &worker) || worker.seq == BACKEND_NO_TASK)
			continue;
		if (steer_cancel_one(run, worker.seq, &gone) == 0)
			++*count;
		else if (gone.kind != ERR_USAGE) { /* else it has just ended */
			*err = gone;
			return -1;
		}
	}
	return 0;
}

static int
steer_cancel_number(struct conductor *conductor, const struct control_request *request,
		    struct err *err)
{
	uint64_t stage = request->stage;
	if (stage == 0 && conductor->run_count > 1)
		return err_set(
		    err, ERR_USAGE,
		    "there are %zu stages: write STAGE:TASK, such as 1:%" PRIu64,
		    conductor->run_count, request->number);
	if (stage > conductor->run_count)
		return err_set(err, ERR_USAGE, "there is no stage %" PRIu64, stage);
	return steer_cancel_one(conductor->runs[stage > 0 ? stage - 1 : 0],
				request->number - 1, err);
}

static int
steer_cancel(struct conductor *conductor, const struct control_request *request,
	     struct buf *reply, struct err *err)
{
	uint64_t count = 0;
	int status = 0;
	if (request->has_number) {
		status = steer_cancel_number(conductor, request, err);
		count = 1;
	}
	for (size_t i = 0; !request->has_number && i < conductor->run_count; i++)
		if (steer_cancel_running(conductor->runs[i], &count, err) == -1)
			status = -1;
	return status == -1 ? -1 : steer_append_count(reply, "cancelled", count, err);
}

bool
steer_is_ending(const struct steer *steer)
{
	for (size_t i = 0; i < steer->conductor->run_count; i++)
		if (steer->conductor->runs[i]->is_ending)
			return true;
	return false;
}

int
steer_act(void *context, const struct control_request *request, struct buf *reply,
	  struct err *err)
{
	struct steer *steer = context;
	struct conductor *conductor = steer->conductor;
	bool is_for_the_living = request->verb != CONTROL_STATUS &&
				 request->verb != CONTROL_CANCEL &&
				 request->verb != CONTROL_STOP;
	if (is_for_the_living && steer_is_ending(steer))
		return err_set(err, ERR_USAGE, "the run is ending");
	switch (request->verb) {
	case CONTROL_STATUS:
		return steer_describe(steer, request->wants_workers, reply, err);
	case CONTROL_JOBS:
		return steer_jobs(conductor, request->number, reply, err);
	case CONTROL_PAUSE:
	case CONTROL_RESUME:
		for (size_t i = 0; i < conductor->run_count; i++)
			steer_pause(conductor->runs[i], request->verb == CONTROL_PAUSE);
		return 0;
	case CONTROL_DRAIN:
		for (size_t i = 0; i < conductor->run_count; i++)
			steer_drain(conductor->runs[i]);
		return 0;
	case CONTROL_CANCEL:
		return steer_cancel(conductor, request, reply, err);
	case CONTROL_STOP:
		conductor_on_end_signal(conductor, SIGTERM);
		return 0;
	case CONTROL_VERBS:
		break;
	}
	return err_set(err, ERR_USAGE, "no such request");
}

static void
steer_is_there(void *context, const char *path, ino_t inode)
{
	const struct steer *steer = context;
	const struct conductor *conductor = steer->conductor;
	for (size_t i = 0; i < conductor->run_count; i++) {
		struct backend *backend = conductor->runs[i]->backend;
		if (backend->ops->leave_socket != NULL)
			backend->ops->leave_socket(backend, path, inode);
	}
}

/* --- its life --- */

struct steer *
steer_new(struct conductor *conductor, const struct spec *spec, struct err *err)
{
	struct steer *steer = calloc(1, sizeof(*steer));
	if (steer == NULL) {
		err_no_memory(err);
		return NULL;
	}
	struct control_config config = {
	    .loop = conductor->loop,
	    .name = spec->name != NULL ? spec->name : steer_command(spec),
	    /* That of a job file may be any text. */
	    .is_given = spec->name != NULL && run_name_is_good(spec->name),
	    .context = steer,
	    .act = steer_act,
	    .is_there = steer_is_there,
	};
	steer->conductor = conductor;
	steer->spec = spec;
	steer->started_at_ns = clock_now_ns();
	steer->started_real_ns = clock_real_ns();
	steer->control = control_new(&config, err);
	if (steer->control == NULL) {
		free(steer);
		return NULL;
	}
	conductor->control = steer->control;
	return steer;
}

void
steer_free(struct steer *steer)
{
	if (steer == NULL)
		return;
	steer->conductor->control = NULL;
	control_free(steer->control);
	free(steer->args);
	free(steer);
}
