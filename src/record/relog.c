/* relog.c: see relog.h. */
#include "record/relog.h"

#include <stdlib.h>

struct relog {
	struct history history; /* first */
	struct history *past;
	struct history *logged; /* the joblog's; NULL: it is empty, or was asked before */
	struct runfile *runfile;
	struct joblog *joblog;
};

static int
relog_is_logged(const struct relog *self, uint64_t seq, const struct arg *args,
		size_t arg_count, struct err *err)
{
	return self->logged == NULL
		   ? 0
		   : self->logged->ops->has(self->logged, seq, args, arg_count, err);
}

static int
relog_has(struct history *history, uint64_t seq, const struct arg *args, size_t arg_count,
	  struct err *err)
{
	struct relog *self = (struct relog *)history;
	int status = self->past->ops->has(self->past, seq, args, arg_count, err);
	if (status != 1)
		return status;
	status = relog_is_logged(self, seq, args, arg_count, err);
	if (status != 0)
		return status;
	static const struct result success = {.reason = RESULT_EXIT};
	const struct result *end = self->runfile == NULL
				       ? &success
				       : runfile_end_of(self->runfile, args, arg_count);
	if (end != NULL && joblog_add(self->joblog, seq, args, arg_count, end, err) == -1)
		return -1;
	return 1;
}

static void
relog_free(struct history *history)
{
	history_free(((struct relog *)history)->past);
	free(history);
}

/* What tasks of the last stage had put out, or made, is never asked for. */
static const struct history_ops relog_ops = {
    .has = relog_has,
    .free = relog_free,
};

struct history *
relog_new(struct history *past, struct runfile *runfile, struct joblog *joblog,
	  struct err *err)
{
	struct relog *self = malloc(sizeof(*self));
	if (self == NULL) {
		history_free(past);
		err_no_memory(err);
		return NULL;
	}
	*self = (struct relog){.history.ops = &relog_ops,
			       .past = past,
			       .logged = runfile != NULL ? joblog_history(joblog) : NULL,
			       .runfile = runfile,
			       .joblog = joblog};
	return &self->history;
}
