/*
 * kernel_files.h: a folder that stands for "/", with made-up files of the kernel in it.
 */
#ifndef PINION_TESTS_KERNEL_FILES_H
#define PINION_TESTS_KERNEL_FILES_H

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
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

#include "base/cgroup.h"
#include "base/io.h"

#define MOUNT_V2(root, point) "30 20 0:41 " root " " point " rw - cgroup2 cgroup2 rw\n"
#define MOUNT_V1(what, root, point) \
	"31 20 0:42 " root " " point " rw,relatime shared:9 - cgroup cgroup rw," what "\n"

struct kernel_files {
	char root[64];
	struct cgroups cgroups;
};

static inline void
kernel_files_put(const struct kernel_files *files, const char *path, const char *text)
{
	char full[4096];
	snprintf(full, sizeof(full), "%s%s", files->root, path);
	for (char *at = strchr(full + strlen(files->root) + 1, '/'); at != NULL;
	     at = strchr(at + 1, '/')) {
		*at = '\0';
		assert_true(mkdir(full, 0700) == 0 || errno == EEXIST);
		*at = '/';
	}
	int fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_int_not_equal(fd, -1);
	assert_int_equal(io_write_all(fd, text, strlen(text)), 0);
	io_close(fd);
}

static inline void
kernel_files_make(struct kernel_files *files)
{
	*files = (struct kernel_files){.root = "/tmp/pinion-test-kernel-XXXXXX"};
	assert_non_null(mkdtemp(files->root));
	files->cgroups.root = files->root;
}

/* Where /proc/self says that we are. */
static inline void
kernel_files_put_self(struct kernel_files *files, const char *cgroup, const char *mountinfo)
{
	kernel_files_put(files, "/proc/self/cgroup", cgroup);
	kernel_files_put(files, "/proc/self/mountinfo", mountinfo);
	cgroups_fini(&files->cgroups);
	assert_int_equal(cgroups_find(&files->cgroups, files->root), 0);
}

static inline int
kernel_files_remove_one(const char *path, const struct stat *status, int type,
			struct FTW *ftw)
{
	(void)status;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void
kernel_files_remove(struct kernel_files *files)
{
	cgroups_fini(&files->cgroups);
	assert_int_equal(
	    nftw(files->root, kernel_files_remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

#endif
