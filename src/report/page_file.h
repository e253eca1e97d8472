/*
 * page_file.h: page.html with page.css and page.js in it, as the Makefile has put them into an
 * array, in two parts: the data of a report goes between them.
 */
#ifndef PINION_PAGE_FILE_H
#define PINION_PAGE_FILE_H

#include <stddef.h>

extern const char page_file_head[];
extern const size_t page_file_head_bytes;
extern const char page_file_tail[];
extern const size_t page_file_tail_bytes;

#endif
