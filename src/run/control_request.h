/* control_request.h: a line of a client, taken apart. Private to control. */
#ifndef PINION_CONTROL_REQUEST_H
#define PINION_CONTROL_REQUEST_H

#include <stddef.h>

#include "run/control.h"

/* 0; -1 and err, whose text is for the client. */
int control_request_parse(struct control_request *request, const char *line,
			  size_t length, struct err *err);

#endif
