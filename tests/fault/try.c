/*
 * try.c: runs a command, with the library that makes one of pinion's calls fail, and says on
 * descriptor 3 what came of it, as variables for a shell:
 *
 *   end='exited 0' fired=1 left='' trace='0x1234 0x2345'
 *
 * end: exited STATUS, killed SIGNAL, hung, or stormed (it went on starting processes). fired: how
 * often the call was made to fail. left: what still lived two seconds after the end; the pids and
 * names. Nothing lives on after us, as all orphans come to us.
 *
 *   try LIBRARY PAGE LIMIT_S COMMAND...                                   no call fails
 *   try -f CALL,ERRNO,WHO,HOW,N LIBRARY PAGE LIMIT_S COMMAND...           WHO: coordinator, others;
 *                                                                         HOW: once, on;
 *                                                                         ERRNO may be KILL, SHORT
 *   try -c LIBRARY PAGE LIMIT_S COMMAND...    instead of variables: how often each call was made:
 *                                             CALL WHO COUNT
 */
#include "fail.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_FD 3
#define LEFT_LIMIT_NS (2 * INT64_C(1000000000))

#define FAULT_NAME(name) #name,
static const char *const call_names[] = {FAULT_CALLS(FAULT_NAME)};
static const char *const who_names[] = {"coordinator", "others"};

static _Noreturn void
fail(const char *what)
{
	fprintf(stderr, "try: %s: %s\n", what, strerror(errno));
	exit(125);
}

static int64_t
now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static int
index_of(const char *name, const char *const *names, int count)
{
	for (int i = 0; i < count; i++)
		if (name != NULL && strcmp(name, names[i]) == 0)
			return i;
	errno = EINVAL;
	fail(name != NULL ? name : "-f needs CALL,ERRNO,WHO,HOW,N");
}

static int
errno_of(const char *name)
{
	if (name != NULL && strcmp(name, "KILL") == 0)
		return FAULT_DEATH;
	if (name != NULL && strcmp(name, "SHORT") == 0)
		return FAULT_SHORT;
	for (int i = 1; i < 200; i++) {
		const char *known = strerrorname_np(i);
		if (name != NULL && known != NULL && strcmp(name, known) == 0)
			return i;
	}
	errno = EINVAL;
	fail("no such errno");
}

static void
take_order(struct fault_page *page, char *order)
{
	const char *how, *at;
	page->call = index_of(strtok(order, ","), call_names, FAULT_CALL_COUNT);
	page->errno_value = errno_of(strtok(NULL, ","));
	page->who = index_of(strtok(NULL, ","), who_names, FAULT_WHO_COUNT);
	how = strtok(NULL, ",");
	page->is_for_good = how != NULL && strcmp(how, "on") == 0;
	at = strtok(NULL, ",");
	page->at = at != NULL ? (uint32_t)strtoul(at, NULL, 10) : 0;
}

static struct fault_page *
map_page(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd == -1 || ftruncate(fd, FAULT_PAGE_BYTES) == -1)
		fail(path);
	void *page =
	    mmap(NULL, FAULT_PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED)
		fail(path);
	close(fd);
	return page;
}

/* The command, with our signal mask put back. */
static pid_t
start(char **argv, const char *library, const char *page_path, const sigset_t *mask)
{
	pid_t pid = fork();
	if (pid == -1)
		fail("fork");
	if (pid > 0)
		return pid;
	sigprocmask(SIG_SETMASK, mask, NULL);
	setenv("LD_PRELOAD", library, 1);
	setenv(FAULT_PAGE_VARIABLE, page_path, 1);
	close(ANSWER_FD);
	execvp(argv[0], argv);
	fail(argv[0]);
}

