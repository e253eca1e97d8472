/* results_tree.c: see results_tree.h. */
#include "record/results_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"

#define NAMED_MEANWHILE ".pinion-results"
#define OWN_FDS "/proc/self/fd"
#define FOLDER_FLAGS (O_PATH | O_DIRECTORY | O_CLOEXEC)

/* One file on its way. */
struct results_write {
	struct results_tree *tree;
	const struct results_name *name;
	int folder_fd; /* where its files go */
	struct spill *spill;
	struct err *err;
};

/* --- folders --- */

/* As errno says it, with the path below the folder: `names` of it, and a file. */
static int
results_tree_fail(const struct results_tree *tree, const struct buf *names,
		  const char *file, struct err *err)
{
	struct buf path = {0};
	int saved = errno;
	for (size_t at = 0; at < names->length; at += strlen(names->bytes + at) + 1)
		if (buf_printf(&path, "/%s", names->bytes + at) == -1)
			break;
	errno = saved;
	err_errno(err, "cannot write results to %s%.*s%s%s", tree->folder, (int)path.length,
		  path.length > 0 ? path.bytes : "", *file != '\0' ? "/" : "", file);
	buf_fini(&path);
	return -1;
}

/* The next folder down, made if it is not there (`makes`); a link is none. -1: errno. */
static int
results_tree_step(int folder_fd, const char *name, bool makes)
{
	int fd = openat(folder_fd, name, FOLDER_FLAGS | O_NOFOLLOW);
	if (fd != -1 || errno != ENOENT || !makes)
		return fd;
	if (mkdirat(folder_fd, name, 0777) == -1 && errno != EEXIST)
		return -1;
	return openat(folder_fd, name, FOLDER_FLAGS | O_NOFOLLOW);
}

/* The folder that a task's files are in; a descriptor of its own. -1: errno. */
static int
results_tree_walk(const struct results_tree *tree, const struct buf *names, bool makes)
{
	int fd = openat(tree->folder_fd, ".", FOLDER_FLAGS);
	for (size_t at = 0; fd != -1 && at < names->length;
	     at += strlen(names->bytes + at) + 1) {
		int next = results_tree_step(fd, names->bytes + at, makes);
		int saved = errno;
		io_close(fd);
		errno = saved;
		fd = next;
	}
	return fd;
}

/* mkdir -p. */
static int
results_tree_make_folder(const char *folder)
{
	struct buf path = {0};
	int status = 0;
	for (const char *end = folder; *end != '\0' && status == 0;) {
		end += strspn(end, "/");
		end += strcspn(end, "/");
		buf_clear(&path);
		if (buf_append(&path, folder, (size_t)(end - folder)) == -1 ||
		    buf_str(&path) == NULL) {
			errno = ENOMEM;
			status = -1;
		} else if (mkdir(path.bytes, 0777) == -1 && errno != EEXIST) {
			struct stat st;
			int saved = errno;
			status = stat(path.bytes, &st) == 0 ? 0 : -1;
			errno = saved;
		}
	}
	int saved = errno;
	buf_fini(&path);
	errno = saved;
	return status;
}

int
results_tree_look(struct results_tree *tree, const char *folder, struct err *err)
{
	*tree =
	    (struct results_tree){.folder = folder, .folder_fd = -1, .name_max = NAME_MAX};
	tree->has_unnamed = access(OWN_FDS, X_OK) == 0;
	tree->folder_fd = open(folder, FOLDER_FLAGS);
	if (tree->folder_fd == -1 && errno == ENOENT)
		return 0;
	if (tree->folder_fd == -1)
		return err_errno(err, "cannot open the folder for results %s", folder);
	long name_max = pathconf(folder, _PC_NAME_MAX);
	if (name_max > 0 && name_max < NAME_MAX)
		tree->name_max = (size_t)name_max;
	return 0;
}

int
results_tree_open(struct results_tree *tree, const char *folder, struct err *err)
{
	tree->folder_fd = -1;
	if (results_tree_make_folder(folder) == -1)
		return err_errno(err, "cannot make the folder for results %s", folder);
	if (results_tree_look(tree, folder, err) == -1)
		return -1;
	if (tree->folder_fd != -1 &&
	    faccessat(tree->folder_fd, ".", W_OK | X_OK, AT_EACCESS) == 0)
		return 0;
	err_errno(err, "cannot write into the folder for results %s", folder);
	results_tree_close(tree);
	return -1;
}

void
results_tree_close(struct results_tree *tree)
{
	io_close_set(&tree->folder_fd);
}

/* --- files --- */

