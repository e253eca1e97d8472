/* glob.c: see glob.h. */
#include "input/glob.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/clock.h"

struct glob_walk {
	const struct spec_input *input;
	struct glob_list *list;
	struct buf path; /* where we are: "" or "a/b/" */
	struct err *err;
};

static int glob_step(struct glob_walk *walk, const char *pattern);

static int
glob_add(struct glob_walk *walk)
{
	struct glob_list *list = walk->list;
	if (list->count == list->capacity) {
		size_t capacity = list->capacity > 0 ? 2 * list->capacity : 256;
		char **names = reallocarray(list->names, capacity, sizeof(*names));
		if (names == NULL)
			return err_no_memory(walk->err);
		list->names = names;
		list->capacity = capacity;
	}
	char *name = strndup(walk->path.bytes, walk->path.length);
	if (name == NULL)
		return err_no_memory(walk->err);
	list->names[list->count++] = name;
	return 0;
}

static int
glob_push(struct glob_walk *walk, const char *name, size_t length, const char *end)
{
	if (buf_append(&walk->path, name, length) == -1 ||
	    buf_append_str(&walk->path, end) == -1 || buf_str(&walk->path) == NULL)
		return err_no_memory(walk->err);
	return 0;
}

/* 1: it is there; 0: it is not, or no longer; -1 and err: nobody knows. */
static int
glob_look(const struct glob_walk *walk, bool follows_link, struct stat *st)
{
	int flags = follows_link ? 0 : AT_SYMLINK_NOFOLLOW;
	if (fstatat(AT_FDCWD, walk->path.bytes, st, flags) == 0)
		return 1;
	if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP)
		return 0;
	return err_errno(walk->err, "cannot look at %.300s", walk->path.bytes);
}

/* The path is all of a name: it is one of the files, if it is a file, and new enough. */
static int
glob_take_file(struct glob_walk *walk)
{
	struct stat st;
	int status = glob_look(walk, true, &st);
	if (status != 1 || S_ISDIR(st.st_mode))
		return status == -1 ? -1 : 0;
	if (walk->input->is_newer && st.st_mtim.tv_sec * NS_PER_S + st.st_mtim.tv_nsec <=
					 walk->input->newer_than_ns)
		return 0;
	return glob_add(walk);
}

/* 1: the folder may be gone into for **, 0: not, a link could lead in circles; -1 and err. */
static int
glob_is_folder(const struct glob_walk *walk, const struct dirent *entry)
{
	struct stat st;
	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_DIR;
	int status = glob_look(walk, false, &st);
	return status == 1 ? S_ISDIR(st.st_mode) : status;
}

/* One entry of a folder against the first name of the pattern; `rest` is behind its slash. */
static int
glob_take_entry(struct glob_walk *walk, const struct dirent *entry, const char *name,
		const char *rest)
{
	size_t length = walk->path.length;
	bool is_deep = strcmp(name, "**") == 0;
	int status = 0;
	assert(!is_deep || rest != NULL);
	if (is_deep ? entry->d_name[0] == '.'
		    : fnmatch(name, entry->d_name, FNM_PERIOD) != 0)
		return 0;
	if (glob_push(walk, entry->d_name, strlen(entry->d_name), "") == -1)
		return -1;
	if (!is_deep && rest == NULL) {
		status = glob_take_file(walk);
	} else if ((status = is_deep ? glob_is_folder(walk, entry) : 1) == 1) {
		status = glob_push(walk, "", 0, "/");
		if (status == 0 && is_deep) { /* the same pattern, one folder further down */
			char *again = malloc(strlen("**/") + strlen(rest) + 1);
			if (again == NULL)
				return err_no_memory(walk->err);
			stpcpy(stpcpy(again, "**/"), rest);
			status = glob_step(walk, again);
			free(again);
		} else if (status == 0) {
			status = glob_step(walk, rest);
		}
	}
	walk->path.length = length;
	return status == 0 && buf_str(&walk->path) == NULL ? err_no_memory(walk->err)
							   : status;
}

