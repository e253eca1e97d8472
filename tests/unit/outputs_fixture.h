/*
 * outputs_fixture.h: for tests of outputs: a folder of one's own, and a job that makes files.
 */
#ifndef PINION_TESTS_OUTPUTS_FIXTURE_H
#define PINION_TESTS_OUTPUTS_FIXTURE_H

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/io.h"
#include "pool/outputs.h"

struct fixture {
	char folder[40]; /* the current one */
	struct spec spec;
	struct template *template;
	struct arg arg;
	struct outputs outputs;
	struct result result;
};

/* The outputs are {}.1 of the value's name, {}.2 and so on. */
static inline void
fixture_start(struct fixture *f, size_t output_count)
{
	static const char *const templates[] = {"d/{}.1", "d/{}.2", "e/{}.3"};
	static const char *const words[] = {"x", "{}", "{out}", "{out2}", "{out3}"};
	struct err err = {0};
	for (size_t i = 0; i < output_count; i++)
		assert_int_equal(spec_add_output(&f->spec, templates[i]), 0);
	f->spec.words = (char **)(uintptr_t)words;
	f->spec.word_count = 2 + output_count;
	f->template = template_new(&f->spec, NULL, 0, &err);
	assert_string_equal(err.text, "");
	assert_int_equal(outputs_init(&f->outputs, &f->spec, f->template, "run1", &err), 0);
}

static inline int
fixture_set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	*state = f;
	strcpy(f->folder, "/tmp/pinion-outputs-XXXXXX");
	if (mkdtemp(f->folder) == NULL || chdir(f->folder) == -1)
		return -1;
	spec_init(&f->spec, SPEC_MAP);
	f->arg = (struct arg){"a", 1};
	return 0;
}

static inline int
fixture_tear_down(void **state)
{
	struct fixture *f = *state;
	char command[64];
	snprintf(command, sizeof(command), "rm -rf %s", f->folder);
	int status = chdir("/") == -1 || system(command) != 0 ? -1 : 0;
	outputs_fini(&f->outputs);
	template_free(f->template);
	spec_fini(&f->spec);
	free(f);
	return status;
}

static inline void
put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd == -1)
		fail_msg("cannot make %s", path);
	assert_int_equal(io_write_all(fd, text, strlen(text)), 0);
	close(fd);
}

/* What is in the current folder and below, with a blank behind each. */
static inline void
assert_tree(const char *expected)
{
	char bytes[512] = "";
	FILE *found =
	    popen("find . -mindepth 1 -printf '%P\\n' | LC_ALL=C sort | tr '\\n' ' '", "r");
	assert_non_null(found);
	bytes[fread(bytes, 1, sizeof(bytes) - 1, found)] = '\0';
	assert_int_equal(pclose(found), 0);
	assert_string_equal(bytes, expected);
}

/* An attempt at the task begins; what outputs_begin says. */
static inline int
begin(struct fixture *f, uint64_t seq)
{
	struct err err = {0};
	struct template_values values = {.seq = seq, .args = &f->arg, .arg_count = 1};
	f->result = (struct result){.reason = RESULT_EXIT};
	return outputs_begin(&f->outputs, &values, &f->result, &err);
}

/* It writes its outputs, all but one: from 0. */
static inline void
write_all_but(struct fixture *f, size_t but)
{
	for (size_t i = 0; i < f->spec.output_count; i++)
		if (i != but)
			put(f->outputs.outs[i].bytes, "made");
}

static inline void
end(struct fixture *f, enum result_reason reason, int exit_status)
{
	f->result.reason = reason;
	f->result.exit_status = exit_status;
	outputs_end(&f->outputs, &f->result);
}

static inline void
make_all(struct fixture *f, uint64_t seq)
{
	assert_int_equal(begin(f, seq), 0);
	write_all_but(f, SIZE_MAX);
	end(f, RESULT_EXIT, 0);
	assert_true(result_is_success(&f->result));
}

#endif
