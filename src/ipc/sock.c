/* sock.c: see sock.h. */
#include "ipc/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/io.h"

#define SOCK_BACKLOG 16

/* --- the folder --- */

/* Where a folder may be: its parent, its name there, and whether the parent is ours alone, too. */
struct sock_place {
	char parent[SOCK_PATH_BYTES - 64];
	char name[32];
	bool is_private;
};

/* False: there is no such place. */
static bool
sock_place(struct sock_place *place, size_t index)
{
	const char *given = index == 0 ? getenv("XDG_RUNTIME_DIR") : "";
	unsigned int user = (unsigned int)geteuid();
	*place = (struct sock_place){.name = "pinion", .is_private = true};
	if (index == 0 &&
	    (given == NULL || *given != '/' || strlen(given) >= sizeof(place->parent)))
		return false;
	if (index == 0) {
		strcpy(place->parent, given);
	} else if (index == 1) {
		snprintf(place->parent, sizeof(place->parent), "/run/user/%u", user);
	} else {
		strcpy(place->parent, "/tmp");
		snprintf(place->name, sizeof(place->name), "pinion-%u", user);
		place->is_private = false;
	}
	return true;
}

/* Ours, and nobody else may do what is in `others`. */
static bool
sock_is_ours(int fd, mode_t others)
{
	struct stat st;
	if (fstat(fd, &st) == -1)
		return false;
	if (S_ISDIR(st.st_mode) && st.st_uid == geteuid() && (st.st_mode & others) == 0)
		return true;
	errno = EACCES;
	return false;
}

