/* tree.c: see tree.h. No allocation, no stdio: it also runs in a signal handler. */
#include "pool/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TREE_CHILDREN_MAX \
	512 /* looked at per process and reading; the next reading sees the rest */
#define TREE_DEPTH_MAX 48
#define TREE_LIST_MAX 4096    /* signalled in one reading */
#define TREE_VISIT_MAX 256    /* processes */
#define TREE_EMPTY_READINGS 3 /* one empty reading may be wrong while siblings exit */
#define TREE_KILL_TRIES 400
#define TREE_PAUSE_NS 5000000L
#define TREE_EMPTY_PAUSE_NS \
	500000L /* what is just exiting has its children handed on by then */

struct tree_path {
	char text[96];
	size_t length;
};

static void
tree_path_add(struct tree_path *path, const char *text)
{
	size_t length = strlen(text);
	if (path->length + length >= sizeof(path->text))
		return;
	memcpy(path->text + path->length, text, length + 1);
	path->length += length;
}

static void
tree_path_add_number(struct tree_path *path, uint64_t number)
{
	char digits[24];
	size_t at = sizeof(digits) - 1;
	digits[at] = '\0';
	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	tree_path_add(path, digits + at);
}

/*
 * Whether the numbers in /proc are those that kill takes: not where it belongs to another
 * namespace of processes, in which they are somebody else's.
 */
static bool
tree_is_ours(void)
{
	char digits[24];
	pid_t number = 0;
	ssize_t length = readlink("/proc/self", digits, sizeof(digits));
	for (ssize_t i = 0; i < length; i++)
		number = number * 10 + (digits[i] - '0');
	return number == getpid();
}

static int
tree_open(pid_t pid, const char *name, int flags)
{
	struct tree_path path = {.length = 0};
	if (!tree_is_ours()) {
		errno = ENOENT;
		return -1;
	}
	tree_path_add(&path, "/proc/");
	tree_path_add_number(&path, (uint64_t)pid);
	tree_path_add(&path, name);
	return open(path.text, flags | O_CLOEXEC);
}

static ssize_t
tree_read(int fd, char *bytes, size_t length)
{
	ssize_t got;
	do
		got = read(fd, bytes, length);
	while (got == -1 && errno == EINTR);
	return got;
}

/* Entries of a /proc folder whose names are numbers. */
struct tree_dir {
	int fd;
	long length;
	long at;
	char bytes[2048] __attribute__((aligned(8)));
};

struct tree_dirent {
	uint64_t inode;
	int64_t offset;
	unsigned short record_bytes;
	unsigned char type;
	char name[];
};

/* The next number, 0 at the end. */
static pid_t
tree_dir_next(struct tree_dir *dir)
{
	for (;;) {
		if (dir->at >= dir->length) {
			dir->length = syscall(SYS_getdents64, dir->fd, dir->bytes,
					      sizeof(dir->bytes));
			dir->at = 0;
			if (dir->length <= 0)
				return 0;
		}
		struct tree_dirent *entry = (struct tree_dirent *)(dir->bytes + dir->at);
		dir->at += entry->record_bytes;
		pid_t number = 0;
		for (const char *c = entry->name; *c >= '0' && *c <= '9'; c++)
			number = number * 10 + (*c - '0');
		if (number > 0)
			return number;
	}
}

struct tree_process {
	char state; /* as in its stat file; 0: gone */
	pid_t parent;
	pid_t group;
};

/* A number and the blank behind it. */
static pid_t
tree_number(const char **at)
{
	pid_t number = 0;
	while (**at >= '0' && **at <= '9')
		number = number * 10 + (*(*at)++ - '0');
	*at += **at == ' ';
	return number;
}

static struct tree_process
tree_stat(pid_t pid)
{
	struct tree_process process = {.state = 0};
	char bytes[512];
	int fd = tree_open(pid, "/stat", O_RDONLY);
	if (fd == -1)
		return process;
	ssize_t got = tree_read(fd, bytes, sizeof(bytes) - 1);
	close(fd);
	bytes[got > 0 ? got : 0] = '\0';
	const char *end = strrchr(bytes, ')'); /* the name before it may hold anything */
	if (end == NULL || strlen(end) < 5)
		return process;
	process.state = end[2];
	const char *at = end + 4;
	process.parent = tree_number(&at);
	process.group = tree_number(&at);
	return process;
}

