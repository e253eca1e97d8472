/* coproc_requests.c: see coproc_requests.h. */
#include "pool/coproc_requests.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "pool/protocol.h"

/* What a shell changes for itself, and an initializer exports without meaning to. */
static bool
requests_is_of_shell(const char *variable)
{
	static const char *const names[] = {"_=", "SHLVL=", "PWD=", "OLDPWD="};
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strncmp(variable, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

static bool
requests_is_from_caller(const char *variable)
{
	for (size_t i = 0; environ[i] != NULL; i++)
		if (strcmp(environ[i], variable) == 0)
			return true;
	return false;
}

/*
 * "env" holds what tasks have beyond the environment that pinion was started with: that the
 * program has itself. Made once; which task it is stands in front of it in each request.
 */
static int
requests_set_tail(struct coproc_requests *requests, const struct executor_host *host)
{
	char *const *variables = task_env_taskless(host->env);
	struct buf *tail = &requests->tail;
	char *folder = getcwd(NULL, 0); /* where the worker is, its tasks are */
	int status = 0;
	for (size_t i = 0; status == 0 && variables[i] != NULL; i++)
		if (!requests_is_of_shell(variables[i]) &&
		    !requests_is_from_caller(variables[i]))
			status = protocol_tail_add_variable(tail, variables[i]);
	if (status == 0)
		status = protocol_tail_end(tail, folder);
	free(folder);
	return status;
}

int
coproc_requests_init(struct coproc_requests *requests, const struct executor_host *host)
{
	*requests = (struct coproc_requests){
	    .protocol = host->spec->protocol,
	    .most = host->spec->inflight_count,
	};
	requests->ring = calloc(requests->most, sizeof(*requests->ring));
	if (requests->ring == NULL)
		return -1;
	return requests->protocol == SPEC_PROTOCOL_JSON ? requests_set_tail(requests, host)
							: 0;
}

void
coproc_requests_fini(struct coproc_requests *requests)
{
	free(requests->ring);
	buf_fini(&requests->bytes);
	buf_fini(&requests->tail);
	*requests = (struct coproc_requests){0};
}

int
coproc_requests_add(struct coproc_requests *requests, const struct executor_task *task)
{
	size_t length = requests->bytes.length;
	struct template_values values = executor_visible(task);
	int status = protocol_encode(requests->protocol, &values, task->attempt,
				     &requests->tail, &requests->bytes);
	if (status == -1)
		return -1;
	requests->ring[(requests->first + requests->count) % requests->most] =
	    (struct coproc_request){
		.seq = task->values.seq,
		.attempt = task->attempt,
		.is_refused = status == 1,
		.length = requests->bytes.length - length,
	    };
	requests->count++;
	return 0;
}

const struct coproc_request *
coproc_requests_head(const struct coproc_requests *requests)
{
	return &requests->ring[requests->first];
}

void
coproc_requests_remove_head(struct coproc_requests *requests)
{
	requests->front += coproc_requests_head(requests)->length;
	if (requests->sent < requests->front)
		requests->sent = requests->front;
	requests->first = (requests->first + 1) % requests->most;
	requests->count--;
	/* Bytes move to the front when half of them have been answered. */
	if (requests->front < requests->bytes.length / 2 && requests->count > 0)
		return;
	buf_consume(&requests->bytes, requests->front);
	requests->sent -= requests->front;
	requests->front = 0;
}

bool
coproc_requests_has_sent_head(const struct coproc_requests *requests)
{
	return requests->count > 0 && requests->sent > requests->front;
}

bool
coproc_requests_has_unsent(const struct coproc_requests *requests)
{
	return requests->sent < requests->bytes.length;
}

bool
coproc_requests_is_head_unread(const struct coproc_requests *requests, uint64_t unread_bytes)
{
	return unread_bytes >= requests->sent - requests->front;
}

ssize_t
coproc_requests_send(struct coproc_requests *requests, int fd)
{
	ssize_t written = io_write(fd, requests->bytes.bytes + requests->sent,
				   requests->bytes.length - requests->sent);
	if (written > 0)
		requests->sent += (size_t)written;
	return written;
}

void
coproc_requests_unsend(struct coproc_requests *requests)
{
	requests->sent = requests->front;
}
