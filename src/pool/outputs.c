/* outputs.c: see outputs.h. */
#include "pool/outputs.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "task/override.h"

int
outputs_init(struct outputs *outputs, const struct spec *spec,
	     const struct template *template, const char *run, struct err *err)
{
	*outputs = (struct outputs){.spec = spec, .template = template, .stamp.run = run};
	if (spec->output_count == 0)
		return 0;
	outputs->drafts = calloc(spec->output_count, sizeof(*outputs->drafts));
	outputs->outs = calloc(spec->output_count, sizeof(*outputs->outs));
	if (outputs->drafts != NULL && outputs->outs != NULL)
		return 0;
	outputs_fini(outputs);
	return err_no_memory(err);
}

void
outputs_close(struct outputs *outputs)
{
	for (size_t i = 0; outputs->drafts != NULL && i < outputs->spec->output_count; i++)
		draft_close(&outputs->drafts[i]);
}

void
outputs_fini(struct outputs *outputs)
{
	outputs_close(outputs);
	for (size_t i = 0; outputs->drafts != NULL && i < outputs->spec->output_count; i++)
		draft_fini(&outputs->drafts[i]);
	free(outputs->drafts);
	free(outputs->outs);
	buf_fini(&outputs->folder);
	buf_fini(&outputs->name);
	*outputs = (struct outputs){0};
}

static void
outputs_fail(struct result *result, int errno_value)
{
	result->reason = RESULT_NO_OUTPUT;
	result->exit_status = 1;
	result->errno_value = errno_value;
}

/* What the task is told of a draft, whose target is `name`: from its own folder, by "./". */
static struct arg
outputs_path(const struct outputs *outputs, const struct draft *draft, const char *name)
{
	const struct buf *path = &draft->path;
	size_t guard = draft->target.length - strlen(name); /* the draft may have one, too */
	bool is_inside = outputs->folder.length > 0 && name == outputs->name.bytes;
	size_t skipped = is_inside ? guard + outputs->folder.length - strlen("./") : 0;
	return (struct arg){path->bytes + skipped, path->length - skipped};
}

/* The draft of one output; as outputs_begin. */
static int
outputs_open(struct outputs *outputs, size_t index, const struct template_values *values,
	     struct result *result, struct err *err)
{
	struct draft *draft = &outputs->drafts[index];
	const struct buf *folder = &outputs->folder;
	struct buf *buf = &outputs->name;
	buf_clear(buf);
	if (buf_append(buf, folder->bytes, folder->length) == -1)
		return err_no_memory(err);
	if (template_append_output(outputs->template, index, values, buf, err) == -1)
		return -1;
	if (buf_str(buf) == NULL)
		return err_no_memory(err);
	bool is_absolute = buf->bytes[folder->length] == '/';
	const char *name = buf->bytes + (is_absolute ? folder->length : 0);
	if (memchr(buf->bytes, '\0', buf->length) != NULL)
		errno = EINVAL;
	else if (buf->length == folder->length)
		errno = ENOENT;
	else if (draft_open(draft, name) == 0) {
		outputs->outs[index] = outputs_path(outputs, draft, name);
		if (!stamp_is_others(&outputs->stamp, draft->target.bytes))
			return 0;
		errno = EEXIST;
	}
	outputs_fail(result, errno);
	return 1;
}

/* Where the task's relative names are: "./" behind its folder, so that none is an option. */
static int
outputs_enter(struct outputs *outputs, const struct arg *overrides)
{
	struct buf *folder = &outputs->folder;
	buf_clear(folder);
	if (override_append_folder(overrides, NULL, folder) == -1 ||
	    (folder->length > 0 && buf_append_str(folder, "./") == -1))
		return -1;
	return buf_str(folder) == NULL ? -1 : 0;
}

int
outputs_begin(struct outputs *outputs, struct template_values *values,
	      struct result *result, struct err *err)
{
	int status = 0;
	if (outputs->drafts == NULL)
		return 0;
	struct arg overrides = override_of_args(outputs->spec, values->args);
	values->outs = NULL;
	if (outputs_enter(outputs, &overrides) == -1)
		return err_no_memory(err);
	if (stamp_take(&outputs->stamp, outputs->template, values, &overrides,
		       outputs->folder.bytes, err) == -1)
		return -1;
	for (size_t i = 0; status == 0 && i < outputs->spec->output_count; i++)
		status = outputs_open(outputs, i, values, result, err);
	values->outs = outputs->outs;
	return status;
}

/* Makes a draft fit to be renamed. -1 and errno. */
static int
outputs_prepare(struct outputs *outputs, const struct draft *draft)
{
	struct stat status;
	int fd = draft_file(draft);
	if (fd == -1)
		return -1;
	int outcome = fstat(fd, &status);
	if (outcome == 0) {
		stamp_put(&outputs->stamp, fd, &status);
		if (outputs->spec->fsync != SPEC_FSYNC_NONE)
			outcome = fsync(fd);
	}
	int saved = errno;
	close(fd);
	return errno = saved, outcome;
}

static int
outputs_sync_folder(struct outputs *outputs, const struct draft *draft)
{
	struct buf *name = &outputs->name;
	buf_clear(name);
	if (buf_append_str(name, draft->target.bytes) == -1 || buf_str(name) == NULL)
		return errno = ENOMEM, -1;
	int fd = open(dirname(name->bytes), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int outcome = fd == -1 ? -1 : fsync(fd);
	int saved = errno;
	io_close(fd);
	return errno = saved, outcome;
}

/* All are looked at before the first is renamed: then hardly anything can go wrong between. */
static int
outputs_publish(struct outputs *outputs)
{
	size_t count = outputs->spec->output_count;
	for (size_t i = 0; i < count; i++)
		if (outputs_prepare(outputs, &outputs->drafts[i]) == -1)
			return errno == ENOENT ? -(int)i - 1 : errno;
	for (size_t i = 0; i < count; i++)
		if (draft_publish(&outputs->drafts[i]) == -1)
			return errno;
	for (size_t i = 0; i < count && outputs->spec->fsync == SPEC_FSYNC_DIR; i++)
		if (outputs_sync_folder(outputs, &outputs->drafts[i]) == -1)
			return errno;
	return 0;
}

void
outputs_end(struct outputs *outputs, struct result *result)
{
	if (outputs->drafts == NULL)
		return;
	if (result_is_success(result)) {
		int errno_value = outputs_publish(outputs);
		if (errno_value != 0)
			outputs_fail(result, errno_value);
	}
	outputs_close(outputs);
}
