/* capture.c: see capture.h. */
#include "pool/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/io.h"
#include "ipc/frame.h"

/* A longer pipe counts towards the user's limit for all pipes: the kernel may say no. */
#define CAPTURE_PIPE_MAX_BYTES (256 * 1024)
#define CAPTURE_PIPE_BYTES (64 * 1024) /* where nobody says how long it is */

/* A pipe whose write end becomes `fd`; the read end stays. */
static int
capture_pipe(int *read_fd, int fd)
{
	int fds[2];
	if (io_pipe(fds, 0) == -1)
		return -1;
	if (io_set_nonblocking(fds[0]) == -1 || dup2(fds[1], fd) == -1) {
		int saved = errno;
		close(fds[0]);
		close(fds[1]);
		errno = saved;
		return -1;
	}
	close(fds[1]);
	io_close_set(read_fd);
	*read_fd = fds[0];
	return 0;
}

int
capture_open(struct capture *capture)
{
	capture_open_nothing(capture);
	return capture_renew(capture);
}

void
capture_open_nothing(struct capture *capture)
{
	capture->read_fds[RESULT_STDOUT] = -1;
	capture->read_fds[RESULT_STDERR] = -1;
}

int
capture_renew(struct capture *capture)
{
	if (capture_pipe(&capture->read_fds[RESULT_STDOUT], STDOUT_FILENO) == -1 ||
	    capture_pipe(&capture->read_fds[RESULT_STDERR], STDERR_FILENO) == -1)
		return -1;
	for (int stream = 0; stream < RESULT_STREAMS; stream++) {
		int bytes = fcntl(capture->read_fds[stream], F_GETPIPE_SZ);
		capture->pipe_bytes[stream] = bytes > 0 ? bytes : CAPTURE_PIPE_BYTES;
	}
	return 0;
}

nfds_t
capture_poll(const struct capture *capture, struct pollfd fds[RESULT_STREAMS])
{
	nfds_t count = 0;
	for (int stream = 0; stream < RESULT_STREAMS; stream++)
		if (capture->read_fds[stream] != -1)
			fds[count++] = (struct pollfd){.fd = capture->read_fds[stream],
						       .events = POLLIN};
	return count;
}

static void
capture_grow(struct capture *capture, enum result_stream stream)
{
	int bytes = fcntl(capture->read_fds[stream], F_SETPIPE_SZ, CAPTURE_PIPE_MAX_BYTES);
	if (bytes > 0)
		capture->pipe_bytes[stream] = bytes;
}

static int
capture_drain_one(struct capture *capture, enum result_stream stream,
		  struct channel *channel)
{
	int fd = capture->read_fds[stream];
	long pipe_bytes = capture->pipe_bytes[stream];
	long taken = 0;
	while (taken < pipe_bytes) { /* what lives on may write for ever */
		size_t wanted;
		ssize_t got = channel_pull(channel, stream, fd, &wanted);
		if (got == -1)
			return errno == EAGAIN ? 0 : -1;
		taken += got;
		if ((size_t)got < wanted) /* the pipe was empty when this was read */
			break;
	}
	if (taken >= pipe_bytes && pipe_bytes < CAPTURE_PIPE_MAX_BYTES)
		capture_grow(capture, stream);
	return 0;
}

int
capture_drain(struct capture *capture, struct channel *channel, const struct pollfd *fds)
{
	for (int stream = 0; stream < RESULT_STREAMS; stream++) {
		if (capture->read_fds[stream] == -1 ||
		    (fds != NULL && fds[stream].revents == 0))
			continue;
		if (capture_drain_one(capture, (enum result_stream)stream, channel) == -1)
			return -1;
	}
	return 0;
}
