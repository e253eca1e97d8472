/* display.c: see display.h. */
#include "sink/display.h"

#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "sink/progress.h"

#define DISPLAY_TICK_NS (NS_PER_S / 10)
#define DISPLAY_LATE_NS NS_PER_S /* a run that is over by then has shown nothing */

/* Lines that are said: at first so far apart, later a tenth of the run's time. */
#define DISPLAY_SAY_MIN_NS (10 * NS_PER_S)
#define DISPLAY_SAY_MAX_NS (600 * NS_PER_S)
#define DISPLAY_SAY_PART 10

struct display {
	struct display_config config;
	struct loop *loop;
	struct loop_watch *watch;
	int timer_fd;
	struct sink **items;
	size_t count;
	struct buf text; /* scratch */
	int64_t started_at_ns;
	int64_t show_at_ns;
	int64_t load_at_ns;
	double load;
	bool is_shown;
};

static void
display_look(struct display *display, int64_t now_ns)
{
	for (size_t i = 0; i < display->count; i++)
		progress_look(display->items[i], now_ns);
	if (now_ns - display->load_at_ns < NS_PER_S)
		return;
	if (getloadavg(&display->load, 1) != 1)
		display->load = -1;
	display->load_at_ns = now_ns;
}

static void
display_paint(struct display *display)
{
	struct progress_page page = {.is_coloured = display->config.is_coloured,
				     .load = display->load};
	screen_size(display->config.screen, &page.columns, &page.rows);
	/* One is left for what stands above, and one for a terminal that has just shrunk. */
	size_t rows = page.rows > 2 ? page.rows - 2 : 1;
	size_t shown = display->count < rows ? display->count : rows;
	buf_clear(&display->text);
	if (shown == 0)
		return;
	page.rows = rows / shown;
	for (size_t i = 0; i < shown; i++)
		if ((i > 0 && buf_append_char(&display->text, '\n') == -1) ||
		    progress_append(display->items[i], &page, &display->text) == -1)
			return;
	screen_paint(display->config.screen, display->text.bytes, display->text.length);
}

static void
display_say(struct display *display, int64_t now_ns)
{
	const struct progress_page page = {.load = display->load};
	for (size_t i = 0; i < display->count; i++) {
		buf_clear(&display->text);
		if (progress_append(display->items[i], &page, &display->text) == 0 &&
		    buf_str(&display->text) != NULL)
			display->config.say(display->config.context, i,
					    display->text.bytes);
	}
	int64_t apart_ns = (now_ns - display->started_at_ns) / DISPLAY_SAY_PART;
	if (apart_ns < DISPLAY_SAY_MIN_NS)
		apart_ns = DISPLAY_SAY_MIN_NS;
	if (apart_ns > DISPLAY_SAY_MAX_NS)
		apart_ns = DISPLAY_SAY_MAX_NS;
	display->show_at_ns = now_ns + apart_ns;
}

static void
display_on_tick(void *context, unsigned int events)
{
	struct display *display = context;
	uint64_t tick_count;
	int64_t now_ns = clock_now_ns();
	(void)events;
	if (io_read(display->timer_fd, &tick_count, sizeof(tick_count)) == -1)
		return;
	display_look(display, now_ns);
	if (now_ns < display->show_at_ns)
		return;
	display->is_shown = true;
	if (display->config.screen != NULL)
		display_paint(display);
	else
		display_say(display, now_ns);
}

static int
display_start(struct display *display, struct err *err)
{
	const struct itimerspec ticks = {.it_interval = {.tv_nsec = DISPLAY_TICK_NS},
					 .it_value = {.tv_nsec = DISPLAY_TICK_NS}};
	display->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (display->timer_fd == -1 ||
	    timerfd_settime(display->timer_fd, 0, &ticks, NULL) == -1)
		return err_errno(err, "cannot make a timer");
	display->watch = loop_watch(display->loop, display->timer_fd, LOOP_READ,
				    display_on_tick, display, err);
	return display->watch == NULL ? -1 : 0;
}

struct display *
display_new(const struct display_config *config, struct loop *loop, struct err *err)
{
	struct display *display = calloc(1, sizeof(*display));
	if (display == NULL) {
		err_no_memory(err);
		return NULL;
	}
	int64_t now_ns = clock_now_ns();
	bool is_soon = config->is_asked_for && config->screen != NULL;
	*display = (struct display){
	    .config = *config,
	    .loop = loop,
	    .started_at_ns = now_ns,
	    .show_at_ns = is_soon ? now_ns : now_ns + DISPLAY_LATE_NS,
	    .load_at_ns = now_ns - NS_PER_S,
	};
	if (display_start(display, err) == 0)
		return display;
	display_free(display);
	return NULL;
}

int
display_add(struct display *display, struct sink *progress)
{
	struct sink **items =
	    reallocarray(display->items, display->count + 1, sizeof(struct sink *));
	if (items == NULL)
		return -1;
	display->items = items;
	display->items[display->count++] = progress;
	return 0;
}

bool
display_was_shown(const struct display *display)
{
	return display->is_shown || display->config.is_asked_for;
}

void
display_free(struct display *display)
{
	if (display == NULL)
		return;
	loop_unwatch(display->loop, display->watch);
	io_close(display->timer_fd);
	free(display->items);
	buf_fini(&display->text);
	free(display);
}
