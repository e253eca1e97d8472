/*
 * runtime_folder.h: an empty $XDG_RUNTIME_DIR for each test, so that it meets no real runs.
 */
#ifndef PINION_TESTS_RUNTIME_FOLDER_H
#define PINION_TESTS_RUNTIME_FOLDER_H

#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "child.h"

static inline int
runtime_remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st, (void)type, (void)at;
	return remove(path);
}

/* The path is in $XDG_RUNTIME_DIR until the next one. */
static inline int
runtime_setup(void **state)
{
	char path[] = "/tmp/pinion-test-XXXXXX";
	assert_non_null(mkdtemp(path));
	setenv("XDG_RUNTIME_DIR", path, 1);
	return limit_time(state);
}

static inline int
runtime_teardown(void **state)
{
	nftw(getenv("XDG_RUNTIME_DIR"), runtime_remove_one, 16, FTW_DEPTH | FTW_PHYS);
	unsetenv("XDG_RUNTIME_DIR");
	return lift_limit(state);
}

/* A path below it; valid until the next call. */
static inline const char *
runtime_path(const char *name)
{
	static char path[4096];
	snprintf(path, sizeof(path), "%s/%s", getenv("XDG_RUNTIME_DIR"), name);
	return path;
}

static inline bool
runtime_has(const char *name)
{
	return access(runtime_path(name), F_OK) == 0;
}

#define RUNTIME_TEST(name) \
	cmocka_unit_test_setup_teardown(name, runtime_setup, runtime_teardown)

#endif
