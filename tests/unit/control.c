/* The socket of a run: its name, its lines, and clients that mean no good; and the other end, live. */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "runtime_folder.h"

#include "base/clock.h"
#include "base/io.h"
#include "ipc/sock.h"
#include "run/control.h"
#include "run/live.h"

#define LARGE_BYTES ((size_t)4 * 1024 * 1024)

struct fixture {
	struct loop *loop;
	struct control *control;
	struct control_request last;
	unsigned int count;
	unsigned int there_count;
	bool is_large; /* replies to status */
	struct err err;
};

static int
act(void *context, const struct control_request *request, struct buf *reply, struct err *err)
{
	struct fixture *f = context;
	f->last = *request;
	f->count++;
	if (request->verb == CONTROL_STOP)
		return err_set(err, ERR_USAGE, "not \"now\"");
	if (request->verb == CONTROL_STATUS && f->is_large) {
		assert_int_equal(buf_append_str(reply, ",\"x\":\""), 0);
		assert_int_equal(buf_reserve(reply, LARGE_BYTES), 0);
		memset(reply->bytes + reply->length, 'x', LARGE_BYTES);
		reply->length += LARGE_BYTES;
		return buf_append_char(reply, '"');
	}
	return buf_printf(reply, ",\"count\":%u", f->count);
}

static void
is_there(void *context, const char *path, ino_t inode)
{
	struct stat st;
	struct fixture *f = context;
	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(st.st_ino, inode);
	f->there_count++;
}

static struct control *
new_control(struct fixture *f, const char *name, bool is_given)
{
	struct control_config config = {.loop = f->loop,
					.name = name,
					.is_given = is_given,
					.context = f,
					.act = act,
					.is_there = is_there};
	struct control *control = control_new(&config, &f->err);
	assert_non_null(control);
	return control;
}

