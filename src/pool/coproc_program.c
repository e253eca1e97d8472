/* coproc_program.c: see coproc_program.h. */
#include "pool/coproc_program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "task/shell_words.h"

#define PROGRAM_PIPE_BYTES COPROC_READ_BYTES /* one read empties a pipe */
#define PROGRAM_LEAVE_MS 2000 /* to end by itself after its stdin is closed */

/* --- what is started --- */

/* argv: the words as they are; one word is a command line, for the shell if it needs one. */
static int
program_set_argv(struct coproc_program *program)
{
	const struct spec *spec = program->host->spec;
	char *line = spec->program_words[0];
	int is_plain = 0;
	program->argv = spec->program_words;
	if (spec->program_word_count > 1)
		return 0;
	if (shell_words_is_plain_shell(spec->shell, environ) && spec->initializer == NULL)
		is_plain = shell_words_split(line, strlen(line), &program->argv_text,
					     &program->argv_words);
	if (is_plain == -1)
		return -1;
	size_t count = is_plain ? program->argv_words.length / sizeof(size_t) : 3;
	program->argv = calloc(count + 1, sizeof(*program->argv));
	if (program->argv == NULL)
		return -1;
	const size_t *starts = (const size_t *)(const void *)program->argv_words.bytes;
	for (size_t i = 0; is_plain && i < count; i++)
		program->argv[i] = program->argv_text.bytes + starts[i];
	if (!is_plain) {
		program->argv[0] = (char *)spec->shell;
		program->argv[1] = (char *)"-c";
		program->argv[2] = line;
	}
	return 0;
}

int
coproc_program_init(struct coproc_program *program, struct executor_host *host,
		    struct err *err)
{
	*program = (struct coproc_program){
	    .host = host,
	    .name = host->spec->program_words[0],
	    .in_fd = -1,
	    .out_fd = -1,
	    .err_fd = -1,
	    .statm_fd = -1,
	    .bytes = malloc(COPROC_READ_BYTES),
	    .err_bytes = malloc(COPROC_READ_BYTES),
	};
	doze_init(&program->doze);
	const char *path = task_env_get(host->env, "PATH");
	if (program->bytes == NULL || program->err_bytes == NULL ||
	    program_set_argv(program) == -1)
		return err_no_memory(err);
	return spawn_init(&program->spawn, host->origin, host->seat,
			  path ? path : "/usr/bin:/bin", err);
}

void
coproc_program_fini(struct coproc_program *program)
{
	if (program->host == NULL)
		return;
	spawn_fini(&program->spawn);
	buf_fini(&program->argv_text);
	buf_fini(&program->argv_words);
	if (program->argv != program->host->spec->program_words)
		free(program->argv);
	doze_fini(&program->doze);
	free(program->bytes);
	free(program->err_bytes);
}

/* --- start --- */

static void
program_close(struct coproc_program *program)
{
	io_close_set(&program->in_fd);
	io_close_set(&program->out_fd);
	io_close_set(&program->err_fd);
	io_close_set(&program->statm_fd);
}

/* Three pipes: ours are the far ends. -1 and errno. */
static int
program_make_pipes(struct coproc_program *program, int theirs[3])
{
	int *ours[3] = {&program->in_fd, &program->out_fd, &program->err_fd};
	for (int i = 0; i < 3; i++) {
		int fds[2];
		if (io_pipe(fds, PROGRAM_PIPE_BYTES) == -1)
			return -1;
		*ours[i] = i == 0 ? fds[1] : fds[0];
		theirs[i] = i == 0 ? fds[0] : fds[1];
		if (io_set_nonblocking(*ours[i]) == -1)
			return -1;
	}
	return 0;
}

static void
program_open_statm(struct coproc_program *program)
{
	char path[64];
	if (program->host->spec->max_rss_bytes == 0)
		return;
	snprintf(path, sizeof(path), "/proc/%d/statm", (int)program->child.pid);
	program->statm_fd = open(path, O_RDONLY | O_CLOEXEC);
}

