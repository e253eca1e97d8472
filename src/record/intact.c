/* intact.c: see intact.h. */
#include "record/intact.h"

#include <sys/stat.h>

int
intact_check(int fd, uint64_t bytes, const char *what, const char *path, struct err *err)
{
	struct stat status;
	if (fstat(fd, &status) == -1)
		return err_errno(err, "cannot look at %s %.200s", what, path);
	if (status.st_nlink == 0)
		return err_set(
		    err, ERR_SYSTEM,
		    "%s %.200s was deleted during the run, and its records with it", what,
		    path);
	if ((uint64_t)status.st_size < bytes)
		return err_set(
		    err, ERR_SYSTEM,
		    "%s %.200s was cut short during the run, and records are lost", what,
		    path);
	return 0;
}
