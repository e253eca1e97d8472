/*
 * starve.h: work done again and again, each time with another of its allocations failing.
 *
 * In small work (starve_each) each addition to a buf is an allocation, too; in other work that takes
 * long, and is so with STARVE_MORE in the environment.
 *
 * Whoever includes this is linked so that malloc and its kin, wherever the library and the test
 * call them, come here first (see Makefile); what libc and other libraries allocate for themselves
 * does not, but for cJSON, which is told to.
 */
#ifndef PINION_TESTS_STARVE_H
#define PINION_TESTS_STARVE_H

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "base/buf.h"

struct starve {
	unsigned long number; /* of the last allocation, from 1; forked processes count on */
	unsigned long fail_at; /* the one to fail; 0: none */
	bool is_for_good;      /* and all behind it */
	bool has_tight_bufs;   /* each addition to a buf is an allocation */
	long block_count;      /* that live */
	bool *has_failed; /* one, here or in a process that was forked: shared memory */
};
static struct starve starve;

static bool
starve_is_due(void)
{
	unsigned long number = ++starve.number;
	if (starve.fail_at == 0 || number < starve.fail_at)
		return false;
	if (!starve.is_for_good && (number > starve.fail_at || *starve.has_failed))
		return false;
	*starve.has_failed = true;
	errno = ENOMEM;
	return true;
}

