/* Loading plugins: what is taken, what is refused and in which words; buffers; init and fini. */
#include "pool/plugin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
	char path[4096]; /* of the faults plugin */
	struct plugin plugin;
	struct err err;
};

static int
set_up(void **state)
{
	static struct fixture fixture;
	const char *build = getenv("PINION_BUILD");
	fixture = (struct fixture){0};
	snprintf(fixture.path, sizeof(fixture.path), "%s/plugins/faults.so",
		 build != NULL ? build : "build");
	*state = &fixture;
	return access(fixture.path, R_OK);
}

static void
assert_refused(struct fixture *fixture, const char *symbol, const char *why)
{
	fixture->err = (struct err){0};
	assert_int_equal(
	    plugin_load(&fixture->plugin, fixture->path, symbol, &fixture->err), -1);
	assert_int_equal(fixture->err.kind, ERR_USAGE);
	assert_non_null(strstr(fixture->err.text, why));
	assert_null(strchr(fixture->err.text, '\n'));
	assert_null(fixture->plugin.handle);
}

static void
loads_the_usual_descriptor(void **state)
{
	struct fixture *fixture = *state;
	assert_int_equal(plugin_load(&fixture->plugin, fixture->path, NULL, NULL), 0);
	assert_string_equal(plugin_name(&fixture->plugin), "faults");
	assert_non_null(fixture->plugin.descriptor.task);
	assert_null(fixture->plugin.descriptor.task_chunk);
}

static void
loads_a_descriptor_by_name(void **state)
{
	struct fixture *fixture = *state;
	assert_int_equal(plugin_load(&fixture->plugin, fixture->path, "chunked", NULL), 0);
	assert_string_equal(plugin_name(&fixture->plugin), "chunked");
	assert_int_equal(fixture->plugin.descriptor.flags, PINION_PLUGIN_CHUNK);
}

static void
fields_that_an_older_header_lacks_are_zero(void **state)
{
	struct fixture *fixture = *state;
	assert_int_equal(plugin_load(&fixture->plugin, fixture->path, "older", NULL), 0);
	assert_non_null(fixture->plugin.descriptor.task);
	assert_null(fixture->plugin.descriptor.task_chunk);
	assert_null(fixture->plugin.descriptor.fini);
	assert_string_equal(plugin_name(&fixture->plugin), "the plugin");
}

static void
fields_that_a_newer_header_adds_are_left_alone(void **state)
{
	struct fixture *fixture = *state;
	assert_int_equal(plugin_load(&fixture->plugin, fixture->path, "longer", NULL), 0);
	assert_string_equal(plugin_name(&fixture->plugin), "longer");
	assert_non_null(fixture->plugin.descriptor.task);
}

static void
refuses_what_it_cannot_run_and_says_why(void **state)
{
	struct fixture *fixture = *state;
	assert_refused(fixture, "newer", "built for version 2");
	assert_refused(fixture, "flagged", "flags 0x80000000");
	assert_refused(fixture, "idle", "no task");
	assert_refused(fixture, "idle_chunk", "no task_chunk");
	assert_refused(fixture, "cut", "cut short");
	assert_refused(fixture, "number", "not a plugin's descriptor");
	assert_refused(fixture, "not_a_descriptor", "is a function");
	assert_refused(fixture, "nosuch", "no symbol nosuch; it has pinion_plugin");
}

/* A file with these bytes, then the message about it. */
static void
assert_file_refused(struct fixture *fixture, const char *bytes, size_t length,
		    const char *why)
{
	strcpy(fixture->path, "/tmp/pinion-plugin-XXXXXX");
	int fd = mkstemp(fixture->path);
	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, bytes, length), length);
	close(fd);
	assert_refused(fixture, NULL, why);
	unlink(fixture->path);
}

static void
refuses_files_that_are_no_shared_objects(void **state)
{
	struct fixture *fixture = *state;
	const char object[20] = "\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\1";
	const char cut[20] = "\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\3";
	assert_file_refused(fixture, "", 0, "is not a shared object; cc -shared");
	assert_file_refused(fixture, "#!/bin/sh\necho no plugin\n", 25,
			    "not a shared object");
	assert_file_refused(fixture, object, sizeof(object), "is an object file");
	assert_file_refused(fixture, cut, sizeof(cut), "cannot load");
}

static void
a_file_that_is_not_there_is_named_with_its_error(void **state)
{
	struct fixture *fixture = *state;
	assert_int_equal(
	    plugin_load(&fixture->plugin, "./no/such.so", NULL, &fixture->err), -1);
	assert_string_equal(fixture->err.text,
			    "cannot open ./no/such.so: No such file or directory");
	assert_int_equal(plugin_load(&fixture->plugin, "nosuch.so", NULL, &fixture->err),
			 -1);
	assert_non_null(strstr(fixture->err.text, "cannot load nosuch.so: "));
}

static void
init_gets_its_words_and_fini_its_state(void **state)
{
	struct fixture *fixture = *state;
	char library[] = "faults.so", unknown[] = "unknown";
	char *argv[] = {library, unknown, NULL};
	assert_int_equal(plugin_load(&fixture->plugin, fixture->path, NULL, NULL), 0);
	assert_int_equal(plugin_init(&fixture->plugin, 2, argv, NULL), 0);
	assert_true(fixture->plugin.is_initialised);
	assert_non_null(fixture->plugin.state);
	plugin_fini(&fixture->plugin);
	assert_false(fixture->plugin.is_initialised);
	plugin_fini(&fixture->plugin); /* no second time: valgrind would see it */
}

