/* results_path.c: see results_path.h. */
#include "record/results_path.h"

#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define MARK_CHARS 18  /* \# and the digits */
#define SUFFIX_CHARS 4 /* .err, .seq */

struct results_path {
	char *folder;
	size_t folder_length;      /* of what the template begins with */
	struct template *template; /* NULL: column/value */
	const struct arg *names;
	size_t *order; /* of the named columns */
	size_t name_count;
	uint32_t hidden_count; /* values in front that are none of the command's */
	size_t column_count; /* of each input; 0: one input makes a task, or it is not known */
	struct buf text; /* scratch */
};

/* --- one name --- */

/* Behind a / all that may not stand for itself is written with a backslash. */
static int
append_escaped(struct buf *text, const struct arg *value)
{
	static const char special[] = {'\\', '/', '\t', '\0'};
	static const char letters[] = {'\\', '_', 't', '0'};
	for (size_t i = 0; i < value->length; i++) {
		char c = value->bytes[i];
		const char *at = memchr(special, c, sizeof(special));
		if (at == NULL) {
			if (buf_append_char(text, c) == -1)
				return -1;
		} else if (buf_append_char(text, '\\') == -1 ||
			   buf_append_char(text, letters[at - special]) == -1) {
			return -1;
		}
	}
	return 0;
}

/* At most `length` of the bytes, with no character and nothing behind a backslash cut. */
static size_t
cut_length(const char *bytes, size_t length)
{
	size_t cut = length;
	while (cut > 0 && length - cut < 3 && ((unsigned char)bytes[cut] & 0xc0) == 0x80)
		cut--;
	size_t backslashes = 0;
	while (backslashes < cut && bytes[cut - 1 - backslashes] == '\\')
		backslashes++;
	return cut - backslashes % 2;
}

/* What was added behind `start` becomes a name of at most `name_max` bytes, and a NUL. */
static int
end_name(struct buf *names, size_t start, size_t name_max)
{
	const char *name = names->bytes + start;
	size_t length = names->length - start;
	if (length <= 2 && name[0] == '.' && name[length - 1] == '.') {
		if (buf_append_char(names, '\0') == -1)
			return -1;
		memmove(names->bytes + start + 1, names->bytes + start, length);
		names->bytes[start] = '\\';
	} else if (length > name_max) {
		uint64_t hash = hash_bytes(HASH_START, name, length);
		size_t room = name_max > MARK_CHARS ? name_max - MARK_CHARS : 0;
		names->length = start + cut_length(name, room);
		if (buf_printf(names, "\\#%016" PRIx64, hash) == -1)
			return -1;
	}
	return buf_append_char(names, '\0');
}

/* Names in a row, as a path has them. The last one, when it is a file's, goes to *file. */
static int
append_path(struct buf *folders, const char *bytes, size_t length, size_t name_max,
	    struct arg *file)
{
	*file = (struct arg){bytes, 0};
	for (size_t at = 0; at < length;) {
		const char *slash = memchr(bytes + at, '/', length - at);
		size_t part = (slash != NULL ? (size_t)(slash - bytes) : length) - at;
		size_t start = folders->length;
		struct arg name = {bytes + at, part};
		at += part + (slash != NULL);
		if (slash == NULL) {
			*file = name;
			return 0;
		}
		if (part == 0 || (part == 1 && name.bytes[0] == '.'))
			continue;
		if (buf_append(folders, name.bytes, name.length) == -1 ||
		    end_name(folders, start, name_max) == -1)
			return -1;
	}
	return 0;
}

/* --- the columns' names --- */

/* The number a name begins with, 0 where there is none. */
static double
number_of(const struct arg *name)
{
	char text[64];
	snprintf(text, sizeof(text), "%.*s", (int)(name->length < 60 ? name->length : 60),
		 name->bytes);
	double number = strtod(text, NULL);
	return isfinite(number) ? number : 0;
}

static int
compare_names(const struct arg *a, const struct arg *b)
{
	double a_number = number_of(a), b_number = number_of(b);
	if (a_number != b_number)
		return a_number < b_number ? -1 : 1;
	size_t common = a->length < b->length ? a->length : b->length;
	int order = memcmp(a->bytes, b->bytes, common);
	if (order != 0)
		return order;
	return (a->length > b->length) - (a->length < b->length);
}

/* GNU parallel's order of folders: by number, then by name. Few columns: by insertion. */
static void
sort_columns(struct results_path *path)
{
	for (size_t i = 0; i < path->name_count; i++) {
		size_t at = i;
		while (at > 0 && compare_names(&path->names[path->order[at - 1]],
					       &path->names[i]) > 0) {
			path->order[at] = path->order[at - 1];
			at--;
		}
		path->order[at] = i;
	}
}

static int
append_column(struct results_path *path, struct buf *folders, size_t column, size_t name_max)
{
	struct arg last;
	if (column >= path->name_count || path->names[column].length == 0)
		return buf_printf(folders, "%zu%c", column + 1, '\0');
	const struct arg *name = &path->names[column];
	if (append_path(folders, name->bytes, name->length, name_max, &last) == -1)
		return -1;
	size_t start = folders->length;
	if (last.length == 0)
		return 0;
	if (buf_append(folders, last.bytes, last.length) == -1)
		return -1;
	return end_name(folders, start, name_max);
}

