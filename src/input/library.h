/*
 * library.h: the LIB.so[:SYMBOL] of pinion call.
 *
 * A file of that name wins, whatever it looks like; then what stands behind the last colon is
 * the symbol. A name without a slash is looked for in the current folder first, and else left
 * to dlopen(3). Files come out as absolute paths, for workers may go elsewhere (--wd).
 */
#ifndef PINION_LIBRARY_H
#define PINION_LIBRARY_H

#include "base/err.h"
#include "task/spec.h"

/* Fills plugin_path and plugin_symbol. 0; -1 and err when there is no such file. */
int library_parse(struct spec *spec, const char *word, struct err *err);

#endif
