/* board.c: see board.h. */
#include "ipc/board.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"

/* The seats, and the notices behind them. */
static size_t
board_map_bytes(size_t seat_count)
{
	return seat_count * sizeof(struct board_seat) + sizeof(struct board_notices);
}

static int
board_map(struct board *board, int fd, size_t seat_count, struct err *err)
{
	*board = (struct board){0};
	void *map = mmap(NULL, board_map_bytes(seat_count), PROT_READ | PROT_WRITE,
			 MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return err_errno(err, "cannot map the board of %zu workers", seat_count);
	board->seats = map;
	board->seat_count = seat_count;
	board->notices = (struct board_notices *)(board->seats + seat_count);
	board->fd = fd;
	return 0;
}

int
board_init(struct board *board, size_t seat_count, struct err *err)
{
	*board = (struct board){0};
	int fd = io_memfd("pinion-board", (off_t)board_map_bytes(seat_count));
	if (fd == -1)
		return err_errno(err, "cannot make the board of %zu workers", seat_count);
	if (board_map(board, fd, seat_count, err) == -1) {
		close(fd);
		return -1;
	}
	for (size_t i = 0; i < seat_count; i++)
		board_seat_reset(&board->seats[i]); /* held_token is 0: the file is new */
	return 0;
}

int
board_attach(struct board *board, int fd, size_t seat_count, struct err *err)
{
	struct stat st;
	*board = (struct board){0};
	if (fstat(fd, &st) == -1)
		return err_errno(err, "cannot see the board of %zu workers", seat_count);
	if (st.st_size != (off_t)board_map_bytes(seat_count))
		return err_set(err, ERR_BROKEN, "this is no board of %zu workers",
			       seat_count);
	return board_map(board, fd, seat_count, err);
}

void
board_close_file(struct board *board)
{
	io_close_set(&board->fd);
}

void
board_fini(struct board *board)
{
	if (board->seats != NULL) {
		munmap(board->seats, board_map_bytes(board->seat_count));
		io_close(board->fd);
	}
	*board = (struct board){0};
}

void
board_leave_socket(struct board *board, const char *path, uint64_t inode)
{
	struct board_notices *notices = board->notices;
	if (strlen(path) >= sizeof(notices->socket_path))
		return;
	strcpy(notices->socket_path, path);
	notices->socket_inode = inode;
	atomic_store(&notices->has_socket, 1);
}

void
board_remove_socket(struct board *board)
{
	struct board_notices *notices = board->notices;
	char path[BOARD_PATH_BYTES];
	struct stat st;
	if (atomic_load(&notices->has_socket) == 0)
		return;
	memcpy(path, notices->socket_path, sizeof(path)); /* others may write there */
	path[sizeof(path) - 1] = '\0';
	if (lstat(path, &st) == -1 || !S_ISSOCK(st.st_mode) ||
	    st.st_ino != notices->socket_inode)
		return; /* another worker was faster */
	unlink(path);
	char *slash = strrchr(path, '/');
	if (slash == NULL)
		return;
	*slash = '\0';
	rmdir(path);
}

void
board_seat_reset(struct board_seat *seat)
{
	atomic_store(&seat->seq, BOARD_NO_TASK);
	atomic_store(&seat->attempt, 0);
	atomic_store(&seat->is_chunk, 0);
	atomic_store(&seat->pid, 0);
	atomic_store(&seat->exec_errno, 0);
	atomic_store(&seat->served_count, 0);
	atomic_store(&seat->wants_task, 0);
	atomic_store(&seat->order, BOARD_GO);
	atomic_store(&seat->cancel_reason, 0);
	atomic_store(&seat->cancel_seq, BOARD_NO_TASK);
	atomic_store(&seat->cancel_attempt, 0);
	atomic_store(&seat->jobserver_fd, -1);
	atomic_store(&seat->jobserver_style, 0);
}
