/* Tests of pool/coproc_silence: why a program does not answer, read from a made-up /proc. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/io.h"
#include "pool/coproc_silence.h"

#define GROUP 100
#define PATH_BYTES 256

struct fixture {
	char proc[64];
	int ours[2]; /* the pipe that the program reads */
	int other[2];
};

static int
set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	if (fixture == NULL)
		return -1;
	strcpy(fixture->proc, "/tmp/pinion-silence.XXXXXX");
	*state = fixture;
	return mkdtemp(fixture->proc) == NULL || io_pipe(fixture->ours, 0) == -1 ||
		       io_pipe(fixture->other, 0) == -1
		   ? -1
		   : 0;
}

static int
tear_down(void **state)
{
	struct fixture *fixture = *state;
	char command[PATH_BYTES];
	snprintf(command, sizeof(command), "rm -r '%s'", fixture->proc);
	int status = system(command);
	for (int i = 0; i < 2; i++) {
		io_close(fixture->ours[i]);
		io_close(fixture->other[i]);
	}
	free(fixture);
	return status;
}

static void
write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fputs(text, file) == EOF, 0);
	assert_int_equal(fclose(file), 0);
}

/* A process of the group with 5 + 2 ticks of CPU time and our pipe as its stdin. */
static void
add_process(const struct fixture *fixture, int pid, char state, int group)
{
	char path[PATH_BYTES], text[PATH_BYTES];
	snprintf(path, sizeof(path), "%s/%d", fixture->proc, pid);
	assert_int_equal(mkdir(path, 0777), 0);
	snprintf(path, sizeof(path), "%s/%d/fd", fixture->proc, pid);
	assert_int_equal(mkdir(path, 0777), 0);
	snprintf(path, sizeof(path), "%s/%d/stat", fixture->proc, pid);
	snprintf(text, sizeof(text), "%d (a ) R b) %c 1 %d 1 0 -1 4 1 2 3 4 5 2 0 0\n",
		 pid, state, group);
	write_file(path, text);
}

static void
set_fd(const struct fixture *fixture, int pid, int number, int fd)
{
	char path[PATH_BYTES], target[PATH_BYTES];
	snprintf(path, sizeof(path), "%s/%d/fd/%d", fixture->proc, pid, number);
	snprintf(target, sizeof(target), "/proc/%d/fd/%d", (int)getpid(), fd);
	assert_int_equal(symlink(target, path), 0);
}

static void
set_call(const struct fixture *fixture, int pid, const char *text)
{
	char path[PATH_BYTES];
	snprintf(path, sizeof(path), "%s/%d/syscall", fixture->proc, pid);
	write_file(path, text);
}

static void
set_sleep(const struct fixture *fixture, int pid, long call, int number)
{
	char text[PATH_BYTES];
	snprintf(text, sizeof(text), "%ld 0x%x 0x7f00 0x1000 0x0 0x0 0x0 0x7ffe 0x7f01\n",
		 call, (unsigned int)number);
	set_call(fixture, pid, text);
}

static struct coproc_look
look(const struct fixture *fixture)
{
	struct coproc_look look;
	coproc_look(fixture->proc, GROUP, fixture->ours[1], &look);
	return look;
}

static bool
is_waiting(const struct fixture *fixture)
{
	struct coproc_look before = look(fixture), after = look(fixture);
	return coproc_look_is_waiting(&before, &after);
}

static void
add_reader(const struct fixture *fixture, int pid, int number, int fd)
{
	add_process(fixture, pid, 'S', GROUP);
	set_fd(fixture, pid, number, fd);
	set_sleep(fixture, pid, SYS_read, number);
}

static void
asleep_in_a_read_of_our_pipe_it_waits(void **state)
{
	add_reader(*state, GROUP, 0, ((struct fixture *)*state)->ours[0]);
	assert_true(is_waiting(*state));
	assert_int_equal(look(*state).cpu_ticks, 7);
}

static void
behind_a_shell_and_before_another_it_waits(void **state)
{
	const struct fixture *fixture = *state;
	add_process(fixture, GROUP, 'S', GROUP);
	set_sleep(fixture, GROUP, SYS_wait4, 0);
	add_reader(fixture, GROUP + 1, 17, fixture->ours[0]);
	add_reader(fixture, GROUP + 2, 0, fixture->other[0]);
	assert_true(is_waiting(fixture));
}

static void
reading_another_pipe_it_does_not(void **state)
{
	const struct fixture *fixture = *state;
	add_reader(fixture, GROUP, 3, fixture->other[0]);
	set_fd(fixture, GROUP, 0, fixture->ours[0]);
	assert_false(is_waiting(fixture));
}

static void
asleep_in_something_else_it_does_not(void **state)
{
	const struct fixture *fixture = *state;
	add_process(fixture, GROUP, 'S', GROUP);
	set_fd(fixture, GROUP, 0, fixture->ours[0]);
	set_sleep(fixture, GROUP, SYS_clock_nanosleep, 0);
	assert_false(is_waiting(fixture));
}

static void
with_one_of_its_processes_at_work_it_does_not(void **state)
{
	const struct fixture *fixture = *state;
	add_reader(fixture, GROUP, 0, fixture->ours[0]);
	add_process(fixture, GROUP + 1, 'R', GROUP);
	set_call(fixture, GROUP + 1, "running\n");
	assert_false(is_waiting(fixture));
}

static void
a_dead_process_or_one_of_another_group_does_not_count(void **state)
{
	const struct fixture *fixture = *state;
	add_reader(fixture, GROUP, 0, fixture->ours[0]);
	add_process(fixture, GROUP + 1, 'R', GROUP + 1);
	add_process(fixture, GROUP + 2, 'Z', GROUP);
	assert_true(is_waiting(fixture));
	assert_int_equal(look(fixture).cpu_ticks, 7);
}

static void
where_the_kernel_does_not_say_in_what_it_sleeps_that_has_to_do(void **state)
{
	const struct fixture *fixture = *state;
	add_process(fixture, GROUP, 'S', GROUP);
	assert_true(is_waiting(fixture));
	add_process(fixture, GROUP + 1, 'R', GROUP);
	assert_false(is_waiting(fixture));
}

static void
having_used_the_processor_between_two_looks_it_does_not(void **state)
{
	add_reader(*state, GROUP, 0, ((struct fixture *)*state)->ours[0]);
	struct coproc_look before = look(*state), after = before;
	after.cpu_ticks++;
	assert_false(coproc_look_is_waiting(&before, &after));
}

static void
without_a_process_it_does_not(void **state)
{
	assert_false(is_waiting(*state));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(asleep_in_a_read_of_our_pipe_it_waits),
	    TEST(behind_a_shell_and_before_another_it_waits),
	    TEST(reading_another_pipe_it_does_not),
	    TEST(asleep_in_something_else_it_does_not),
	    TEST(with_one_of_its_processes_at_work_it_does_not),
	    TEST(a_dead_process_or_one_of_another_group_does_not_count),
	    TEST(where_the_kernel_does_not_say_in_what_it_sleeps_that_has_to_do),
	    TEST(having_used_the_processor_between_two_looks_it_does_not),
	    TEST(without_a_process_it_does_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
