/*
 * faults.c: a plugin that does what it is told, for tests: what a plugin can do wrong, and what it
 * can see. A task is a word, and what it says is done; all else is answered as it is, in a line.
 *
 *   segv abort exit N _exit N hang thread-exit    end the call in that way
 *   fail N TEXT     return N with TEXT on stderr
 *   huge N          answer N bytes
 *   overrun         claim an answer longer than its room
 *   grow N          keep N bytes, and answer
 *   print TEXT      printf, then answer
 *   who             seq attempt worker, in a line
 *   env NAME        the variable's value
 *   values          how many there are, and each in brackets
 *   signals         the number of signals blocked
 *   once FILE       segv if FILE is not there, which is then made
 *   note FILE       add a line with the seq to the file, and answer
 *   child           sleep for an hour in a forked child, answer its pid
 *   child-hang [FILE]   the same, make the file, and hang
 *   await FILE      return 4 when the file is there
 *   garble NAME     zeros into the memory shared as NAME, then KILL
 *   slow            answer after 30 ms of sleep; "interrupted" if that was cut short
 *
 * Words for init: init-fail, init-segv, init-exit, init-done (exit(0)), init-hang; init-child leaves a
 * process; log FILE: a line with the pid for each init and fini; fini-hang, fini-segv.
 */
#include <errno.h>
#include <fcntl.h>
#include <pinion-plugin.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct faults {
	const char *log;
	const char *at_end; /* fini-... or NULL */
	char *kept;
};

static void
faults_log(const struct faults *self, const char *what)
{
	char text[64];
	if (self->log == NULL)
		return;
	int fd = open(self->log, O_WRONLY | O_APPEND | O_CREAT, 0600);
	int length = snprintf(text, sizeof(text), "%s %d\n", what, (int)getpid());
	if (fd != -1 && write(fd, text, (size_t)length) == length)
		close(fd);
}

static void
faults_hang(void)
{
	for (;;)
		pause();
}

/* A fault, but where a tool in between would tell of it, which is not what is tested. */
static void
faults_crash(void)
{
	const char *mode = getenv("PINION_TEST_MODE");
	volatile int *nowhere = NULL;
	if (mode != NULL && strcmp(mode, "valgrind") == 0)
		raise(SIGSEGV);
	*nowhere = 1; /* NOLINT(clang-analyzer-core.NullDereference): what was asked for */
}

static int
faults_fail_init(const char *word, struct pinion_buffer *err)
{
	if (strcmp(word, "init-fail") == 0) {
		pinion_append_str(err, "no such model:\nmodel.bin\n");
		return 7;
	}
	if (strcmp(word, "init-segv") == 0)
		faults_crash();
	if (strcmp(word, "init-exit") == 0)
		exit(3);
	if (strcmp(word, "init-done") == 0)
		exit(0);
	if (strcmp(word, "init-child") == 0 && fork() == 0)
		faults_hang();
	if (strcmp(word, "init-hang") == 0)
		faults_hang();
	return 0;
}

static int
faults_init(int argc, const char *const *argv, void **state, struct pinion_buffer *err)
{
	struct faults wanted = {0};
	int status = 0;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "log") == 0 && i + 1 < argc)
			wanted.log = argv[++i];
		else if (strncmp(argv[i], "fini-", 5) == 0)
			wanted.at_end = argv[i];
	}
	faults_log(&wanted, "init");
	for (int i = 1; i < argc && status == 0; i++)
		status = faults_fail_init(argv[i], err);
	if (status != 0)
		return status;
	struct faults *self = malloc(sizeof(*self));
	if (self == NULL)
		return 1;
	*self = wanted;
	*state = self;
	return 0;
}

/* The text behind `word` and a blank; NULL: the input is something else. */
static const char *
faults_rest(const struct pinion_task *task, const char *word)
{
	size_t length = strlen(word);
	if (strncmp(task->in, word, length) != 0)
		return NULL;
	if (task->in[length] == ' ')
		return task->in + length + 1;
	return task->in[length] == '\0' ? "" : NULL;
}

static int
faults_fail(const char *rest, struct pinion_answer *answer)
{
	char *text;
	int status = (int)strtol(rest, &text, 10);
	return pinion_fail(answer, status, *text == ' ' ? text + 1 : text);
}

static int
faults_huge(size_t length, struct pinion_answer *answer)
{
	char *text = pinion_reserve(&answer->out, length);
	if (text == NULL)
		return pinion_fail(answer, 1, "no memory for that");
	memset(text, 'x', length);
	answer->out.length += length;
	return 0;
}

