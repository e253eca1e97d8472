/* control.c: see control.h. */
#include "run/control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/json_text.h"
#include "ipc/run_name.h"
#include "ipc/sock.h"
#include "run/control_request.h"

/* Others may have the folder locked, or be about to remove it: so many tries, so far apart. */
#define CONTROL_TRIES 20
#define CONTROL_TRY_MS 50

#define CONTROL_NUMBER_MAX 9999 /* runs of one name */
#define CONTROL_REST_MS \
	1000 /* nobody is let in for so long when we are short of descriptors */

struct control_client {
	struct control *control;
	struct control_client *next; /* who came before */
	int fd;
	struct loop_watch *watch;
	char line[CONTROL_LINE_BYTES];
	size_t line_length;
	bool has_ended;  /* it asks no more */
	bool is_refused; /* and is not heard any more */
	struct buf reply;
	size_t reply_at; /* what of it is out */
};

struct control {
	struct control_config config;
	char base[RUN_NAME_BYTES]; /* of the names to try */
	char name[RUN_NAME_BYTES];
	int64_t turn_at_ns;
	unsigned int tries_left;
	struct sock_folder folder; /* open while we listen */
	int listen_fd;
	ino_t listen_inode; /* of its file, which may be another one's some day */
	struct loop_watch *watch;
	struct control_client *clients;
	size_t client_count;
};

struct control *
control_new(const struct control_config *config, struct err *err)
{
	struct control *control = calloc(1, sizeof(*control));
	if (control == NULL) {
		err_no_memory(err);
		return NULL;
	}
	control->config = *config;
	if (config->is_given)
		snprintf(control->base, sizeof(control->base), "%.*s", RUN_NAME_CHARS,
			 config->name);
	else
		run_name_make(control->base, config->name);
	control->turn_at_ns = clock_now_ns() + CONTROL_DELAY_MS * NS_PER_MS;
	control->tries_left = CONTROL_TRIES;
	control->folder.fd = -1;
	control->listen_fd = -1;
	return control;
}

/* --- a client --- */

/* False: nothing of it is to be touched any more. */
static bool
control_hang_up(struct control_client *client)
{
	struct control *control = client->control;
	struct control_client **at = &control->clients;
	while (*at != client)
		at = &(*at)->next;
	*at = client->next;
	control->client_count--;
	loop_unwatch(control->config.loop, client->watch);
	io_close(client->fd);
	buf_fini(&client->reply);
	free(client);
	return false;
}

/* What is left of the reply, as far as it goes now. */
static bool
control_send(struct control_client *client)
{
	while (client->reply_at < client->reply.length) {
		ssize_t sent = sock_send(client->fd, client->reply.bytes + client->reply_at,
					 client->reply.length - client->reply_at);
		if (sent == -1 && errno == EAGAIN) {
			loop_change(client->control->config.loop, client->watch,
				    LOOP_WRITE);
			return true;
		}
		if (sent == -1)
			return control_hang_up(client);
		client->reply_at += (size_t)sent;
	}
	buf_clear(&client->reply);
	client->reply_at = 0;
	loop_change(client->control->config.loop, client->watch, LOOP_READ);
	return true;
}

static int
control_append_error(struct buf *reply, const struct err *err)
{
	size_t length = strlen(err->text);
	buf_clear(reply);
	if (buf_append_str(reply, "{\"ok\":false,\"error\":") == -1)
		return -1;
	/* It may have the client's words, or names of files. */
	if (json_text_is_utf8(err->text, length)
		? json_text_append(reply, err->text, length)
		: buf_append_str(reply, "\"refused\""))
		return -1;
	return buf_append_str(reply, "}\n");
}

static int
control_append_reply(struct control *control, const struct control_request *request,
		     struct buf *reply, struct err *err)
{
	if (buf_printf(reply, "{\"ok\":true,\"name\":\"%s\",\"pid\":%d", control->name,
		       (int)getpid()) == -1)
		return err_no_memory(err);
	if (control->config.act(control->config.context, request, reply, err) == -1)
		return -1;
	return buf_append_str(reply, "}\n") == -1 ? err_no_memory(err) : 0;
}

