/* cron.c: see cron.h. */
#include "record/cron.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/private_dir.h"
#include "base/quote.h"

#define CRON_PATH_BYTES 256
#define CRON_LOCK_TRIES 10
#define CRON_MESSAGE_LINES 20 /* so that all is one screen of 24 */
#define CRON_TIME_BYTES 32

struct cron {
	const char *name;
	char folder[CRON_PATH_BYTES];
	char lock_name[CRON_PATH_BYTES];
	char output_name[CRON_PATH_BYTES];
	int folder_fd;
	int lock_fd;
	int output_fd;
	int saved_fds[2]; /* of 1 and 2 */
	int64_t started_real_ns;
};

/* --- the lock --- */

static void
format_time(int64_t seconds, char text[CRON_TIME_BYTES])
{
	time_t moment = (time_t)seconds;
	struct tm local;
	if (localtime_r(&moment, &local) == NULL ||
	    strftime(text, CRON_TIME_BYTES, "%Y-%m-%d %H:%M:%S", &local) == 0)
		snprintf(text, CRON_TIME_BYTES, "%" PRId64, seconds);
}

static int
cron_refuse_locked(const struct cron *cron, int lock_fd, struct err *err)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	char content[64] = "", since[CRON_TIME_BYTES];
	intmax_t pid = 0;
	int64_t seconds = 0;
	if (pread(lock_fd, content, sizeof(content) - 1, 0) > 0 &&
	    sscanf(content, "%jd %" SCNd64, &pid, &seconds) == 2 && seconds > 0)
		format_time(seconds, since);
	else
		snprintf(since, sizeof(since), "just now");
	if (fcntl(lock_fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK && lock.l_pid > 0)
		pid = lock.l_pid;
	return err_set(err, ERR_LOCKED,
		       "--cron %s: it is running already: process %jd, since %s",
		       cron->name, pid, since);
}

/* Does the name still lead to what we have locked? Who held it before takes it away. -1 and err. */
static int
cron_is_current(const struct cron *cron, int lock_fd, struct err *err)
{
	struct stat ours, named;
	if (fstat(lock_fd, &ours) == 0 &&
	    fstatat(cron->folder_fd, cron->lock_name, &named, AT_SYMLINK_NOFOLLOW) == 0)
		return ours.st_dev == named.st_dev && ours.st_ino == named.st_ino;
	return errno == ENOENT ? 0
			       : err_errno(err, "--cron: cannot look at %s/%s",
					   cron->folder, cron->lock_name);
}

/* 1: taken; 0: it was just taken away, try again; -1 and err. */
static int
cron_try_lock(struct cron *cron, struct err *err)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd = openat(cron->folder_fd, cron->lock_name,
			O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		return err_errno(err, "--cron: cannot open %s/%s", cron->folder,
				 cron->lock_name);
	int status = fcntl(fd, F_SETLK, &lock);
	if (status == -1 && (errno == EACCES || errno == EAGAIN))
		cron_refuse_locked(cron, fd, err);
	else if (status == -1)
		err_errno(err, "--cron: cannot lock %s/%s", cron->folder, cron->lock_name);
	else
		status = cron_is_current(cron, fd, err);
	if (status == 1)
		cron->lock_fd = fd;
	else
		io_close(fd);
	return status;
}

static int
cron_lock(struct cron *cron, struct err *err)
{
	char content[64];
	int status = 0;
	for (int i = 0; i < CRON_LOCK_TRIES && status == 0; i++)
		status = cron_try_lock(cron, err);
	if (status == 0)
		err_set(err, ERR_LOCKED,
			"--cron %s: it is started again and again elsewhere", cron->name);
	if (status != 1)
		return -1;
	int length = snprintf(content, sizeof(content), "%jd %" PRId64 "\n",
			      (intmax_t)getpid(), cron->started_real_ns / NS_PER_S);
	if (ftruncate(cron->lock_fd, 0) == -1 ||
	    io_pwrite_all(cron->lock_fd, content, (size_t)length, 0) == -1)
		return err_errno(err, "--cron: cannot write %s/%s", cron->folder,
				 cron->lock_name);
	return 0;
}

/* --- the folder and the output --- */

static int
cron_open_folder(struct cron *cron, const char *const *folders, struct err *err)
{
	char own[2][CRON_PATH_BYTES];
	const char *usual[4] = {NULL};
	size_t count = 0;
	snprintf(own[0], sizeof(own[0]), "/var/tmp/pinion-%ju", (uintmax_t)geteuid());
	snprintf(own[1], sizeof(own[1]), "/tmp/pinion-%ju", (uintmax_t)geteuid());
	if (geteuid() == 0)
		usual[count++] = "/var/lib/pinion";
	usual[count++] = own[0];
	usual[count++] = own[1];
	if (folders == NULL)
		folders = usual;
	for (; *folders != NULL && cron->folder_fd == -1; folders++) {
		snprintf(cron->folder, sizeof(cron->folder), "%s", *folders);
		cron->folder_fd = private_dir_open(*folders, err);
	}
	if (cron->folder_fd != -1) {
		*err = (struct err){0};
		return 0;
	}
	err_context(err, "--cron");
	return -1;
}

