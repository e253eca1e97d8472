/*
 * edit.h: what a replacement string does to the value it stands for.
 *
 * {} nothing, {/} the base name, {.} without its extension, and so on. Most edits are a
 * slice of the value and cost no memory; those with a regular expression write into the
 * caller's scratch.
 */
#ifndef PINION_EDIT_H
#define PINION_EDIT_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "task/subst.h"
#include "task/task.h"

enum edit_kind {
	EDIT_NONE,
	EDIT_BASE,           /* {/}: behind the last / */
	EDIT_DIRNAME,        /* {//}: what dirname(1) says */
	EDIT_STEM,           /* {.} {..} {...}: without its last `count` extensions */
	EDIT_BASE_STEM,      /* {/.} {/..} {/...}: both */
	EDIT_DIR,            /* {+/}: in front of the last /, empty when there is none */
	EDIT_LAST_EXTENSION, /* {+.}: behind the last dot */
	EDIT_EXTENSIONS, /* {+..} {+...}: the last `count` extensions, empty when there are fewer */
	EDIT_DEFAULT, /* {:-text}: text instead of an empty value */
	EDIT_RANGE, /* {:count} {:count:length}: without the first `count` bytes, at most `length` */
	EDIT_SUBST,     /* s/// */
	EDIT_CUT_START, /* {#regex}: without the shortest start that matches */
	EDIT_CUT_TAIL,  /* {%regex}: without the shortest tail that matches */
};

struct edit {
	enum edit_kind kind;
	size_t count;
	size_t length;
	char *text;               /* EDIT_DEFAULT; owned */
	struct subst_list *subst; /* EDIT_SUBST, EDIT_CUT_*; owned */
	struct edit *next;        /* the list of whoever owns it */
};

/*
 * `value` edited. The outcome is borrowed from `value`, `edit` or `scratch`; it is
 * followed by a NUL only when the value's own end is kept. 0, -1 without memory.
 */
int edit_apply(const struct edit *edit, const struct arg *value, struct buf scratch[2],
	       struct arg *outcome);

/* Ends a whole list, linked by next. */
void edit_free_list(struct edit *edit);

#endif
