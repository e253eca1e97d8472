/* doze.c: see doze.h. */
#include "pool/doze.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"

/* For the handlers: what is read while one dozes; -1: nobody does. */
static volatile sig_atomic_t doze_fd = -1;
static volatile sig_atomic_t doze_was_disturbed;

void
doze_disturb(void)
{
	int saved = errno;
	doze_was_disturbed = 1;
	if (doze_fd != -1)
		fcntl(doze_fd, F_SETFL, O_NONBLOCK);
	errno = saved;
}

bool
doze_is_disturbed(void)
{
	return doze_was_disturbed != 0;
}

void
doze_init(struct doze *doze)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	*doze = (struct doze){0};
	doze->is_possible = timer_create(CLOCK_MONOTONIC, &event, &doze->timer) == 0;
}

void
doze_fini(struct doze *doze)
{
	doze_end(doze);
	if (doze->is_possible)
		timer_delete(doze->timer);
	*doze = (struct doze){0};
}

int
doze_guard(int fd)
{
	int flags = fcntl(fd, F_GETFL);
	return flags == -1 || fcntl(fd, F_SETOWN, getpid()) == -1 ||
		       fcntl(fd, F_SETSIG, SIGUSR1) == -1
		   ? -1
		   : fcntl(fd, F_SETFL, flags | O_ASYNC);
}

void
doze_begin(struct doze *doze, int fd, int timeout_ms)
{
	struct itimerspec until = {.it_value = {.tv_sec = timeout_ms / 1000,
						.tv_nsec = timeout_ms % 1000 * NS_PER_MS}};
	sigset_t open;
	if (doze->is_on)
		return;
	doze->is_on = true;
	doze_was_disturbed = 0;
	fcntl(fd, F_SETFL, 0);
	doze_fd = fd;
	timer_settime(doze->timer, 0, &until, NULL);
	sigemptyset(&open);
	sigaddset(&open, SIGUSR1);
	sigaddset(&open, SIGCHLD);
	sigprocmask(SIG_UNBLOCK, &open, &doze->rest);
}

void
doze_end(struct doze *doze)
{
	if (!doze->is_on)
		return;
	doze->is_on = false;
	sigprocmask(SIG_SETMASK, &doze->rest, NULL);
	fcntl(doze_fd, F_SETFL, O_NONBLOCK);
	doze_fd = -1;
}