static void
an_init_that_fails_is_quoted_in_one_line_and_has_no_fini(void **state)
{
	struct fixture *fixture = *state;
	char library[] = "faults.so", fails[] = "init-fail";
	char *argv[] = {library, fails, NULL};
	assert_int_equal(plugin_load(&fixture->plugin, fixture->path, NULL, NULL), 0);
	assert_int_equal(plugin_init(&fixture->plugin, 2, argv, &fixture->err), -1);
	assert_string_equal(fixture->err.text,
			    "init of faults failed (7): no such model: model.bin");
	assert_int_equal(fixture->err.kind, ERR_BROKEN);
	plugin_fini(&fixture->plugin);
}

static void
a_plugin_without_init_has_no_state(void **state)
{
	struct fixture *fixture = *state;
	char library[] = "x.so";
	char *argv[] = {library, NULL};
	assert_int_equal(plugin_load(&fixture->plugin, fixture->path, "older", NULL), 0);
	fixture->plugin.descriptor.init = NULL;
	assert_int_equal(plugin_init(&fixture->plugin, 1, argv, NULL), 0);
	assert_null(fixture->plugin.state);
	plugin_fini(&fixture->plugin);
}

static void
a_buffer_grows_and_keeps_what_is_in_it(void **state)
{
	struct pinion_buffer buffer;
	char expected[100000];
	(void)state;
	plugin_buffer_init(&buffer);
	for (size_t i = 0; i < sizeof(expected); i++) {
		expected[i] = (char)('a' + i % 26);
		assert_int_equal(pinion_append(&buffer, &expected[i], 1), 0);
	}
	assert_int_equal(buffer.length, sizeof(expected));
	assert_true(buffer.capacity >= buffer.length);
	assert_memory_equal(buffer.bytes, expected, sizeof(expected));
	plugin_buffer_fini(&buffer);
	assert_null(buffer.bytes);
}

static void
nothing_may_be_appended_to_an_empty_buffer(void **state)
{
	struct pinion_buffer buffer;
	(void)state;
	plugin_buffer_init(&buffer);
	assert_int_equal(pinion_append(&buffer, NULL, 0), 0);
	assert_int_equal(pinion_append_str(&buffer, ""), 0);
	assert_int_equal(buffer.length, 0);
	plugin_buffer_fini(&buffer);
}

static void
reserved_room_can_be_written_to_its_end(void **state)
{
	struct pinion_buffer buffer;
	(void)state;
	plugin_buffer_init(&buffer);
	assert_int_equal(pinion_append_str(&buffer, "head"), 0);
	char *room = pinion_reserve(&buffer, 5000);
	assert_non_null(room);
	memset(room, 'x', 5000);
	buffer.length += 5000;
	assert_memory_equal(buffer.bytes, "headxxxx", 8);
	assert_int_equal(buffer.length, 5004);
	plugin_buffer_fini(&buffer);
}

static void
more_than_there_is_memory_changes_nothing(void **state)
{
	struct pinion_buffer buffer;
	(void)state;
	plugin_buffer_init(&buffer);
	assert_int_equal(pinion_append_str(&buffer, "kept"), 0);
	assert_null(pinion_reserve(&buffer, SIZE_MAX));
	assert_null(pinion_reserve(&buffer, SIZE_MAX - 4));
	assert_int_equal(buffer.length, 4);
	assert_memory_equal(buffer.bytes, "kept", 4);
	plugin_buffer_fini(&buffer);
}

static void
a_cleared_buffer_keeps_its_memory_unless_it_is_much(void **state)
{
	struct pinion_buffer buffer;
	(void)state;
	plugin_buffer_init(&buffer);
	assert_non_null(pinion_reserve(&buffer, 10000));
	size_t capacity = buffer.capacity;
	buffer.length = 10000;
	plugin_buffer_clear(&buffer);
	assert_int_equal(buffer.length, 0);
	assert_int_equal(buffer.capacity, capacity);
	assert_non_null(pinion_reserve(&buffer, 8U << 20));
	plugin_buffer_clear(&buffer);
	assert_int_equal(buffer.capacity, 0);
	plugin_buffer_fini(&buffer);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(loads_the_usual_descriptor, set_up),
	    cmocka_unit_test_setup(loads_a_descriptor_by_name, set_up),
	    cmocka_unit_test_setup(fields_that_an_older_header_lacks_are_zero, set_up),
	    cmocka_unit_test_setup(fields_that_a_newer_header_adds_are_left_alone, set_up),
	    cmocka_unit_test_setup(refuses_what_it_cannot_run_and_says_why, set_up),
	    cmocka_unit_test_setup(refuses_files_that_are_no_shared_objects, set_up),
	    cmocka_unit_test_setup(a_file_that_is_not_there_is_named_with_its_error, set_up),
	    cmocka_unit_test_setup(init_gets_its_words_and_fini_its_state, set_up),
	    cmocka_unit_test_setup(
		an_init_that_fails_is_quoted_in_one_line_and_has_no_fini, set_up),
	    cmocka_unit_test_setup(a_plugin_without_init_has_no_state, set_up),
	    cmocka_unit_test(a_buffer_grows_and_keeps_what_is_in_it),
	    cmocka_unit_test(nothing_may_be_appended_to_an_empty_buffer),
	    cmocka_unit_test(reserved_room_can_be_written_to_its_end),
	    cmocka_unit_test(more_than_there_is_memory_changes_nothing),
	    cmocka_unit_test(a_cleared_buffer_keeps_its_memory_unless_it_is_much),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
