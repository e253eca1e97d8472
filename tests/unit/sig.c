/* Signals: the descriptor, and giving back what the caller had. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "child.h"

#include "base/sig.h"

static void
descriptor_gives_signals_one_by_one(void **state)
{
	(void)state;
	struct err err = {0};
	sigset_t set;
	sigset_t before;
	sigprocmask(SIG_BLOCK, NULL, &before);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGTERM);
	int fd = sig_open(&set, &err);
	assert_int_not_equal(fd, -1);
	assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	assert_int_equal(sig_next(fd), 0);
	kill(getpid(), SIGUSR1);
	assert_int_equal(sig_next(fd), SIGUSR1);
	assert_int_equal(sig_next(fd), 0);
	kill(getpid(), SIGTERM);
	kill(getpid(), SIGUSR1);
	int seen = sig_next(fd) + sig_next(fd);
	assert_int_equal(seen, SIGTERM + SIGUSR1);
	assert_int_equal(sig_next(fd), 0);
	close(fd);
	sigprocmask(SIG_SETMASK, &before, NULL);
}

static void
do_nothing(int signal)
{
	(void)signal;
}

static bool
disposition_is(int signal, void (*handler)(int))
{
	struct sigaction action;
	return sigaction(signal, NULL, &action) == 0 && action.sa_handler == handler;
}

static void
handler_runs_with_all_signals_blocked_and_restarts_nothing(void **state)
{
	(void)state;
	struct sigaction before;
	struct sigaction action;
	sigaction(SIGUSR2, NULL, &before);
	sig_handle(SIGUSR2, do_nothing);
	sigaction(SIGUSR2, &before, &action);
	assert_ptr_equal(action.sa_handler, do_nothing);
	assert_int_equal(action.sa_flags & SA_RESTART, 0);
	assert_true(sigismember(&action.sa_mask, SIGTERM) &&
		    sigismember(&action.sa_mask, SIGHUP));
}

/* In a child. Each number is one thing that is not as it was. */
static int
restored_wrongly(void)
{
	static const int signals[] = {SIGHUP, SIGTERM, 0};
	struct sig_origin origin;
	sigset_t mask;
	signal(SIGHUP, SIG_IGN);
	signal(SIGTERM, SIG_DFL);
	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	sig_origin_save(&origin);
	if (!sig_was_ignored(&origin, SIGHUP) || sig_was_ignored(&origin, SIGTERM))
		return 1;
	sig_handle(SIGHUP, do_nothing);
	sig_handle(SIGTERM, do_nothing);
	sigfillset(&mask);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	sig_origin_restore(&origin, signals);
	if (!disposition_is(SIGHUP, SIG_IGN))
		return 2;
	if (!disposition_is(SIGTERM, SIG_DFL))
		return 3;
	sigprocmask(SIG_BLOCK, NULL, &mask);
	if (!sigismember(&mask, SIGUSR1) || sigismember(&mask, SIGTERM) ||
	    sigismember(&mask, SIGUSR2))
		return 4;
	return 0;
}

static void
what_the_caller_had_is_given_back(void **state)
{
	(void)state;
	pid_t pid = child_fork();
	if (pid == 0)
		_exit(restored_wrongly());
	assert_child_exits(pid, 0);
}

static void
process_dies_of_a_signal_it_handled_or_blocked(void **state)
{
	(void)state;
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGPIPE};
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++) {
		pid_t pid = child_fork();
		if (pid == 0) {
			sigset_t all;
			sig_handle(signals[i], do_nothing);
			sigfillset(&all);
			sigprocmask(SIG_BLOCK, &all, NULL);
			sig_die_of(signals[i]);
			_exit(1);
		}
		assert_child_dies_of(pid, signals[i]);
	}
}

/* Those of the stack, where the kernel fills in less than a set. */
static void
what_the_caller_had_has_no_bytes_of_ours(void **state)
{
	struct sig_origin origins[2];
	(void)state;
	for (int i = 0; i < 2; i++) {
		memset(&origins[i], i, sizeof(origins[i]));
		sig_origin_save(&origins[i]);
	}
	assert_memory_equal(&origins[0], &origins[1], sizeof(origins[0]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TIMED_TEST(descriptor_gives_signals_one_by_one),
	    TIMED_TEST(handler_runs_with_all_signals_blocked_and_restarts_nothing),
	    TIMED_TEST(what_the_caller_had_is_given_back),
	    TIMED_TEST(what_the_caller_had_has_no_bytes_of_ours),
	    TIMED_TEST(process_dies_of_a_signal_it_handled_or_blocked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
