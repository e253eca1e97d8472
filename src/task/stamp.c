/* stamp.c: see stamp.h. */
#include "task/stamp.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

#include "base/hash.h"
#include "task/override.h"

/* "1 HASH RUN SEQ"; 1 is the version. Small, so that it finds room in the inode. */
#define STAMP_NAME "user.pinion"
#define STAMP_FORMAT "1 %016" PRIx64 " %s %" PRIu64
#define STAMP_BYTES 96
#define STAMP_HASH_BYTES 18 /* of the version and the hash */

static uint64_t
stamp_hash_file(uint64_t hash, const struct stat *status)
{
	hash = hash_number(hash, (uint64_t)status->st_size);
	hash = hash_number(hash, (uint64_t)status->st_mtim.tv_sec);
	return hash_number(hash, (uint64_t)status->st_mtim.tv_nsec);
}

/* Whether the value is the name of an output of its own task. */
static int
stamp_is_output(const struct template *template, const struct template_values *values,
		const struct arg *value, struct buf *name, bool *is_output)
{
	*is_output = false;
	for (size_t i = 0; i < template_output_count(template) && !*is_output; i++) {
		buf_clear(name);
		if (template_append_output(template, i, values, name, NULL) == -1)
			return -1;
		*is_output = name->length == value->length &&
			     memcmp(name->bytes, value->bytes, value->length) == 0;
	}
	return 0;
}

/* The value as a path, as a string. */
static int
stamp_path(struct buf *path, const struct arg *value, const char *folder)
{
	buf_clear(path);
	if (value->bytes[0] != '/' && buf_append_str(path, folder) == -1)
		return -1;
	return buf_append(path, value->bytes, value->length) == -1 || buf_str(path) == NULL
		   ? -1
		   : 0;
}

/* Folders and devices are no inputs: what is in them does not show in their times. */
static int
stamp_hash_inputs(uint64_t *hash, const struct template *template,
		  const struct template_values *values, const char *folder)
{
	struct buf path = {0};
	struct stat status;
	int result = 0;
	for (size_t i = 0; result == 0 && i < values->arg_count; i++) {
		const struct arg *value = &values->args[i];
		bool is_output;
		if (value->length == 0 || memchr(value->bytes, '\0', value->length) != NULL)
			continue;
		result = stamp_path(&path, value, folder);
		if (result == -1 || stat(path.bytes, &status) == -1 ||
		    !S_ISREG(status.st_mode))
			continue;
		result = stamp_is_output(template, values, value, &path, &is_output);
		if (result == 0 && !is_output)
			*hash = stamp_hash_file(hash_number(*hash, i), &status);
	}
	buf_fini(&path);
	return result;
}

/* Neither its id nor its time limit makes it another task. */
static uint64_t
stamp_hash_overrides(uint64_t hash, const struct arg *overrides)
{
	struct arg at = *overrides, value;
	enum override_kind kind;
	while (override_next(&at, &kind, &value))
		if (kind != OVERRIDE_ID && kind != OVERRIDE_TIMEOUT)
			hash =
			    hash_bytes(hash_number(hash, kind), value.bytes, value.length);
	return hash;
}

int
stamp_take(struct stamp *stamp, const struct template *template,
	   const struct template_values *values, const struct arg *overrides,
	   const char *folder, struct err *err)
{
	struct buf line = {0};
	struct template_values everywhere = *values;
	everywhere.slot = 0;
	everywhere.outs = NULL;
	int status = template_append_line(template, &everywhere, &line, err);
	stamp->hash = stamp_hash_overrides(hash_bytes(HASH_START, line.bytes, line.length),
					   overrides);
	stamp->seq = values->seq;
	if (status == 0 &&
	    stamp_hash_inputs(&stamp->hash, template, &everywhere, folder) == -1)
		status = err_no_memory(err);
	buf_fini(&line);
	return status;
}

static int
stamp_write(const struct stamp *stamp, const struct stat *status, char text[STAMP_BYTES])
{
	uint64_t hash = stamp_hash_file(stamp->hash, status);
	return snprintf(text, STAMP_BYTES, STAMP_FORMAT, hash, stamp->run, stamp->seq);
}

void
stamp_put(const struct stamp *stamp, int fd, const struct stat *status)
{
	char text[STAMP_BYTES];
	int length = stamp_write(stamp, status, text);
	if (fsetxattr(fd, STAMP_NAME, text, (size_t)length, 0) == 0 || errno != EACCES)
		return;
	/* A file that its owner may not write takes no attributes either. */
	if (fchmod(fd, status->st_mode | S_IWUSR) == -1)
		return;
	fsetxattr(fd, STAMP_NAME, text, (size_t)length, 0);
	fchmod(fd, status->st_mode & 07777);
}

/* The file's stamp as a string; false: there is none. */
static bool
stamp_read(const char *path, char text[STAMP_BYTES])
{
	ssize_t length = lgetxattr(path, STAMP_NAME, text, STAMP_BYTES - 1);
	if (length < STAMP_HASH_BYTES)
		return false;
	text[length] = '\0';
	return true;
}

bool
stamp_is_true(const struct stamp *stamp, const char *path, const struct stat *status)
{
	char there[STAMP_BYTES], expected[STAMP_BYTES];
	stamp_write(stamp, status, expected);
	return S_ISREG(status->st_mode) && stamp_read(path, there) &&
	       memcmp(there, expected, STAMP_HASH_BYTES) == 0;
}

bool
stamp_is_others(const struct stamp *stamp, const char *path)
{
	char there[STAMP_BYTES], run[STAMP_BYTES];
	uint64_t seq;
	return stamp_read(path, there) &&
	       sscanf(there, "%*s %*s %95s %" SCNu64, run, &seq) == 2 &&
	       strcmp(run, stamp->run) == 0 && seq != stamp->seq;
}
