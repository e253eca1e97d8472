/* report_out.c: see report_out.h. */
#include "report/report_out.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"

#define PUSH_BYTES (256 * 1024)

static const char *
name_of(const struct report_out *out)
{
	return strcmp(out->name, "-") == 0 ? "standard output" : out->name;
}

/* A draft would make the folders above it; a misspelt one is better refused, as by --joblog. */
static int
check_folder(const char *name, struct err *err)
{
	const char *slash = strrchr(name, '/');
	struct buf folder = {0};
	int status = 0;
	if (slash == NULL)
		return 0;
	if (buf_append(&folder, name, (size_t)(slash + 1 - name)) == -1 ||
	    buf_str(&folder) == NULL)
		status = err_no_memory(err);
	else if (access(folder.bytes, F_OK) == -1)
		status = err_errno(err, "cannot write %.200s", name);
	buf_fini(&folder);
	return status;
}

static int
open_draft(struct report_out *out, struct err *err)
{
	out->is_draft = true;
	out->fd =
	    open(out->draft.path.bytes, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	return out->fd == -1 ? err_errno(err, "cannot write %.200s", out->name) : 0;
}

int
report_out_open(struct report_out *out, const char *name, struct err *err)
{
	*out = (struct report_out){.name = name, .fd = STDOUT_FILENO};
	if (strcmp(name, "-") == 0)
		return 0;
	out->fd = -1;
	if (check_folder(name, err) == -1)
		return -1;
	if (draft_open(&out->draft, name) == 0)
		return open_draft(out, err);
	if (errno == EBUSY)
		return err_set(err, ERR_SYSTEM,
			       "%.200s is being written by another process", name);
	if (errno != EINVAL)
		return err_errno(err, "cannot write %.200s", name);
	out->fd = open(name, O_WRONLY | O_NOCTTY | O_CLOEXEC); /* a device, a pipe */
	return out->fd == -1 ? err_errno(err, "cannot write %.200s", name) : 0;
}

static int
write_text(struct report_out *out, struct err *err)
{
	if (io_write_all(out->fd, out->text.bytes, out->text.length) == -1)
		return err_errno(err, "cannot write %.200s", name_of(out));
	buf_clear(&out->text);
	return 0;
}

int
report_out_push(struct report_out *out, struct err *err)
{
	return out->text.length < PUSH_BYTES ? 0 : write_text(out, err);
}

int
report_out_finish(struct report_out *out, struct err *err)
{
	if (write_text(out, err) == -1)
		return -1;
	if (out->fd == STDOUT_FILENO)
		return 0;
	int fd = out->fd;
	out->fd = -1;
	if (io_close(fd) == -1 || (out->is_draft && draft_publish(&out->draft) == -1))
		return err_errno(err, "cannot write %.200s", name_of(out));
	return 0;
}

void
report_out_close(struct report_out *out)
{
	if (out->fd != STDOUT_FILENO)
		io_close_set(&out->fd);
	draft_close(&out->draft);
	draft_fini(&out->draft);
	buf_fini(&out->text);
}
