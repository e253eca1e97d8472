/* executor.c: see executor.h. The executors there are. */
#include "pool/executor.h"

struct executor_kind {
	struct executor *(*new)(struct executor_host *host, struct err *err);
	/* Both NULL: there is nothing that workers could share. */
	int (*prepare)(const struct spec *spec, struct executor_shared **shared,
		       struct err *err);
	void (*unprepare)(struct executor_shared *shared);
};

static const struct executor_kind executor_kinds[] = {
    [SPEC_SPAWN] = {.new = exec_spawn_new},
    [SPEC_COPROC] = {.new = exec_coproc_new},
    [SPEC_PLUGIN] = {.new = exec_plugin_new,
		     .prepare = exec_plugin_prepare,
		     .unprepare = exec_plugin_unprepare},
};

struct executor *
executor_new(struct executor_host *host, struct err *err)
{
	return executor_kinds[host->spec->executor].new(host, err);
}

int
executor_prepare(const struct spec *spec, struct executor_shared **shared, struct err *err)
{
	const struct executor_kind *kind = &executor_kinds[spec->executor];
	*shared = NULL;
	return kind->prepare == NULL ? 0 : kind->prepare(spec, shared, err);
}

void
executor_unprepare(const struct spec *spec, struct executor_shared *shared)
{
	if (shared != NULL)
		executor_kinds[spec->executor].unprepare(shared);
}