static int
faults_grow(struct faults *self, size_t length, struct pinion_answer *answer)
{
	free(self->kept);
	self->kept = malloc(length);
	if (self->kept == NULL)
		return 1;
	memset(self->kept, 1, length);
	return pinion_append_str(&answer->out, "grown\n");
}

static int
faults_once(const char *path, struct pinion_answer *answer)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (fd != -1)
		faults_crash();
	return pinion_append_str(&answer->out, "second time\n");
}

static int
faults_who(const struct pinion_task *task, struct pinion_answer *answer)
{
	char text[80];
	snprintf(text, sizeof(text), "%llu %u %u\n", (unsigned long long)task->seq,
		 task->attempt, task->worker);
	return pinion_append_str(&answer->out, text);
}

static int
faults_values(const struct pinion_task *task, struct pinion_answer *answer)
{
	char text[32];
	snprintf(text, sizeof(text), "%zu", task->value_count);
	int status = pinion_append_str(&answer->out, text);
	for (size_t i = 0; i < task->value_count && status == 0; i++)
		status = pinion_append_str(&answer->out, " [") ||
			 pinion_append(&answer->out, task->values[i].bytes,
				       task->values[i].length) ||
			 pinion_append_str(&answer->out, "]");
	return status != 0 ? status : pinion_append_str(&answer->out, "\n");
}

static int
faults_signals(struct pinion_answer *answer)
{
	sigset_t blocked;
	char text[32];
	int count = 0;
	pthread_sigmask(SIG_SETMASK, NULL, &blocked);
	for (int i = 1; i < 32; i++)
		count += sigismember(&blocked, i) == 1;
	snprintf(text, sizeof(text), "%d\n", count);
	return pinion_append_str(&answer->out, text);
}

static int
faults_child(struct pinion_answer *answer)
{
	char text[32];
	pid_t pid = fork();
	if (pid == 0) {
		execlp("sleep", "sleep", "3600", NULL);
		_exit(127);
	}
	snprintf(text, sizeof(text), "%d\n", (int)pid);
	return pinion_append_str(&answer->out, text);
}

static int
faults_slow(struct pinion_answer *answer)
{
	struct timespec wait = {.tv_nsec = 30 * 1000 * 1000};
	return pinion_append_str(
	    &answer->out, nanosleep(&wait, NULL) == 0 ? "slept\n" : "interrupted\n");
}

static void
faults_make(const char *path)
{
	int fd = *path == '\0' ? -1 : open(path, O_WRONLY | O_CREAT, 0600);
	if (fd != -1)
		close(fd);
}

static int
faults_note(const struct pinion_task *task, const char *path, struct pinion_answer *answer)
{
	char text[32];
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT, 0600);
	int length = snprintf(text, sizeof(text), "%llu\n", (unsigned long long)task->seq);
	if (fd == -1 || write(fd, text, (size_t)length) != length)
		return pinion_fail(answer, 1, "cannot write");
	close(fd);
	return pinion_append_str(&answer->out, "noted\n");
}

/* Zeros into all that this process shares with others under that name, and its end. */
static void
faults_garble(const char *name)
{
	char line[512];
	unsigned long begin, end;
	FILE *maps = fopen("/proc/self/maps", "r");
	while (maps != NULL && fgets(line, sizeof(line), maps) != NULL)
		if (strstr(line, name) != NULL &&
		    sscanf(line, "%lx-%lx rw-s", &begin, &end) == 2)
			memset((void *)begin, 0, end - begin);
	kill(getpid(), SIGKILL);
}

/* What does not return. */
static void
faults_end(const struct pinion_task *task)
{
	const char *rest;
	if (faults_rest(task, "segv"))
		faults_crash();
	if (faults_rest(task, "abort"))
		abort();
	if ((rest = faults_rest(task, "exit")))
		exit(atoi(rest));
	if ((rest = faults_rest(task, "_exit")))
		_exit(atoi(rest));
	if ((rest = faults_rest(task, "garble")))
		faults_garble(rest);
	if (faults_rest(task, "thread-exit"))
		pthread_exit(NULL);
	if (faults_rest(task, "hang"))
		faults_hang();
}

