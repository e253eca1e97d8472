/* apart.c: see apart.h. */
#include "record/apart.h"

#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "record/results.h"

struct apart_record {
	const char *option;
	const char *path; /* NULL: there is none */
	bool is_there;    /* as a regular file: this one */
	struct stat file;
};

static struct apart_record
apart_record(const char *option, const char *path)
{
	struct apart_record record = {.option = option, .path = path};
	record.is_there =
	    path != NULL && stat(path, &record.file) == 0 && S_ISREG(record.file.st_mode);
	return record;
}

static bool
apart_is(const struct apart_record *record, const struct stat *other)
{
	return record->is_there && record->file.st_dev == other->st_dev &&
	       record->file.st_ino == other->st_ino;
}

static int
apart_refuse(const struct apart_record *record, const char *what, struct err *err)
{
	return err_set(err, ERR_USAGE, "%s %.200s is %s, too: name another file",
		       record->option, record->path, what);
}

/* Also where a file is yet to be made. */
static int
apart_check_records(const struct apart_record *one, const struct apart_record *other,
		    struct err *err)
{
	if (one->path == NULL || other->path == NULL)
		return 0;
	return strcmp(one->path, other->path) == 0 ||
		       (other->is_there && apart_is(one, &other->file))
		   ? apart_refuse(one, other->option, err)
		   : 0;
}

static int
apart_check_standard(const struct apart_record *record, struct err *err)
{
	static const char *const names[] = {"standard input", "standard output",
					    "standard error"};
	struct stat st;
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fstat(fd, &st) == 0 && apart_is(record, &st))
			return apart_refuse(record, names[fd], err);
	return 0;
}

static int
apart_check_inputs(const struct apart_record *record, const struct spec *spec,
		   struct err *err)
{
	struct stat st;
	for (size_t i = 0; i < spec->input_count; i++) {
		const char *path = spec->inputs[i].path;
		if (path != NULL && stat(path, &st) == 0 && apart_is(record, &st))
			return apart_refuse(record, "an input", err);
	}
	return 0;
}

int
apart_check(const struct records_config *config, struct err *err)
{
	const struct spec *spec = config->spec;
	bool has_table = spec->results != NULL && !results_is_folder(spec) &&
			 !results_is_on_stdout(spec);
	const char *joblog = spec->joblog;
	struct apart_record records[] = {
	    apart_record("--joblog", joblog != NULL && *joblog == '+' ? joblog + 1 : joblog),
	    apart_record("--run-file", spec->run_file),
	    apart_record("--results", has_table ? spec->results : NULL),
	};
	size_t count = sizeof(records) / sizeof(*records);
	for (size_t i = 0; i < count; i++) {
		if (apart_check_standard(&records[i], err) == -1 ||
		    apart_check_inputs(&records[i], spec, err) == -1 ||
		    apart_check_records(&records[i], &records[(i + 1) % count], err) == -1)
			return -1;
		for (size_t j = 0; j < config->before_count; j++)
			if (apart_check_inputs(&records[i], config->before[j].spec, err) ==
			    -1)
				return -1;
	}
	return 0;
}
