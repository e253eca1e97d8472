/* io.c: see io.h. */
#include "base/io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

ssize_t
io_read(int fd, void *bytes, size_t length)
{
	ssize_t got;
	do
		got = read(fd, bytes, length);
	while (got == -1 && errno == EINTR);
	return got;
}

ssize_t
io_read_start(int fd, void *bytes, size_t length)
{
	size_t done = 0;
	while (done < length) {
		ssize_t got = io_read(fd, (char *)bytes + done, length - done);
		if (got == -1)
			return -1;
		if (got == 0)
			break;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

ssize_t
io_write(int fd, const void *bytes, size_t length)
{
	ssize_t written;
	do
		written = write(fd, bytes, length);
	while (written == -1 && errno == EINTR);
	return written;
}

int
io_write_all(int fd, const void *bytes, size_t length)
{
	const char *at = bytes;
	while (length > 0) {
		ssize_t written = io_write(fd, at, length);
		if (written == -1)
			return -1;
		at += written;
		length -= (size_t)written;
	}
	return 0;
}

int
io_pwrite_all(int fd, const void *bytes, size_t length, off_t at)
{
	const char *from = bytes;
	while (length > 0) {
		ssize_t written = pwrite(fd, from, length, at);
		if (written == -1 && errno == EINTR)
			continue;
		if (written == -1)
			return -1;
		from += written;
		at += written;
		length -= (size_t)written;
	}
	return 0;
}

int
io_pread_all(int fd, void *bytes, size_t length, off_t at)
{
	char *to = bytes;
	while (length > 0) {
		ssize_t got = pread(fd, to, length, at);
		if (got == -1 && errno == EINTR)
			continue;
		if (got == 0)
			errno = EIO;
		if (got <= 0)
			return -1;
		to += got;
		at += got;
		length -= (size_t)got;
	}
	return 0;
}

int
io_close(int fd)
{
	if (fd == -1)
		return 0;
	/* Linux frees it even with EINTR. */
	return close(fd) == -1 && errno != EINTR ? -1 : 0;
}

void
io_close_set(int *fd)
{
	io_close(*fd);
	*fd = -1;
}

int
io_dup(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

int
io_set_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);
	return flags == -1 ? -1 : fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

int
io_pipe(int fds[2], size_t capacity_bytes)
{
	if (pipe2(fds, O_CLOEXEC) == -1)
		return -1;
	if (capacity_bytes > 0) /* a smaller pipe works too */
		fcntl(fds[1], F_SETPIPE_SZ, (int)capacity_bytes);
	return 0;
}

/* For kernels and sandboxes without memfd_create. */
static int
io_unlinked_file(void)
{
	const char *folders[] = {"/dev/shm", getenv("TMPDIR"), "/tmp"};
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		if (folders[i] == NULL)
			continue;
		int fd = open(folders[i], O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
		if (fd != -1)
			return fd;
	}
	return -1;
}

int
io_memfd(const char *name, off_t length)
{
	int fd = memfd_create(name, MFD_CLOEXEC);
	if (fd == -1 && (errno == ENOSYS || errno == EPERM))
		fd = io_unlinked_file();
	if (fd == -1)
		return -1;
	if (ftruncate(fd, length) == 0)
		return fd;
	int saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

int
io_ensure_standard(void)
{
	/* Reading a closed stdin or writing a closed stdout must fail, as it would have. */
	static const int flags[] = {O_WRONLY, O_RDONLY, O_WRONLY};
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) == -1 && errno == EBADF &&
		    open("/dev/null", flags[fd]) != fd)
			return -1; /* the lowest free number is the one just found free */
	return 0;
}

static bool
io_is_kept(int fd, const int *keep, size_t keep_count)
{
	for (size_t i = 0; i < keep_count; i++)
		if (keep[i] == fd)
			return true;
	return false;
}

/* Without close_range: ask /proc, and where there is no /proc try the numbers one by one. */
static void
io_close_slowly(int first, const int *keep, size_t keep_count)
{
	DIR *dir = opendir("/proc/self/fd");
	if (dir == NULL) {
		long limit = sysconf(_SC_OPEN_MAX);
		for (int fd = first; fd < limit && fd < 65536; fd++)
			if (!io_is_kept(fd, keep, keep_count))
				close(fd);
		return;
	}
	struct dirent *entry;
	while ((entry = readdir(dir)) != NULL) {
		int fd = atoi(entry->d_name);
		if (fd >= first && fd != dirfd(dir) && !io_is_kept(fd, keep, keep_count))
			close(fd);
	}
	closedir(dir);
}

static void
io_sort(int *fds, size_t count)
{
	for (size_t i = 1; i < count; i++)
		for (size_t j = i; j > 0 && fds[j - 1] > fds[j]; j--) {
			int swapped = fds[j];
			fds[j] = fds[j - 1];
			fds[j - 1] = swapped;
		}
}

void
io_close_from(int first, int *keep, size_t keep_count)
{
	io_sort(keep, keep_count);
	unsigned int from = (unsigned int)first;
	for (size_t i = 0; i <= keep_count; i++) {
		if (i < keep_count && keep[i] < (int)from)
			continue; /* not open, or below what is closed */
		unsigned int end = i < keep_count ? (unsigned int)keep[i] : ~0U;
		if (end > from && syscall(SYS_close_range, from, end - 1, 0) == -1) {
			io_close_slowly(first, keep, keep_count);
			return;
		}
		from = end + 1;
	}
}

int
io_reopen_nonblocking(int fd)
{
	struct stat st;
	int flags = fcntl(fd, F_GETFL);
	if (flags == -1 || (flags & O_ACCMODE) == O_RDONLY) /* /proc would let it be written */
		return -1;
	if (fstat(fd, &st) == -1 || !(S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode)))
		return -1;
	char path[64];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

bool
io_is_pipe(int fd)
{
	struct stat st;
	return fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode);
}

bool
io_is_regular(int fd)
{
	struct stat st;
	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}
