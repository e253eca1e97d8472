/* cmd_show.c: see cmd_show.h. */
#include "cmd_show.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "sink/progress.h"

/* --- whether and where --- */

/* Somebody else gets it, and may show it. */
static bool
show_is_piped_on(void)
{
	struct stat st;
	return fstat(STDOUT_FILENO, &st) == 0 &&
	       (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode));
}

static bool
show_is_input_typed(const struct spec *spec)
{
	bool reads_stdin = spec->input_count == 0;
	for (size_t i = 0; i < spec->input_count; i++)
		reads_stdin |= spec->inputs[i].path != NULL &&
			       strcmp(spec->inputs[i].path, "-") == 0;
	return reads_stdin && isatty(STDIN_FILENO);
}

static bool
show_is_wanted(const struct spec *spec, bool is_drawable)
{
	if (spec->is_quiet || spec->is_dry_run || spec->progress == SPEC_PROGRESS_NONE ||
	    spec->dialect == SPEC_BENCH)
		return false;
	if (spec->progress != SPEC_PROGRESS_AUTO)
		return true;
	return is_drawable && spec->dialect != SPEC_PARALLEL && spec->cron == NULL &&
	       !show_is_piped_on() && !show_is_input_typed(spec);
}

void
show_init(struct show *show, const struct spec *spec, const struct diag *diag)
{
	bool is_drawable =
	    spec->output_mode != SPEC_OUTPUT_NONE && screen_is_possible(STDERR_FILENO);
	*show = (struct show){
	    .is_wanted = show_is_wanted(spec, is_drawable), .diag = diag, .spec = spec};
	if (show->is_wanted && is_drawable)
		screen_open(&show->screen, STDERR_FILENO);
}

struct screen *
show_screen(struct show *show)
{
	return show->screen.is_open ? &show->screen : NULL;
}

/* --- one stage --- */

static uint64_t
show_count(void *context, bool *is_all)
{
	const struct show_part *part = context;
	if (part->reads_ahead)
		plan_read_ahead(part->plan, PLAN_AHEAD_COUNT, PLAN_AHEAD_BYTES);
	return plan_task_count(part->plan, is_all);
}

static size_t
show_worker_count(void *context)
{
	const struct show_part *part = context;
	return part->backend->ops->worker_count(part->backend);
}

static void
show_describe(void *context, uint64_t seq, uint32_t slot, struct buf *text)
{
	struct show_part *part = context;
	struct err err = {0};
	const struct task *task = plan_find_around(part->plan, seq);
	if (task == NULL)
		return;
	const char *packed = task_bytes(task);
	size_t packed_bytes = task->packed_bytes;
	for (uint64_t at = task->seq; at <= seq; at++)
		if (task_unpack_next(&packed, &packed_bytes, task->arg_count, &part->args,
				     &part->arg_capacity) == -1)
			return;
	const struct template_values values = {.seq = seq,
					       .slot = slot,
					       .args = part->args,
					       .arg_count = task->arg_count,
					       .column_count = part->column_count};
	/* What there is no memory for is not shown. */
	template_append_line(part->command, &values, text, &err);
}

int
show_part_init(struct show_part *part, struct err *err)
{
	const struct progress_config config = {
	    .style = part->show->spec->progress,
	    .title = part->spec->stage,
	    .context = part,
	    .count = show_count,
	    .worker_count = show_worker_count,
	    .describe = show_describe,
	};
	if (!part->show->is_wanted)
		return 0;
	part->progress = progress_new(&config, err);
	return part->progress == NULL ? -1 : 0;
}

int
show_part_start(struct show_part *part, const struct board *board,
		struct backend *backend, struct err *err)
{
	struct show *show = part->show;
	part->backend = backend;
	if (show->last == NULL)
		show->first = part;
	else
		show->last->next = part;
	show->last = part;
	return progress_start(part->progress, board, clock_now_ns()) == -1
		   ? err_no_memory(err)
		   : 0;
}

void
show_part_fini(struct show_part *part)
{
	sink_free(part->progress);
	free(part->args);
}

/* --- all of them --- */

static void
show_say_of(const struct show *show, const struct show_part *part, const char *line)
{
	if (part->spec->stage == NULL)
		diag_say(show->diag, "%s", line);
	else
		diag_say(show->diag, "stage %s: %s", part->spec->stage, line);
}

static void
show_say(void *context, size_t index, const char *line)
{
	const struct show *show = context;
	const struct show_part *part = show->first;
	while (index-- > 0)
		part = part->next;
	show_say_of(show, part, line);
}

int
show_start(struct show *show, struct loop *loop, struct err *err)
{
	const char *no_colour = getenv("NO_COLOR");
	const struct display_config config = {
	    .screen = show_screen(show),
	    .is_asked_for = show->spec->progress != SPEC_PROGRESS_AUTO,
	    .is_coloured = no_colour == NULL || *no_colour == '\0',
	    .context = show,
	    .say = show_say,
	};
	if (!show->is_wanted)
		return 0;
	show->display = display_new(&config, loop, err);
	if (show->display == NULL)
		return -1;
	for (struct show_part *part = show->first; part != NULL; part = part->next)
		if (display_add(show->display, part->progress) == -1)
			return err_no_memory(err);
	return 0;
}

void
show_end(struct show *show)
{
	screen_erase(&show->screen);
	if (show->display == NULL || !display_was_shown(show->display))
		return;
	for (struct show_part *part = show->first; part != NULL; part = part->next) {
		struct progress_end end;
		struct buf text = {0};
		progress_end(part->progress, clock_now_ns(), &end);
		if (progress_text_end(&text, &end) == 0 && buf_str(&text) != NULL)
			show_say_of(show, part, text.bytes);
		buf_fini(&text);
	}
}

void
show_fini(struct show *show)
{
	display_free(show->display);
	screen_close(&show->screen);
}
