/* terminal.h: a terminal of a test's own. openpty asks the kernel by a call that valgrind does not know. */
#ifndef PINION_TESTS_TERMINAL_H
#define PINION_TESTS_TERMINAL_H

#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>

/* Both sides are the caller's. 0, -1. */
static inline int
terminal_open(int *master_fd, int *fd, const struct winsize *size)
{
	*master_fd = posix_openpt(O_RDWR | O_NOCTTY);
	if (*master_fd == -1 || grantpt(*master_fd) == -1 || unlockpt(*master_fd) == -1)
		return -1;
	*fd = open(ptsname(*master_fd), O_RDWR | O_NOCTTY);
	return *fd == -1 ? -1 : ioctl(*fd, TIOCSWINSZ, size);
}

#endif
