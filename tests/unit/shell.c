/* Unit tests of input/shell. */
#include "options.h"

#include "input/shell.h"

static void
parallel_shell_is_what_the_environment_says(void **state)
{
	(void)state;
	struct parsed parsed;
	setenv("PARALLEL_SHELL", "/bin/sh", 1);
	struct spec *spec = PARSE_PARALLEL(&parsed, "echo");
	assert_string_equal(spec->shell, "/bin/sh");
	drop(&parsed);
	setenv("PARALLEL_SHELL", "sh", 1);
	spec = PARSE_PARALLEL(&parsed, "echo");
	assert_int_equal(spec->shell[0], '/');
	assert_string_equal(strrchr(spec->shell, '/'), "/sh");
	drop(&parsed);
	setenv("PARALLEL_SHELL", "/dev/null", 1);
	refuse(SPEC_PARALLEL, "PARALLEL_SHELL: '/dev/null' is no program", "echo", NULL);
	setenv("PARALLEL_SHELL", "no-such-shell", 1);
	refuse(SPEC_PARALLEL, "PARALLEL_SHELL: 'no-such-shell' is no program", "echo",
	       NULL);
	spec = PARSE_MAP(&parsed, "echo");
	assert_string_equal(spec->shell, "/bin/sh");
	drop(&parsed);
	unsetenv("PARALLEL_SHELL");
}

/* Any program will do that is called like one. */
static void
shells_that_quote_otherwise_are_refused(void **state)
{
	(void)state;
	char folder[] = "/tmp/pinion-shell-XXXXXX", path[sizeof(folder) + 8];
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/tcsh", folder);
	assert_int_equal(symlink("/bin/sh", path), 0);
	setenv("PARALLEL_SHELL", path, 1);
	refuse(SPEC_PARALLEL, "PARALLEL_SHELL: values cannot be quoted for", "echo", NULL);
	unsetenv("PARALLEL_SHELL");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
}

/* Runs a command through /bin/sh, which stays our parent's parent, and reads its first line. */
static void
read_command(const char *command, char *line, int line_bytes)
{
	FILE *pipe = popen(command, "r");
	assert_non_null(pipe);
	assert_non_null(fgets(line, line_bytes, pipe));
	assert_int_equal(pclose(pipe), 0);
	line[strcspn(line, "\n")] = '\0';
}

static void
shell_among_the_parents_is_found_past_other_programs(void **state)
{
	(void)state;
	char self[PATH_MAX], shell[PATH_MAX], command[2 * PATH_MAX], line[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	assert_true(length > 0);
	self[length] = '\0';
	assert_non_null(realpath("/bin/sh", shell));
	/* `:` keeps the shell from becoming the program; timeout stands in between. */
	snprintf(command, sizeof(command), "timeout 60 '%s' --print-shell; :", self);
	read_command(command, line, sizeof(line));
	assert_string_equal(line, shell);
}

static void
process_without_shell_above_it_has_none(void **state)
{
	(void)state;
	char path[PATH_MAX];
	assert_int_equal(shell_of_process(0, path, sizeof(path)), -1);
	assert_int_equal(shell_of_process(INT_MAX, path, sizeof(path)), -1);
}

static int
print_shell(void)
{
	struct spec spec;
	spec_init(&spec, SPEC_PARALLEL);
	const char *shell = shell_find(&spec, NULL);
	int status = shell == NULL || puts(shell) == EOF || fflush(stdout) == EOF;
	spec_fini(&spec);
	return status;
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(parallel_shell_is_what_the_environment_says),
	    cmocka_unit_test(shells_that_quote_otherwise_are_refused),
	    cmocka_unit_test(shell_among_the_parents_is_found_past_other_programs),
	    cmocka_unit_test(process_without_shell_above_it_has_none),
	};
	if (argc == 2 && strcmp(argv[1], "--print-shell") == 0)
		return print_shell();
	/* What the shell of whoever runs the tests has set is not part of them. */
	unsetenv("PARALLEL");
	unsetenv("PARALLEL_SHELL");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
