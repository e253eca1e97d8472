/*
 * utf8.h: the characters of UTF-8 (RFC 3629), one by one.
 */
#ifndef PINION_UTF8_H
#define PINION_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The character at `bytes`, and how many bytes it takes; 0: there is none in UTF-8. */
size_t utf8_decode(const char *bytes, size_t length, uint32_t *code);

/*
 * Whether it says something to the terminal (C0, DEL, C1), or to the eye without being seen: it
 * has no shape, ends a line, or turns the direction of writing.
 */
bool utf8_is_hidden(uint32_t code);

#endif
