/* draft.c: see draft.h. */
#include "base/draft.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/io.h"

#define DRAFT_PREFIX ".pinion-"
#define DRAFT_TRIES 100 /* others may remove the folder as often while we enter it */

/* --- names --- */

static const char *
draft_base(const struct draft *draft)
{
	const char *slash = strrchr(draft->target.bytes, '/');
	return slash == NULL ? draft->target.bytes : slash + 1;
}

/* The lock must not be in the draft's way. */
static const char *
draft_lock_name(const struct draft *draft)
{
	return strcmp(draft_base(draft), "lock") == 0 ? "the lock" : "lock";
}

/* A folder's name, or none at all, cannot be a file's. */
static bool
draft_is_folder_name(const char *base)
{
	return base[0] == '\0' || strcmp(base, ".") == 0 || strcmp(base, "..") == 0;
}

static int
draft_name(struct draft *draft, const char *target)
{
	buf_clear(&draft->target);
	buf_clear(&draft->folder);
	buf_clear(&draft->path);
	if (target[0] == '\0')
		return errno = ENOENT, -1;
	/* No program shall take it for an option. */
	if ((target[0] == '-' && buf_append_str(&draft->target, "./") == -1) ||
	    buf_append_str(&draft->target, target) == -1 || buf_str(&draft->target) == NULL)
		return errno = ENOMEM, -1;
	const char *base = draft_base(draft);
	if (draft_is_folder_name(base))
		return errno = EISDIR, -1;
	uint64_t hash = hash_bytes(HASH_START, base, strlen(base));
	if (buf_append(&draft->folder, draft->target.bytes,
		       (size_t)(base - draft->target.bytes)) == -1 ||
	    buf_printf(&draft->folder, DRAFT_PREFIX "%016" PRIx64, hash) == -1 ||
	    buf_printf(&draft->path, "%s/%s", draft->folder.bytes, base) == -1)
		return errno = ENOMEM, -1;
	return 0;
}

/* --- removing --- */

/* Everything in the folder but `keep`, as far as it goes. */
static void
draft_empty(int folder_fd, const char *keep)
{
	int fd = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd == -1 ? NULL : fdopendir(fd);
	struct dirent *entry;
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
		    (keep != NULL && strcmp(entry->d_name, keep) == 0) ||
		    unlinkat(folder_fd, entry->d_name, 0) == 0)
			continue;
		int inner_fd = openat(folder_fd, entry->d_name,
				      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (inner_fd == -1)
			continue;
		draft_empty(inner_fd, NULL);
		io_close(inner_fd);
		unlinkat(folder_fd, entry->d_name, AT_REMOVEDIR);
	}
	if (dir != NULL)
		closedir(dir);
	else
		io_close(fd);
}

static void
draft_leave(struct draft *draft)
{
	draft->is_open = false;
	io_close_set(&draft->lock_fd);
	io_close_set(&draft->folder_fd);
}

/*
 * The lock goes last, and the folder only if nobody has come in since: who did has made a lock of
 * his own.
 */
static int
draft_remove(const struct draft *draft)
{
	unlinkat(draft->folder_fd, draft_lock_name(draft), 0);
	return rmdir(draft->folder.bytes);
}

/* --- entering --- */

/* The folders above `path`, from the top down. */
static int
draft_make_parents(char *path)
{
	for (char *at = strchr(path + 1, '/'); at != NULL; at = strchr(at + 1, '/')) {
		*at = '\0';
		int status = mkdir(path, 0777);
		*at = '/';
		if (status == -1 && errno != EEXIST)
			return -1;
	}
	return 0;
}

/* 0: it was made; 1: it was there. */
static int
draft_make_folder(struct draft *draft)
{
	if (mkdir(draft->folder.bytes, 0700) == 0)
		return 0;
	if (errno == ENOENT) {
		if (draft_make_parents(draft->folder.bytes) == -1)
			return -1;
		if (mkdir(draft->folder.bytes, 0700) == 0)
			return 0;
	}
	return errno == EEXIST ? 1 : -1;
}

