/* results_history.c: see results_history.h. */
#include "record/results_history.h"

#include <stdlib.h>

#include "record/results_path.h"
#include "record/results_tree.h"

struct results_history {
	struct history history;
	struct results_path *path;
	struct results_tree tree;
	struct results_name name;
	size_t column_count;
};

static int
results_has(struct history *history, uint64_t seq, const struct arg *args,
	    size_t arg_count, struct err *err)
{
	struct results_history *self = (struct results_history *)history;
	const struct template_values values = {.seq = seq,
					       .args = args,
					       .arg_count = arg_count,
					       .column_count = self->column_count};
	if (results_path_find(self->path, &values, self->tree.name_max, &self->name,
			      err) == -1)
		return -1;
	return results_tree_has(&self->tree, &self->name, err);
}

static void
results_free_history(struct history *history)
{
	struct results_history *self = (struct results_history *)history;
	results_tree_close(&self->tree);
	results_path_free(self->path);
	results_name_fini(&self->name);
	free(self);
}

static const struct history_ops results_history_ops = {
    .has = results_has,
    .free = results_free_history,
};

struct history *
results_history_new(const struct results_config *config, struct err *err)
{
	struct results_history *self = calloc(1, sizeof(*self));
	if (self == NULL) {
		err_no_memory(err);
		return NULL;
	}
	self->history.ops = &results_history_ops;
	self->column_count = config->column_count;
	self->tree.folder_fd = -1;
	self->path = results_path_new(config->spec, config->names, config->name_count,
				      config->column_count, err);
	if (self->path != NULL &&
	    results_tree_look(&self->tree, results_path_folder(self->path), err) == 0)
		return &self->history;
	results_free_history(&self->history);
	return NULL;
}