/* errno says why it could not be executed. */
static int
program_say_not_started(const struct coproc_program *program, struct err *err)
{
	const char *name = program->argv[0];
	bool is_path = strchr(name, '/') != NULL;
	if (errno == ENOENT && strchr(name, ' ') != NULL)
		return err_set(err, ERR_BROKEN,
			       "no such program: '%.200s' (one word with blanks: give "
			       "program and options as separate words, or all as one)",
			       name);
	if (errno == ENOENT && is_path)
		return err_set(err, ERR_BROKEN,
			       "no such program: %.200s, or the interpreter it names",
			       name);
	if (errno == ENOENT)
		return err_set(err, ERR_BROKEN,
			       "no such program: %.200s (is it in PATH? One in this "
			       "folder is ./%.100s)",
			       name, name);
	if (errno == EACCES)
		return err_set(err, ERR_BROKEN, "not executable: %.200s (chmod +x?)", name);
	return err_errno(err, "cannot start %.200s", name);
}

int
coproc_program_start(struct coproc_program *program, struct err *err)
{
	int theirs[3] = {-1, -1, -1};
	if (program_make_pipes(program, theirs) == -1) {
		err_errno(err, "cannot make pipes for %.200s", program->name);
		goto close_pipes;
	}
	struct spawn_request request = {
	    .argv = program->argv,
	    .envp = task_env_taskless(program->host->env),
	    .stdin_fd = theirs[0],
	    .stdout_fd = theirs[1],
	    .stderr_fd = theirs[2],
	    .extra_fd = -1,
	    .folder_fd = -1,
	};
	program->child = (struct child){.pid = spawn_start(&program->spawn, &request)};
	if (program->child.pid == -1) {
		program_say_not_started(program, err);
		goto close_pipes;
	}
	for (int i = 0; i < 3; i++)
		close(theirs[i]);
	program->is_running = true;
	program->is_guarded = doze_guard(program->err_fd) == 0;
	program->asked_bytes = 0;
	program->answered_count = 0;
	program->has_read = false;
	program->is_deaf = false;
	program->has_said_more = false;
	program->last_words[0] = '\0';
	program_open_statm(program);
	return 0;

close_pipes:
	for (int i = 0; i < 3; i++)
		io_close(theirs[i]);
	program_close(program);
	return executor_give_up(program->host);
}

/* --- life --- */

/* Bytes in a pipe, from either end of it; 0 when it is closed here. */
static uint64_t
program_pipe_bytes(int fd)
{
	int waiting = 0;
	if (fd == -1 || ioctl(fd, FIONREAD, &waiting) == -1)
		return 0;
	return (uint64_t)waiting;
}

uint64_t
coproc_program_unread_bytes(const struct coproc_program *program)
{
	return program_pipe_bytes(program->in_fd);
}

bool
coproc_program_has_stderr(const struct coproc_program *program)
{
	return program_pipe_bytes(program->err_fd) > 0;
}

/* Whether it has read anything of what was written to it: then it is past its start. */
static bool
coproc_program_has_read(struct coproc_program *program)
{
	if (!program->has_read && program->in_fd != -1)
		program->has_read =
		    coproc_program_unread_bytes(program) < program->asked_bytes;
	return program->has_read;
}

void
coproc_program_close_stdin(struct coproc_program *program)
{
	coproc_program_has_read(program); /* nobody can tell afterwards */
	io_close_set(&program->in_fd);
}

/* The last line that has something in it. */
static void
program_note_last_words(struct coproc_program *program, const char *bytes, size_t length)
{
	while (length > 0 && bytes[length - 1] == '\n')
		length--;
	const char *newline = length == 0 ? NULL : memrchr(bytes, '\n', length);
	const char *line = newline == NULL ? bytes : newline + 1;
	length -= (size_t)(line - bytes);
	if (length == 0)
		return;
	if (length >= sizeof(program->last_words))
		length = sizeof(program->last_words) - 1;
	memcpy(program->last_words, line, length);
	program->last_words[length] = '\0';
}