/* Opens the folder, if it is ours: a planted one might be full of links. */
static int
draft_open_folder(struct draft *draft)
{
	struct stat status;
	draft->folder_fd =
	    open(draft->folder.bytes, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (draft->folder_fd == -1)
		return errno == ENOTDIR || errno == ELOOP ? (errno = EPERM, -1) : -1;
	if (fstat(draft->folder_fd, &status) == -1)
		return -1;
	return status.st_uid == geteuid() ? 0 : (errno = EPERM, -1);
}

static int
draft_take_lock(struct draft *draft)
{
	struct stat status;
	int locked;
	draft->lock_fd = openat(draft->folder_fd, draft_lock_name(draft),
				O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (draft->lock_fd == -1)
		return -1;
	do
		locked = flock(draft->lock_fd, LOCK_EX | LOCK_NB);
	while (locked == -1 && errno == EINTR);
	if (locked == -1)
		return errno == EWOULDBLOCK ? (errno = EBUSY, -1) : -1;
	/* Who had it before us may just have removed it, and the folder with it. */
	if (fstat(draft->lock_fd, &status) == -1)
		return -1;
	return status.st_nlink > 0 ? 0 : (errno = ENOENT, -1);
}

/* Into a folder that is there, or was: ENOENT. */
static int
draft_enter(struct draft *draft)
{
	if (draft_open_folder(draft) == 0 && draft_take_lock(draft) == 0) {
		draft->is_open = true;
		return 0;
	}
	int saved = errno;
	draft_leave(draft);
	return errno = saved, -1;
}

/* A target that is there must be something that a file may replace. */
static int
draft_check_target(const struct draft *draft)
{
	struct stat status;
	if (lstat(draft->target.bytes, &status) == -1)
		return errno == ENOENT ? 0 : -1;
	if (S_ISREG(status.st_mode) || S_ISLNK(status.st_mode))
		return 0;
	return errno = S_ISDIR(status.st_mode) ? EISDIR : EINVAL, -1;
}

int
draft_open(struct draft *draft, const char *target)
{
	draft->folder_fd = draft->lock_fd = -1;
	if (draft_name(draft, target) == -1 || draft_check_target(draft) == -1)
		return -1;
	for (int i = 0; i < DRAFT_TRIES; i++) {
		int was_there = draft_make_folder(draft);
		if (was_there == -1)
			return -1;
		if (draft_enter(draft) == 0) {
			if (was_there == 1)
				draft_empty(draft->folder_fd, draft_lock_name(draft));
			return 0;
		}
		if (errno != ENOENT)
			return -1;
	}
	return errno = EBUSY, -1;
}

/* --- the draft --- */

int
draft_file(const struct draft *draft)
{
	struct stat status;
	if (fstatat(draft->folder_fd, draft_base(draft), &status, AT_SYMLINK_NOFOLLOW) == -1)
		return -1;
	if (!S_ISREG(status.st_mode))
		return errno = S_ISDIR(status.st_mode) ? EISDIR : EINVAL, -1;
	return openat(draft->folder_fd, draft_base(draft),
		      O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

int
draft_publish(const struct draft *draft)
{
	return renameat(draft->folder_fd, draft_base(draft), AT_FDCWD, draft->target.bytes);
}

void
draft_close(struct draft *draft)
{
	if (!draft->is_open)
		return;
	unlinkat(draft->folder_fd, draft_base(draft), 0);
	int status = draft_remove(draft);
	bool has_more = status == -1 && (errno == ENOTEMPTY || errno == EEXIST);
	draft_leave(draft);
	/* Only with the lock in place may it be emptied. */
	if (has_more && draft_enter(draft) == 0) {
		draft_empty(draft->folder_fd, draft_lock_name(draft));
		draft_remove(draft);
		draft_leave(draft);
	}
}

void
draft_clear(const char *target)
{
	struct draft draft = {.folder_fd = -1, .lock_fd = -1};
	if (draft_name(&draft, target) == 0 && draft_enter(&draft) == 0) {
		draft_empty(draft.folder_fd, draft_lock_name(&draft));
		draft_remove(&draft);
	}
	draft_fini(&draft);
}

void
draft_fini(struct draft *draft)
{
	if (draft->is_open)
		draft_leave(draft);
	buf_fini(&draft->target);
	buf_fini(&draft->folder);
	buf_fini(&draft->path);
}
