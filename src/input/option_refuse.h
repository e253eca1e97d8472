/*
 * option_refuse.h: how the setters of options refuse a value. Private to them.
 */
#ifndef PINION_OPTION_REFUSE_H
#define PINION_OPTION_REFUSE_H

#include "input/option_table.h"

/* "--jobs: 'x' is not ..." */
static inline int
refuse(const struct option_row *option, const char *value, const char *mend, struct err *err)
{
	char name[OPTION_NAME_BYTES];
	return err_set(err, ERR_USAGE, "%s: '%.200s' is %s", option_name(option, name),
		       value, mend);
}

#endif
