/* letter.c: see letter.h. */
#include "pool/letter.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"

#define LETTER_VARIABLE "PINION_LETTER"
#define LETTER_STRINGS 3                          /* in front of the names */
#define LETTER_MAGIC UINT64_C(0x6c74722d6e6e6970) /* "pinn-rtl" */

enum letter_fd {
	LETTER_RING,
	LETTER_BOARD,
	LETTER_OUTBOX,
	LETTER_RESULT,
	LETTER_STDIN, /* the only one that may be -1 */
	LETTER_FDS,
};

/*
 * The letter's beginning; then packed (task.h): the run's name, the shell,
 * the job's text, the names. Writer
 * and reader are one build: they are the same process. No gaps, which would be bytes of ours.
 */
struct letter_head {
	uint64_t magic;
	pid_t pid; /* whose it is */
	pid_t coordinator;
	uint32_t number;
	uint32_t string_count;
	int fds[LETTER_FDS];
	int32_t cpu; /* of the place, and */
	uint64_t share;
	uint64_t slot_index;
	uint64_t worker_count;
	uint64_t seat_count; /* of the board */
	uint64_t column_count;
	uint64_t stage_index;
	struct sig_origin origin;
	char process_name[16]; /* what the kernel calls the coordinator */
};

/* --- before the exec --- */

static void
letter_fill_head(struct letter_head *head, const struct worker_config *worker,
		 size_t name_count)
{
	*head = (struct letter_head){
	    .magic = LETTER_MAGIC,
	    .pid = getpid(),
	    .coordinator = worker->coordinator,
	    .fds = {[LETTER_RING] = ring_fd(worker->ring),
		    [LETTER_BOARD] = worker->board->fd,
		    [LETTER_OUTBOX] = worker->outbox_fd,
		    [LETTER_RESULT] = worker->result_fd,
		    [LETTER_STDIN] = worker->first_stdin_fd},
	    .number = worker->number,
	    .slot_index = worker->slot_index,
	    .worker_count = worker->worker_count,
	    .seat_count = worker->board->seat_count,
	    .column_count = worker->column_count,
	    .stage_index = worker->spec->stage_index,
	    .cpu = worker->place.cpu,
	    .share = worker->place.share,
	    .origin = *worker->origin,
	    .string_count = (uint32_t)(LETTER_STRINGS + name_count),
	};
	prctl(PR_GET_NAME, head->process_name);
}

static int
letter_pack(struct buf *text, const struct worker_config *worker, const struct arg *names,
	    size_t name_count)
{
	const struct spec *job =
	    worker->spec->job != NULL ? worker->spec->job : worker->spec;
	struct letter_head head;
	letter_fill_head(&head, worker, name_count);
	if (buf_append(text, &head, sizeof(head)) == -1 ||
	    task_pack(text, worker->run_name, strlen(worker->run_name)) == -1 ||
	    task_pack(text, worker->spec->shell, strlen(worker->spec->shell)) == -1 ||
	    task_pack(text, job->job_text.bytes, job->job_text.length) == -1)
		return -1;
	for (size_t i = 0; i < name_count; i++)
		if (task_pack(text, names[i].bytes, names[i].length) == -1)
			return -1;
	return 0;
}

/* Lets them be inherited, or no more. */
static int
letter_set_fds(const int *fds, int flags)
{
	for (int i = 0; i < LETTER_FDS; i++)
		if (fcntl(fds[i], F_SETFD, flags) == -1 && i != LETTER_STDIN)
			return -1;
	return 0;
}

int
letter_write(const struct worker_config *worker, const struct arg *names,
	     size_t name_count, struct err *err)
{
	struct buf text = {0};
	struct letter_head head;
	char place[32];
	int fd = -1;
	if (letter_pack(&text, worker, names, name_count) == -1) {
		err_no_memory(err);
		goto free_text;
	}
	memcpy(&head, text.bytes, sizeof(head));
	fd = io_memfd("pinion-letter", 0);
	snprintf(place, sizeof(place), "%d:%d", fd, (int)getpid());
	if (fd == -1 || io_pwrite_all(fd, text.bytes, text.length, 0) == -1 ||
	    fcntl(fd, F_SETFD, 0) == -1 || letter_set_fds(head.fds, 0) == -1 ||
	    setenv(LETTER_VARIABLE, place, 1) == -1) {
		err_errno(err, "cannot write down what a worker needs to know");
		goto close_fd;
	}
	buf_fini(&text);
	return 0;

close_fd:
	io_close(fd);
free_text:
	buf_fini(&text);
	return -1;
}

