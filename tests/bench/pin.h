/*
 * pin.h: pins a process of a limit program as pinion pins its workers.
 */
#ifndef BENCH_PIN_H
#define BENCH_PIN_H

#include <err.h>
#include <sched.h>

/* To the CPU of process `index` among those we may use, one after the other and round again. */
static inline void
pin(long index)
{
	cpu_set_t allowed, one;
	if (sched_getaffinity(0, sizeof(allowed), &allowed) == -1)
		err(1, "sched_getaffinity");
	index %= CPU_COUNT(&allowed);
	int cpu = 0;
	while (!CPU_ISSET(cpu, &allowed) || index-- > 0)
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	if (sched_setaffinity(0, sizeof(one), &one) == -1)
		err(1, "sched_setaffinity");
}

#endif
