/*
 * private_dir.h: a folder that is this user's alone, where anybody may make folders.
 *
 * In /tmp and its kind others may have made one of that name, or a link, before us: neither is
 * used. Once ours is there, the sticky bit keeps it from them.
 */
#ifndef PINION_PRIVATE_DIR_H
#define PINION_PRIVATE_DIR_H

#include "base/err.h"

/*
 * Opens the folder, made with mode 0700 where there is none. -1 and err unless it is a folder, ours,
 * and others can neither read nor change it.
 */
int private_dir_open(const char *path, struct err *err);

#endif