/* Turns the loop until the socket is there or cannot be. */
static void
open_control(struct fixture *f, struct control *control)
{
	while (control_turn_at(control) != CLOCK_NEVER) {
		assert_int_equal(loop_turn(f->loop, control_turn_at(control), &f->err), 0);
		control_turn(control);
	}
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	runtime_setup(state);
	f->loop = loop_new(&f->err);
	assert_non_null(f->loop);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	control_free(f->control);
	loop_free(f->loop);
	free(f);
	return runtime_teardown(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static void
start(struct fixture *f)
{
	f->control = new_control(f, "work", true);
	open_control(f, f->control);
	assert_true(runtime_has("pinion/work.run"));
	assert_int_equal(f->there_count, 1);
}

static int
join(void)
{
	struct sock_folder folder;
	assert_int_equal(sock_folder_make(&folder), 0);
	int fd = sock_connect(&folder, "work.run", NULL);
	assert_int_not_equal(fd, -1);
	sock_folder_close(&folder);
	return fd;
}

static void
say(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

/* The next line, while the loop turns; false: the end. */
static bool
hear(struct fixture *f, int fd, char *line, size_t line_bytes)
{
	for (size_t length = 0; length + 1 < line_bytes;) {
		ssize_t got = read(fd, line + length, 1);
		if (got == -1 && errno == EAGAIN)
			assert_int_equal(
			    loop_turn(f->loop, clock_now_ns() + NS_PER_MS, &f->err), 0);
		else if (got <= 0)
			return false;
		else if (line[length++] == '\n') {
			line[length - 1] = '\0';
			return true;
		}
	}
	return false;
}

static void
assert_answer(struct fixture *f, int fd, const char *question, const char *expected)
{
	char line[1024];
	say(fd, question);
	assert_true(hear(f, fd, line, sizeof(line)));
	assert_non_null(strstr(line, expected));
}

/* --- the socket --- */

static void
socket_comes_only_after_a_while(void **state)
{
	struct fixture *f = *state;
	int64_t begin_ns = clock_now_ns();
	f->control = new_control(f, "work", true);
	control_turn(f->control);
	assert_false(runtime_has("pinion"));
	assert_true(control_turn_at(f->control) >= begin_ns + CONTROL_DELAY_MS * NS_PER_MS);
	open_control(f, f->control);
	assert_true(runtime_has("pinion/work.run"));
}

static void
nothing_is_left_at_the_end(void **state)
{
	struct fixture *f = *state;
	start(f);
	control_free(f->control);
	f->control = NULL;
	assert_false(runtime_has("pinion"));
}

static void
run_that_is_over_soon_makes_nothing(void **state)
{
	struct fixture *f = *state;
	control_free(new_control(f, "work", true));
	assert_false(runtime_has("pinion"));
}

static void
names_are_numbered(void **state)
{
	struct fixture *f = *state;
	struct control *more[4];
	glob_t found;
	start(f);
	more[0] = new_control(f, "work", true);
	more[1] = new_control(f, "./zip-it {}", false);
	more[2] = new_control(f, "/bin/zip-it", false);
	more[3] = new_control(f, "", false);
	for (size_t i = 0; i < 4; i++)
		open_control(f, more[i]);
	assert_true(runtime_has("pinion/work-2.run"));
	assert_true(runtime_has("pinion/zip-it-1.run"));
	assert_true(runtime_has("pinion/zip-it-2.run"));
	/* Of that name a real run may be under way, in another folder of this user. */
	assert_int_equal(glob(runtime_path("pinion/run-*.run"), 0, NULL, &found), 0);
	globfree(&found);
	for (size_t i = 0; i < 4; i++)
		control_free(more[i]);
	assert_true(runtime_has("pinion/work.run"));
}

static void
name_of_a_killed_run_is_free(void **state)
{
	struct fixture *f = *state;
	struct sock_folder folder;
	assert_int_equal(sock_folder_make(&folder), 0);
	close(sock_listen(&folder, "work.run"));
	sock_folder_close(&folder);
	start(f);
	int fd = join();
	assert_answer(f, fd, "{\"do\":\"pause\"}\n", "\"name\":\"work\"");
	close(fd);
}

static void
file_that_is_another_run_s_by_now_stays(void **state)
{
	struct fixture *f = *state;
	start(f);
	assert_int_equal(unlink(runtime_path("pinion/work.run")), 0);
	int fd = open(runtime_path("pinion/work.run"), O_CREAT | O_EXCL | O_WRONLY, 0600);
	assert_int_not_equal(fd, -1);
	close(fd);
	control_free(f->control);
	f->control = NULL;
	assert_true(runtime_has("pinion/work.run"));
}

static void
folder_that_is_locked_for_a_moment_is_tried_again(void **state)
{
	struct fixture *f = *state;
	struct sock_folder folder;
	assert_int_equal(sock_folder_make(&folder), 0);
	assert_int_equal(sock_folder_lock(&folder), 0);
	f->control = new_control(f, "work", true);
	loop_turn(f->loop, control_turn_at(f->control), &f->err);
	control_turn(f->control);
	assert_false(runtime_has("pinion/work.run"));
	assert_int_not_equal(control_turn_at(f->control), CLOCK_NEVER);
	sock_folder_close(&folder);
	open_control(f, f->control);
	assert_true(runtime_has("pinion/work.run"));
}

static void
folder_that_stays_locked_is_given_up(void **state)
{
	struct fixture *f = *state;
	struct sock_folder folder;
	assert_int_equal(sock_folder_make(&folder), 0);
	assert_int_equal(sock_folder_lock(&folder), 0);
	f->control = new_control(f, "work", true);
	open_control(f, f->control);
	assert_false(runtime_has("pinion/work.run"));
	sock_folder_close(&folder);
}

/* --- lines --- */

static void
each_request_is_understood(void **state)
{
	struct fixture *f = *state;
	start(f);
	int fd = join();
	assert_answer(f, fd, "{\"do\":\"status\"}\n",
		      "{\"ok\":true,\"name\":\"work\",\"pid\":");
	assert_int_equal(f->last.verb, CONTROL_STATUS);
	assert_false(f->last.wants_workers);
	assert_answer(f, fd, "{\"do\":\"status\",\"workers\":true}\r\n", "\"count\":2}");
	assert_true(f->last.wants_workers);
	assert_answer(f, fd, " {\"count\": 12, \"do\": \"jobs\"} \n", "\"ok\":true");
	assert_int_equal(f->last.verb, CONTROL_JOBS);
	assert_int_equal(f->last.number, 12);
	assert_answer(f, fd, "{\"do\":\"cancel\"}\n", "\"ok\":true");
	assert_false(f->last.has_number);
	assert_answer(f, fd, "{\"do\":\"cancel\",\"seq\":9007199254740992}\n",
		      "\"ok\":true");
	assert_true(f->last.has_number);
	assert_true(f->last.number == UINT64_C(9007199254740992));
	for (int verb = 0; verb < CONTROL_VERBS; verb++)
		assert_non_null(control_verb_name((enum control_verb)verb));
	close(fd);
}

static void
what_makes_no_sense_is_answered_so(void **state)
{
	struct fixture *f = *state;
	static const char *const lines[] = {
	    "\n",
	    "x\n",
	    "[]\n",
	    "{\"do\":1}\n",
	    "{\"do\":\"dance\"}\n",
	    "{\"do\":\"jobs\"}\n",
	    "{\"do\":\"jobs\",\"count\":0}\n",
	    "{\"do\":\"jobs\",\"count\":1.5}\n",
	    "{\"do\":\"jobs\",\"count\":\"1\"}\n",
	    "{\"do\":\"cancel\",\"seq\":-1}\n",
	    "{\"do\":\"cancel\",\"seq\":1e300}\n",
	    "{\"do\":\"cancel\",\"seq\":1,\"stage\":0}\n",
	    "{\"do\":\"pause\"} x\n",
	    "{\"do\":\"pause\n",
	    "{\"do\":\"\xff\"}\n",
	};
	start(f);
	int fd = join();
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		assert_answer(f, fd, lines[i], "{\"ok\":false,\"error\":\"");
	assert_int_equal(f->count, 0);
	assert_answer(f, fd, "{\"do\":\"stop\"}\n",
		      "{\"ok\":false,\"error\":\"not \\\"now\\\"\"}");
	close(fd);
}

static void
several_lines_are_answered_in_order(void **state)
{
	struct fixture *f = *state;
	char line[1024];
	start(f);
	int fd = join();
	say(fd,
	    "{\"do\":\"pause\"}\n{\"do\":\"dance\"}\n{\"do\":\"resume\"}\n{\"do\":\"dr");
	assert_true(hear(f, fd, line, sizeof(line)));
	assert_non_null(strstr(line, "\"count\":1}"));
	assert_true(hear(f, fd, line, sizeof(line)));
	assert_non_null(strstr(line, "dance"));
	assert_true(hear(f, fd, line, sizeof(line)));
	assert_non_null(strstr(line, "\"count\":2}"));
	assert_answer(f, fd, "ain\"}\n", "\"count\":3}");
	assert_int_equal(f->last.verb, CONTROL_DRAIN);
	close(fd);
}

static void
who_asks_no_more_still_hears_the_answer(void **state)
{
	struct fixture *f = *state;
	char line[1024];
	start(f);
	int fd = join();
	say(fd, "{\"do\":\"pause\"}\n");
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	assert_true(hear(f, fd, line, sizeof(line)));
	assert_non_null(strstr(line, "\"ok\":true"));
	assert_false(hear(f, fd, line, sizeof(line)));
	close(fd);
}

/* --- clients that mean no good --- */

static void
endless_line_is_refused(void **state)
{
	struct fixture *f = *state;
	char line[1024];
	char many[CONTROL_LINE_BYTES + 1];
	start(f);
	int fd = join();
	memset(many, ' ', sizeof(many));
	assert_int_equal(write(fd, many, sizeof(many)), sizeof(many));
	assert_true(hear(f, fd, line, sizeof(line)));
	assert_non_null(strstr(line, "too long"));
	assert_false(hear(f, fd, line, sizeof(line)));
	close(fd);
	fd = join();
	assert_answer(f, fd, "{\"do\":\"pause\"}\n", "\"ok\":true");
	close(fd);
}

static void
who_does_not_read_holds_up_nobody(void **state)
{
	struct fixture *f = *state;
	start(f);
	f->is_large = true;
	int slow = join();
	say(slow, "{\"do\":\"status\"}\n{\"do\":\"status\"}\n");
	int fd = join();
	assert_answer(f, fd, "{\"do\":\"pause\"}\n", "\"ok\":true");
	assert_int_equal(f->count,
			 2); /* the second status waits for the first reply to be read */
	close(slow);
	assert_answer(f, fd, "{\"do\":\"pause\"}\n", "\"ok\":true");
	assert_int_equal(f->count, 3);
	close(fd);
}

static void
large_reply_comes_whole(void **state)
{
	struct fixture *f = *state;
	char bytes[65536] = {0};
	start(f);
	f->is_large = true;
	int fd = join();
	for (int i = 0; i < 2; i++) {
		size_t length = 0;
		ssize_t got = 0;
		say(fd, "{\"do\":\"status\"}\n");
		while (got <= 0 || bytes[got - 1] != '\n') {
			assert_int_equal(
			    loop_turn(f->loop, clock_now_ns() + NS_PER_MS, &f->err), 0);
			got = read(fd, bytes, sizeof(bytes));
			assert_true(got > 0 || (got == -1 && errno == EAGAIN));
			length += got > 0 ? (size_t)got : 0;
		}
		assert_true(length > LARGE_BYTES);
	}
	close(fd);
}

static void
of_too_many_clients_the_first_goes(void **state)
{
	struct fixture *f = *state;
	char line[1024];
	int fds[CONTROL_CLIENTS_MAX + 1];
	start(f);
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX + 1; i++) {
		fds[i] = join();
		assert_answer(f, fds[i], "{\"do\":\"pause\"}\n", "\"ok\":true");
	}
	assert_false(hear(f, fds[0], line, sizeof(line)));
	assert_answer(f, fds[1], "{\"do\":\"pause\"}\n", "\"ok\":true");
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX + 1; i++)
		close(fds[i]);
}

static void
clients_that_are_there_at_the_end_are_hung_up_on(void **state)
{
	struct fixture *f = *state;
	char line[1024];
	start(f);
	int fd = join();
	assert_answer(f, fd, "{\"do\":\"pause\"}\n", "\"ok\":true");
	control_free(f->control);
	f->control = NULL;
	assert_false(hear(f, fd, line, sizeof(line)));
	close(fd);
}

static void
other_users_are_told_so(void **state)
{
	struct fixture *f = *state;
	if (geteuid() != 0)
		skip(); /* nobody else to be */
	start(f);
	assert_int_equal(chmod(getenv("XDG_RUNTIME_DIR"), 0755), 0);
	assert_int_equal(chmod(runtime_path("pinion"), 0755), 0);
	assert_int_equal(chmod(runtime_path("pinion/work.run"), 0666), 0);
	pid_t pid = child_fork();
	if (pid == 0) {
		struct sockaddr_un address = {.sun_family = AF_UNIX};
		char line[256];
		size_t length = 0;
		ssize_t got;
		strcpy(address.sun_path, runtime_path("pinion/work.run"));
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);
		if (setresuid(65534, 65534, 65534) == -1 ||
		    connect(fd, (struct sockaddr *)&address, sizeof(address)) == -1)
			_exit(2);
		sock_send(fd, "{\"do\":\"stop\"}\n", 14); /* unless it has hung up already */
		while (length < sizeof(line) - 1 &&
		       (got = read(fd, line + length, sizeof(line) - 1 - length)) > 0)
			length += (size_t)got;
		line[length] = '\0';
		_exit(strcmp(line, "{\"ok\":false,\"error\":\"this run is another "
				   "user's\"}\n") == 0
			  ? 0
			  : 1);
	}
	int status;
	while (waitpid(pid, &status, WNOHANG) == 0)
		assert_int_equal(loop_turn(f->loop, clock_now_ns() + NS_PER_MS, &f->err),
				 0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(f->count, 0);
}

/* --- the other end --- */

/* A process that serves these names until it is killed; they are there when it returns. */
static pid_t
serve(struct fixture *f, const char *const *names, size_t count)
{
	int fds[2];
	char byte;
	assert_int_equal(pipe(fds), 0);
	pid_t pid = child_fork();
	if (pid == 0) {
		struct control *controls[8];
		for (size_t i = 0; i < count; i++)
			controls[i] = new_control(f, names[i], true);
		for (size_t i = 0; i < count; i++)
			open_control(f, controls[i]);
		if (write(fds[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			loop_turn(f->loop, CLOCK_NEVER, &f->err);
	}
	close(fds[1]);
	assert_int_equal(read(fds[0], &byte, 1), 1);
	close(fds[0]);
	return pid;
}

/* Others of this machine's may be in other folders: who of ours is there. */
static const struct live_run *
find(const struct live *live, const char *name)
{
	for (size_t i = 0; i < live->count; i++)
		if (strcmp(live->runs[i].name, name) == 0)
			return &live->runs[i];
	return NULL;
}

static void
live_runs_are_found_and_asked(void **state)
{
	struct fixture *f = *state;
	static const char *const names[] = {"test-live-10", "test-live-9"};
	struct live live;
	pid_t pid = serve(f, names, 2);
	assert_int_equal(live_open(&live, NULL, &f->err), 0);
	assert_true(find(&live, "test-live-9") + 1 == find(&live, "test-live-10"));
	assert_int_equal(live_ask(&live, "{\"do\":\"pause\"}\n", &f->err), 0);
	assert_true(find(&live, "test-live-9")->has_replied);
	assert_int_equal(find(&live, "test-live-9")->pid, pid);
	assert_non_null(strstr(find(&live, "test-live-10")->reply.bytes, "\"ok\":true"));
	live_close(&live);
	assert_int_equal(live_open(&live, "test-live-9", &f->err), 0);
	assert_int_equal(live.count, 1);
	live_close(&live);
	assert_int_equal(live_open(&live, "test-live-1", &f->err), 0);
	assert_int_equal(live.count, 0);
	live_close(&live);
	kill(pid, SIGKILL);
	assert_child_dies_of(pid, SIGKILL);
}

/* With each number of descriptors, from none to enough: all, or an error. */
static void
runs_that_cannot_be_looked_at_are_not_none(void **state)
{
	struct fixture *f = *state;
	static const char *const names[] = {"test-live-1", "test-live-2"};
	struct rlimit limit, old;
	bool is_found = false;
	pid_t pid = serve(f, names, 2);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	limit = old;
	int fd = dup(STDERR_FILENO); /* the first that is free */
	close(fd);
	for (limit.rlim_cur = (rlim_t)fd; !is_found; limit.rlim_cur++) {
		struct live live;
		setrlimit(RLIMIT_NOFILE, &limit);
		int status = live_open(&live, NULL, &f->err);
		setrlimit(RLIMIT_NOFILE, &old);
		if (status == 0) {
			is_found = true;
			assert_non_null(find(&live, "test-live-1"));
			assert_non_null(find(&live, "test-live-2"));
			live_close(&live);
		} else {
			assert_non_null(strstr(f->err.text, "Too many open files"));
		}
	}
	assert_true(limit.rlim_cur > (rlim_t)fd + 3);
	kill(pid, SIGKILL);
	assert_child_dies_of(pid, SIGKILL);
}

static void
who_is_stopped_is_waited_for_only_so_long(void **state)
{
	struct fixture *f = *state;
	static const char *const names[] = {"test-stopped"};
	struct live live;
	pid_t pid = serve(f, names, 1);
	int status;
	kill(pid, SIGSTOP);
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	int64_t begin_ns = clock_now_ns();
	assert_int_equal(live_open(&live, "test-stopped", &f->err), 0);
	assert_int_equal(live_ask(&live, "{\"do\":\"pause\"}\n", &f->err), 0);
	assert_true(clock_now_ns() - begin_ns >= LIVE_PATIENCE_MS * NS_PER_MS);
	assert_false(find(&live, "test-stopped")->has_replied);
	assert_int_equal(find(&live, "test-stopped")->pid, pid);
	live_close(&live);
	kill(pid, SIGKILL);
	assert_child_dies_of(pid, SIGKILL);
}

static void
sockets_of_killed_runs_are_removed_by_who_looks(void **state)
{
	struct fixture *f = *state;
	static const char *const names[] = {"test-killed"};
	struct live live;
	pid_t pid = serve(f, names, 1);
	kill(pid, SIGKILL);
	assert_child_dies_of(pid, SIGKILL);
	assert_true(runtime_has("pinion/test-killed.run"));
	assert_int_equal(live_open(&live, NULL, &f->err), 0);
	assert_null(find(&live, "test-killed"));
	live_close(&live);
	assert_false(runtime_has("pinion"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(socket_comes_only_after_a_while),
	    TEST(nothing_is_left_at_the_end),
	    TEST(run_that_is_over_soon_makes_nothing),
	    TEST(names_are_numbered),
	    TEST(name_of_a_killed_run_is_free),
	    TEST(file_that_is_another_run_s_by_now_stays),
	    TEST(folder_that_is_locked_for_a_moment_is_tried_again),
	    TEST(folder_that_stays_locked_is_given_up),
	    TEST(each_request_is_understood),
	    TEST(what_makes_no_sense_is_answered_so),
	    TEST(several_lines_are_answered_in_order),
	    TEST(who_asks_no_more_still_hears_the_answer),
	    TEST(endless_line_is_refused),
	    TEST(who_does_not_read_holds_up_nobody),
	    TEST(large_reply_comes_whole),
	    TEST(of_too_many_clients_the_first_goes),
	    TEST(clients_that_are_there_at_the_end_are_hung_up_on),
	    TEST(other_users_are_told_so),
	    TEST(live_runs_are_found_and_asked),
	    TEST(runs_that_cannot_be_looked_at_are_not_none),
	    TEST(who_is_stopped_is_waited_for_only_so_long),
	    TEST(sockets_of_killed_runs_are_removed_by_who_looks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