/* What may go between looking and reading is no error; other folders must be readable. */
static DIR *
glob_open(struct glob_walk *walk, bool *is_error)
{
	const char *path = walk->path.length > 0 ? walk->path.bytes : ".";
	DIR *folder = opendir(path);
	*is_error = folder == NULL && errno != ENOENT && errno != ENOTDIR;
	if (*is_error)
		err_errno(walk->err, "cannot read the folder %.300s", path);
	return folder;
}

static int
glob_read_folder(struct glob_walk *walk, const char *name, const char *rest)
{
	bool is_error;
	int status = 0;
	DIR *folder = glob_open(walk, &is_error);
	if (folder == NULL)
		return is_error ? -1 : 0;
	while (status == 0) {
		errno = 0;
		const struct dirent *entry = readdir(folder);
		if (entry == NULL) {
			if (errno != 0)
				status =
				    err_errno(walk->err, "cannot read the folder %.300s",
					      walk->path.bytes);
			break;
		}
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			status = glob_take_entry(walk, entry, name, rest);
	}
	closedir(folder);
	return status;
}

/* A name without patterns needs no reading of its folder. */
static int
glob_take_plain(struct glob_walk *walk, const char *name, const char *rest)
{
	size_t length = walk->path.length;
	if (glob_push(walk, name, strlen(name), rest != NULL ? "/" : "") == -1)
		return -1;
	int status = rest == NULL ? glob_take_file(walk) : glob_step(walk, rest);
	walk->path.length = length;
	return status == 0 && buf_str(&walk->path) == NULL ? err_no_memory(walk->err)
							   : status;
}

/* The pattern from the folder on where we are. */
static int
glob_step(struct glob_walk *walk, const char *pattern)
{
	size_t length = strcspn(pattern, "/");
	const char *rest = pattern[length] == '/' ? pattern + length + 1 : NULL;
	char *name = strndup(pattern, length);
	int status;
	if (name == NULL)
		return err_no_memory(walk->err);
	if (strcmp(name, "**") == 0) {
		if (rest == NULL)
			rest = "*";
		status = glob_step(walk, rest);
		if (status == 0 && strncmp(rest, "**", 2) != 0) /* twice is once */
			status = glob_read_folder(walk, name, rest);
	} else if (strpbrk(name, "*?[") == NULL) {
		status = glob_take_plain(walk, name, rest);
	} else {
		status = glob_read_folder(walk, name, rest);
	}
	free(name);
	return status;
}

/* The folder that the pattern begins with must be there. */
static int
glob_check_base(const char *pattern, struct err *err)
{
	size_t length = strcspn(pattern, "*?[");
	struct stat st;
	while (length > 0 && pattern[length - 1] != '/')
		length--;
	if (length == 0)
		return 0;
	char *base = strndup(pattern, length);
	if (base == NULL)
		return err_no_memory(err);
	int status = 0;
	if (stat(base, &st) == -1) {
		status = err_errno(err, "cannot look for %.200s in the folder %.200s",
				   pattern, base);
		if (err != NULL)
			err->kind = ERR_USAGE;
	}
	free(base);
	return status;
}

static int
glob_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted, each once. */
static void
glob_settle(struct glob_list *list)
{
	size_t kept = 0;
	if (list->count > 0)
		qsort(list->names, list->count, sizeof(*list->names), glob_compare);
	for (size_t i = 0; i < list->count; i++) {
		if (kept > 0 && strcmp(list->names[kept - 1], list->names[i]) == 0)
			free(list->names[i]);
		else
			list->names[kept++] = list->names[i];
	}
	list->count = kept;
}

int
glob_find(const struct spec_input *input, struct glob_list *list, struct err *err)
{
	struct glob_walk walk = {.input = input, .list = list, .err = err};
	int status = 0;
	if (buf_str(&walk.path) == NULL)
		return err_no_memory(err);
	for (size_t i = 0; i < input->value_count && status == 0; i++) {
		status = glob_check_base(input->values[i], err);
		if (status == 0)
			status = glob_step(&walk, input->values[i]);
	}
	buf_fini(&walk.path);
	glob_settle(list);
	return status;
}

void
glob_fini(struct glob_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->names[i]);
	free(list->names);
	*list = (struct glob_list){0};
}