static bool
control_answer(struct control_client *client, const char *line, size_t length)
{
	struct control_request request;
	struct err err = {0};
	if ((control_request_parse(&request, line, length, &err) == -1 ||
	     control_append_reply(client->control, &request, &client->reply, &err) == -1) &&
	    control_append_error(&client->reply, &err) == -1)
		return control_hang_up(client);
	return control_send(client);
}

static bool
control_refuse(struct control_client *client, const char *text)
{
	struct err err = {0};
	err_set(&err, ERR_USAGE, "%s", text);
	client->is_refused = true;
	if (control_append_error(&client->reply, &err) == -1)
		return control_hang_up(client);
	return control_send(client);
}

/* Answers one line after the other, for as long as the client takes the replies. */
static bool
control_answer_lines(struct control_client *client)
{
	while (client->reply.length == 0 && !client->is_refused) {
		char line[CONTROL_LINE_BYTES];
		const char *end = memchr(client->line, '\n', client->line_length);
		if (end == NULL && client->line_length == sizeof(client->line) &&
		    !control_refuse(client, "the line is too long"))
			return false;
		if (end == NULL)
			break;
		size_t length = (size_t)(end - client->line);
		memcpy(line, client->line, length);
		client->line_length -= length + 1;
		memmove(client->line, end + 1, client->line_length);
		if (!control_answer(client, line, length))
			return false;
	}
	if ((client->has_ended || client->is_refused) && client->reply.length == 0)
		return control_hang_up(client);
	return true;
}

static bool
control_read(struct control_client *client)
{
	ssize_t got = io_read(client->fd, client->line + client->line_length,
			      sizeof(client->line) - client->line_length);
	if (got == -1)
		return errno == EAGAIN ? true : control_hang_up(client);
	client->line_length += (size_t)got;
	client->has_ended |= got == 0;
	return true;
}

static void
control_on_client(void *context, unsigned int events)
{
	struct control_client *client = context;
	bool is_there = true;
	if (client->reply.length > 0)
		is_there = control_send(client);
	else if ((events & LOOP_READ) != 0)
		is_there = control_read(client);
	else if ((events & LOOP_GONE) != 0)
		is_there = control_hang_up(client);
	if (is_there)
		control_answer_lines(client);
}

/* --- those who come --- */

static void
control_drop_oldest(struct control *control)
{
	struct control_client *client = control->clients;
	while (client->next != NULL)
		client = client->next;
	control_hang_up(client);
}

/* The descriptor is the client's from here on. */
static void
control_admit(struct control *control, int fd, bool is_ours)
{
	if (control->client_count == CONTROL_CLIENTS_MAX)
		control_drop_oldest(control);
	struct control_client *client = calloc(1, sizeof(*client));
	struct err err = {0};
	if (client == NULL) {
		io_close(fd);
		return;
	}
	client->control = control;
	client->fd = fd;
	client->next = control->clients;
	control->clients = client;
	control->client_count++;
	client->watch = loop_watch(control->config.loop, fd, LOOP_READ, control_on_client,
				   client, &err);
	if (client->watch == NULL)
		control_hang_up(client);
	else if (!is_ours && control_refuse(client, "this run is another user's"))
		control_answer_lines(client);
}

static void
control_on_connect(void *context, unsigned int events)
{
	struct control *control = context;
	bool is_ours;
	(void)events;
	int fd = sock_accept(control->listen_fd, &is_ours);
	if (fd != -1) {
		control_admit(control, fd, is_ours);
	} else if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR) {
		loop_change(control->config.loop, control->watch, 0);
		control->turn_at_ns = clock_now_ns() + CONTROL_REST_MS * NS_PER_MS;
	}
}

/* --- the socket --- */

static void
control_file_name(const struct control *control, char file[SOCK_NAME_BYTES])
{
	snprintf(file, SOCK_NAME_BYTES, "%s%s", control->name, RUN_NAME_SUFFIX);
}

