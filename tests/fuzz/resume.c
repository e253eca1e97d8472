/*
 * A whole joblog, and what --resume-failed and --retry-failed make of it: a log that is understood
 * gives each task it knows once, in the order of seqs, in a time that the size of the log bounds.
 */
#include "fuzz.h"
#include "record/joblog.h"
#include "task/template.h"

#define STEPS_MAX 1000000 /* gaps of 2^32 seqs each, between tasks of so many seqs */

static char *echo[] = {(char *)(uintptr_t) "echo", (char *)(uintptr_t) "{}", NULL};

static void
retry(struct joblog *joblog, size_t size)
{
	struct err err = {0};
	struct source *source = joblog_source_new(joblog, &err);
	struct task *task;
	uint64_t next = 0, known = 0;
	enum source_status status;
	fuzz_expect(source != NULL);
	for (int steps = 0;
	     (status = source_next(source, 100, &task, &err)) == SOURCE_TASK; steps++) {
		fuzz_expect(task->seq == next && task->count > 0 && steps < STEPS_MAX);
		next += task->count;
		known += task->is_unknown ? 0 : task->count;
		free(task);
	}
	fuzz_expect(status == SOURCE_END && known <= size / 2 && next <= TASK_SEQS_MAX);
	source_free(source);
}

static void
resume(struct joblog *joblog)
{
	static const struct arg args[] = {{"a", 1}};
	struct history *history = joblog_history(joblog);
	struct err err = {0};
	for (uint64_t seq = 0; history != NULL && seq < 3; seq++)
		if (history->ops->has(history, seq, args, 1, &err) == -1) {
			fuzz_expect_failure(&err);
			return;
		}
}

static void
read_log(const char *path, enum spec_resume wanted, size_t size)
{
	struct spec spec;
	struct err err = {0};
	struct buf notes = {0};
	spec_init(&spec, SPEC_MAP);
	spec.words = echo;
	spec.word_count = 2;
	spec.joblog = path;
	spec.resume = wanted;
	spec.is_dry_run = true; /* it is left as it is */
	struct template *command = template_new(&spec, NULL, 0, &err);
	fuzz_expect(command != NULL);
	struct joblog *joblog =
	    joblog_open(&(struct joblog_config){&spec, command, 1}, &err);
	if (joblog == NULL)
		fuzz_expect_failure(&err);
	else if (wanted == SPEC_RETRY_FAILED)
		retry(joblog, size);
	else
		resume(joblog);
	if (joblog != NULL)
		fuzz_expect(joblog_append_notes(joblog, &notes) == 0);
	joblog_close(joblog);
	buf_fini(&notes);
	template_free(command);
	spec_fini(&spec);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[4200];
	snprintf(path, sizeof(path), "%s/joblog", fuzz_folder());
	fuzz_put(path, data, size);
	read_log(path, SPEC_RETRY_FAILED, size);
	read_log(path, SPEC_RESUME_FAILED, size);
	return 0;
}