static int
sock_open_place(const struct sock_place *place, bool is_to_make)
{
	int parent_fd = open(place->parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd = -1;
	if (parent_fd == -1)
		return -1;
	if (!place->is_private || sock_is_ours(parent_fd, S_IWGRP | S_IWOTH)) {
		if (is_to_make)
			mkdirat(parent_fd, place->name, S_IRWXU);
		fd = openat(parent_fd, place->name,
			    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	}
	if (fd != -1 && !sock_is_ours(fd, S_IRWXG | S_IRWXO))
		io_close_set(&fd);
	int saved = errno;
	close(parent_fd);
	errno = saved;
	return fd;
}

static int
sock_folder_open(struct sock_folder *folder, size_t index, bool is_to_make)
{
	struct sock_place place;
	folder->fd = -1;
	if (!sock_place(&place, index))
		return errno = ENOENT, -1;
	snprintf(folder->path, sizeof(folder->path), "%s/%s", place.parent, place.name);
	folder->fd = sock_open_place(&place, is_to_make);
	return folder->fd == -1 ? -1 : 0;
}

int
sock_folder_make(struct sock_folder *folder)
{
	for (size_t i = 0; i < SOCK_FOLDERS_MAX; i++)
		if (sock_folder_open(folder, i, true) == 0)
			return 0;
	return -1;
}

static bool
sock_is_same_folder(const struct sock_folder *a, const struct sock_folder *b)
{
	struct stat stat_a, stat_b;
	return fstat(a->fd, &stat_a) == 0 && fstat(b->fd, &stat_b) == 0 &&
	       stat_a.st_dev == stat_b.st_dev && stat_a.st_ino == stat_b.st_ino;
}

bool
sock_is_absent(int errno_value)
{
	return errno_value == ENOENT || errno_value == ENOTDIR || errno_value == ELOOP ||
	       errno_value == EACCES;
}

static ssize_t
sock_folders_fail(struct sock_folder *folders, size_t count)
{
	int saved = errno;
	while (count > 0)
		sock_folder_close(&folders[--count]);
	errno = saved;
	return -1;
}

ssize_t
sock_folders_open(struct sock_folder folders[SOCK_FOLDERS_MAX])
{
	size_t count = 0;
	for (size_t i = 0; i < SOCK_FOLDERS_MAX; i++) {
		bool is_known = false;
		if (sock_folder_open(&folders[count], i, false) == -1) {
			if (!sock_is_absent(errno))
				return sock_folders_fail(folders, count);
			continue;
		}
		for (size_t j = 0; j < count; j++)
			is_known |= sock_is_same_folder(&folders[j], &folders[count]);
		if (is_known)
			sock_folder_close(&folders[count]);
		else
			count++;
	}
	return (ssize_t)count;
}

void
sock_folder_close(struct sock_folder *folder)
{
	io_close_set(&folder->fd);
}

int
sock_folder_lock(const struct sock_folder *folder)
{
	return flock(folder->fd, LOCK_EX | LOCK_NB);
}

void
sock_folder_unlock(const struct sock_folder *folder)
{
	flock(folder->fd, LOCK_UN);
}

void
sock_folder_remove(const struct sock_folder *folder)
{
	rmdir(folder->path);
}

int
sock_file_inode(const struct sock_folder *folder, const char *name, ino_t *inode)
{
	struct stat st;
	if (fstatat(folder->fd, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return -1;
	*inode = st.st_ino;
	return 0;
}

void
sock_remove(const struct sock_folder *folder, const char *name)
{
	unlinkat(folder->fd, name, 0);
}

bool
sock_exists(const struct sock_folder *folder, const char *name)
{
	return faccessat(folder->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* --- sockets --- */

/* Through the folder's descriptor, which also is short enough for the address. */
static int
sock_address(const struct sock_folder *folder, const char *name, struct sockaddr_un *address)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	int length = snprintf(address->sun_path, sizeof(address->sun_path),
			      "/proc/self/fd/%d/%s", folder->fd, name);
	if (length < (int)sizeof(address->sun_path))
		return 0;
	errno = ENAMETOOLONG;
	return -1;
}

static int
sock_new(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/* Closes it, with errno as it was. */
static int
sock_fail(int fd)
{
	int saved = errno;
	io_close(fd);
	errno = saved;
	return -1;
}

/* The user at the other end; of who connects and of who listens, when he did so. */
static int
sock_peer(int fd, struct ucred *peer)
{
	socklen_t length = sizeof(*peer);
	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, peer, &length);
}

int
sock_connect(const struct sock_folder *folder, const char *name, pid_t *pid)
{
	struct sockaddr_un address;
	struct ucred peer;
	if (sock_address(folder, name, &address) == -1)
		return -1;
	int fd = sock_new();
	if (fd == -1)
		return -1;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == -1 ||
	    sock_peer(fd, &peer) == -1)
		return sock_fail(fd);
	if (peer.uid != geteuid()) {
		errno = EACCES;
		return sock_fail(fd);
	}
	if (pid != NULL)
		*pid = peer.pid;
	return fd;
}

void
sock_remove_stale(const struct sock_folder *folder, const char *name)
{
	struct stat st;
	if (fstatat(folder->fd, name, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
	    !S_ISSOCK(st.st_mode))
		return;
	int fd = sock_connect(folder, name, NULL);
	if (fd == -1 && errno == ECONNREFUSED)
		unlinkat(folder->fd, name, 0);
	io_close(fd);
}

int
sock_listen(const struct sock_folder *folder, const char *name)
{
	struct sockaddr_un address;
	if (sock_address(folder, name, &address) == -1)
		return -1;
	if (sock_exists(folder, name))
		sock_remove_stale(folder, name);
	int fd = sock_new();
	if (fd == -1)
		return -1;
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) == -1)
		return sock_fail(fd);
	/* Whatever the umask is, we are to be reached. */
	if (fchmodat(folder->fd, name, S_IRUSR | S_IWUSR, 0) == 0 &&
	    listen(fd, SOCK_BACKLOG) == 0)
		return fd;
	unlinkat(folder->fd, name, 0);
	return sock_fail(fd);
}

int
sock_accept(int listen_fd, bool *is_ours)
{
	struct ucred peer;
	int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd == -1)
		return -1;
	*is_ours = sock_peer(fd, &peer) == 0 && peer.uid == geteuid();
	return fd;
}

ssize_t
sock_send(int fd, const void *bytes, size_t length)
{
	ssize_t sent;
	do
		sent = send(fd, bytes, length, MSG_NOSIGNAL);
	while (sent == -1 && errno == EINTR);
	return sent;
}
