/* slurp.c: see slurp.h. */
#include "base/slurp.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/io.h"

#define SLURP_STEP_BYTES 4096

int
slurp(const char *root, const char *path, struct buf *text)
{
	buf_clear(text);
	struct buf full = {0};
	if (buf_append_str(&full, root) == -1 || buf_append_str(&full, path) == -1 ||
	    buf_str(&full) == NULL) {
		buf_fini(&full);
		return -1;
	}
	int fd = open(full.bytes, O_RDONLY | O_CLOEXEC);
	buf_fini(&full);
	ssize_t got = 0;
	int failed = 0;
	while (fd != -1 && (failed = buf_reserve(text, SLURP_STEP_BYTES)) == 0) {
		got = io_read(fd, text->bytes + text->length, SLURP_STEP_BYTES);
		if (got <= 0)
			break;
		text->length += (size_t)got;
	}
	io_close(fd);
	if (got == -1)
		buf_clear(text);
	return failed == -1 || buf_str(text) == NULL ? -1 : 0;
}

bool
slurp_number(const char *text, const char *name, uint64_t *number)
{
	size_t length = strlen(name);
	for (const char *line = text; *line != '\0';) {
		if (strncmp(line, name, length) == 0)
			return sscanf(line + length, " %" SCNu64, number) == 1;
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	return false;
}
