/*
 * sock.h: Unix sockets that this user alone can reach, and the folder they are in.
 *
 * The folder is $XDG_RUNTIME_DIR/pinion; where that is not to be had, from cron above all,
 * /run/user/UID/pinion or else /tmp/pinion-UID. It is used only if it is ours, nobody else may
 * enter it and it is no link; sockets in it are reached through its descriptor, so that nobody
 * can put another in its place between two looks.
 *
 * Whoever makes a socket or removes a stale one does so with the folder locked: between
 * bind and listen a socket looks as stale as one whose process was killed.
 *
 * Nothing here waits. What fails says -1 and errno. Called by run/control, which listens, and by
 * the commands that talk to it.
 */
#ifndef PINION_SOCK_H
#define PINION_SOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define SOCK_FOLDERS_MAX 3
#define SOCK_PATH_BYTES 512
#define SOCK_NAME_BYTES 128 /* of a file in the folder, with its NUL */

struct sock_folder {
	int fd;
	char path[SOCK_PATH_BYTES];
};

/* The first of the folders that is there or can be made. */
int sock_folder_make(struct sock_folder *folder);

/*
 * All that are there; how many. -1: one could not be looked for, which is not to say that it is not
 * there; none is open then.
 */
ssize_t sock_folders_open(struct sock_folder folders[SOCK_FOLDERS_MAX]);

/* Whether errno says that there is no folder or socket of ours, and not that we cannot look now. */
bool sock_is_absent(int errno_value);

void sock_folder_close(struct sock_folder *folder);

/* Only if nobody else has it locked now: else EWOULDBLOCK. */
int sock_folder_lock(const struct sock_folder *folder);
void sock_folder_unlock(const struct sock_folder *folder);

/* Removes the folder if it is empty; needs the lock. */
void sock_folder_remove(const struct sock_folder *folder);

/* Which file it is now, to know it again. */
int sock_file_inode(const struct sock_folder *folder, const char *name, ino_t *inode);
void sock_remove(const struct sock_folder *folder, const char *name);

bool sock_exists(const struct sock_folder *folder, const char *name);

/*
 * A listening socket of this name, non-blocking; needs the lock. EADDRINUSE: there is one that is
 * not stale. One that is makes room.
 */
int sock_listen(const struct sock_folder *folder, const char *name);

/* The next of those who connect, non-blocking; *is_ours: it is of this user. */
int sock_accept(int listen_fd, bool *is_ours);

/*
 * Non-blocking. ECONNREFUSED: it is stale; EACCES: who listens is another user. *pid is of who
 * listens.
 */
int sock_connect(const struct sock_folder *folder, const char *name, pid_t *pid);

/* One write that raises no SIGPIPE. */
ssize_t sock_send(int fd, const void *bytes, size_t length);

/* Removes it if it is stale; needs the lock. */
void sock_remove_stale(const struct sock_folder *folder, const char *name);

#endif