/* A new file of this name, in the place of an old one. -1: errno. */
static int
results_write_create(const struct results_write *write, const char *name)
{
	int fd = -1;
	for (int tries = 0; tries < 2 && fd == -1; tries++) {
		fd = openat(write->folder_fd, name,
			    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
		if (fd == -1 &&
		    (errno != EEXIST || unlinkat(write->folder_fd, name, 0) == -1))
			return -1;
	}
	return fd;
}

/*
 * The file that will have this name, and has another or none (*made is NULL) until it is whole;
 * `is_short`: at once, as one write of some bytes, or none, makes it whole. -1: errno.
 */
static int
results_write_open(const struct results_write *write, const char *name, bool is_short,
		   const char **made)
{
	struct results_tree *tree = write->tree;
	if (!is_short && tree->has_unnamed) {
		*made = NULL;
		int fd =
		    openat(write->folder_fd, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
		if (fd != -1 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
			return fd;
		tree->has_unnamed = false;
	}
	*made = is_short ? name : NAMED_MEANWHILE;
	return results_write_create(write, *made);
}

/* The name for it, which an old file must give up. */
static int
results_write_link(const struct results_write *write, int fd, const char *name)
{
	char path[64];
	snprintf(path, sizeof(path), OWN_FDS "/%d", fd);
	for (int tries = 0; tries < 2; tries++) {
		if (linkat(AT_FDCWD, path, write->folder_fd, name, AT_SYMLINK_FOLLOW) == 0)
			return 0;
		if (errno != EEXIST || unlinkat(write->folder_fd, name, 0) == -1)
			return -1;
	}
	errno = EEXIST;
	return -1;
}

/* Ends the file: it is there under its name, or not at all. -1: errno. */
static int
results_write_end(const struct results_write *write, int fd, const char *made,
		  const char *name, int status)
{
	if (status == 0 && made == NULL)
		status = results_write_link(write, fd, name);
	int saved = errno;
	if (io_close(fd) == -1 && status == 0) {
		saved = errno;
		status = -1;
	}
	if (status == 0 && made != NULL && made != name) {
		status = renameat(write->folder_fd, made, write->folder_fd, name);
		saved = errno;
	}
	if (status == -1 && made != NULL)
		unlinkat(write->folder_fd, made, 0);
	if (status == -1) /* an old one, too */
		unlinkat(write->folder_fd, name, 0);
	errno = saved;
	return status;
}

/* All of a held stream into a descriptor. -1: errno, or err has been set (*is_told). */
static int
results_write_held(const struct results_write *write, int fd, struct held *held,
		   bool *is_told)
{
	while (held_bytes(held) > 0) {
		const char *bytes;
		size_t length;
		if (held_peek(write->spill, held, &bytes, &length, write->err) == -1) {
			*is_told = true;
			return -1;
		}
		if (io_write_all(fd, bytes, length) == -1)
			return -1;
		held_consume(write->spill, held, length);
	}
	return 0;
}

static int
results_write_file(const struct results_write *write, enum results_file file,
		   struct held *held, const char *text)
{
	const char *name = results_name_file(write->name, file), *made;
	bool is_told = false;
	int fd = results_write_open(write, name, held_bytes(held) == 0, &made);
	int status = fd == -1 ? -1 : 0;
	if (status == 0) {
		status = io_write_all(fd, text, strlen(text));
		if (status == 0)
			status = results_write_held(write, fd, held, &is_told);
		status = results_write_end(write, fd, made, name, status);
	}
	if (status == -1 && !is_told)
		results_tree_fail(write->tree, &write->name->folders, name, write->err);
	return status;
}

int
results_tree_put(struct results_tree *tree, const struct results_name *name,
		 struct spill *spill, struct held *const streams[RESULT_STREAMS],
		 uint64_t seq, struct err *err)
{
	char number[24];
	struct results_write write = {
	    .tree = tree, .name = name, .spill = spill, .err = err};
	const char *seq_name = results_name_file(name, RESULTS_SEQ);
	write.folder_fd = results_tree_walk(tree, &name->folders, true);
	if (write.folder_fd == -1)
		return results_tree_fail(tree, &name->folders, "", err);
	int status = 0;
	if (unlinkat(write.folder_fd, seq_name, 0) == -1 && errno != ENOENT)
		status = results_tree_fail(tree, &name->folders, seq_name, err);
	snprintf(number, sizeof(number), "%" PRIu64, seq + 1);
	if (status == 0)
		status =
		    results_write_file(&write, RESULTS_STDERR, streams[RESULT_STDERR], "");
	if (status == 0)
		status =
		    results_write_file(&write, RESULTS_STDOUT, streams[RESULT_STDOUT], "");
	if (status == 0)
		status = results_write_file(&write, RESULTS_SEQ, NULL, number);
	io_close(write.folder_fd);
	return status;
}

/* Whether it is a regular file, and not a link to one, of so many bytes or more. */
static bool
results_tree_is_file(int folder_fd, const char *name, off_t bytes)
{
	struct stat st;
	return fstatat(folder_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(st.st_mode) && st.st_size >= bytes;
}

int
results_tree_has(const struct results_tree *tree, const struct results_name *name,
		 struct err *err)
{
	if (tree->folder_fd == -1)
		return 0;
	int fd = results_tree_walk(tree, &name->folders, false);
	if (fd == -1 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return 0;
	if (fd == -1)
		return results_tree_fail(tree, &name->folders, "", err);
	bool has = results_tree_is_file(fd, results_name_file(name, RESULTS_SEQ), 1) &&
		   results_tree_is_file(fd, results_name_file(name, RESULTS_STDOUT), 0);
	io_close(fd);
	return has;
}