/* The numbers in one "children" file. False when there is no such file. */
static bool
tree_children_file(pid_t pid, pid_t thread, pid_t *pids, size_t max, size_t *count)
{
	struct tree_path name = {.length = 0};
	tree_path_add(&name, "/task/");
	tree_path_add_number(&name, (uint64_t)thread);
	tree_path_add(&name, "/children");
	int fd = tree_open(pid, name.text, O_RDONLY);
	if (fd == -1)
		return false;
	char bytes[1024];
	ssize_t got;
	pid_t number = 0;
	while ((got = tree_read(fd, bytes, sizeof(bytes))) > 0) {
		for (ssize_t i = 0; i < got; i++) {
			if (bytes[i] >= '0' && bytes[i] <= '9') {
				number = number * 10 + (bytes[i] - '0');
				continue;
			}
			if (number > 0 && (*count)++ < max)
				pids[*count - 1] = number;
			number = 0;
		}
	}
	close(fd);
	return true;
}

static size_t
tree_children_by_scan(pid_t pid, pid_t *pids, size_t max)
{
	size_t count = 0;
	struct tree_dir dir = {.fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
	if (dir.fd == -1)
		return 0;
	pid_t other;
	while ((other = tree_dir_next(&dir)) != 0) {
		struct tree_process process = tree_stat(other);
		if (process.state != 0 && process.parent == pid && count++ < max)
			pids[count - 1] = other;
	}
	close(dir.fd);
	return count;
}

static size_t
tree_children_of(pid_t pid, pid_t *pids, size_t max)
{
	size_t count = 0;
	bool has_files = false;
	struct tree_dir dir = {.fd = tree_open(pid, "/task", O_RDONLY | O_DIRECTORY)};
	if (dir.fd == -1)
		return 0;
	pid_t thread;
	while ((thread = tree_dir_next(&dir)) != 0)
		has_files |= tree_children_file(pid, thread, pids, max, &count);
	close(dir.fd);
	return has_files ? count : tree_children_by_scan(pid, pids, max);
}

size_t
tree_children(pid_t *pids, size_t max)
{
	return tree_children_of(getpid(), pids, max);
}

struct tree_visit {
	void (*visit)(void *context, pid_t thread);
	void *context;
	size_t process_count;
};

static void
tree_visit_process(struct tree_visit *to, pid_t pid, int depth)
{
	pid_t children[TREE_CHILDREN_MAX / 4];
	struct tree_dir dir = {.fd = tree_open(pid, "/task", O_RDONLY | O_DIRECTORY)};
	if (dir.fd == -1)
		return;
	pid_t thread;
	while ((thread = tree_dir_next(&dir)) != 0)
		to->visit(to->context, thread);
	close(dir.fd);
	size_t count = tree_children_of(pid, children, TREE_CHILDREN_MAX / 4);
	for (size_t i = 0; i < count && i < TREE_CHILDREN_MAX / 4; i++)
		if (depth < TREE_DEPTH_MAX && to->process_count++ < TREE_VISIT_MAX)
			tree_visit_process(to, children[i], depth + 1);
}

void
tree_visit_threads(pid_t pid, void (*visit)(void *context, pid_t thread), void *context)
{
	struct tree_visit to = {.visit = visit, .context = context};
	tree_visit_process(&to, pid, 0);
}

/* Looks for one string at the starts of the strings of an environment, fed byte by byte. */
struct tree_match {
	const char *pattern;
	size_t matched;
	bool is_prefix;   /* more may follow the pattern */
	bool is_possible; /* so far this string matches */
	bool is_found;
};

static void
tree_match_feed(struct tree_match *match, char c)
{
	char wanted = match->pattern[match->matched];
	if (match->is_possible && wanted == '\0' && (c == '\0' || match->is_prefix))
		match->is_found = true;
	if (c == '\0') {
		match->matched = 0;
		match->is_possible = true;
	} else if (match->is_possible && wanted == c) {
		match->matched++;
	} else {
		match->is_possible = false;
	}
}

/* True when the environment names our run and a task that is not `seq`. */
static bool
tree_is_of_other_task(pid_t pid, const struct tree_rule *rule)
{
	struct tree_path run = {.length = 0};
	struct tree_path seq = {.length = 0};
	tree_path_add(&run, "PINION_RUN=");
	tree_path_add(&run, rule->run);
	tree_path_add(&seq, "PINION_SEQ=");
	tree_path_add_number(&seq, rule->seq);
	struct tree_match is_ours = {.pattern = run.text, .is_possible = true};
	struct tree_match is_task = {
	    .pattern = "PINION_SEQ=", .is_possible = true, .is_prefix = true};
	struct tree_match is_meant = {.pattern = seq.text, .is_possible = true};
	int fd = tree_open(pid, "/environ", O_RDONLY);
	if (fd == -1)
		return false;
	char bytes[1024];
	ssize_t got;
	while ((got = tree_read(fd, bytes, sizeof(bytes))) > 0) {
		for (ssize_t i = 0; i < got; i++) {
			tree_match_feed(&is_ours, bytes[i]);
			tree_match_feed(&is_task, bytes[i]);
			tree_match_feed(&is_meant, bytes[i]);
		}
	}
	close(fd);
	return is_ours.is_found && is_task.is_found && !is_meant.is_found;
}

static bool
tree_is_spared(pid_t child, const struct tree_rule *rule)
{
	for (size_t i = 0; i < rule->spared_count; i++)
		if (rule->spared[i] == child)
			return true;
	return rule->run != NULL && tree_is_of_other_task(child, rule);
}

/* Who is to have the signal, parents before children. */
struct tree_list {
	pid_t pids[TREE_LIST_MAX];
	size_t count;
	size_t alive; /* found in all, those of the group too */
};

/* Adds `pid` and all below it. The group `pgid` is not listed: it has a signal of its own. */
static void
tree_gather(struct tree_list *list, pid_t pid, pid_t pgid, int depth)
{
	pid_t children[TREE_CHILDREN_MAX / 4];
	struct tree_process process = tree_stat(pid);
	if (process.state == 0 || depth > TREE_DEPTH_MAX)
		return;
	bool is_alive = process.state != 'Z' && process.state != 'X';
	list->alive += is_alive;
	if (is_alive && process.group != pgid && list->count < TREE_LIST_MAX)
		list->pids[list->count++] = pid;
	size_t count = tree_children_of(pid, children, TREE_CHILDREN_MAX / 4);
	for (size_t i = 0; i < count && i < TREE_CHILDREN_MAX / 4; i++)
		tree_gather(list, children[i], pgid, depth + 1);
}

size_t
tree_signal(pid_t pgid, int signal, const struct tree_rule *rule)
{
	pid_t children[TREE_CHILDREN_MAX];
	struct tree_list list;
	list.count = list.alive = 0;
	size_t count = tree_children(children, TREE_CHILDREN_MAX);
	for (size_t i = 0; i < count && i < TREE_CHILDREN_MAX; i++)
		if (!tree_is_spared(children[i], rule))
			tree_gather(&list, children[i], pgid, 0);
	/* Only now: whoever dies hands its children on, and they would be missed. */
	if (signal != 0 && pgid > 1)
		kill(-pgid, signal);
	for (size_t i = 0; signal != 0 && i < list.count; i++)
		kill(list.pids[i], signal);
	return list.alive;
}

size_t
tree_count(const struct tree_rule *rule)
{
	return tree_signal(0, 0, rule);
}

static void
tree_reap(const struct tree_rule *rule, pid_t keep_pid)
{
	pid_t children[TREE_CHILDREN_MAX];
	size_t count = tree_children(children, TREE_CHILDREN_MAX);
	for (size_t i = 0; i < count && i < TREE_CHILDREN_MAX; i++)
		if (children[i] != keep_pid && !tree_is_spared(children[i], rule))
			waitpid(children[i], NULL, WNOHANG);
}

void
tree_kill(pid_t pgid, const struct tree_rule *rule, pid_t keep_pid)
{
	int empty_readings = 0;
	for (int i = 0; i < TREE_KILL_TRIES; i++) {
		size_t alive = tree_signal(pgid, SIGKILL, rule);
		tree_reap(rule, keep_pid);
		empty_readings = alive == 0 ? empty_readings + 1 : 0;
		if (empty_readings == TREE_EMPTY_READINGS)
			return;
		struct timespec pause = {.tv_nsec = alive == 0 ? TREE_EMPTY_PAUSE_NS
							       : TREE_PAUSE_NS};
		nanosleep(&pause, NULL);
	}
}
