/*
 * fail.c: a library for LD_PRELOAD that makes one call of pinion fail, or the last one of the
 * process that makes it (fail.h). A death comes before what the call would do, but for close and
 * fsync; the calls on either side of it show what it leaves undone.
 *
 * The program's own calls are caught, and those of libraries that call functions of libc. What
 * libc does inside itself is not, nor are system calls made without it: tests/cli/promises.bats
 * takes strace for what an old kernel lacks. In programs that are not pinion it does nothing: the
 * tasks of a run are none of its business.
 */
#include "fail.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <linux/futex.h>
#include <linux/magic.h>
#include <locale.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

/* Set before main, or left alone. */
static struct fault_page *page;

/*
 * It dies of a malloc that fails, so that one it asks for is not even counted, whoever is between
 * it and us. The handle it has while it is loaded.
 */
#define CARELESS_LIBRARY "libhwloc"
#define CARELESS_FRAMES 32
static void *careless;

/* NOLINTBEGIN(bugprone-reserved-identifier): glibc's names for what is wrapped here. */
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
/* What fscanf becomes. */
int __isoc99_fscanf(FILE *, const char *, ...) __attribute__((format(scanf, 2, 3)));
/* NOLINTEND(bugprone-reserved-identifier) */

/* --- whether a call fails --- */

/* Not in libc, which would be us. */
static int
own_pid(void)
{
	int pid;
	__asm__ volatile("syscall"
			 : "=a"(pid)
			 : "0"(SYS_getpid)
			 : "rcx", "r11", "memory");
	return pid;
}

static void
note_trace(void)
{
	void *frames[FAULT_TRACE_FRAMES];
	int count = backtrace(frames, FAULT_TRACE_FRAMES);
	for (int i = 0; i < count; i++) {
		Dl_info info;
		struct link_map *map;
		if (dladdr1(frames[i], &info, (void **)&map, RTLD_DL_LINKMAP) != 0 &&
		    map->l_name[0] == '\0')
			page->trace[i] = (uintptr_t)frames[i] - map->l_addr - 1;
	}
}

/* Whether this call is one that has to fail, with errno then; or does not come back. */
static bool
is_due(enum fault_call call)
{
	if (page == NULL)
		return false;
	enum fault_who who =
	    own_pid() == page->coordinator_pid ? FAULT_COORDINATOR : FAULT_OTHERS;
	uint32_t number = ++page->counts[call][who];
	if (page->at == 0 || page->call != call || page->who != who)
		return false;
	if (page->is_for_good ? number < page->at : number != page->at)
		return false;
	if (page->fired_count++ == 0)
		note_trace();
	if (page->errno_value == FAULT_DEATH)
		syscall(SYS_kill, own_pid(), SIGKILL);
	errno = page->errno_value;
	return true;
}

/* What the kernel tells of itself comes at once; so do messages, and what fits into a pipe. */
static bool
may_be_short(int fd, size_t n)
{
	struct stat st;
	struct statfs fs;
	if (n < 2 || syscall(SYS_fstat, fd, &st) == -1 || fstatfs(fd, &fs) == -1)
		return false;
	if (S_ISREG(st.st_mode))
		return fs.f_type != PROC_SUPER_MAGIC && fs.f_type != SYSFS_MAGIC &&
		       fs.f_type != CGROUP_SUPER_MAGIC && fs.f_type != CGROUP2_SUPER_MAGIC;
	return S_ISFIFO(st.st_mode) && n > PIPE_BUF;
}

/* Whether a call that is due has to be made, for fewer than `n` bytes where there may be. */
static bool
is_shortened(int fd, size_t *n)
{
	if (page->errno_value != FAULT_SHORT)
		return false;
	if (may_be_short(fd, *n))
		*n = *n / 2 < FAULT_SHORT_BYTES ? *n / 2 : FAULT_SHORT_BYTES;
	return true;
}

static bool
is_pinion(void)
{
	char path[4096];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
	if (length <= 0)
		return false;
	path[length] = '\0';
	const char *slash = strrchr(path, '/');
	return slash != NULL && strcmp(slash, "/pinion") == 0;
}

