/*
 * json_text.h: bytes as JSON strings.
 *
 * Any bytes may be asked about, NUL among them; only UTF-8 can be a string. What is not goes
 * into JSON as base64, under a name that says so.
 */
#ifndef PINION_JSON_TEXT_H
#define PINION_JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* Whether the bytes are well-formed UTF-8 (RFC 3629). */
bool json_text_is_utf8(const char *bytes, size_t length);

/* The same of a stream that comes in pieces cut anywhere. Zero-initialise. */
struct json_text_check {
	bool is_bad;           /* what came so far is not UTF-8 */
	unsigned char rest[4]; /* a character that is not whole yet */
	unsigned char rest_length;
};

void json_text_check(struct json_text_check *check, const char *bytes, size_t length);

/* After the last piece. */
bool json_text_was_utf8(const struct json_text_check *check);

/* How many bytes at the end begin a character that is not whole: up to 3 (if all is UTF-8). */
size_t json_text_cut_length(const char *bytes, size_t length);

/* Appends UTF-8 as a string with its quotes; or without, for one written in pieces. */
int json_text_append(struct buf *text, const char *bytes, size_t length);
int json_text_append_part(struct buf *text, const char *bytes, size_t length);

/* Bytes as base64 (RFC 4648), in pieces. Zero-initialise. */
struct json_base64 {
	unsigned char rest[3];
	size_t rest_length;
};

int json_base64_append(struct json_base64 *base64, struct buf *text, const char *bytes,
		       size_t length);
int json_base64_end(struct json_base64 *base64, struct buf *text);

/* All of them, as a string with its quotes. */
int json_base64_append_string(struct buf *text, const char *bytes, size_t length);

#endif