/* Takes the ends of children until `pid` is among them, if given, or there are none; false: time is up. */
static bool
reap(pid_t pid, int *status, int64_t until_ns, const sigset_t *child)
{
	for (;;) {
		int one;
		pid_t gone = waitpid(-1, &one, WNOHANG);
		if (gone == -1)
			return true;
		if (gone == pid) {
			*status = one;
			return true;
		}
		int64_t left_ns = until_ns - now_ns();
		if (gone > 0)
			continue;
		if (left_ns <= 0)
			return false;
		struct timespec wait = {.tv_sec = left_ns / 1000000000,
					.tv_nsec = left_ns % 1000000000};
		sigtimedwait(child, NULL, &wait);
	}
}

static void
name_of(int pid, char *name, size_t size)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	FILE *file = fopen(path, "re");
	if (file == NULL || fgets(name, (int)size, file) == NULL)
		snprintf(name, size, "?");
	name[strcspn(name, "\n'")] = '\0';
	if (file != NULL)
		fclose(file);
}

/* Kills our children, and tells their names if it is asked to; false: there are none. */
static bool
kill_children(FILE *answer)
{
	bool has_any = false;
	char path[64];
	int pid;
	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	FILE *children = fopen(path, "re");
	if (children == NULL)
		fail(path);
	while (fscanf(children, "%d", &pid) == 1) {
		char name[64];
		name_of(pid, name, sizeof(name));
		if (answer != NULL)
			fprintf(answer, "%d:%s ", pid, name);
		kill(pid, SIGKILL);
		has_any = true;
	}
	fclose(children);
	return has_any;
}

static void
print_counts(FILE *answer, const struct fault_page *page)
{
	for (int call = 0; call < FAULT_CALL_COUNT; call++)
		for (int who = 0; who < FAULT_WHO_COUNT; who++)
			if (page->counts[call][who] > 0)
				fprintf(answer, "%s %s %u\n", call_names[call],
					who_names[who], page->counts[call][who]);
}

int
main(int argc, char **argv)
{
	char *order = NULL;
	bool is_counting = false;
	int option;
	while ((option = getopt(argc, argv, "+f:c")) != -1) {
		if (option == '?')
			return 125;
		if (option == 'c')
			is_counting = true;
		else
			order = optarg;
	}
	if (argc - optind < 4) {
		fputs("usage: try [-c] [-f CALL,ERRNO,WHO,HOW,N] LIBRARY PAGE LIMIT_S "
		      "COMMAND...\n",
		      stderr);
		return 125;
	}
	argv += optind;
	struct fault_page *page = map_page(argv[1]);
	if (order != NULL)
		take_order(page, order);

	FILE *answer = fdopen(ANSWER_FD, "w");
	if (answer == NULL)
		fail("descriptor 3");
	sigset_t child, mask;
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, &mask);
	prctl(PR_SET_CHILD_SUBREAPER, 1);

	int status = 0;
	pid_t pid = start(argv + 3, argv[0], argv[1], &mask);
	int64_t limit_ns = strtol(argv[2], NULL, 10) * INT64_C(1000000000);
	bool has_ended = reap(pid, &status, now_ns() + limit_ns, &child);
	if (page->fork_count > FAULT_FORKS_MAX) {
		fputs("end=stormed ", answer);
	} else if (!has_ended) {
		fputs("end=hung ", answer);
	} else if (WIFEXITED(status)) {
		fprintf(answer, "end='exited %d' ", WEXITSTATUS(status));
	} else {
		fprintf(answer, "end='killed %d' ", WTERMSIG(status));
	}
	if (!has_ended)
		kill(pid, SIGKILL);
	fputs("left='", answer);
	if (!reap(-1, &status, now_ns() + LEFT_LIMIT_NS, &child))
		kill_children(answer);
	/* Their children come to us, too. */
	while (!reap(-1, &status, now_ns() + LEFT_LIMIT_NS / 20, &child))
		kill_children(NULL);
	fprintf(answer, "' fired=%u trace='", page->fired_count);
	for (int i = 0; i < FAULT_TRACE_FRAMES; i++)
		if (page->trace[i] != 0)
			fprintf(answer, "%#lx ", (unsigned long)page->trace[i]);
	fputs("'\n", answer);
	if (is_counting)
		print_counts(answer, page);
	return fclose(answer) == 0 ? 0 : 125;
}