__attribute__((constructor)) static void
begin(void)
{
	const char *path = getenv(FAULT_PAGE_VARIABLE);
	if (path == NULL || !is_pinion())
		return;
	void *frame;
	backtrace(&frame, 1); /* loads what it needs now, and not in a wrapper */
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
	void *bytes = (void *)syscall(SYS_mmap, NULL, FAULT_PAGE_BYTES,
				      PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0L);
	syscall(SYS_close, fd);
	if (fd == -1 || bytes == MAP_FAILED)
		abort();
	int nobody = 0;
	struct fault_page *mapped = bytes;
	atomic_compare_exchange_strong(&mapped->coordinator_pid, &nobody, own_pid());
	page = mapped;
}

/* --- the wrappers --- */

#define REAL(name)                       \
	static __typeof__(&(name)) real; \
	if (real == NULL)                \
	real = (__typeof__(&(name)))dlsym(RTLD_NEXT, #name)

/* A function that says by `failed` that it has failed. */
#define WRAP_AS(call, type, failed, name, parameters, arguments)         \
	type name parameters                                             \
	{                                                                \
		REAL(name);                                              \
		return is_due(FAULT_##call) ? (failed) : real arguments; \
	}

/* One that reads or writes `n` bytes of `fd`. */
#define WRAP_BYTES(call, name, parameters, arguments)              \
	ssize_t name parameters                                    \
	{                                                          \
		REAL(name);                                        \
		if (is_due(FAULT_##call) && !is_shortened(fd, &n)) \
			return -1;                                 \
		return real arguments;                             \
	}

#define WRAP(call, name, parameters, arguments) \
	WRAP_AS(call, int, -1, name, parameters, arguments)

/* clang-format off */
WRAP_BYTES(read, read, (int fd, void *bytes, size_t n), (fd, bytes, n))
WRAP_BYTES(pread, pread, (int fd, void *bytes, size_t n, off_t at), (fd, bytes, n, at))
WRAP_BYTES(pread, pread64, (int fd, void *bytes, size_t n, off_t at), (fd, bytes, n, at))
WRAP_BYTES(write, write, (int fd, const void *bytes, size_t n), (fd, bytes, n))
WRAP_BYTES(pwrite, pwrite, (int fd, const void *bytes, size_t n, off_t at), (fd, bytes, n, at))
WRAP_BYTES(pwrite, pwrite64, (int fd, const void *bytes, size_t n, off_t at), (fd, bytes, n, at))
WRAP_AS(splice, ssize_t, -1, splice, (int in, off_t *from, int out, off_t *to, size_t n, unsigned flags),
	(in, from, out, to, n, flags))
WRAP_AS(opendir, DIR *, NULL, opendir, (const char *path), (path))
WRAP_AS(opendir, DIR *, NULL, fdopendir, (int fd), (fd))
WRAP_AS(readdir, struct dirent *, NULL, readdir, (DIR *dir), (dir))
WRAP(ftruncate, ftruncate, (int fd, off_t length), (fd, length))
WRAP(ftruncate, ftruncate64, (int fd, off_t length), (fd, length))
WRAP(fallocate, fallocate, (int fd, int mode, off_t at, off_t length), (fd, mode, at, length))
WRAP_AS(lseek, off_t, -1, lseek, (int fd, off_t at, int whence), (fd, at, whence))
WRAP(stat, stat, (const char *path, struct stat *st), (path, st))
WRAP(stat, lstat, (const char *path, struct stat *st), (path, st))
WRAP(stat, fstat, (int fd, struct stat *st), (fd, st))
WRAP(stat, fstatat, (int fd, const char *path, struct stat *st, int flags), (fd, path, st, flags))
WRAP(stat, stat64, (const char *path, struct stat64 *st), (path, st))
WRAP(stat, lstat64, (const char *path, struct stat64 *st), (path, st))
WRAP(stat, fstat64, (int fd, struct stat64 *st), (fd, st))
WRAP(stat, access, (const char *path, int mode), (path, mode))
WRAP_AS(stat, long, -1, pathconf, (const char *path, int name), (path, name))
WRAP(stat, faccessat, (int fd, const char *path, int mode, int flags), (fd, path, mode, flags))
WRAP_AS(mmap, void *, MAP_FAILED, mmap, (void *at, size_t n, int prot, int flags, int fd, off_t from),
	(at, n, prot, flags, fd, from))
WRAP_AS(mmap, void *, MAP_FAILED, mmap64, (void *at, size_t n, int prot, int flags, int fd, off_t from),
	(at, n, prot, flags, fd, from))
WRAP(madvise, madvise, (void *at, size_t n, int advice), (at, n, advice))
WRAP(memfd_create, memfd_create, (const char *name, unsigned flags), (name, flags))
WRAP(pipe2, pipe2, (int fds[2], int flags), (fds, flags))
WRAP(socketpair, socketpair, (int domain, int type, int protocol, int fds[2]), (domain, type, protocol, fds))
WRAP(socket, socket, (int domain, int type, int protocol), (domain, type, protocol))
WRAP(bind, bind, (int fd, const struct sockaddr *to, socklen_t n), (fd, to, n))
WRAP(listen, listen, (int fd, int backlog), (fd, backlog))
WRAP(accept, accept4, (int fd, struct sockaddr *from, socklen_t *n, int flags), (fd, from, n, flags))
WRAP(connect, connect, (int fd, const struct sockaddr *to, socklen_t n), (fd, to, n))
WRAP(sockopt, getsockopt, (int fd, int level, int name, void *value, socklen_t *n), (fd, level, name, value, n))
WRAP(sockopt, setsockopt, (int fd, int level, int name, const void *value, socklen_t n),
	(fd, level, name, value, n))
WRAP_AS(send, ssize_t, -1, send, (int fd, const void *bytes, size_t n, int flags), (fd, bytes, n, flags))
WRAP_AS(send, ssize_t, -1, sendmsg, (int fd, const struct msghdr *msg, int flags), (fd, msg, flags))
WRAP_AS(recv, ssize_t, -1, recv, (int fd, void *bytes, size_t n, int flags), (fd, bytes, n, flags))
WRAP_AS(recv, ssize_t, -1, recvmsg, (int fd, struct msghdr *msg, int flags), (fd, msg, flags))
WRAP(exec, execve, (const char *path, char *const argv[], char *const env[]), (path, argv, env))
WRAP(exec, execv, (const char *path, char *const argv[]), (path, argv))
WRAP(exec, execvpe, (const char *path, char *const argv[], char *const env[]), (path, argv, env))
WRAP(kill, kill, (pid_t pid, int signal), (pid, signal))
WRAP(setpgid, setpgid, (pid_t pid, pid_t group), (pid, group))
WRAP_AS(setpgid, pid_t, -1, setsid, (void), ())
WRAP(setpriority, setpriority, (__priority_which_t which, id_t who, int value), (which, who, value))
WRAP(signalfd, signalfd, (int fd, const sigset_t *set, int flags), (fd, set, flags))
WRAP(timer, timer_create, (clockid_t clock, struct sigevent *event, timer_t *timer), (clock, event, timer))
WRAP(timer, timer_settime, (timer_t timer, int flags, const struct itimerspec *when, struct itimerspec *old),
	(timer, flags, when, old))
WRAP(timer, timerfd_create, (clockid_t clock, int flags), (clock, flags))
WRAP(timer, timerfd_settime, (int fd, int flags, const struct itimerspec *when, struct itimerspec *old),
	(fd, flags, when, old))
WRAP(epoll_create1, epoll_create1, (int flags), (flags))
WRAP(epoll_ctl, epoll_ctl, (int fd, int operation, int of, struct epoll_event *event), (fd, operation, of, event))
WRAP(epoll_wait, epoll_wait, (int fd, struct epoll_event *events, int max, int ms), (fd, events, max, ms))
WRAP(poll, poll, (struct pollfd *fds, nfds_t count, int ms), (fds, count, ms))
WRAP(poll, ppoll, (struct pollfd *fds, nfds_t count, const struct timespec *time, const sigset_t *mask),
	(fds, count, time, mask))
WRAP(dup2, dup2, (int from, int to), (from, to))
WRAP(sleep, nanosleep, (const struct timespec *time, struct timespec *left), (time, left))
WRAP(sleep, sigtimedwait, (const sigset_t *set, siginfo_t *info, const struct timespec *time), (set, info, time))
WRAP(flock, flock, (int fd, int operation), (fd, operation))
WRAP_AS(ioctl, int, 0, isatty, (int fd), (fd))
WRAP(ioctl, tcgetpgrp, (int fd), (fd))
WRAP(getrlimit, getrlimit, (__rlimit_resource_t which, struct rlimit *limit), (which, limit))
WRAP(setrlimit, setrlimit, (__rlimit_resource_t which, const struct rlimit *limit), (which, limit))
WRAP(sched_getaffinity, sched_getaffinity, (pid_t pid, size_t n, cpu_set_t *set), (pid, n, set))
WRAP(sched_setaffinity, sched_setaffinity, (pid_t pid, size_t n, const cpu_set_t *set), (pid, n, set))
WRAP(rename, renameat, (int from_fd, const char *from, int to_fd, const char *to), (from_fd, from, to_fd, to))
WRAP(rename, rename, (const char *from, const char *to), (from, to))
WRAP(link, linkat, (int from_fd, const char *from, int to_fd, const char *to, int flags),
	(from_fd, from, to_fd, to, flags))
WRAP(unlink, unlink, (const char *path), (path))
WRAP_AS(readlink, ssize_t, -1, readlink, (const char *path, char *to, size_t n), (path, to, n))
WRAP_AS(readlink, char *, NULL, realpath, (const char *path, char *to), (path, to))
WRAP(mkdir, mkdir, (const char *path, mode_t mode), (path, mode))
WRAP(mkdir, mkdirat, (int fd, const char *path, mode_t mode), (fd, path, mode))
WRAP(rmdir, rmdir, (const char *path), (path))
WRAP(chdir, chdir, (const char *path), (path))
WRAP(chdir, fchdir, (int fd), (fd))
WRAP_AS(getcwd, char *, NULL, getcwd, (char *path, size_t n), (path, n))
WRAP(fchmod, fchmod, (int fd, mode_t mode), (fd, mode))
WRAP(fchmod, fchmodat, (int fd, const char *path, mode_t mode, int flags), (fd, path, mode, flags))
WRAP(setxattr, fsetxattr, (int fd, const char *name, const void *value, size_t n, int flags),
	(fd, name, value, n, flags))
WRAP_AS(getxattr, ssize_t, -1, lgetxattr, (const char *path, const char *name, void *value, size_t n),
	(path, name, value, n))
WRAP_AS(getrandom, ssize_t, -1, getrandom, (void *bytes, size_t n, unsigned flags), (bytes, n, flags))
WRAP(setenv, setenv, (const char *name, const char *value, int replaces), (name, value, replaces))
WRAP(setenv, putenv, (char *text), (text))
/* clang-format on */

int
unlinkat(int fd, const char *path, int flags)
{
	REAL(unlinkat);
	enum fault_call call = (flags & AT_REMOVEDIR) != 0 ? FAULT_rmdir : FAULT_unlink;
	return is_due(call) ? -1 : real(fd, path, flags);
}

ssize_t
writev(int fd, const struct iovec *parts, int count)
{
	REAL(writev);
	struct iovec part = *parts;
	if (!is_due(FAULT_writev))
		return real(fd, parts, count);
	if (!is_shortened(fd, &part.iov_len))
		return -1;
	return part.iov_len < parts->iov_len ? real(fd, &part, 1) : real(fd, parts, count);
}

/* A wait that does not wait is not interrupted. */
static bool
is_wait_due(int options)
{
	return (options & WNOHANG) == 0 && is_due(FAULT_wait);
}

int
waitid(idtype_t type, id_t id, siginfo_t *info, int options)
{
	REAL(waitid);
	return is_wait_due(options) ? -1 : real(type, id, info, options);
}

pid_t
waitpid(pid_t pid, int *status, int options)
{
	REAL(waitpid);
	return is_wait_due(options) ? -1 : real(pid, status, options);
}

pid_t
wait4(pid_t pid, int *status, int options, struct rusage *usage)
{
	REAL(wait4);
	return is_wait_due(options) ? -1 : real(pid, status, options, usage);
}

/* A fault that makes pinion start without end must not take the machine with it. */
static bool
is_fork_due(enum fault_call call)
{
	if (is_due(call))
		return true;
	if (page != NULL && ++page->fork_count > FAULT_FORKS_MAX)
		return errno = EAGAIN, true;
	return false;
}

FILE *
popen(const char *command, const char *mode)
{
	REAL(popen);
	return is_fork_due(FAULT_fork) ? NULL : real(command, mode);
}

pid_t
fork(void)
{
	REAL(fork);
	return is_fork_due(FAULT_fork) ? -1 : real();
}

/* Says what went wrong by what it gives back. */
int
posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
	    const posix_spawnattr_t *attributes, char *const argv[], char *const env[])
{
	REAL(posix_spawn);
	return is_fork_due(FAULT_fork) ? errno
				       : real(pid, path, actions, attributes, argv, env);
}

/* These do what they are asked to before they fail, as the kernel does. */
int
close(int fd)
{
	REAL(close);
	int status = real(fd);
	return is_due(FAULT_close) ? -1 : status;
}

int
fsync(int fd)
{
	REAL(fsync);
	int status = real(fd);
	return is_due(FAULT_fsync) ? -1 : status;
}

int
fdatasync(int fd)
{
	REAL(fdatasync);
	int status = real(fd);
	return is_due(FAULT_fsync) ? -1 : status;
}

/* What follows where a library cannot be loaded, dlerror's words included. */
void *
dlopen(const char *path, int flags)
{
	REAL(dlopen);
	if (is_due(FAULT_dlopen))
		return real("/dev/null", flags);
	void *handle = real(path, flags);
	if (handle != NULL && path != NULL && strstr(path, CARELESS_LIBRARY) != NULL)
		careless = handle;
	return handle;
}

int
dlclose(void *handle)
{
	REAL(dlclose);
	if (handle == careless)
		careless = NULL;
	return real(handle);
}

static bool
is_for_careless(void)
{
	void *frames[CARELESS_FRAMES];
	int count = backtrace(frames, CARELESS_FRAMES);
	for (int i = 0; i < count; i++) {
		Dl_info info;
		if (dladdr(frames[i], &info) != 0 &&
		    strstr(info.dli_fname, CARELESS_LIBRARY) != NULL)
			return true;
	}
	return false;
}

static bool
is_malloc_due(void)
{
	return (careless == NULL || !is_for_careless()) && is_due(FAULT_malloc);
}

/* dlsym may come here itself, so what is real must not be looked for. */
void *
malloc(size_t n)
{
	return is_malloc_due() ? NULL : __libc_malloc(n);
}

void *
calloc(size_t count, size_t n)
{
	return is_malloc_due() ? NULL : __libc_calloc(count, n);
}

void *
realloc(void *old, size_t n)
{
	return is_malloc_due() ? NULL : __libc_realloc(old, n);
}

void *
reallocarray(void *old, size_t count, size_t n)
{
	if (n != 0 && count > SIZE_MAX / n)
		return errno = ENOMEM, NULL;
	return realloc(old, count * n);
}

/* --- those with more arguments than they name: handed on as they may be --- */

static mode_t
mode_of(int flags, va_list ap)
{
	return (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE
		   ? va_arg(ap, mode_t)
		   : 0;
}

#define WRAP_OPEN(name)                                                   \
	int name(const char *path, int flags, ...)                        \
	{                                                                 \
		REAL(name);                                               \
		va_list ap;                                               \
		va_start(ap, flags);                                      \
		mode_t mode = mode_of(flags, ap);                         \
		va_end(ap);                                               \
		return is_due(FAULT_open) ? -1 : real(path, flags, mode); \
	}

WRAP_OPEN(open)
WRAP_OPEN(open64)
WRAP_AS(open, FILE *, NULL, fopen, (const char *path, const char *mode), (path, mode))
WRAP_AS(open, locale_t, (locale_t)0, newlocale,
	(int mask, const char *name, locale_t base), (mask, name, base))
WRAP(open, getloadavg, (double loads[], int count), (loads, count))

int
openat(int fd, const char *path, int flags, ...)
{
	REAL(openat);
	va_list ap;
	va_start(ap, flags);
	mode_t mode = mode_of(flags, ap);
	va_end(ap);
	return is_due(FAULT_open) ? -1 : real(fd, path, flags, mode);
}

int
mkostemp(char *path, int flags)
{
	REAL(mkostemp);
	return is_due(FAULT_open) ? -1 : real(path, flags);
}

int
__isoc99_fscanf(FILE *file, const char *format, ...)
{
	if (is_due(FAULT_read))
		return EOF;
	va_list ap;
	va_start(ap, format);
	int count = vfscanf(file, format, ap);
	va_end(ap);
	return count;
}

#define WRAP_FCNTL(name)                                                         \
	int name(int fd, int operation, ...)                                     \
	{                                                                        \
		REAL(name);                                                      \
		va_list ap;                                                      \
		va_start(ap, operation);                                         \
		void *argument = va_arg(ap, void *);                             \
		va_end(ap);                                                      \
		return is_due(FAULT_fcntl) ? -1 : real(fd, operation, argument); \
	}

WRAP_FCNTL(fcntl)
WRAP_FCNTL(fcntl64)

int
ioctl(int fd, unsigned long operation, ...)
{
	REAL(ioctl);
	va_list ap;
	va_start(ap, operation);
	void *argument = va_arg(ap, void *);
	va_end(ap);
	return is_due(FAULT_ioctl) ? -1 : real(fd, operation, argument);
}

int
prctl(int operation, ...)
{
	REAL(prctl);
	va_list ap;
	va_start(ap, operation);
	unsigned long a[4];
	for (int i = 0; i < 4; i++)
		a[i] = va_arg(ap, unsigned long);
	va_end(ap);
	return is_due(FAULT_prctl) ? -1 : real(operation, a[0], a[1], a[2], a[3]);
}

int
clone(int (*function)(void *), void *stack, int flags, void *argument, ...)
{
	REAL(clone);
	va_list ap;
	va_start(ap, argument);
	void *a[3];
	for (int i = 0; i < 3; i++)
		a[i] = va_arg(ap, void *);
	va_end(ap);
	return is_fork_due(FAULT_clone)
		   ? -1
		   : real(function, stack, flags, argument, a[0], a[1], a[2]);
}

/* The number of a call that has no function of its own; FAULT_CALL_COUNT: it never fails. */
static enum fault_call
call_of(long number)
{
	switch (number) {
	case SYS_close_range:
		return FAULT_close_range;
	case SYS_getdents64:
		return FAULT_getdents64;
	case SYS_futex:
		return FAULT_futex;
	case SYS_ioprio_set:
		return FAULT_setpriority;
	case SYS_set_mempolicy:
		return FAULT_set_mempolicy;
	default:
		return FAULT_CALL_COUNT;
	}
}

long
syscall(long number, ...)
{
	REAL(syscall);
	va_list ap;
	va_start(ap, number);
	long a[6];
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	enum fault_call call = call_of(number);
	if (call == FAULT_futex && (a[1] & FUTEX_CMD_MASK) != FUTEX_WAIT)
		call = FAULT_CALL_COUNT; /* only a wait is interrupted */
	if (call != FAULT_CALL_COUNT && is_due(call))
		return -1;
	return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
