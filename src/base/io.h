/*
 * io.h: the system calls on descriptors, once and for all.
 *
 * Every descriptor made here is CLOEXEC. EINTR is handled here. Functions return what the system
 * call would and leave errno; callers turn it into a struct err with the name of the thing.
 */
#ifndef PINION_IO_H
#define PINION_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* One read or write, again after EINTR. 0 from io_read is the end. */
ssize_t io_read(int fd, void *bytes, size_t length);
ssize_t io_write(int fd, const void *bytes, size_t length);

/* Up to `length` bytes, fewer only where the end comes before. */
ssize_t io_read_start(int fd, void *bytes, size_t length);

/* All of it or -1; for files and blocking descriptors. */
int io_write_all(int fd, const void *bytes, size_t length);
int io_pwrite_all(int fd, const void *bytes, size_t length, off_t at);

/* Exactly `length` bytes or -1; an early end is EIO. */
int io_pread_all(int fd, void *bytes, size_t length, off_t at);

int io_close(int fd); /* -1 is fine; the descriptor is gone whatever it returns */

/* Closes *fd if it is open and sets it to -1. */
void io_close_set(int *fd);

int io_dup(int fd);

int io_set_nonblocking(int fd);

/* fds[0] to read, fds[1] to write, both blocking; a wish for a size, 0: none, may not be granted. */
int io_pipe(int fds[2], size_t capacity_bytes);

/* An anonymous file in memory of `length` bytes; a file unlinked at birth where there is no memfd. */
int io_memfd(const char *name, off_t length);

/*
 * Fills the holes among 0, 1 and 2, so that no other file ever gets their numbers. A stdin or
 * stdout that was closed still fails when it is used (EBADF); a closed stderr swallows all.
 */
int io_ensure_standard(void);

/* Closes every descriptor from `first` on, but the few in `keep`, which is sorted in place. */
void io_close_from(int first, int *keep, size_t keep_count);

/*
 * A descriptor for the same pipe, terminal or socket whose writes never block, without
 * touching the flags that other processes share with us. -1 where there is none to be
 * had: then a write of up to PIPE_BUF bytes after poll says so does not block either.
 */
int io_reopen_nonblocking(int fd);

bool io_is_pipe(int fd);
bool io_is_regular(int fd);

#endif
