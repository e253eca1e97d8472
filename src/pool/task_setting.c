/* task_setting.c: see task_setting.h. */
#include "pool/task_setting.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "task/override.h"

void
task_setting_init(struct task_setting *setting)
{
	*setting = (struct task_setting){.folder_fd = -1, .stdin_fd = -1};
}

void
task_setting_fini(struct task_setting *setting)
{
	task_setting_close(setting);
	free(setting->merged);
}

void
task_setting_close(struct task_setting *setting)
{
	io_close_set(&setting->folder_fd);
	io_close_set(&setting->stdin_fd);
}

/* What errno says of a file or folder, for the task's stderr. Returns 1. */
static int
setting_complain(struct buf *complaint, const char *what, const char *name, struct err *err)
{
	if (buf_printf(complaint, "pinion: %s %s: %s\n", what, name, strerror(errno)) == -1)
		return err_no_memory(err);
	return 1;
}

/* A pipe without a writer must not hold the worker up; the task reads as usual. */
static int
setting_open_file(struct task_setting *setting, const char *path)
{
	int folder_fd = setting->folder_fd == -1 ? AT_FDCWD : setting->folder_fd;
	setting->stdin_fd =
	    openat(folder_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (setting->stdin_fd == -1)
		return -1;
	int flags = fcntl(setting->stdin_fd, F_GETFL);
	return flags == -1 ? -1 : fcntl(setting->stdin_fd, F_SETFL, flags & ~O_NONBLOCK);
}

static int
setting_open_text(struct task_setting *setting, const char *bytes, size_t length)
{
	setting->stdin_fd = io_memfd("pinion-stdin", 0);
	if (setting->stdin_fd == -1 || io_write_all(setting->stdin_fd, bytes, length) == -1)
		return -1;
	return lseek(setting->stdin_fd, 0, SEEK_SET) == -1 ? -1 : 0;
}

static int
setting_set_stdin(struct task_setting *setting, const struct spec *spec,
		  const struct arg *overrides, struct buf *complaint, struct err *err)
{
	struct arg value;
	const char *path = spec->stdin_path;
	struct arg text = {spec->stdin_text,
			   spec->stdin_text == NULL ? 0 : strlen(spec->stdin_text)};
	if (override_find(overrides, OVERRIDE_STDIN_FILE, &value)) {
		path = value.bytes;
	} else if (override_find(overrides, OVERRIDE_STDIN_TEXT, &value)) {
		text = value;
		path = NULL;
	}
	if (path != NULL && setting_open_file(setting, path) == -1)
		return setting_complain(complaint, "cannot open", path, err);
	if (path == NULL && text.bytes != NULL &&
	    setting_open_text(setting, text.bytes, text.length) == -1)
		return err_errno(err, "cannot keep the text for a task's stdin");
	return 0;
}

static int
setting_set_folder(struct task_setting *setting, const struct arg *overrides,
		   struct buf *complaint, struct err *err)
{
	struct arg value;
	if (!override_find(overrides, OVERRIDE_CWD, &value))
		return 0;
	setting->folder_fd = open(value.bytes, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (setting->folder_fd != -1)
		return 0;
	return setting_complain(complaint, "cannot go to the folder", value.bytes, err);
}

/* One variable in the place of another of its name, or behind all. */
static void
setting_put(struct task_setting *setting, size_t *count, const char *variable)
{
	size_t name_bytes = strcspn(variable, "=") + 1;
	size_t at = 0;
	while (at < *count && strncmp(setting->merged[at], variable, name_bytes) != 0)
		at++;
	setting->merged[at] = (char *)(uintptr_t)variable;
	if (at == *count)
		++*count;
}

static int
setting_merge(struct task_setting *setting, const struct task_env *env,
	      const struct arg *overrides)
{
	struct arg at = *overrides;
	struct arg value;
	enum override_kind kind;
	size_t added = 0;
	while (override_next(&at, &kind, &value))
		added += kind == OVERRIDE_ENV;
	setting->variables = env->variables;
	if (added == 0)
		return 0;
	size_t count = env->count;
	if (count + added + 1 > setting->merged_capacity) {
		char **merged =
		    reallocarray(setting->merged, count + added + 1, sizeof(*merged));
		if (merged == NULL)
			return -1;
		setting->merged = merged;
		setting->merged_capacity = count + added + 1;
	}
	memcpy(setting->merged, env->variables, count * sizeof(*setting->merged));
	at = *overrides;
	while (override_next(&at, &kind, &value))
		if (kind == OVERRIDE_ENV)
			setting_put(setting, &count, value.bytes);
	setting->merged[count] = NULL;
	setting->variables = setting->merged;
	return 0;
}

int
task_setting_open(struct task_setting *setting, const struct spec *spec,
		  const struct task_env *env, const struct arg *overrides,
		  struct buf *complaint, struct err *err)
{
	task_setting_close(setting);
	if (setting_merge(setting, env, overrides) == -1)
		return err_no_memory(err);
	int status = setting_set_folder(setting, overrides, complaint, err);
	return status != 0 ? status
			   : setting_set_stdin(setting, spec, overrides, complaint, err);
}
