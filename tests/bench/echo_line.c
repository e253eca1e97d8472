/*
 * echo_line.c: a program for pinion feed to drive: each line of stdin on stdout, at once.
 */
#include <stdio.h>
#include <stdlib.h>

int
main(void)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t length;
	int status = 0;
	while (status == 0 && (length = getline(&line, &size, stdin)) != -1)
		if (fwrite(line, 1, (size_t)length, stdout) != (size_t)length ||
		    fflush(stdout) == EOF)
			status = 1;
	free(line);
	return status;
}
