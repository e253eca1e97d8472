/* joblog_file.c: see joblog_file.h. */
#include "record/joblog_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "record/intact.h"
#include "record/joblog_line.h"

#define READ_BYTES ((size_t)256 * 1024)
#define LINE_MAX_BYTES ((size_t)256 * 1024 * 1024) /* no command is so long */
#define QUEUE_BYTES ((size_t)64 * 1024)

/* --- reading --- */

/* The lines of a file, one after the other, in blocks that are read with pread. */
struct lines {
	int fd;
	struct buf block;
	size_t from;  /* in the block: the next line */
	uint64_t at;  /* in the file: the same */
	bool is_over; /* the block holds all that is left */
};

static int
lines_read_more(struct lines *lines)
{
	buf_consume(&lines->block, lines->from);
	lines->from = 0;
	if (lines->block.length > LINE_MAX_BYTES) {
		errno = EFBIG;
		return -1;
	}
	if (buf_reserve(&lines->block, READ_BYTES) == -1) {
		errno = ENOMEM;
		return -1;
	}
	ssize_t got;
	do
		got = pread(lines->fd, lines->block.bytes + lines->block.length,
			    READ_BYTES, (off_t)(lines->at + lines->block.length));
	while (got == -1 && errno == EINTR);
	if (got == -1)
		return -1;
	lines->block.length += (size_t)got;
	lines->is_over = got == 0;
	return 0;
}

/*
 * The next line, without its newline: 1. 0 at the end, with what follows the last newline, and
 * -1 with errno. Borrowed until the next call.
 */
static int
lines_next(struct lines *lines, const char **line, size_t *length)
{
	size_t searched = 0;
	for (;;) {
		const char *start = lines->block.bytes + lines->from;
		size_t left = lines->block.length - lines->from;
		const char *newline = left > searched
					  ? memchr(start + searched, '\n', left - searched)
					  : NULL;
		if (newline == NULL && !lines->is_over) {
			searched = left;
			if (lines_read_more(lines) == -1)
				return -1;
			continue;
		}
		*line = start;
		*length = newline != NULL ? (size_t)(newline - start) : left;
		if (newline == NULL)
			return 0;
		lines->from += *length + 1;
		lines->at += *length + 1;
		return 1;
	}
}

static int
file_load(struct joblog_file *file, struct err *err)
{
	struct lines lines = {.fd = file->fd};
	const char *line;
	size_t length;
	uint64_t at = 0;
	int status;
	while ((status = lines_next(&lines, &line, &length)) == 1) {
		if (joblog_past_take(&file->past, at, line, length, err) == -1)
			goto refuse;
		at = lines.at;
	}
	if (status == -1) {
		if (errno == EFBIG)
			err_set(err, ERR_USAGE,
				"line %" PRIu64 " is longer than any record: this is no "
				"joblog, or it is damaged; name another file",
				file->past.line_count + 1);
		else
			err_errno(err, "cannot read it");
		goto refuse;
	}
	if (joblog_past_finish(&file->past, line, length, err) == -1)
		goto refuse;
	buf_fini(&lines.block);
	return 0;

refuse:
	err_context(err, "--joblog %.200s", file->path);
	buf_fini(&lines.block);
	return -1;
}

/* --- opening --- */

static int
file_refuse_locked(const struct joblog_file *file, struct err *err)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	char who[48] = "another process";
	if (fcntl(file->fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK && lock.l_pid > 0)
		snprintf(who, sizeof(who), "process %jd", (intmax_t)lock.l_pid);
	return err_set(
	    err, ERR_LOCKED,
	    "--joblog %.200s is in use by %s: wait for its end, or name another file",
	    file->path, who);
}

/*
 * The kind that belongs to the process, so that one that was killed holds nothing, whatever it
 * forked. Where files cannot be locked there is no lock.
 */