static int
cron_open_output(struct cron *cron, struct err *err)
{
	cron->output_fd = openat(cron->folder_fd, cron->output_name,
				 O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (cron->output_fd == -1)
		return err_errno(err, "--cron: cannot make %s/%s", cron->folder,
				 cron->output_name);
	for (int i = 0; i < 2; i++) {
		cron->saved_fds[i] = io_dup(i + 1);
		if (cron->saved_fds[i] == -1 || dup2(cron->output_fd, i + 1) == -1)
			return err_errno(err, "--cron: cannot redirect the output");
	}
	return 0;
}

static void
cron_restore(struct cron *cron)
{
	for (int i = 0; i < 2; i++) {
		if (cron->saved_fds[i] != -1)
			dup2(cron->saved_fds[i], i + 1);
		io_close_set(&cron->saved_fds[i]);
	}
}

static void
cron_free(struct cron *cron)
{
	cron_restore(cron);
	io_close(cron->output_fd);
	if (cron->lock_fd != -1)
		unlinkat(cron->folder_fd, cron->lock_name, 0);
	io_close(cron->lock_fd); /* in this order: see cron_is_current */
	io_close(cron->folder_fd);
	free(cron);
}

struct cron *
cron_open(const char *name, const char *const *folders, struct err *err)
{
	struct cron *cron = calloc(1, sizeof(*cron));
	if (cron == NULL) {
		err_no_memory(err);
		return NULL;
	}
	*cron = (struct cron){
	    .name = name,
	    .folder_fd = -1,
	    .lock_fd = -1,
	    .output_fd = -1,
	    .saved_fds = {-1, -1},
	    .started_real_ns = clock_real_ns(),
	};
	snprintf(cron->lock_name, sizeof(cron->lock_name), "%s.lock", name);
	snprintf(cron->output_name, sizeof(cron->output_name), "%s.output", name);
	if (cron_open_folder(cron, folders, err) == 0 && cron_lock(cron, err) == 0 &&
	    cron_open_output(cron, err) == 0)
		return cron;
	cron_free(cron);
	return NULL;
}

/* --- the screen --- */

/* The last lines of the messages: the errors and the summary are there. */
static int
append_messages(struct buf *screen, const struct buf *messages)
{
	size_t at = messages->length, count = 0;
	while (at > 0) {
		if (messages->bytes[at - 1] == '\n' && count++ == CRON_MESSAGE_LINES)
			break;
		at--;
	}
	return buf_append(screen, messages->bytes + at, messages->length - at);
}

static int
append_head(const struct cron *cron, const struct cron_end *end, struct buf *screen)
{
	char from[CRON_TIME_BYTES], to[CRON_TIME_BYTES], host[65] = "";
	gethostname(host, sizeof(host) - 1);
	format_time(cron->started_real_ns / NS_PER_S, from);
	format_time(clock_real_ns() / NS_PER_S, to);
	int status = end->signal != 0 ? buf_printf(screen, "%s: ended by signal %s",
						   cron->name, sigabbrev_np(end->signal))
				      : buf_printf(screen, "%s: exit status %d",
						   cron->name, end->status);
	return status == -1 ? -1
			    : buf_printf(screen, ", on %s, %s to %s\n", host, from, to);
}

/* The command that runs again what failed, where there is a record that knows it. */
static int
append_again(const struct spec *spec, struct buf *screen)
{
	char *cwd = NULL;
	int status = 0;
	if (spec->run_file != NULL) {
		cwd = getcwd(NULL, 0);
		status = buf_append_str(screen, "what failed, again: ");
		if (status == 0 && spec->run_file[0] != '/' && cwd != NULL &&
		    (buf_append_str(screen, "cd ") == -1 ||
		     quote_append(screen, cwd, strlen(cwd)) == -1 ||
		     buf_append_str(screen, " && ") == -1))
			status = -1;
		if (status == 0 &&
		    (buf_append_str(screen, "pinion replay --failed ") == -1 ||
		     quote_append(screen, spec->run_file, strlen(spec->run_file)) == -1 ||
		     buf_append_char(screen, '\n') == -1))
			status = -1;
	} else if (spec->joblog != NULL) {
		status = buf_append_str(
		    screen,
		    "what failed, and the rest: the same command with --resume-failed\n");
	}
	free(cwd);
	return status;
}

static int
append_screen(const struct cron *cron, const struct cron_end *end, struct buf *screen)
{
	if (append_head(cron, end, screen) == -1 ||
	    append_messages(screen, end->messages) == -1 ||
	    buf_printf(screen, "all output: %s/%s\n", cron->folder, cron->output_name) == -1)
		return -1;
	return append_again(end->spec, screen);
}

void
cron_close(struct cron *cron, const struct cron_end *end)
{
	static const char no_memory[] = "pinion: out of memory\n";
	struct buf screen = {0};
	cron_restore(cron);
	if (end->status == 0 && end->signal == 0) {
		unlinkat(cron->folder_fd, cron->output_name, 0);
	} else if (append_screen(cron, end, &screen) == 0) {
		io_write_all(STDERR_FILENO, screen.bytes, screen.length);
	} else {
		io_write_all(STDERR_FILENO, no_memory, sizeof(no_memory) - 1);
	}
	buf_fini(&screen);
	cron_free(cron);
}