void
coproc_program_take_stderr(struct coproc_program *program)
{
	struct channel *channel = program->host->channel;
	ssize_t got = io_read(program->err_fd, program->err_bytes, COPROC_READ_BYTES);
	if (got == 0)
		io_close_set(&program->err_fd);
	if (got <= 0)
		return;
	/* Before it has read anything, it cannot know the task. */
	bool is_of_task = program->has_task && coproc_program_has_read(program);
	if (is_of_task)
		channel_output(channel, RESULT_STDERR, program->err_bytes, (size_t)got);
	else
		channel_note(channel, program->err_bytes, (size_t)got);
	if (program->answered_count == 0)
		program_note_last_words(program, program->err_bytes, (size_t)got);
}

bool
coproc_program_is_too_large(const struct coproc_program *program)
{
	char text[128];
	unsigned long pages;
	if (program->statm_fd == -1)
		return false;
	ssize_t got = pread(program->statm_fd, text, sizeof(text) - 1, 0);
	if (got <= 0)
		return false;
	text[got] = '\0';
	return sscanf(text, "%*u %lu", &pages) == 1 &&
	       (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE) >
		   program->host->spec->max_rss_bytes;
}

void
coproc_program_reap(struct coproc_program *program)
{
	child_reap(&program->child, WNOHANG);
}

bool
coproc_program_doze(struct coproc_program *program, int timeout_ms)
{
	if (!program->doze.is_possible || !program->is_guarded || timeout_ms == 0)
		return false;
	doze_begin(&program->doze, program->out_fd, timeout_ms);
	return true;
}

void
coproc_program_wake(struct coproc_program *program)
{
	doze_end(&program->doze);
	if (channel_child_ended()) /* its signal will not come again */
		coproc_program_reap(program);
}

/* --- end --- */

/* A child_pump: its stderr counts, but there is nothing left that it could answer. */
static int
program_pump(void *context, int timeout_ms, struct err *err)
{
	struct coproc_program *program = context;
	struct pollfd fds[] = {{.fd = program->out_fd, .events = POLLIN},
			       {.fd = program->err_fd, .events = POLLIN}};
	if (channel_wait(program->host->channel, fds, 2, timeout_ms) == -1)
		return err_errno(err, "cannot wait for a program");
	if (fds[0].revents != 0) {
		ssize_t got = io_read(program->out_fd, program->bytes, COPROC_READ_BYTES);
		program->has_said_more |= got > 0;
		if (got == 0)
			io_close_set(&program->out_fd);
	}
	if (fds[1].revents != 0)
		coproc_program_take_stderr(program);
	if (channel_child_ended())
		coproc_program_reap(program);
	return 0;
}

int
coproc_program_end(struct coproc_program *program, struct channel_cancel cancel,
		   struct err *err)
{
	coproc_program_wake(program);
	coproc_program_has_read(program);
	int status = child_end_tree(&program->child, program->host, &cancel, program_pump,
				    program, err);
	if (program->err_fd != -1 && status == 0)
		coproc_program_take_stderr(program);
	program_close(program);
	program->is_running = false;
	atomic_store(&program->host->seat->pid, 0);
	return status;
}

int
coproc_program_dismiss(struct coproc_program *program, struct err *err)
{
	struct channel_cancel cancel = {.reason = RESULT_CANCELLED};
	int64_t until_at_ns = clock_now_ns() + PROGRAM_LEAVE_MS * NS_PER_MS;
	coproc_program_wake(program);
	coproc_program_close_stdin(program);
	while (!program->child.has_ended && clock_now_ns() < until_at_ns &&
	       !channel_is_cancelled(program->host->channel, &cancel)) {
		if (program_pump(program, clock_timeout_ms(until_at_ns, clock_now_ns()),
				 err) == -1)
			return -1;
	}
	return coproc_program_end(program, cancel, err);
}