static int
file_lock(const struct joblog_file *file, struct err *err)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	if (fcntl(file->fd, F_SETLK, &lock) == 0 || errno == ENOLCK || errno == EINVAL ||
	    errno == ENOSYS || errno == EOPNOTSUPP)
		return 0;
	if (errno == EACCES || errno == EAGAIN)
		return file_refuse_locked(file, err);
	return err_errno(err, "cannot lock --joblog %.200s", file->path);
}

static int
file_open_fd(struct joblog_file *file, enum joblog_mode mode, struct err *err)
{
	static const int flags[] = {[JOBLOG_ANEW] = O_WRONLY | O_CREAT | O_APPEND,
				    [JOBLOG_APPEND] = O_RDWR | O_CREAT | O_APPEND,
				    [JOBLOG_READ_ONLY] = O_RDONLY};
	/* Not blocking: nobody may have opened the other end of a pipe yet. */
	file->fd = open(file->path,
			flags[mode] | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0666);
	if (file->fd == -1 && errno == ELOOP)
		return err_set(
		    err, ERR_USAGE,
		    "--joblog %.200s is a symbolic link, which is not followed: name "
		    "the file itself",
		    file->path);
	if (file->fd == -1 && !(mode == JOBLOG_READ_ONLY && errno == ENOENT))
		return err_errno(err, "cannot open --joblog %.200s", file->path);
	if (file->fd != -1 && fcntl(file->fd, F_SETFL, flags[mode] & O_APPEND) == -1)
		return err_errno(err, "cannot open --joblog %.200s", file->path);
	return 0;
}

/* --- writing --- */

static int
file_fail(const struct joblog_file *file, struct err *err)
{
	return err_errno(err, "cannot write to --joblog %.200s", file->path);
}

/* What has to come before the first record. */
static int
file_make_ready(struct joblog_file *file, struct err *err)
{
	if (file->needs_cut && ftruncate(file->fd, (off_t)file->past.end) == -1)
		return file_fail(file, err);
	file->needs_cut = false;
	if (file->needs_head &&
	    io_write_all(file->fd, JOBLOG_HEADER, sizeof(JOBLOG_HEADER) - 1) == -1)
		return file_fail(file, err);
	file->kept_bytes += file->needs_head ? sizeof(JOBLOG_HEADER) - 1 : 0;
	file->needs_head = false;
	return 0;
}

int
joblog_file_open(struct joblog_file *file, const char *path, enum joblog_mode mode,
		 bool keeps_failures, struct err *err)
{
	struct stat status;
	*file = (struct joblog_file){.path = path, .fd = -1};
	file->past.keeps_failures = keeps_failures;
	if (file_open_fd(file, mode, err) == -1)
		return -1;
	if (file->fd == -1)
		return 0;
	if (fstat(file->fd, &status) == -1)
		return err_errno(err, "cannot look at --joblog %.200s", path);
	file->is_regular = S_ISREG(status.st_mode);
	file->is_new = status.st_size == 0;
	if (!file->is_regular && mode != JOBLOG_ANEW)
		return err_set(
		    err,
		    ERR_USAGE, "--joblog %.200s is no regular file, so there is nothing in it to go on from",
		    path);
	if (file->is_regular && mode != JOBLOG_READ_ONLY && file_lock(file, err) == -1)
		return -1;
	if (mode != JOBLOG_ANEW && file_load(file, err) == -1)
		return -1;
	file->needs_cut = mode == JOBLOG_ANEW ? file->is_regular && !file->is_new
					      : file->past.torn_line != 0;
	file->needs_head = file->past.end == 0;
	file->kept_bytes = file->past.end;
	return mode == JOBLOG_ANEW ? file_make_ready(file, err) : 0;
}

int
joblog_file_put(struct joblog_file *file, struct err *err)
{
	return file->queue.length >= QUEUE_BYTES ? joblog_file_flush(file, err) : 0;
}