static void *
starve_counted(void *block)
{
	starve.block_count += block != NULL;
	return block;
}

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker's names for what it wraps. */
/* clang-format off */
void *__real_malloc(size_t n);
void *__real_calloc(size_t count, size_t n);
void *__real_realloc(void *old, size_t n);
void *__real_reallocarray(void *old, size_t count, size_t n);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t n);
char *__real_realpath(const char *path, char *resolved);
char *__real_getcwd(char *path, size_t n);
void __real_free(void *block);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t count, size_t n);
void *__wrap_realloc(void *old, size_t n);
void *__wrap_reallocarray(void *old, size_t count, size_t n);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t n);
char *__wrap_realpath(const char *path, char *resolved);
char *__wrap_getcwd(char *path, size_t n);
int __wrap_asprintf(char **text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void __wrap_free(void *block);
/* clang-format on */

void *
__wrap_malloc(size_t n)
{
	return starve_is_due() ? NULL : starve_counted(__real_malloc(n));
}

void *
__wrap_calloc(size_t count, size_t n)
{
	return starve_is_due() ? NULL : starve_counted(__real_calloc(count, n));
}

void *
__wrap_realloc(void *old, size_t n)
{
	if (starve_is_due())
		return NULL;
	void *block = __real_realloc(old, n);
	starve.block_count += old == NULL && block != NULL;
	return block;
}

void *
__wrap_reallocarray(void *old, size_t count, size_t n)
{
	if (starve_is_due())
		return NULL;
	void *block = __real_reallocarray(old, count, n);
	starve.block_count += old == NULL && block != NULL;
	return block;
}

char *
__wrap_strdup(const char *text)
{
	return starve_is_due() ? NULL : starve_counted(__real_strdup(text));
}

char *
__wrap_strndup(const char *text, size_t n)
{
	return starve_is_due() ? NULL : starve_counted(__real_strndup(text, n));
}

/* These take memory only where they are given none. */
char *
__wrap_realpath(const char *path, char *resolved)
{
	if (resolved != NULL)
		return __real_realpath(path, resolved);
	return starve_is_due() ? NULL : starve_counted(__real_realpath(path, NULL));
}

char *
__wrap_getcwd(char *path, size_t n)
{
	if (path != NULL)
		return __real_getcwd(path, n);
	return starve_is_due() ? NULL : starve_counted(__real_getcwd(NULL, n));
}

int
__wrap_asprintf(char **text, const char *format, ...)
{
	if (starve_is_due())
		return -1;
	va_list ap;
	va_start(ap, format);
	int length = vasprintf(text, format, ap);
	va_end(ap);
	starve.block_count += length != -1;
	return length;
}

void
__wrap_free(void *block)
{
	starve.block_count -= block != NULL;
	__real_free(block);
}

/* --- a buf has room for more than it was asked for; but then most additions never fail --- */

/* clang-format off */
int __real_buf_grow(struct buf *buf, size_t more);
int __real_buf_append_str(struct buf *buf, const char *string);
const char *__real_buf_str(struct buf *buf);
int __wrap_buf_grow(struct buf *buf, size_t more);
int __wrap_buf_append_str(struct buf *buf, const char *string);
const char *__wrap_buf_str(struct buf *buf);
int __wrap_buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* clang-format on */

/* Less than there is, which does no harm, but for what was promised: the NUL. */
static void
starve_tighten(struct buf *buf, size_t more)
{
	if (starve.has_tight_bufs && buf->capacity > buf->length + more)
		buf->capacity = buf->length + more;
}

int
__wrap_buf_grow(struct buf *buf, size_t more)
{
	int status = __real_buf_grow(buf, more);
	starve_tighten(buf, more);
	return status;
}

int
__wrap_buf_append_str(struct buf *buf, const char *string)
{
	int status = __real_buf_append_str(buf, string);
	starve_tighten(buf, 0);
	return status;
}

const char *
__wrap_buf_str(struct buf *buf)
{
	const char *string = __real_buf_str(buf);
	starve_tighten(buf, 1);
	return string;
}

int
__wrap_buf_printf(struct buf *buf, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	int length = vsnprintf(NULL, 0, format, ap);
	va_end(ap);
	if (length < 0 || buf_reserve(buf, (size_t)length + 1) == -1)
		return -1;
	va_start(ap, format);
	vsnprintf(buf->bytes + buf->length, (size_t)length + 1, format, ap);
	va_end(ap);
	buf->length += (size_t)length;
	starve_tighten(buf, 1);
	return 0;
}

/* --- */

/* How often one piece of work is done at most: more is a loop that goes on after a failure. */
#define STARVE_MAX 100000

/*
 * Does its work from beginning to end and gives all memory back. 0: it came out right; -1: it said
 * that it failed.
 */
typedef int starve_work(void *context);

#define STARVE_FDS 40 /* as far as descriptors are looked for */

static inline int
starve_count_fds(void)
{
	int count = 0;
	for (int fd = 0; fd < STARVE_FDS; fd++)
		count += fcntl(fd, F_GETFD) != -1;
	return count;
}

/* Once, with that allocation failing. False: it was never reached. */
static inline bool
starve_once(starve_work *work, void *context, unsigned long fail_at, bool is_for_good,
	    bool has_tight_bufs, int *status)
{
	long before = starve.block_count;
	int fds_before = starve_count_fds();
	*starve.has_failed = false;
	starve.number = 0;
	starve.is_for_good = is_for_good;
	starve.fail_at = fail_at;
	starve.has_tight_bufs = has_tight_bufs;
	*status = work(context);
	starve.has_tight_bufs = false;
	starve.fail_at = 0;
	if (starve.block_count != before)
		fail_msg("allocation %lu failing%s, %ld blocks were not given back",
			 fail_at, is_for_good ? " for good" : "",
			 starve.block_count - before);
	if (starve_count_fds() != fds_before)
		fail_msg("allocation %lu failing%s, descriptors were left open", fail_at,
			 is_for_good ? " for good" : "");
	return *starve.has_failed;
}

/*
 * The first allocation fails, then the second and so on until there is none; then the same with
 * all that follow failing, too; each time so many steps on. Where `must_fail`, each of them has to
 * make the work fail; else it may also do without.
 */
static inline void
starve_all(starve_work *work, void *context, bool must_fail, const unsigned int steps[2])
{
	starve.has_failed = mmap(NULL, sizeof(*starve.has_failed), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(starve.has_failed, MAP_FAILED);
	cJSON_InitHooks(&(cJSON_Hooks){.malloc_fn = malloc, .free_fn = free});
	bool has_tight_bufs = must_fail || getenv("STARVE_MORE") != NULL;
	for (int is_for_good = 0; is_for_good < 2; is_for_good++) {
		unsigned long fail_at = 1;
		int status;
		while (starve_once(work, context, fail_at, is_for_good != 0,
				   has_tight_bufs, &status)) {
			if (status == 0 && must_fail)
				fail_msg("allocation %lu failed%s, and nobody says so",
					 fail_at, is_for_good != 0 ? " for good" : "");
			fail_at += steps[is_for_good];
			if (fail_at > STARVE_MAX)
				fail_msg("there is no end of allocations");
		}
		assert_int_equal(status, 0);
		assert_true(fail_at > 1);
	}
	munmap(starve.has_failed, sizeof(*starve.has_failed));
}

/* Every single allocation is needed. */
static inline void
starve_each(starve_work *work, void *context)
{
	static const unsigned int steps[2] = {1, 1};
	starve_all(work, context, true, steps);
}

/* NOLINTEND(bugprone-reserved-identifier) */

#endif
