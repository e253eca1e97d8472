/* Tests of sink/spill: held-back output in memory and in its one file. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "ipc/spill.h"

#define STREAMS 40

/* A stream and what it should hold. */
struct model {
	struct held *held;
	struct buf bytes;
	size_t from;
};

static unsigned int
random_below(unsigned int *seed, unsigned int bound)
{
	return (unsigned int)rand_r(seed) % bound;
}

static void
append_random(struct spill *spill, struct model *model, size_t length, unsigned int *seed)
{
	struct err err = {0};
	assert_int_equal(buf_reserve(&model->bytes, length), 0);
	char *bytes = model->bytes.bytes + model->bytes.length;
	for (size_t i = 0; i < length; i++)
		bytes[i] = (char)rand_r(seed);
	model->bytes.length += length;
	assert_int_equal(held_append(spill, &model->held, bytes, length, &err), 0);
}

/* Takes at most `most` bytes and compares them. */
static size_t
take_some(struct spill *spill, struct model *model, size_t most)
{
	struct err err = {0};
	const char *bytes;
	size_t length;
	assert_int_equal(held_peek(spill, model->held, &bytes, &length, &err), 0);
	assert_true(length <= SPILL_BLOCK_BYTES);
	if (length > most)
		length = most;
	assert_true(length <= model->bytes.length - model->from);
	if (length > 0)
		assert_memory_equal(bytes, model->bytes.bytes + model->from, length);
	held_consume(spill, model->held, length);
	model->from += length;
	assert_int_equal(held_bytes(model->held), model->bytes.length - model->from);
	return length;
}

static void
drain(struct spill *spill, struct model *model)
{
	while (take_some(spill, model, SIZE_MAX) > 0)
		;
	assert_int_equal(model->from, model->bytes.length);
}

static void
end_model(struct spill *spill, struct model *model)
{
	held_free(spill, model->held);
	buf_fini(&model->bytes);
}

static int
count_open_descriptors(void)
{
	int count = 0;
	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) != -1;
	return count;
}

static void
empty_stream_has_nothing(void **state)
{
	(void)state;
	struct spill spill;
	struct err err = {0};
	struct held *held = NULL;
	const char *bytes;
	size_t length = 1;
	spill_init(&spill, "/nowhere", 0, NULL);
	assert_int_equal(held_append(&spill, &held, "", 0, &err), 0);
	assert_int_equal(held_bytes(held), 0);
	assert_int_equal(held_peek(&spill, held, &bytes, &length, &err), 0);
	assert_int_equal(length, 0);
	held_free(&spill, held);
	spill_fini(&spill);
}

static void
within_budget_nothing_touches_the_folder(void **state)
{
	(void)state;
	struct spill spill;
	struct model model = {0};
	unsigned int seed = 1;
	spill_init(&spill, "/nowhere", 1024 * 1024, NULL);
	for (size_t length = 1; length < 100000; length *= 3)
		append_random(&spill, &model, length, &seed);
	assert_int_equal(spill.fd, -1);
	assert_true(spill.memory_bytes >= model.bytes.length);
	drain(&spill, &model);
	assert_int_equal(spill.memory_bytes, 0);
	end_model(&spill, &model);
	spill_fini(&spill);
}

static void
short_stream_costs_little_memory(void **state)
{
	(void)state;
	struct spill spill;
	struct model model = {0};
	unsigned int seed = 1;
	spill_init(&spill, "/nowhere", 1024 * 1024, NULL);
	append_random(&spill, &model, 10, &seed);
	assert_in_range(spill.memory_bytes, 10, 256);
	end_model(&spill, &model);
	assert_int_equal(spill.memory_bytes, 0);
	spill_fini(&spill);
}

static void
many_streams_over_budget_share_one_descriptor_and_stay_within_it(void **state)
{
	(void)state;
	struct spill spill;
	struct model models[STREAMS] = {0};
	unsigned int seed = 7;
	uint64_t total_bytes = 0;
	int before = count_open_descriptors();
	spill_init(&spill, "/tmp", 1024 * 1024, NULL);
	for (int i = 0; i < 1200; i++) {
		size_t length = 1 + random_below(&seed, 20000);
		append_random(&spill, &models[random_below(&seed, STREAMS)], length, &seed);
		total_bytes += length;
		assert_true(spill.memory_bytes <= spill.budget_bytes);
		assert_true(spill.memory_bytes + spill.file_bytes >= total_bytes);
	}
	assert_int_equal(count_open_descriptors(), before + 1);
	for (int i = 0; i < STREAMS; i++)
		drain(&spill, &models[i]);
	assert_int_equal(spill.memory_bytes, 0);
	assert_int_equal(spill.file_bytes, 0);
	for (int i = 0; i < STREAMS; i++)
		end_model(&spill, &models[i]);
	spill_fini(&spill);
	assert_int_equal(count_open_descriptors(), before);
}

