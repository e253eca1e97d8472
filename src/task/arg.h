/*
 * arg.h: a value: bytes of any kind.
 */
#ifndef PINION_ARG_H
#define PINION_ARG_H

#include <stddef.h>

/* Borrowed, followed by a NUL. */
struct arg {
	const char *bytes;
	size_t length;
};

#endif
