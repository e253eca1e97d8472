/* picture.c: see picture.h. */
#include "report/picture.h"

/* So many eighths of `columns`, of what is not nothing at least one. */
static size_t
eighths(double part, size_t columns)
{
	size_t all = columns * 8;
	if (part <= 0)
		return 0;
	size_t count = (size_t)(part * (double)all + 0.5);
	return count == 0 ? 1 : count > all ? all : count;
}

int
picture_bar(struct buf *text, double part, size_t columns, bool has_blocks)
{
	static const char *const blocks[] = {" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"};
	size_t count = eighths(part, columns);
	for (size_t i = 0; i < columns; i++) {
		size_t here = count > 8 ? 8 : count;
		count -= here;
		const char *ascii = here == 0 ? " " : here < 4 && i > 0 ? " " : "#";
		if (buf_append_str(text, has_blocks ? blocks[here] : ascii) == -1)
			return -1;
	}
	return 0;
}

int
picture_level(struct buf *text, double part, bool has_blocks)
{
	static const char *const blocks[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	static const char *const ascii[] = {" ", ".", ":", ":", "-", "=", "+", "*", "#"};
	size_t count = eighths(part, 1);
	return buf_append_str(text, has_blocks ? blocks[count] : ascii[count]);
}
