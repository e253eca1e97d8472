/* override.c: see override.h. */
#include "task/override.h"

#include <string.h>

int
override_add(struct buf *overrides, enum override_kind kind, const char *bytes,
	     size_t length)
{
	if (buf_append_char(overrides, (char)kind) == -1)
		return -1;
	return task_pack(overrides, bytes, length);
}

bool
override_next(struct arg *at, enum override_kind *kind, struct arg *value)
{
	uint32_t length;
	if (at->length == 0)
		return false;
	*kind = (enum override_kind)(unsigned char)at->bytes[0];
	memcpy(&length, at->bytes + 1, sizeof(length));
	*value = (struct arg){at->bytes + 1 + sizeof(length), length};
	size_t used = 1 + sizeof(length) + (size_t)length + 1;
	at->bytes += used;
	at->length -= used;
	return true;
}

bool
override_find(const struct arg *overrides, enum override_kind kind, struct arg *value)
{
	struct arg at = *overrides;
	enum override_kind found;
	while (override_next(&at, &found, value))
		if (found == kind)
			return true;
	return false;
}

int
override_append_folder(const struct arg *overrides, const char *work_dir, struct buf *path)
{
	struct arg own = {"", 0};
	bool is_own = override_find(overrides, OVERRIDE_CWD, &own);
	bool is_absolute = is_own && own.length > 0 && own.bytes[0] == '/';
	if (work_dir != NULL && !is_absolute && buf_printf(path, "%s/", work_dir) == -1)
		return -1;
	return is_own ? buf_printf(path, "%s/", own.bytes) : 0;
}

struct arg
override_of_args(const struct spec *spec, const struct arg *args)
{
	return spec->hidden_count > 0 ? args[0] : (struct arg){"", 0};
}

struct arg
override_of_task(const struct spec *spec, const struct task *task)
{
	uint32_t length;
	const char *at = task_bytes(task);
	if (spec->hidden_count == 0 || task->packed_bytes < sizeof(length))
		return (struct arg){"", 0};
	memcpy(&length, at, sizeof(length));
	return (struct arg){at + sizeof(length), length};
}
