/*
 * json_read.h: strict JSON into a tree (json_tree.h).
 *
 * For what people write by hand and read in errors: each error names the source, line, column
 * and path, and what was expected. Takes what RFC 8259 allows and no more (no comments, no
 * trailing commas), and refuses what it leaves open: a key that is there twice, a number that
 * no double holds, a NUL in a string, half a surrogate pair, and nesting beyond
 * JSON_DEPTH_MAX. Bytes that are not UTF-8 are taken as they are: file names are bytes.
 *
 * cJSON, which writes our JSON, gives neither positions nor duplicates nor a number as it was
 * written. A pure function of bytes: does no I/O, keeps no policy.
 */
#ifndef PINION_JSON_READ_H
#define PINION_JSON_READ_H

#include "input/json_tree.h"

#define JSON_DEPTH_MAX 64

/*
 * The one value that is all of the source, which is borrowed for as long as the tree lives.
 * NULL and err (ERR_USAGE, or without memory).
 */
struct json_value *json_read(struct json *json, const struct json_source *source,
			     struct err *err);

#endif