int
joblog_file_flush(struct joblog_file *file, struct err *err)
{
	if (file->queue.length == 0)
		return 0;
	if (file_make_ready(file, err) == -1)
		return -1;
	if (io_write_all(file->fd, file->queue.bytes, file->queue.length) == -1)
		return file_fail(file, err);
	file->kept_bytes += file->queue.length;
	buf_clear(&file->queue);
	return 0;
}

/* The name of a file that we made is in its folder only once that is on disk, too. */
static int
file_sync_folder(const struct joblog_file *file)
{
	const char *slash = strrchr(file->path, '/');
	char *folder = slash == NULL ? strdup(".")
		       : slash == file->path
			   ? strdup("/")
			   : strndup(file->path, (size_t)(slash - file->path));
	if (folder == NULL)
		return -1;
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(folder);
	if (fd == -1)
		return errno == EACCES ? 0 : -1; /* may be written to, but not read */
	int status = fsync(fd);
	int errno_value = errno;
	io_close(fd);
	errno = errno_value;
	return status == -1 && errno == EINVAL ? 0 : status;
}

int
joblog_file_finish(struct joblog_file *file, struct err *err)
{
	if (joblog_file_flush(file, err) == -1 ||
	    (file->needs_head && file_make_ready(file, err) == -1))
		return -1;
	if (file->is_regular &&
	    (fsync(file->fd) == -1 || (file->is_new && file_sync_folder(file) == -1)))
		return file_fail(file, err);
	if (file->is_regular &&
	    intact_check(file->fd, file->kept_bytes, "--joblog", file->path, err) == -1)
		return -1;
	int fd = file->fd;
	file->fd = -1;
	return io_close(fd) == -1 ? file_fail(file, err) : 0;
}

void
joblog_file_close(struct joblog_file *file)
{
	io_close_set(&file->fd);
	joblog_past_fini(&file->past);
	buf_fini(&file->queue);
}

/* --- reading again --- */

/* In the file a newline is a NUL byte. */
static int
append_command(struct buf *command, const char *bytes, size_t length)
{
	if (buf_append(command, bytes, length) == -1)
		return -1;
	for (size_t i = command->length - length; i < command->length; i++)
		if (command->bytes[i] == '\0')
			command->bytes[i] = '\n';
	return 0;
}

int
joblog_file_read_command(const struct joblog_file *file, uint64_t at, size_t length,
			 struct buf *command, struct err *err)
{
	struct buf bytes = {0};
	struct joblog_line line;
	int status = -1;
	if (buf_reserve(&bytes, length) == -1)
		return err_no_memory(err);
	if (io_pread_all(file->fd, bytes.bytes, length, (off_t)at) == -1)
		err_errno(err, "cannot read --joblog %.200s", file->path);
	else if (!joblog_line_parse(bytes.bytes, length, &line))
		err_set(err, ERR_SYSTEM, "--joblog %.200s changed while it was read",
			file->path);
	else if (append_command(command, line.command, line.command_length) == -1)
		err_no_memory(err);
	else
		status = 0;
	buf_fini(&bytes);
	return status;
}

int
joblog_file_find(const struct joblog_file *file, uint64_t seq, uint64_t *line_number,
		 struct buf *command, struct err *err)
{
	struct lines lines = {.fd = file->fd};
	struct joblog_line line;
	const char *bytes;
	size_t length;
	int status, memory = 0;
	*line_number = 0;
	for (uint64_t number = 1;
	     memory == 0 && (status = lines_next(&lines, &bytes, &length)) == 1; number++) {
		if (!joblog_line_parse(bytes, length, &line) || line.seq != seq)
			continue;
		*line_number = number;
		buf_clear(command);
		memory = append_command(command, line.command, line.command_length);
	}
	buf_fini(&lines.block);
	if (memory == -1)
		return err_no_memory(err);
	return status == -1 ? err_errno(err, "cannot read --joblog %.200s", file->path) : 0;
}
