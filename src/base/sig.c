/* sig.c: see sig.h. */
#include "base/sig.h"

#include <errno.h>
#include <sys/signalfd.h>
#include <unistd.h>

void
sig_origin_save(struct sig_origin *origin)
{
	/* A set is larger than what the kernel fills in of it, and is sent as a whole. */
	*origin = (struct sig_origin){0};
	sigprocmask(SIG_BLOCK, NULL, &origin->mask);
	sigemptyset(&origin->ignored);
	for (int signal = 1; signal <= SIGSYS;
	     signal++) { /* real-time ones are never touched */
		struct sigaction action;
		if (sigaction(signal, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
			sigaddset(&origin->ignored, signal);
	}
}

bool
sig_was_ignored(const struct sig_origin *origin, int signal)
{
	return sigismember(&origin->ignored, signal) == 1;
}

int
sig_open(const sigset_t *set, struct err *err)
{
	if (sigprocmask(SIG_BLOCK, set, NULL) == -1)
		return err_errno(err, "cannot block signals");
	int fd = signalfd(-1, set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (fd == -1)
		return err_errno(err, "cannot open a descriptor for signals");
	return fd;
}

int
sig_next(int fd)
{
	struct signalfd_siginfo info;
	ssize_t got;
	do
		got = read(fd, &info, sizeof(info));
	while (got == -1 && errno == EINTR);
	if (got == -1 && errno != EAGAIN)
		return -1;
	return got == (ssize_t)sizeof(info) ? (int)info.ssi_signo : 0;
}

void
sig_block(int signal)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, signal);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

void
sig_handle(int signal, void (*handler)(int))
{
	struct sigaction action = {.sa_handler = handler};
	sigfillset(&action.sa_mask);
	sigaction(signal, &action, NULL);
}

void
sig_origin_restore(const struct sig_origin *origin, const int *signals)
{
	for (size_t i = 0; signals[i] != 0; i++) {
		struct sigaction action = {.sa_handler = SIG_DFL};
		if (sig_was_ignored(origin, signals[i]))
			action.sa_handler = SIG_IGN;
		sigaction(signals[i], &action, NULL);
	}
	sigprocmask(SIG_SETMASK, &origin->mask, NULL);
}

void
sig_die_of(int signal)
{
	sigset_t set;
	sig_handle(signal, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, signal);
	raise(signal);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}
