/*
 * args.h: the job's inputs as a source of tasks.
 *
 * Joins the pieces: each input source gives items (items: files, values, -E, -r, -L's
 * continued lines); --colsep, --trim and --header make columns of them (columns); linked
 * sources go in step (zip: :::+ ends with the shortest, --link with the longest, whose
 * shorter ones start again); all are combined each with each, the last varying fastest
 * (combine), and the combinations become tasks (group: -n -N -L -X -m -s). A source
 * without items stands for one empty value, unless all are without. With one streamed
 * source (stdin, a pipe) memory does not grow with its length; in a cross product all but
 * the first source are kept, with --link all but the longest. --shuf keeps everything.
 *
 * -X and -m share what is left over at the end of the input evenly among `worker_count`
 * tasks, as GNU parallel does.
 */
#ifndef PINION_ARGS_H
#define PINION_ARGS_H

#include "base/err.h"
#include "task/source.h"
#include "task/spec.h"
#include "task/template.h"

struct args;

/*
 * Opens all files and reads the header line, if any (may block: called before the loop
 * starts).
 */
struct args *args_open(const struct spec *spec, struct err *err);

/* --header names, for template_new; valid until args_close. */
const struct arg *args_names(const struct args *args, size_t *count);

/* Columns per input when known before the first task (-X/-m with {n}); 0: not known. */
size_t args_column_count(const struct args *args);

/* Before the first task; both borrowed until args_close. */
void args_set_template(struct args *args, const struct template *template,
		       size_t worker_count);

/* The interface to the plan; source_free closes all. */
struct source *args_source(struct args *args);

void args_close(struct args *args);

#endif
