/* private_dir.c: see private_dir.h. */
#include "base/private_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"

int
private_dir_open(const char *path, struct err *err)
{
	struct stat status;
	if (mkdir(path, 0700) == -1 && errno != EEXIST)
		return err_errno(err, "cannot make the folder %s", path);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1 || fstat(fd, &status) == -1) {
		err_errno(err, "cannot open the folder %s", path);
	} else if (status.st_uid != geteuid()) {
		err_set(err, ERR_SYSTEM, "the folder %s belongs to user %ju, not to us",
			path, (uintmax_t)status.st_uid);
	} else if ((status.st_mode & 077) != 0) {
		err_set(err, ERR_SYSTEM,
			"the folder %s is open to others: chmod 700 it if it is yours",
			path);
	} else {
		return fd;
	}
	io_close(fd);
	return -1;
}
