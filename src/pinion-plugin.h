/*
 * pinion-plugin.h: how to write a function that `pinion call` runs. pinion-plugin(3) is its page.
 *
 * A plugin is a shared object that exports one constant, its descriptor:
 *
 *	#include <pinion-plugin.h>
 *
 *	static int
 *	count_bytes(const struct pinion_task *task, struct pinion_answer *answer)
 *	{
 *		char text[32];
 *		int length = snprintf(text, sizeof(text), "%zu\n", task->in_bytes);
 *		return pinion_append(&answer->out, text, (size_t)length);
 *	}
 *
 *	const struct pinion_plugin pinion_plugin = {
 *	    PINION_PLUGIN_HEAD, 0, "count_bytes", "the length of each input",
 *	    NULL, count_bytes, NULL, NULL};
 *
 *	cc -shared -fPIC -o count_bytes.so count_bytes.c
 *	pinion call ./count_bytes.so ::: a bb ccc
 *
 * C99 and C++11; plain structs, integers and pointers, so that other languages can describe
 * them. Nothing of pinion is linked: a plugin is given what it may call.
 *
 * Processes: each worker is a process with a copy of the plugin of its own. init runs in it
 * before the first task, task or task_chunk for each task, one after the other, and fini when the
 * worker has had its last one; all in the same thread. Whatever else ends the process (a crash,
 * abort, exit) costs the task in hand and the worker; another worker takes its place, from init on.
 *
 * Memory: what a function is given is pinion's and valid until the function returns, but for
 * argv, which stays. What init leaves in *state is the plugin's, for fini to free. Lengths and
 * sizes are in bytes.
 *
 * Descriptors: 0 reads nothing, 1 and 2 are both the run's stderr, so that what a library prints
 * never gets among the answers.
 */
#ifndef PINION_PLUGIN_H
#define PINION_PLUGIN_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PINION_PLUGIN_MAGIC UINT32_C(0x50494e50) /* no function begins like this */
#define PINION_PLUGIN_ABI \
	UINT32_C(1) /* grows when an old pinion could not run a plugin */

/* The first three fields of a descriptor. */
#define PINION_PLUGIN_HEAD \
	PINION_PLUGIN_MAGIC, PINION_PLUGIN_ABI, (uint32_t)sizeof(struct pinion_plugin)

/* Flags of a descriptor; those not named here must be 0. */

/* task may be called from several threads at once, all with init's *state. Pinion tells nobody yet. */
#define PINION_PLUGIN_THREAD_SAFE UINT32_C(1)

/* task_chunk is to be called, with as many tasks as there are (--chunksize), in place of task. */
#define PINION_PLUGIN_CHUNK UINT32_C(2)

/* Growable bytes. A function is given them empty, and may take room for more at any time. */
struct pinion_buffer {
	char *bytes;
	size_t length;   /* in use: raise it after writing behind it */
	size_t capacity; /* there are so many; length never exceeds it */
	/*
	 * Makes room for `more` bytes behind `length`; `bytes` may move. 0; -1 without memory,
	 * and nothing has changed. pinion_reserve and pinion_append call it when they need to.
	 */
	int (*grow)(struct pinion_buffer *buffer, size_t more);
};

/* One value; bytes[length] is a NUL, and there may be others before it. */
struct pinion_value {
	const char *bytes;
	size_t length;
};

/* What there is to do. Later versions add fields at the end. */
struct pinion_task {
	const char *in; /* the input: the first value */
	size_t in_bytes;
	const struct pinion_value *values; /* all of them, with several sources or columns */
	size_t value_count;                /* may be 0 (-n 0), then in is "" */
	uint64_t seq;                      /* its place in the input, from 0 */
	uint32_t attempt;                  /* 1 for the first try */
	uint32_t worker; /* number of this process, never used twice in a run */
	void *state;     /* what init left */
};

/* What came of it. Later versions add fields at the end. */
struct pinion_answer {
	struct pinion_buffer out; /* printed as the task's output, byte for byte */
	struct pinion_buffer err; /* printed on stderr, and a newline if it does not end in one */
	int status; /* task_chunk sets it; task returns it: 0, or 1 to 255: it failed */
};

/*
 * Several tasks at once, for task_chunk. A crash in it answers none of them: they are called again
 * one by one, and the one that crashes by itself is charged. With --timeout, whose limit is that
 * of one task, chunks have one.
 */
struct pinion_chunk {
	const struct pinion_task *const *tasks;
	struct pinion_answer *const *answers; /* one each */
	size_t count;
	void *state;
};

struct pinion_plugin {
	uint32_t magic;
	uint32_t abi;
	uint32_t struct_bytes; /* of this struct, when the plugin was compiled */
	uint32_t flags;
	const char *name;        /* for messages */
	const char *description; /* one line, or NULL */

	/*
	 * Once in each worker. argv[0] is the plugin's file, the rest are the words behind it on
	 * the command line; argv[argc] is NULL. 0; else the worker cannot serve, for what is in
	 * `err`, and after a few of those the run ends with status 3. NULL: nothing to do.
	 */
	int (*init)(int argc, const char *const *argv, void **state,
		    struct pinion_buffer *err);

	/* 0: done; 1 to 255: failed with that status. What is in `answer` is printed either way. */
	int (*task)(const struct pinion_task *task, struct pinion_answer *answer);

	/* 0: each task's status is in its answer; 1 to 255: all failed with it. */
	int (*task_chunk)(struct pinion_chunk *chunk);

	/* At the worker's end, after init returned 0; not after a crash or a time limit. NULL: nothing to do. */
	void (*fini)(void *state);
};

/* The descriptor pinion looks for; LIB.so:NAME looks for NAME, which PINION_PLUGIN_DECLARE declares. */
#if defined(__GNUC__)
#define PINION_PLUGIN_DECLARE(name) \
	extern __attribute__((visibility("default"))) const struct pinion_plugin name
#else
#define PINION_PLUGIN_DECLARE(name) extern const struct pinion_plugin name
#endif
PINION_PLUGIN_DECLARE(pinion_plugin);

/* Where to write up to `more` bytes; raise `length` by what was written. NULL without memory. */
static inline char *
pinion_reserve(struct pinion_buffer *buffer, size_t more)
{
	if (buffer->capacity - buffer->length < more && buffer->grow(buffer, more) != 0)
		return NULL;
	return buffer->bytes + buffer->length;
}

/* 0; 1 without memory: fit to be returned by task, which has then failed. */
static inline int
pinion_append(struct pinion_buffer *buffer, const void *bytes, size_t length)
{
	char *to;
	if (length == 0)
		return 0;
	to = pinion_reserve(buffer, length);
	if (to == NULL)
		return 1;
	memcpy(to, bytes, length);
	buffer->length += length;
	return 0;
}

static inline int
pinion_append_str(struct pinion_buffer *buffer, const char *string)
{
	return pinion_append(buffer, string, strlen(string));
}

/* A failure in one line: return pinion_fail(answer, 2, "no such file"); */
static inline int
pinion_fail(struct pinion_answer *answer, int status, const char *text)
{
	answer->status = status;
	pinion_append_str(&answer->err, text);
	return status;
}

#ifdef __cplusplus
}
#endif

#endif
