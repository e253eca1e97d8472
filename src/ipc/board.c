/* board.c: see board.h. */
#include "ipc/board.h"

#include <sys/mman.h>

int
board_init(struct board *board, size_t seat_count, struct err *err)
{
	*board = (struct board){0};
	void *map = mmap(NULL, seat_count * sizeof(struct board_seat),
			 PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED)
		return err_errno(err, "cannot map the board of %zu workers", seat_count);
	board->seats = map;
	board->seat_count = seat_count;
	for (size_t i = 0; i < seat_count; i++)
		board_seat_reset(&board->seats[i]);
	return 0;
}

void
board_fini(struct board *board)
{
	if (board->seats != NULL)
		munmap(board->seats, board->seat_count * sizeof(struct board_seat));
	*board = (struct board){0};
}

void
board_seat_reset(struct board_seat *seat)
{
	atomic_store(&seat->seq, BOARD_NO_TASK);
	atomic_store(&seat->attempt, 0);
	atomic_store(&seat->pid, 0);
	atomic_store(&seat->exec_errno, 0);
	atomic_store(&seat->served_count, 0);
	atomic_store(&seat->order, BOARD_GO);
	atomic_store(&seat->cancel_reason, 0);
	atomic_store(&seat->cancel_seq, BOARD_NO_TASK);
	atomic_store(&seat->cancel_attempt, 0);
}