/* --- after it --- */

/* The descriptor that the variable names, if it names us; -1: it does not. Takes it away. */
static int
letter_find(void)
{
	const char *text = getenv(LETTER_VARIABLE);
	int fd = -1;
	int pid = 0;
	int length = 0;
	if (text == NULL)
		return -1;
	bool is_ours = sscanf(text, "%d:%d%n", &fd, &pid, &length) == 2 &&
		       text[length] == '\0' && fd > STDERR_FILENO && pid == getpid();
	unsetenv(LETTER_VARIABLE);
	return is_ours ? fd : -1;
}

/* All of the file, if it begins like a letter to this process. */
static bool
letter_load(int fd, struct buf *bytes, struct letter_head *head)
{
	struct stat st;
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) ||
	    st.st_size < (off_t)sizeof(*head) ||
	    io_pread_all(fd, head, sizeof(*head), 0) == -1 ||
	    head->magic != LETTER_MAGIC || head->pid != getpid())
		return false;
	size_t length = (size_t)st.st_size;
	if (buf_reserve(bytes, length) == -1 ||
	    io_pread_all(fd, bytes->bytes, length, 0) == -1)
		_exit(WORKER_CANNOT_START);
	bytes->length = length;
	return true;
}

static void
letter_take_numbers(struct letter *letter, const struct letter_head *head)
{
	letter->origin = head->origin;
	letter->stage_index = head->stage_index;
	letter->worker = (struct worker_config){
	    .origin = &letter->origin,
	    .place = {.share = head->share, .cpu = head->cpu},
	    .board = &letter->board,
	    .column_count = head->column_count,
	    .number = head->number,
	    .slot_index = head->slot_index,
	    .worker_count = head->worker_count,
	    .result_fd = head->fds[LETTER_RESULT],
	    .outbox_fd = head->fds[LETTER_OUTBOX],
	    .first_stdin_fd = head->fds[LETTER_STDIN],
	    .coordinator = head->coordinator,
	};
}

static int
letter_take_strings(struct letter *letter, const struct letter_head *head, struct err *err)
{
	size_t capacity = 0;
	if (head->string_count < LETTER_STRINGS ||
	    task_unpack(letter->bytes.bytes + sizeof(*head),
			letter->bytes.length - sizeof(*head), head->string_count,
			&letter->strings, &capacity) == -1)
		return err_set(err, ERR_BROKEN, "cannot read what a worker needs to know");
	letter->worker.run_name = letter->strings[0].bytes;
	letter->shell = letter->strings[1].bytes;
	letter->job_text = letter->strings[2];
	letter->names = letter->strings + LETTER_STRINGS;
	letter->name_count = head->string_count - LETTER_STRINGS;
	return 0;
}

static int
letter_follow(struct letter *letter, const struct letter_head *head, struct err *err)
{
	letter_take_numbers(letter, head);
	if (board_attach(&letter->board, head->fds[LETTER_BOARD], head->seat_count, err) ==
	    -1)
		return -1;
	letter->worker.seat = &letter->board.seats[head->slot_index];
	letter->worker.ring = ring_attach(head->fds[LETTER_RING], err);
	if (letter->worker.ring == NULL)
		return -1;
	if (letter_set_fds(head->fds, FD_CLOEXEC) == -1)
		return err_errno(err, "cannot set up a worker's descriptors");
	return letter_take_strings(letter, head, err);
}

int
letter_read(struct letter *letter)
{
	struct letter_head head;
	struct err err = {0};
	*letter = (struct letter){0};
	int fd = letter_find();
	if (fd == -1)
		return 0;
	/* A worker that went on as a coordinator would make workers, and those the same. */
	if (!letter_load(fd, &letter->bytes, &head))
		_exit(WORKER_CANNOT_START);
	close(fd);
	if (getppid() != head.coordinator)
		_exit(WORKER_BROKEN);
	prctl(PR_SET_NAME, head.process_name);
	if (letter_follow(letter, &head, &err) == -1)
		worker_fail(&letter->worker, &err);
	return 1;
}