static int
faults_task(const struct pinion_task *task, struct pinion_answer *answer)
{
	const char *rest;
	faults_end(task);
	if ((rest = faults_rest(task, "fail")))
		return faults_fail(rest, answer);
	if ((rest = faults_rest(task, "huge")))
		return faults_huge(strtoul(rest, NULL, 10), answer);
	if ((rest = faults_rest(task, "grow")))
		return faults_grow(task->state, strtoul(rest, NULL, 10), answer);
	if ((rest = faults_rest(task, "once")))
		return faults_once(rest, answer);
	if (faults_rest(task, "overrun"))
		return answer->out.length = answer->out.capacity + 1, 0;
	if ((rest = faults_rest(task, "print")))
		printf("%s\n", rest);
	if (faults_rest(task, "who"))
		return faults_who(task, answer);
	if (faults_rest(task, "values"))
		return faults_values(task, answer);
	if (faults_rest(task, "signals"))
		return faults_signals(answer);
	if ((rest = faults_rest(task, "note")))
		return faults_note(task, rest, answer);
	if ((rest = faults_rest(task, "child-hang"))) {
		faults_child(answer);
		faults_make(rest);
		faults_hang();
	}
	if ((rest = faults_rest(task, "await"))) {
		while (access(rest, F_OK) == -1)
			usleep(1000);
		return 4;
	}
	if (faults_rest(task, "child"))
		return faults_child(answer);
	if (faults_rest(task, "slow"))
		return faults_slow(answer);
	if ((rest = faults_rest(task, "env"))) {
		const char *value = getenv(rest);
		return pinion_append_str(&answer->out, value != NULL ? value : "unset") ||
		       pinion_append_str(&answer->out, "\n");
	}
	return pinion_append(&answer->out, task->in, task->in_bytes) ||
	       pinion_append_str(&answer->out, "\n");
}

/* The same for a chunk, and how many there were behind each answer. */
static int
faults_chunk(struct pinion_chunk *chunk)
{
	char text[32];
	snprintf(text, sizeof(text), "of %zu\n", chunk->count);
	for (size_t i = 0; i < chunk->count; i++) {
		struct pinion_answer *answer = chunk->answers[i];
		answer->status = faults_task(chunk->tasks[i], answer);
		if (strcmp(chunk->tasks[i]->in, "count") == 0)
			pinion_append_str(&answer->out, text);
		if (strcmp(chunk->tasks[i]->in, "fail-all") == 0)
			return 9;
	}
	return 0;
}

static void
faults_fini(void *state)
{
	struct faults *self = state;
	faults_log(self, "fini");
	if (self->at_end != NULL && strcmp(self->at_end, "fini-hang") == 0)
		faults_hang();
	if (self->at_end != NULL && strcmp(self->at_end, "fini-segv") == 0)
		faults_crash();
	free(self->kept);
	free(self);
}

const struct pinion_plugin pinion_plugin = {
    PINION_PLUGIN_HEAD,  .name = "faults",    .init = faults_init,
    .task = faults_task, .fini = faults_fini,
};

PINION_PLUGIN_DECLARE(chunked);
const struct pinion_plugin chunked = {
    PINION_PLUGIN_HEAD,  .flags = PINION_PLUGIN_CHUNK, .name = "chunked",
    .init = faults_init, .task_chunk = faults_chunk,   .fini = faults_fini,
};

/* Descriptors that no loader should take. */

PINION_PLUGIN_DECLARE(newer);
const struct pinion_plugin newer = {PINION_PLUGIN_MAGIC, PINION_PLUGIN_ABI + 1,
				    sizeof(struct pinion_plugin), .task = faults_task};

PINION_PLUGIN_DECLARE(flagged);
const struct pinion_plugin flagged = {PINION_PLUGIN_HEAD, .flags = 1U << 31,
				      .task = faults_task};

PINION_PLUGIN_DECLARE(idle);
const struct pinion_plugin idle = {PINION_PLUGIN_HEAD, .name = "idle"};

PINION_PLUGIN_DECLARE(idle_chunk);
const struct pinion_plugin idle_chunk = {PINION_PLUGIN_HEAD, .flags = PINION_PLUGIN_CHUNK,
					 .task = faults_task};

PINION_PLUGIN_DECLARE(cut);
const struct pinion_plugin cut = {PINION_PLUGIN_MAGIC, PINION_PLUGIN_ABI, 20,
				  .task = faults_task};

/* What an older header had: all up to task. */
PINION_PLUGIN_DECLARE(older);
const struct pinion_plugin older = {PINION_PLUGIN_MAGIC, PINION_PLUGIN_ABI,
				    offsetof(struct pinion_plugin, task_chunk),
				    .init = faults_init, .task = faults_task};

/* What a newer header might have: fields behind those we know. */
struct longer {
	struct pinion_plugin head;
	void (*more)(void);
};
extern const struct longer longer;
const struct longer longer = {.head = {PINION_PLUGIN_MAGIC, PINION_PLUGIN_ABI,
				       sizeof(struct longer), .name = "longer",
				       .task = faults_task}};

extern const uint32_t number;
const uint32_t number = 42;

int not_a_descriptor(void);
int
not_a_descriptor(void)
{
	return 0;
}
