/* option_set_manners.c: the setters of option_set.h for what value_manners.h reads. */
#include "base/clock.h"
#include "input/option_refuse.h"
#include "input/option_set.h"
#include "input/value_manners.h"

int
option_set_load(struct option_state *state, const struct option_row *option,
		const char *value, struct err *err)
{
	if (value_load(value, &state->spec->load) == -1)
		return refuse(option, value,
			      "not a load: write 4, or 80%, +1, -1 for the CPUs", err);
	return 0;
}

int
option_set_max_pressure(struct option_state *state, const struct option_row *option,
			const char *value, struct err *err)
{
	if (value_pressure(value, state->spec->pressure_percents) == -1)
		return refuse(option, value,
			      "not a list of cpu=N, memory=N, io=N, apart by commas, in "
			      "percent of the time",
			      err);
	return 0;
}

int
option_set_nice(struct option_state *state, const struct option_row *option,
		const char *value, struct err *err)
{
	if (value_nice(value, &state->spec->nice) == -1)
		return refuse(option, value,
			      "not a niceness: write 19 (the nicest) to -20", err);
	state->spec->has_nice = true;
	return 0;
}

int
option_set_ionice(struct option_state *state, const struct option_row *option,
		  const char *value, struct err *err)
{
	if (value_ionice(value, &state->spec->ioprio) == -1)
		return refuse(option, value,
			      "not idle, nor best-effort or realtime with or without a "
			      "level, :0 to :7",
			      err);
	return 0;
}

int
option_set_deadline(struct option_state *state, const struct option_row *option,
		    const char *value, struct err *err)
{
	if (value_deadline(value, clock_real_ns(), &state->spec->deadline_real_ns) == -1)
		return refuse(option, value,
			      "not a time: write 06:30, or 8h from now, or "
			      "2026-11-22T06:00",
			      err);
	return 0;
}

int
option_set_cron(struct option_state *state, const struct option_row *option,
		const char *value, struct err *err)
{
	if (value_run_name(value) == -1)
		return refuse(option, value,
			      "not a name: write letters, digits, . _ -, such as "
			      "photos",
			      err);
	state->spec->cron = value;
	return 0;
}