static int
append_pair(struct results_path *path, const struct arg *value, size_t column,
	    size_t name_max, struct buf *folders)
{
	if (append_column(path, folders, column, name_max) == -1)
		return -1;
	size_t start = folders->length;
	if (append_escaped(folders, value) == -1)
		return -1;
	return folders->length > start ? end_name(folders, start, name_max) : 0;
}

static int
append_columns(struct results_path *path, const struct template_values *all,
	       size_t name_max, struct buf *folders)
{
	const struct template_values visible =
	    template_values_visible(all, path->hidden_count);
	const struct template_values *values = &visible;
	size_t count = path->column_count > 0 ? path->column_count : values->arg_count;
	if (values->arg_count == 0)
		return buf_printf(folders, "#%c%" PRIu64 "%c", '\0', values->seq + 1, '\0');
	if (count < path->name_count)
		count = path->name_count;
	for (size_t first = 0; first < values->arg_count; first += count)
		for (size_t i = 0; i < count; i++) {
			size_t column = i < path->name_count ? path->order[i] : i;
			if (first + column < values->arg_count &&
			    append_pair(path, &values->args[first + column], column,
					name_max, folders) == -1)
				return -1;
		}
	return 0;
}

/* --- the whole --- */

static int
append_file(struct buf *files, const struct arg *name, const char *suffix, size_t name_max)
{
	struct buf text = {0};
	int status = buf_append(&text, name->bytes, name->length);
	if (status == 0)
		status = end_name(&text, 0, name_max - SUFFIX_CHARS);
	if (status == 0)
		status = buf_printf(files, "%s%s%c", text.bytes, suffix, '\0');
	buf_fini(&text);
	return status;
}

static int
append_files(struct buf *files, const struct arg *name, size_t name_max)
{
	static const char in_folder[] = "stdout\0stderr\0seq";
	if (name->length == 0)
		return buf_append(files, in_folder, sizeof(in_folder));
	if (append_file(files, name, "", name_max) == -1 ||
	    append_file(files, name, ".err", name_max) == -1)
		return -1;
	return append_file(files, name, ".seq", name_max);
}

static int
find_by_template(struct results_path *path, const struct template_values *values,
		 size_t name_max, struct results_name *name, struct err *err)
{
	struct arg file;
	buf_clear(&path->text);
	if (template_expand_text(path->template, values, &path->text, err) == -1)
		return -1;
	for (size_t i = 0; i < path->text.length; i++)
		if (path->text.bytes[i] == '\0')
			path->text.bytes[i] = '_';
	if (append_path(&name->folders, path->text.bytes + path->folder_length,
			path->text.length - path->folder_length, name_max, &file) == -1 ||
	    append_files(&name->files, &file, name_max) == -1)
		return err_no_memory(err);
	return 0;
}

int
results_path_find(struct results_path *path, const struct template_values *values,
		  size_t name_max, struct results_name *name, struct err *err)
{
	static const struct arg no_file = {"", 0};
	buf_clear(&name->folders);
	buf_clear(&name->files);
	if (path->template != NULL)
		return find_by_template(path, values, name_max, name, err);
	if (append_columns(path, values, name_max, &name->folders) == -1 ||
	    append_files(&name->files, &no_file, name_max) == -1)
		return err_no_memory(err);
	return 0;
}

const char *
results_name_file(const struct results_name *name, enum results_file file)
{
	const char *at = name->files.bytes;
	for (int i = 0; i < (int)file; i++)
		at += strlen(at) + 1;
	return at;
}

void
results_name_fini(struct results_name *name)
{
	buf_fini(&name->folders);
	buf_fini(&name->files);
}

const char *
results_path_folder(const struct results_path *path)
{
	return path->folder;
}

/* What a template begins with, up to a /, is the folder; else the current one is. */
static int
results_path_set_folder(struct results_path *path, const char *text, size_t start)
{
	size_t length = strlen(text);
	if (start < length) {
		length = start;
		while (length > 0 && text[length - 1] != '/')
			length--;
		path->folder_length = length;
	}
	path->folder = length > 0 ? strndup(text, length) : strdup(".");
	return path->folder == NULL ? -1 : 0;
}

struct results_path *
results_path_new(const struct spec *spec, const struct arg *names, size_t name_count,
		 size_t column_count, struct err *err)
{
	struct results_path *path = calloc(1, sizeof(*path));
	if (path == NULL) {
		err_no_memory(err);
		return NULL;
	}
	path->names = names;
	path->name_count = name_count;
	path->hidden_count = spec->hidden_count;
	path->column_count = spec->group == SPEC_GROUP_ONE ? 0 : column_count;
	path->template = template_new_text(spec, spec->results, names, name_count, err);
	if (path->template == NULL)
		goto free_path;
	size_t start = template_text_start(path->template);
	path->order = calloc(name_count + 1, sizeof(*path->order));
	if (path->order == NULL ||
	    results_path_set_folder(path, spec->results, start) == -1) {
		err_no_memory(err);
		goto free_path;
	}
	sort_columns(path);
	if (start == strlen(spec->results)) {
		template_free(path->template);
		path->template = NULL;
	}
	return path;

free_path:
	results_path_free(path);
	return NULL;
}

void
results_path_free(struct results_path *path)
{
	if (path == NULL)
		return;
	template_free(path->template);
	buf_fini(&path->text);
	free(path->folder);
	free(path->order);
	free(path);
}
