/*
 * value_manners.h: what the words after --load, --max-pressure, --ionice, --cron and --deadline mean.
 *
 * Pure, as option_value.h says: 0, or -1 and *value left alone when the text is not of the form.
 */
#ifndef PINION_VALUE_MANNERS_H
#define PINION_VALUE_MANNERS_H

#include <stdint.h>

#include "task/spec.h"

/* As -j has them: N, N%, +N, -N; but no words and no file. */
int value_load(const char *text, struct spec_jobs *load);

/* cpu=50,memory=10%,io=20: percent of the time, above 0, at most 100. Those not named stay. */
int value_pressure(const char *text, double percents[SPEC_PRESSURES]);

/* -20 to 19. */
int value_nice(const char *text, int *nice);

/* idle, best-effort, realtime, the latter two with :0 to :7 behind; as ioprio_set(2) has it. */
int value_ionice(const char *text, int *ioprio);

/* 1 to 64 letters, digits, dots, underlines, hyphens; a letter, a digit or an underline first. */
int value_run_name(const char *text);

/*
 * A moment since 1970: 06:30 (the next one), 8h (from `now_real_ns`; all that durations may be), or
 * 2026-11-22T06:00; a moment of the day may have seconds. Times are of the local time zone.
 */
int value_deadline(const char *text, int64_t now_real_ns, int64_t *deadline_real_ns);

#endif
