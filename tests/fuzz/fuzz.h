/*
 * fuzz.h: what the targets in this folder share.
 *
 * A target is a reader of bytes that others have written: it is called with any bytes, and must
 * come back, without a fault of memory, and with what it promises of them. `make fuzz` builds
 * them with clang's libFuzzer; see run, and seeds/NAME for what each begins with.
 */
#ifndef PINION_TESTS_FUZZ_H
#define PINION_TESTS_FUZZ_H

#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/io.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A promise that was not kept is a crash. */
#define fuzz_expect(condition)                                                          \
	do {                                                                            \
		if (!(condition)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                        \
		}                                                                       \
	} while (0)

/* Whoever fails says why, in one line or several of text. */
static inline void
fuzz_expect_failure(const struct err *err)
{
	fuzz_expect(err->kind != ERR_NONE);
	fuzz_expect(err->text[0] != '\0');
	fuzz_expect(memchr(err->text, '\0', sizeof(err->text)) != NULL);
}

/* The bytes as a string of one's own: reads behind their end are found. */
static inline char *
fuzz_string(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	fuzz_expect(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

/* A file with these bytes; io_close ends it. Its name into `path`. */
static inline int
fuzz_file(const uint8_t *data, size_t size, char path[32])
{
	int fd = io_memfd("fuzz", 0);
	fuzz_expect(fd != -1 && io_pwrite_all(fd, data, size, 0) == 0);
	snprintf(path, 32, "/proc/self/fd/%d", fd);
	return fd;
}

/*
 * A folder of this process's own, for what has to have a name; it stays, in $TMPDIR, for the end
 * of a target is no one's to know: run takes it away.
 */
static inline const char *
fuzz_folder(void)
{
	static char folder[4096];
	const char *tmpdir = getenv("TMPDIR");
	if (folder[0] != '\0')
		return folder;
	snprintf(folder, sizeof(folder), "%s/pinion-fuzz-XXXXXX",
		 tmpdir == NULL ? "/tmp" : tmpdir);
	fuzz_expect(mkdtemp(folder) != NULL);
	return folder;
}

/* A file in it, with these bytes. */
static inline void
fuzz_put(const char *path, const void *bytes, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	fuzz_expect(fd != -1 && io_write_all(fd, bytes, size) == 0);
	io_close(fd);
}

#endif
