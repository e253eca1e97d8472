/*
 * exit.c: linked into builds for coverage only. _exit, by which workers end, becoming another program
 * and dying of one's own signal write down what was executed first; otherwise only exit does.
 */
#include <gcov.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

void *__libc_malloc(size_t n);
void *__real_malloc(size_t n);
void *__wrap_malloc(size_t n);

_Noreturn void __real__exit(int status);
_Noreturn void __wrap__exit(int status);
int __real_raise(int number);
int __wrap_raise(int number);
int __real_execv(const char *file, char *const *argv);
int __wrap_execv(const char *file, char *const *argv);
int __real_execvpe(const char *file, char *const *argv, char *const *envp);
int __wrap_execvpe(const char *file, char *const *argv, char *const *envp);

static bool is_writing;

/*
 * What writes it down cannot do without memory, and dies where tests/fault lets malloc fail. Weak: units
 * have their own (tests/unit/starve.h).
 */
__attribute__((weak)) void *
__wrap_malloc(size_t n)
{
	return is_writing ? __libc_malloc(n) : __real_malloc(n);
}

/* Before that of exit. */
__attribute__((destructor)) static void
begin_end(void)
{
	is_writing = true;
}

/* A handler of a signal that ends us, too, would wait for us for ever. */
static void
write_down(void)
{
	sigset_t all, before;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	is_writing = true;
	__gcov_dump();
	/* Who shares our memory (a child between vfork and exec was us) writes down the rest. */
	__gcov_reset();
	is_writing = false;
	sigprocmask(SIG_SETMASK, &before, NULL);
}

void
__wrap__exit(int status)
{
	write_down();
	__real__exit(status);
}

int
__wrap_raise(int number)
{
	write_down();
	return __real_raise(number);
}

int
__wrap_execv(const char *file, char *const *argv)
{
	write_down();
	return __real_execv(file, argv);
}

int
__wrap_execvpe(const char *file, char *const *argv, char *const *envp)
{
	write_down();
	return __real_execvpe(file, argv, envp);
}
