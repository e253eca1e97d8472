/*
 * memory.c: a plugin that is slow to get ready, for the tests of --start-method.
 *
 *	pinion call memory.so LOG MIB ::: TASK...
 *
 * init appends "init PID" to the file LOG and fills MIB MiB; fini appends "fini PID". A task answers
 * what it is told to: "pid", "parent", "byte" (one of the memory filled), or "wait FILE", which says
 * "waiting PID" in the log and answers when there is such a file. LOG "fail" makes init fail, "die"
 * kills it, "hang" lets it never end.
 */
#include <fcntl.h>
#include <pinion-plugin.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct memory {
	char *bytes;
	size_t length;
	const char *log;
};

static void
note(const char *log, const char *what)
{
	char text[64];
	int length = snprintf(text, sizeof(text), "%s %d\n", what, (int)getpid());
	int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (fd == -1 || write(fd, text, (size_t)length) != length)
		abort();
	close(fd);
}

static int
memory_init(int argc, const char *const *argv, void **state, struct pinion_buffer *err)
{
	static struct memory memory;
	if (argc != 3) {
		pinion_append(err, "which log, and how much?", 24);
		return 1;
	}
	if (strcmp(argv[1], "fail") == 0) {
		pinion_append(err, "as it was told to", 17);
		return 1;
	}
	if (strcmp(argv[1], "die") == 0)
		raise(SIGKILL);
	note(strcmp(argv[1], "hang") == 0 ? "hanging" : argv[1], "init");
	while (strcmp(argv[1], "hang") == 0)
		pause();
	memory =
	    (struct memory){.length = strtoul(argv[2], NULL, 10) << 20, .log = argv[1]};
	memory.bytes = malloc(memory.length + 1);
	if (memory.bytes == NULL)
		return 2;
	for (size_t i = 0; i <= memory.length; i++) /* no two pages are the same */
		memory.bytes[i] = (char)(i * 2654435761U >> 13);
	*state = &memory;
	return 0;
}

static int
answer_number(struct pinion_answer *answer, int number)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%d\n", number);
	return pinion_append(&answer->out, text, (size_t)length);
}

static int
memory_task(const struct pinion_task *task, struct pinion_answer *answer)
{
	const struct memory *memory = task->state;
	const struct timespec pause_time = {.tv_nsec = 10000000};
	if (strcmp(task->in, "pid") == 0)
		return answer_number(answer, (int)getpid());
	if (strcmp(task->in, "parent") == 0)
		return answer_number(answer, (int)getppid());
	if (strcmp(task->in, "byte") == 0)
		return answer_number(answer, memory->bytes[memory->length]);
	if (strncmp(task->in, "wait ", 5) != 0)
		return 1;
	note(memory->log, "waiting");
	while (access(task->in + 5, F_OK) == -1)
		nanosleep(&pause_time, NULL);
	return answer_number(answer, (int)getpid());
}

static void
memory_fini(void *state)
{
	struct memory *memory = state;
	note(memory->log, "fini");
	free(memory->bytes);
}

const struct pinion_plugin pinion_plugin = {
    PINION_PLUGIN_HEAD, 0,           "memory", "gets ready slowly, for tests",
    memory_init,        memory_task, NULL,     memory_fini,
};
