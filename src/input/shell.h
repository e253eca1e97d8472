/*
 * shell.h: which shell runs the command lines of `pinion parallel`.
 *
 * $PARALLEL_SHELL, else the shell found among our parents, so that its syntax and its
 * exported functions work, else $SHELL, else /bin/sh.
 */
#ifndef PINION_SHELL_H
#define PINION_SHELL_H

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "task/spec.h"

/*
 * Path of an executable file; lives as long as the spec. NULL and err when
 * $PARALLEL_SHELL is none.
 */
const char *shell_find(struct spec *spec, struct err *err);

/* The path of the nearest shell among `pid` and its parents; -1 when there is none. */
int shell_of_process(pid_t pid, char *path, size_t path_bytes);

#endif
