/*
 * fail.h: what tests/fault/try and the library that it preloads into pinion share: a page of
 * memory, mapped from a file. try fills in the order before pinion starts and reads the counts
 * when it has ended; all of pinion's processes count in it together, so that "the 7th write" is
 * one call of the whole run, and a call that fails once fails in one process only. In place of
 * failing, it may be the death of the process that makes it.
 */
#ifndef FAIL_H
#define FAIL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define FAULT_PAGE_VARIABLE "PINION_FAULT_PAGE"
#define FAULT_PAGE_BYTES 4096
#define FAULT_TRACE_FRAMES 16
#define FAULT_DEATH (-1)    /* in place of an errno */
#define FAULT_SHORT (-2)    /* fewer bytes are read or written than there could be */
#define FAULT_SHORT_BYTES 7 /* at most so many */
#define FAULT_FORKS_MAX 500 /* of a whole run; then nothing can be started any more */

/*
 * The calls that can be made to fail. Several functions may be one call: what a program writes
 * `malloc` for, calloc and realloc count as well; so do strdup, asprintf, qsort or regcomp, which
 * call it. Left out is what cannot fail as it is used here (sigaction, sigprocmask, sigwait,
 * unsetenv, getpid and its like, uname, gethostname, sysconf, getpriority, umask, alarm, the clock),
 * or whose failing changes nothing, as it only gives something back (munmap, closedir, fclose of
 * what was read, pclose, dlclose, shutdown, timer_delete); dlsym, which finds what is real; fread,
 * with which gcov takes up what it has counted so far.
 */
#define FAULT_CALLS(X)       \
	X(malloc)            \
	X(read)              \
	X(pread)             \
	X(write)             \
	X(writev)            \
	X(pwrite)            \
	X(splice)            \
	X(open)              \
	X(opendir)           \
	X(readdir)           \
	X(close)             \
	X(fsync)             \
	X(ftruncate)         \
	X(fallocate)         \
	X(lseek)             \
	X(stat)              \
	X(readlink)          \
	X(mmap)              \
	X(dlopen)            \
	X(madvise)           \
	X(memfd_create)      \
	X(pipe2)             \
	X(socketpair)        \
	X(socket)            \
	X(bind)              \
	X(listen)            \
	X(accept)            \
	X(connect)           \
	X(sockopt)           \
	X(send)              \
	X(recv)              \
	X(fork)              \
	X(clone)             \
	X(exec)              \
	X(wait)              \
	X(kill)              \
	X(setpgid)           \
	X(setpriority)       \
	X(prctl)             \
	X(signalfd)          \
	X(timer)             \
	X(epoll_create1)     \
	X(epoll_ctl)         \
	X(epoll_wait)        \
	X(poll)              \
	X(fcntl)             \
	X(dup2)              \
	X(sleep)             \
	X(flock)             \
	X(ioctl)             \
	X(getrlimit)         \
	X(setrlimit)         \
	X(sched_getaffinity) \
	X(sched_setaffinity) \
	X(rename)            \
	X(link)              \
	X(unlink)            \
	X(mkdir)             \
	X(rmdir)             \
	X(chdir)             \
	X(getcwd)            \
	X(fchmod)            \
	X(setxattr)          \
	X(getxattr)          \
	X(getrandom)         \
	X(setenv)            \
	X(close_range)       \
	X(getdents64)        \
	X(futex)             \
	X(set_mempolicy)

#define FAULT_ENUMERATOR(name) FAULT_##name,
enum fault_call { FAULT_CALLS(FAULT_ENUMERATOR) FAULT_CALL_COUNT };

enum fault_who {
	FAULT_COORDINATOR, /* the first pinion of the run */
	FAULT_OTHERS,      /* whatever it forks, until that executes something else */
	FAULT_WHO_COUNT
};

struct fault_page {
	/* The order; try's, before the run. */
	enum fault_call call;
	enum fault_who who;
	uint32_t at;      /* which call fails, from 1; 0: none */
	int errno_value;  /* or FAULT_DEATH, FAULT_SHORT */
	bool is_for_good; /* so do all after it */
	/* What came of it; everybody's. */
	_Atomic int coordinator_pid;
	_Atomic uint32_t fired_count;
	_Atomic uint32_t fork_count; /* also of what pinion takes for runs of their own */
	_Atomic uint32_t counts[FAULT_CALL_COUNT][FAULT_WHO_COUNT];
	/* Where the first one was, for who has to mend it; that process's. */
	uintptr_t trace[FAULT_TRACE_FRAMES]; /* offsets in the program; 0: another object */
};

_Static_assert(sizeof(struct fault_page) <= FAULT_PAGE_BYTES, "fits");

#endif
