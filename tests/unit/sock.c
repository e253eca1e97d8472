/* The folder of this user's sockets, and who is let in. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "runtime_folder.h"

#include "base/io.h"
#include "ipc/sock.h"

#define NOBODY 65534

static struct sock_folder
make(void)
{
	struct sock_folder folder;
	assert_int_equal(sock_folder_make(&folder), 0);
	return folder;
}

/* A socket whose process was killed. */
static void
leave_stale(const struct sock_folder *folder, const char *name)
{
	pid_t pid = child_fork();
	if (pid == 0) {
		sock_listen(folder, name);
		raise(SIGKILL);
	}
	assert_child_dies_of(pid, SIGKILL);
	assert_true(sock_exists(folder, name));
}

static void
folder_is_made_for_us_alone(void **state)
{
	struct stat st;
	(void)state;
	struct sock_folder folder = make();
	assert_string_equal(folder.path, runtime_path("pinion"));
	assert_int_equal(fstat(folder.fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(st.st_uid, geteuid());
	sock_folder_close(&folder);
}

/* Then there is another one, in /run/user or /tmp. */
static void
folder_that_others_may_enter_is_not_used(void **state)
{
	(void)state;
	assert_int_equal(mkdir(runtime_path("pinion"), 0700), 0);
	assert_int_equal(chmod(runtime_path("pinion"), 0750), 0);
	struct sock_folder folder = make();
	assert_string_not_equal(folder.path, runtime_path("pinion"));
	sock_folder_remove(&folder); /* unless others have something there */
	sock_folder_close(&folder);
}

static void
link_in_place_of_the_folder_is_not_followed(void **state)
{
	char target[4096];
	(void)state;
	snprintf(target, sizeof(target), "%s", runtime_path("target"));
	assert_int_equal(mkdir(target, 0700), 0);
	assert_int_equal(symlink(target, runtime_path("pinion")), 0);
	struct sock_folder folder = make();
	assert_string_not_equal(folder.path, runtime_path("pinion"));
	sock_folder_remove(&folder); /* unless others have something there */
	sock_folder_close(&folder);
}

static void
runtime_folder_that_others_may_write_to_is_not_used(void **state)
{
	(void)state;
	assert_int_equal(chmod(getenv("XDG_RUNTIME_DIR"), 0777), 0);
	struct sock_folder folder = make();
	assert_string_not_equal(folder.path, runtime_path("pinion"));
	sock_folder_remove(&folder); /* unless others have something there */
	sock_folder_close(&folder);
}

static void
folder_in_use_is_not_removed(void **state)
{
	(void)state;
	struct sock_folder folder = make();
	int fd = sock_listen(&folder, "a");
	assert_int_not_equal(fd, -1);
	sock_folder_remove(&folder);
	assert_true(runtime_has("pinion/a"));
	sock_remove(&folder, "a");
	sock_folder_remove(&folder);
	assert_false(runtime_has("pinion"));
	close(fd);
	sock_folder_close(&folder);
}

static void
lock_is_one_process_s(void **state)
{
	(void)state;
	struct sock_folder folder = make();
	struct sock_folder other = make();
	assert_int_equal(sock_folder_lock(&folder), 0);
	assert_int_equal(sock_folder_lock(&other), -1);
	assert_int_equal(errno, EWOULDBLOCK);
	sock_folder_unlock(&folder);
	assert_int_equal(sock_folder_lock(&other), 0);
	sock_folder_close(&other);
	assert_int_equal(sock_folder_lock(&folder), 0);
	sock_folder_close(&folder);
}

static void
who_connects_is_told_who_listens(void **state)
{
	bool is_ours = false;
	pid_t pid = 0;
	(void)state;
	struct sock_folder folder = make();
	int listen_fd = sock_listen(&folder, "a");
	int fd = sock_connect(&folder, "a", &pid);
	assert_int_not_equal(fd, -1);
	assert_int_equal(pid, getpid());
	int accepted_fd = sock_accept(listen_fd, &is_ours);
	assert_int_not_equal(accepted_fd, -1);
	assert_true(is_ours);
	assert_int_equal(sock_accept(listen_fd, &is_ours), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(write(fd, "x", 1), 1);
	char byte;
	assert_int_equal(read(accepted_fd, &byte, 1), 1);
	close(accepted_fd);
	close(fd);
	close(listen_fd);
	sock_folder_close(&folder);
}

static void
umask_keeps_nobody_out(void **state)
{
	(void)state;
	mode_t before = umask(0777);
	struct sock_folder folder = {.fd = -1};
	struct stat st;
	umask(0077);
	folder = make();
	umask(0777);
	int listen_fd = sock_listen(&folder, "a");
	umask(before);
	assert_int_not_equal(listen_fd, -1);
	assert_int_equal(fstatat(folder.fd, "a", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	close(listen_fd);
	sock_folder_close(&folder);
}

static void
stale_socket_makes_room_and_a_live_one_does_not(void **state)
{
	(void)state;
	struct sock_folder folder = make();
	leave_stale(&folder, "a");
	assert_int_equal(sock_connect(&folder, "a", NULL), -1);
	assert_int_equal(errno, ECONNREFUSED);
	int listen_fd = sock_listen(&folder, "a");
	assert_int_not_equal(listen_fd, -1);
	assert_int_equal(sock_listen(&folder, "a"), -1);
	assert_int_equal(errno, EADDRINUSE);
	sock_remove_stale(&folder, "a");
	assert_true(sock_exists(&folder, "a"));
	close(listen_fd);
	sock_remove_stale(&folder, "a");
	assert_false(sock_exists(&folder, "a"));
	sock_folder_close(&folder);
}

static void
what_is_no_socket_stays(void **state)
{
	(void)state;
	struct sock_folder folder = make();
	int fd = openat(folder.fd, "a", O_CREAT | O_WRONLY, 0600);
	assert_int_not_equal(fd, -1);
	close(fd);
	assert_int_equal(symlinkat("a", folder.fd, "b"), 0);
	assert_int_equal(sock_listen(&folder, "a"), -1);
	assert_int_equal(sock_listen(&folder, "b"), -1);
	sock_remove_stale(&folder, "b");
	assert_true(sock_exists(&folder, "a"));
	assert_true(sock_exists(&folder, "b"));
	sock_folder_close(&folder);
}

static void
long_name_is_refused(void **state)
{
	char name[SOCK_NAME_BYTES];
	(void)state;
	struct sock_folder folder = make();
	memset(name, 'a', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(sock_listen(&folder, name), -1);
	assert_int_equal(errno, ENAMETOOLONG);
	assert_int_equal(sock_connect(&folder, name, NULL), -1);
	sock_folder_close(&folder);
}

static void
folder_is_found_again_and_counted_once(void **state)
{
	struct sock_folder folders[SOCK_FOLDERS_MAX];
	(void)state;
	struct sock_folder folder = make();
	size_t found = 0;
	ssize_t count = sock_folders_open(folders);
	for (ssize_t i = 0; i < count; i++) {
		found += strcmp(folders[i].path, folder.path) == 0;
		sock_folder_close(&folders[i]);
	}
	assert_int_equal(found, 1);
	sock_folder_close(&folder);
}

/* Even where the folder lets them in. */
static void
other_users_are_known_as_such(void **state)
{
	bool is_ours = true;
	(void)state;
	if (geteuid() != 0)
		skip(); /* nobody else to be */
	struct sock_folder folder = make();
	int listen_fd = sock_listen(&folder, "a");
	assert_int_not_equal(listen_fd, -1);
	assert_int_equal(fchmodat(folder.fd, "a", 0666, 0), 0);
	assert_int_equal(fchmod(folder.fd, 0755), 0);
	assert_int_equal(chmod(getenv("XDG_RUNTIME_DIR"), 0755), 0);
	pid_t pid = child_fork();
	if (pid == 0) {
		struct sock_folder other;
		if (setresuid(NOBODY, NOBODY, NOBODY) == -1)
			_exit(2);
		/* Through our descriptor: his own folder would not be this one. */
		_exit(sock_connect(&folder, "a", NULL) == -1 && errno == EACCES &&
			      (sock_folder_make(&other) == -1 ||
			       strcmp(other.path, folder.path) != 0)
			  ? 0
			  : 1);
	}
	assert_child_exits(pid, 0);
	int fd = sock_accept(listen_fd, &is_ours);
	assert_int_not_equal(fd, -1);
	assert_false(is_ours);
	close(fd);
	close(listen_fd);
	sock_folder_close(&folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    RUNTIME_TEST(folder_is_made_for_us_alone),
	    RUNTIME_TEST(folder_that_others_may_enter_is_not_used),
	    RUNTIME_TEST(link_in_place_of_the_folder_is_not_followed),
	    RUNTIME_TEST(runtime_folder_that_others_may_write_to_is_not_used),
	    RUNTIME_TEST(folder_in_use_is_not_removed),
	    RUNTIME_TEST(lock_is_one_process_s),
	    RUNTIME_TEST(who_connects_is_told_who_listens),
	    RUNTIME_TEST(umask_keeps_nobody_out),
	    RUNTIME_TEST(stale_socket_makes_room_and_a_live_one_does_not),
	    RUNTIME_TEST(what_is_no_socket_stays),
	    RUNTIME_TEST(long_name_is_refused),
	    RUNTIME_TEST(folder_is_found_again_and_counted_once),
	    RUNTIME_TEST(other_users_are_known_as_such),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
