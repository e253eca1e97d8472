/*
 * lines.h: the items of one file, pipe or terminal, streamed.
 *
 * Owns its descriptor (but not 0) and one buffer that grows to the longest item and
 * shrinks again after it. Reads only when asked and only when poll says that it will not
 * block; never sets O_NONBLOCK, which would change the terminal or pipe for others. A
 * last item without delimiter counts. A read error is an error, never an end.
 */
#ifndef PINION_LINES_H
#define PINION_LINES_H

#include "base/err.h"
#include "task/source.h"
#include "task/task.h"

struct lines;

/*
 * `path` "-" is stdin; it is borrowed until lines_close. Waits for the writer of a named
 * pipe.
 */
struct lines *lines_open(const char *path, char delimiter, struct err *err);
void lines_close(struct lines *lines);

/*
 * SOURCE_TASK: *item is the next one, without its delimiter, valid until the next call.
 * After SOURCE_END always SOURCE_END. SOURCE_WAIT also, with more there,
 * within an item that is long: whoever asks has other things to hear of.
 */
enum source_status lines_next(struct lines *lines, struct arg *item, struct err *err);

/* As lines_next, but waits for the item; for headers, before the run's loop exists. */
enum source_status lines_next_wait(struct lines *lines, struct arg *item, struct err *err);

int lines_fd(const struct lines *lines);

/* True when both would take bytes out of the same pipe, terminal or open file. */
bool lines_share_input(const struct lines *one, const struct lines *other);

#endif
