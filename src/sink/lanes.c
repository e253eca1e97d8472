/* lanes.c: see lanes.h. */
#include "sink/lanes.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

#define LANES_PROCESSES_MAX 32 /* looked at for one lane */

int
lanes_init(struct lanes *lanes, const struct board *board, int64_t now_ns)
{
	*lanes = (struct lanes){.board = board};
	lanes->items = calloc(board->seat_count, sizeof(*lanes->items));
	if (lanes->items == NULL)
		return -1;
	lanes->count = board->seat_count;
	for (size_t i = 0; i < lanes->count; i++)
		lanes->items[i] = (struct lane){
		    .seq = BOARD_NO_TASK, .since_ns = now_ns, .cpu_percent = -1};
	return 0;
}

void
lanes_fini(struct lanes *lanes)
{
	for (size_t i = 0; i < lanes->count; i++)
		buf_fini(&lanes->items[i].what);
	free(lanes->items);
	*lanes = (struct lanes){0};
}

/* --- CPU time --- */

/* Into a string; false: there is no such file. */
static bool
proc_read(pid_t pid, const char *name, char *text, size_t text_bytes)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return false;
	size_t got = fread(text, 1, text_bytes - 1, file);
	fclose(file);
	text[got] = '\0';
	return got > 0;
}

/* Of a process and the children it has waited for. */
static uint64_t
proc_ticks(pid_t pid)
{
	char text[1024];
	uint64_t times[4] = {0};
	if (!proc_read(pid, "stat", text, sizeof(text)))
		return 0;
	const char *rest = strrchr(text, ')'); /* the name before it may hold anything */
	if (rest == NULL || sscanf(rest,
				   ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u"
				   " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64,
				   &times[0], &times[1], &times[2], &times[3]) != 4)
		return 0;
	return times[0] + times[1] + times[2] + times[3];
}

/* The same of all below it, too, as far as they are children of main threads. */
static uint64_t
tree_ticks(pid_t pid)
{
	pid_t pids[LANES_PROCESSES_MAX] = {pid};
	uint64_t ticks = 0;
	size_t count = 1;
	for (size_t i = 0; i < count; i++) {
		char name[48], text[512];
		ticks += proc_ticks(pids[i]);
		snprintf(name, sizeof(name), "task/%d/children", (int)pids[i]);
		if (!proc_read(pids[i], name, text, sizeof(text)))
			continue;
		char *at = text, *end;
		for (long child; count < LANES_PROCESSES_MAX; at = end) {
			child = strtol(at, &end, 10);
			if (end == at || *end != ' ') /* the last may be cut short */
				break;
			pids[count++] = (pid_t)child;
		}
	}
	return ticks;
}

static void
lane_look_at_cpu(struct lane *lane, int64_t now_ns)
{
	int64_t passed_ns = now_ns - lane->cpu_at_ns;
	if (lane->pid <= 0) {
		lane->cpu_percent = -1;
		return;
	}
	if (passed_ns < NS_PER_S)
		return;
	uint64_t ticks = tree_ticks(lane->pid);
	double used_s = ticks > lane->cpu_ticks ? (double)(ticks - lane->cpu_ticks) /
						      (double)sysconf(_SC_CLK_TCK)
						: 0;
	lane->cpu_percent = (int)(used_s * 100 / ((double)passed_ns / 1e9) + 0.5);
	lane->cpu_at_ns = now_ns;
	lane->cpu_ticks = ticks;
}

/* --- what is in hand --- */

static void
lane_look(struct lane *lane, const struct board_seat *seat, int64_t now_ns)
{
	uint64_t seq = atomic_load_explicit(&seat->seq, memory_order_relaxed);
	uint32_t attempt = atomic_load_explicit(&seat->attempt, memory_order_relaxed);
	pid_t pid = atomic_load_explicit(&seat->pid, memory_order_relaxed);
	if (seq != lane->seq || attempt != lane->attempt) {
		lane->seq = seq;
		lane->attempt = attempt;
		lane->since_ns = now_ns;
		lane->has_what = false;
	}
	if (pid != lane->pid) {
		lane->pid = pid;
		lane->cpu_at_ns = now_ns;
		lane->cpu_ticks = 0;
		lane->cpu_percent = -1;
	}
}

void
lanes_look(struct lanes *lanes, int64_t now_ns, size_t cpu_lanes)
{
	for (size_t i = 0; i < lanes->count; i++) {
		lane_look(&lanes->items[i], &lanes->board->seats[i], now_ns);
		if (i < cpu_lanes)
			lane_look_at_cpu(&lanes->items[i], now_ns);
	}
}

uint64_t
lanes_busy(const struct lanes *lanes)
{
	uint64_t busy = 0;
	for (size_t i = 0; i < lanes->count; i++)
		busy += lanes->items[i].seq != BOARD_NO_TASK;
	return busy;
}

struct lane *
lanes_newest(const struct lanes *lanes)
{
	struct lane *newest = NULL;
	for (size_t i = 0; i < lanes->count; i++)
		if (lanes->items[i].seq != BOARD_NO_TASK &&
		    (newest == NULL || lanes->items[i].seq > newest->seq))
			newest = &lanes->items[i];
	return newest;
}
