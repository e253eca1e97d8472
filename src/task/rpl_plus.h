/*
 * rpl_plus.h: the replacement strings of --plus that carry a text of their own, as bash
 * has them: {:-default} {:2} {:2:3} {#start} {##start} {%tail} {%%tail} {/a/b} {//a/b}
 * {/#a/b} {/%a/b} {^a} {^^a} {,a} {,,a}. As in GNU parallel the texts are regular
 * expressions (see subst.h).
 */
#ifndef PINION_RPL_PLUS_H
#define PINION_RPL_PLUS_H

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "task/edit.h"

/*
 * `text` starts behind the { and its number or name. The length up to and with the },
 * and a new *edit that is the caller's; 0: it is none of these; -1: a regular expression
 * we cannot do.
 */
ssize_t rpl_plus_match(const char *text, size_t length, struct edit **edit,
		       struct err *err);

#endif
