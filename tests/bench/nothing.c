/*
 * nothing.c: a program that ends as soon as it runs, for tests/bench/run. It is linked without
 * what libc does before main, so that next to nothing is left but the kernel's own cost of a
 * process, and a runner's.
 */
#include <unistd.h>

/* NOLINTNEXTLINE(bugprone-reserved-identifier): the name that the linker looks for. */
_Noreturn void _start(void);

/* NOLINTNEXTLINE(bugprone-reserved-identifier): as above. */
_Noreturn void
_start(void)
{
	_exit(0);
}
