/*
 * exit.c: linked into builds for coverage only. _exit, by which workers end, writes down what was
 * executed first; otherwise only exit does.
 */
#include <gcov.h>

_Noreturn void __real__exit(int status);
_Noreturn void __wrap__exit(int status);

void
__wrap__exit(int status)
{
	__gcov_dump();
	/* Who shares our memory (a child between vfork and exec was us) writes down the rest. */
	__gcov_reset();
	__real__exit(status);
}