static void
any_mix_of_appends_and_takes_keeps_each_streams_order(void **state)
{
	(void)state;
	for (unsigned int run = 1; run <= 12; run++) {
		struct spill spill;
		struct model models[4] = {0};
		unsigned int seed = run;
		spill_init(&spill, "/tmp", run % 3 == 0 ? 0 : 300000, NULL);
		for (int i = 0; i < 400; i++) {
			struct model *model = &models[random_below(&seed, 4)];
			if (random_below(&seed, 5) < 2)
				append_random(&spill, model, random_below(&seed, 150000),
					      &seed);
			else if (random_below(&seed, 2) == 0)
				take_some(&spill, model, random_below(&seed, 400000));
			else if (random_below(&seed, 10) == 0)
				drain(&spill, model);
		}
		for (int i = 0; i < 4; i++) {
			drain(&spill, &models[i]);
			end_model(&spill, &models[i]);
		}
		spill_fini(&spill);
	}
}

static void
file_space_is_used_again_and_given_back(void **state)
{
	(void)state;
	struct spill spill;
	unsigned int seed = 3;
	uint32_t most_blocks = 0;
	spill_init(&spill, "/tmp", 0, NULL);
	for (int i = 0; i < 10; i++) {
		struct model model = {0};
		append_random(&spill, &model, 1024 * 1024 + 17, &seed);
		if (i == 0)
			most_blocks = spill.block_count;
		drain(&spill, &model);
		end_model(&spill, &model);
	}
	assert_int_equal(spill.block_count, most_blocks);
	struct stat st;
	assert_int_equal(fstat(spill.fd, &st), 0);
	assert_int_equal(st.st_nlink, 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_true(st.st_blocks * 512 < SPILL_BLOCK_BYTES);
	spill_fini(&spill);
}

static void
stream_freed_half_read_gives_back_all(void **state)
{
	(void)state;
	struct spill spill;
	struct model model = {0};
	unsigned int seed = 5;
	spill_init(&spill, "/tmp", 100000, NULL);
	append_random(&spill, &model, 2000000, &seed);
	for (int i = 0; i < 5; i++)
		take_some(&spill, &model, 70000);
	end_model(&spill, &model);
	assert_int_equal(spill.memory_bytes, 0);
	assert_int_equal(spill.file_bytes, 0);
	assert_int_equal(spill.free_count, spill.block_count);
	spill_fini(&spill);
}

static void
missing_folder_is_an_error_only_when_needed(void **state)
{
	(void)state;
	struct spill spill;
	struct held *held = NULL;
	struct err err = {0};
	char bytes[1000] = {0};
	spill_init(&spill, "/nowhere/at-all", 1300, NULL);
	assert_int_equal(held_append(&spill, &held, bytes, sizeof(bytes), &err), 0);
	assert_int_equal(held_append(&spill, &held, bytes, sizeof(bytes), &err), -1);
	assert_int_equal(err.errno_value, ENOENT);
	assert_non_null(strstr(err.text, "/nowhere/at-all"));
	assert_non_null(strstr(err.text, "--tmpdir"));
	held_free(&spill, held);
	spill_fini(&spill);
}

/*
 * In a child, as the limit cannot be lifted again: 0 when the error is told as it should
 * be.
 */
static int
fill_limited_file(void)
{
	struct rlimit limit = {.rlim_cur = 500000, .rlim_max = 500000};
	struct spill spill;
	struct held *held = NULL;
	struct err err = {0};
	char bytes[10000] = {0};
	int appended = 0;
	signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &limit) == -1)
		return 1;
	spill_init(&spill, "/tmp", 0, NULL);
	while (appended < 100 && held_append(&spill, &held, bytes, sizeof(bytes), &err) == 0)
		appended++;
	bool is_right = appended == 50 && err.errno_value == EFBIG &&
			strstr(err.text, "/tmp") != NULL;
	held_free(&spill, held);
	spill_fini(&spill);
	return is_right ? 0 : 2;
}

static void
file_that_cannot_grow_is_an_error_naming_the_folder(void **state)
{
	(void)state;
	pid_t pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0)
		_exit(fill_limited_file());
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(empty_stream_has_nothing),
	    cmocka_unit_test(within_budget_nothing_touches_the_folder),
	    cmocka_unit_test(short_stream_costs_little_memory),
	    cmocka_unit_test(
		many_streams_over_budget_share_one_descriptor_and_stay_within_it),
	    cmocka_unit_test(any_mix_of_appends_and_takes_keeps_each_streams_order),
	    cmocka_unit_test(file_space_is_used_again_and_given_back),
	    cmocka_unit_test(stream_freed_half_read_gives_back_all),
	    cmocka_unit_test(missing_folder_is_an_error_only_when_needed),
	    cmocka_unit_test(file_that_cannot_grow_is_an_error_naming_the_folder),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