/* gzip-1, gzip-2, ...; of a given one first the name itself. */
static void
control_number_name(struct control *control, unsigned int number)
{
	if (control->config.is_given && number == 1)
		snprintf(control->name, sizeof(control->name), "%s", control->base);
	else
		snprintf(control->name, sizeof(control->name), "%.*s-%u", RUN_NAME_CHARS,
			 control->base, number);
}

/* Of no other run, also in the other folders. Stale ones of our own folder are in nobody's way. */
static bool
control_is_taken_elsewhere(const struct control *control, const char *file)
{
	struct sock_folder folders[SOCK_FOLDERS_MAX];
	ssize_t count = sock_folders_open(folders);
	bool is_taken = false;
	for (ssize_t i = 0; i < count; i++) {
		if (strcmp(folders[i].path, control->folder.path) != 0)
			is_taken |= sock_exists(&folders[i], file);
		sock_folder_close(&folders[i]);
	}
	return is_taken;
}

/* With the folder locked. */
static int
control_listen_locked(struct control *control)
{
	char file[SOCK_NAME_BYTES];
	struct err err = {0};
	errno = EADDRINUSE;
	for (unsigned int i = 1; control->listen_fd == -1 && errno == EADDRINUSE; i++) {
		if (i > CONTROL_NUMBER_MAX)
			return -1;
		control_number_name(control, i);
		control_file_name(control, file);
		if (control_is_taken_elsewhere(control, file))
			errno = EADDRINUSE;
		else
			control->listen_fd = sock_listen(&control->folder, file);
	}
	if (control->listen_fd == -1 ||
	    sock_file_inode(&control->folder, file, &control->listen_inode) == -1)
		return -1;
	control->watch = loop_watch(control->config.loop, control->listen_fd, LOOP_READ,
				    control_on_connect, control, &err);
	if (control->watch == NULL)
		return -1;
	char path[SOCK_PATH_BYTES + SOCK_NAME_BYTES];
	snprintf(path, sizeof(path), "%s/%s", control->folder.path, file);
	control->config.is_there(control->config.context, path, control->listen_inode);
	return 0;
}

static void
control_close(struct control *control)
{
	char file[SOCK_NAME_BYTES];
	ino_t inode;
	control_file_name(control, file);
	loop_unwatch(control->config.loop, control->watch);
	control->watch = NULL;
	if (control->listen_fd != -1 &&
	    sock_file_inode(&control->folder, file, &inode) == 0 &&
	    inode == control->listen_inode)
		sock_remove(&control->folder, file);
	io_close_set(&control->listen_fd);
	if (control->folder.fd != -1 && sock_folder_lock(&control->folder) == 0)
		sock_folder_remove(&control->folder);
	sock_folder_close(&control->folder);
}

/* False: not now. */
static bool
control_open(struct control *control)
{
	if (sock_folder_make(&control->folder) == -1 ||
	    sock_folder_lock(&control->folder) == -1) {
		sock_folder_close(&control->folder);
		return false;
	}
	if (control_listen_locked(control) == 0) {
		sock_folder_unlock(&control->folder);
		return true;
	}
	control_close(control);
	return false;
}

int64_t
control_turn_at(const struct control *control)
{
	return control == NULL ? CLOCK_NEVER : control->turn_at_ns;
}

void
control_turn(struct control *control)
{
	if (control == NULL || control->turn_at_ns == CLOCK_NEVER ||
	    clock_now_ns() < control->turn_at_ns)
		return;
	control->turn_at_ns = CLOCK_NEVER;
	if (control->watch != NULL)
		loop_change(control->config.loop, control->watch, LOOP_READ);
	else if (!control_open(control) && --control->tries_left > 0)
		control->turn_at_ns = clock_now_ns() + CONTROL_TRY_MS * NS_PER_MS;
}

void
control_free(struct control *control)
{
	if (control == NULL)
		return;
	while (control->clients != NULL)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): who hangs up leaves the list. */
		control_hang_up(control->clients);
	control_close(control);
	free(control);
}
