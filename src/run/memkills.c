/* memkills.c: see memkills.h. */
#include "run/memkills.h"

#include <signal.h>

#include "base/clock.h"
#include "base/slurp.h"

#define MEMKILLS_OLD_NS NS_PER_S
#define MEMKILLS_SHELL_STATUS (128 + SIGKILL) /* what a shell says of its child */

static bool
memkills_read(struct memkills *memkills, uint64_t *count)
{
	return memkills->path.length > 0 &&
	       slurp(memkills->root, memkills->path.bytes, &memkills->text) == 0 &&
	       slurp_number(memkills->text.bytes, "oom_kill ", count);
}

/* Takes FOLDER/NAME if the count is there. 1, 0, or -1 without memory. */
static int
memkills_try(struct memkills *memkills, const struct buf *folder, const char *name)
{
	struct buf *path = &memkills->path;
	buf_clear(path);
	if (folder != NULL && folder->length == 0)
		return 0;
	if ((folder != NULL && buf_append(path, folder->bytes, folder->length) == -1) ||
	    buf_append_str(path, name) == -1 || buf_str(path) == NULL)
		return -1;
	return memkills_read(memkills, &memkills->count);
}

int
memkills_init(struct memkills *memkills, const char *root, const struct cgroups *cgroups)
{
	*memkills = (struct memkills){.root = root};
	int found = 0;
	if (cgroups != NULL) {
		const struct cgroup_place *places = cgroups->places;
		found = memkills_try(memkills, &places[CGROUP_UNIFIED].folder,
				     "/memory.events");
		if (found == 0)
			found = memkills_try(memkills, &places[CGROUP_MEMORY].folder,
					     "/memory.oom_control");
	}
	if (found == 0)
		found = memkills_try(memkills, NULL, "/proc/vmstat");
	if (found == 0)
		buf_clear(&memkills->path);
	memkills->first_count = memkills->count;
	memkills->explained_end = memkills->count;
	memkills->read_at_ns = clock_now_ns();
	return found == -1 ? -1 : 0;
}

void
memkills_fini(struct memkills *memkills)
{
	buf_fini(&memkills->path);
	buf_fini(&memkills->text);
}

uint64_t
memkills_begin(struct memkills *memkills, int64_t now_ns)
{
	if (now_ns - memkills->read_at_ns >= MEMKILLS_OLD_NS) {
		memkills->read_at_ns = now_ns;
		memkills_read(memkills, &memkills->count);
	}
	return memkills->count;
}

static bool
is_suspect(const struct result *result)
{
	switch ((enum result_reason)result->reason) {
	case RESULT_SIGNAL:
	case RESULT_LOST:
	case RESULT_NO_ANSWER:
		return result->signal == SIGKILL;
	case RESULT_EXIT:
		return result->exit_status == MEMKILLS_SHELL_STATUS;
	case RESULT_TIMEOUT:
	case RESULT_CANNOT_EXECUTE:
	case RESULT_CANCELLED:
	case RESULT_SKIPPED:
	case RESULT_NO_OUTPUT:
	case RESULT_MEMORY:
	case RESULT_REASONS:
		break;
	}
	return false;
}

bool
memkills_explain(struct memkills *memkills, uint64_t begin_count,
		 const struct result *result)
{
	uint64_t count;
	if (!is_suspect(result) || !memkills_read(memkills, &count))
		return false;
	uint64_t from =
	    begin_count > memkills->explained_end ? begin_count : memkills->explained_end;
	if (count <= from)
		return false;
	memkills->explained_end = from + 1;
	return true;
}
