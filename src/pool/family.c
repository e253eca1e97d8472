/* family.c: see family.h. */
#include "pool/family.h"

#include <stdlib.h>
#include <sys/wait.h>

#include "pool/tree.h"

#define FAMILY_GIVEN_MAX 256

void
family_fini(struct family *family)
{
	free(family->pids);
	*family = (struct family){0};
}

int
family_reserve(struct family *family)
{
	if (family->count < family->capacity)
		return 0;
	size_t capacity = family->capacity ? family->capacity * 2 : 16;
	pid_t *pids = realloc(family->pids, capacity * sizeof(*pids));
	if (pids == NULL)
		return -1;
	family->pids = pids;
	family->capacity = capacity;
	return 0;
}

int
family_adopt_given(struct family *family)
{
	pid_t pids[FAMILY_GIVEN_MAX];
	size_t count = tree_children(pids, FAMILY_GIVEN_MAX);
	for (size_t i = 0; i < count && i < FAMILY_GIVEN_MAX; i++) {
		if (family_reserve(family) == -1)
			return -1;
		family_add(family, pids[i]);
	}
	family->given_count = family->count;
	return 0;
}

void
family_add(struct family *family, pid_t pid)
{
	family->pids[family->count++] = pid;
}

/* Whether it is a worker. */
static bool
family_has(const struct family *family, pid_t pid)
{
	for (size_t i = family->given_count; i < family->count; i++)
		if (family->pids[i] == pid)
			return true;
	return false;
}

void
family_remove(struct family *family, pid_t pid)
{
	for (size_t i = 0; i < family->count; i++)
		if (family->pids[i] == pid)
			family->pids[i] = family->pids[--family->count];
}

void
family_sweep(const struct family *family, const char *run, uint64_t seq)
{
	struct tree_rule rule = {
	    .spared = family->pids, .spared_count = family->count, .run = run, .seq = seq};
	tree_kill(0, &rule, 0);
}

void
family_reap_orphans(const struct family *family)
{
	for (;;) {
		siginfo_t info = {0};
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == -1 ||
		    info.si_pid == 0 || family_has(family, info.si_pid))
			return;
		waitpid(info.si_pid, NULL,
			WNOHANG); /* a given one stays listed: it harms nobody */
	}
}
