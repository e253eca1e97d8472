/* tokens.c: see tokens.h. */
#include "run/tokens.h"

#include <stdlib.h>

#include "base/clock.h"

#define TOKENS_BYTE '+' /* what ours look like */

/* Between two looks at what is not used, at first, and when nothing has changed for a while. */
#define TOKENS_LOOK_NS (10 * NS_PER_MS)
#define TOKENS_LOOK_MAX_NS (40 * NS_PER_MS)

/* Who has shown that it wants no more is offered one again after this, if others want it. */
#define TOKENS_SATED_NS (250 * NS_PER_MS)

static bool
tokens_is_server(const struct tokens *tokens)
{
	return tokens->jobserver != NULL && tokens->jobserver->client_fd == -1;
}

static bool
tokens_is_client(const struct tokens *tokens)
{
	return tokens->jobserver != NULL && tokens->jobserver->client_fd != -1;
}

/* Being awake is all that is needed: the next feed tries again. */
static void
tokens_on_wake(void *context, unsigned int events)
{
	(void)context;
	(void)events;
}

/* Watches fd for a token, or no longer. Without the watch we are only slower. */
static void
tokens_watch(struct tokens *tokens, struct loop_watch **watch, int fd, bool is_wanted)
{
	struct err err;
	if (is_wanted == (*watch != NULL))
		return;
	if (is_wanted) {
		*watch =
		    loop_watch(tokens->loop, fd, LOOP_READ, tokens_on_wake, tokens, &err);
		return;
	}
	loop_unwatch(tokens->loop, *watch);
	*watch = NULL;
}

/* --- the server --- */

static int
seat_fd(const struct tokens *tokens, const struct token_seat *seat)
{
	return jobserver_seat_fd(tokens->jobserver, (size_t)(seat - tokens->seats));
}

/* Of what it was lent, how much it does not use now. What it has put in beside that goes. */
static size_t
seat_unused(const struct tokens *tokens, const struct token_seat *seat)
{
	char token;
	size_t count = jobserver_count(seat_fd(tokens, seat));
	while (count > seat->lent_count && jobserver_take(seat_fd(tokens, seat), &token))
		count--;
	return count < seat->lent_count ? count : seat->lent_count;
}

static bool
seat_reclaim(const struct tokens *tokens, struct token_seat *seat)
{
	char token;
	if (seat->lent_count == 0 || !jobserver_take(seat_fd(tokens, seat), &token))
		return false;
	seat->lent_count--;
	return true;
}

static void
seat_lend(const struct tokens *tokens, struct token_seat *seat)
{
	jobserver_give(seat_fd(tokens, seat), TOKENS_BYTE);
	seat->lent_count++;
}

/* Nothing is lent to it, whatever was. */
static void
seat_reset(struct tokens *tokens, struct token_seat *seat, bool is_running)
{
	char token;
	while (jobserver_take(seat_fd(tokens, seat), &token))
		;
	seat->lent_count = 0;
	seat->unused_count = 0;
	seat->is_running = is_running;
	seat->had_unused = false;
	seat->sated_until_ns = 0;
	tokens->look_at_ns = 0;
}

/* What nobody has. */
static size_t
tokens_free(const struct tokens *tokens)
{
	size_t used = tokens->busy_count;
	for (size_t i = 0; i < tokens->seat_count; i++)
		used += tokens->seats[i].lent_count;
	return used < tokens->total ? tokens->total - used : 0;
}

/* Looks at who uses what. How many tokens nobody uses; *running_count tasks run. */
static size_t
tokens_survey(struct tokens *tokens, size_t *running_count)
{
	size_t idle_count = tokens_free(tokens);
	*running_count = 0;
	for (size_t i = 0; i < tokens->seat_count; i++) {
		struct token_seat *seat = &tokens->seats[i];
		if (!seat->is_running)
			continue;
		seat->unused_count = seat_unused(tokens, seat);
		idle_count += seat->unused_count;
		++*running_count;
	}
	return idle_count;
}

/* Who leaves a token lying from one look to the next wants no more for a while. */
static void
seat_judge(struct token_seat *seat, int64_t now_ns)
{
	bool has_unused = seat->unused_count > 0;
	if (has_unused && seat->had_unused)
		seat->sated_until_ns = now_ns + TOKENS_SATED_NS;
	else if (!has_unused && seat->lent_count > 0)
		seat->sated_until_ns = 0;
	seat->had_unused = has_unused;
}

/* Whether a token is better lent to this one: who may want it, then who uses fewest. */
static bool
seat_is_before(const struct token_seat *seat, const struct token_seat *other, int64_t now_ns)
{
	bool is_sated = seat->sated_until_ns > now_ns;
	if (is_sated != (other->sated_until_ns > now_ns))
		return !is_sated;
	return seat->lent_count - seat->unused_count <
	       other->lent_count - other->unused_count;
}

/* Of those that run and have this share, the one a token is best lent to. */
static struct token_seat *
tokens_first(const struct tokens *tokens, size_t share, int64_t now_ns)
{
	struct token_seat *first = NULL;
	for (size_t i = 0; i < tokens->seat_count; i++) {
		struct token_seat *seat = &tokens->seats[i];
		if (seat->is_running && seat->share == share &&
		    (first == NULL || seat_is_before(seat, first, now_ns)))
			first = seat;
	}
	return first;
}

/* What each is to have unused: as much as the others, and the rest to those who come first. */
static void
tokens_plan_shares(struct tokens *tokens, size_t idle_count, size_t running_count,
		   int64_t now_ns)
{
	size_t share = idle_count / running_count;
	struct token_seat *first;
	for (size_t i = 0; i < tokens->seat_count; i++)
		tokens->seats[i].share = share;
	for (size_t extra = idle_count % running_count;
	     extra > 0 && (first = tokens_first(tokens, share, now_ns)) != NULL; extra--)
		first->share++;
}

/* Takes from those who have more than their share, then gives; whether anything has moved. */
static bool
tokens_move(struct tokens *tokens)
{
	bool has_moved = false;
	for (size_t i = 0; i < tokens->seat_count; i++) {
		struct token_seat *seat = &tokens->seats[i];
		for (; seat->is_running && seat->unused_count > seat->share &&
		       seat_reclaim(tokens, seat);
		     seat->unused_count--)
			has_moved = true;
	}
	for (size_t i = 0; i < tokens->seat_count; i++) {
		struct token_seat *seat = &tokens->seats[i];
		for (; seat->is_running && seat->unused_count < seat->share &&
		       tokens_free(tokens) > 0;
		     seat->unused_count++) {
			seat_lend(tokens, seat);
			has_moved = true;
		}
	}
	return has_moved;
}

/* With one task that runs, all is lent to it, and there is nothing to look for. */
static void
tokens_divide(struct tokens *tokens, size_t idle_count, size_t running_count, int64_t now_ns)
{
	for (size_t i = 0; i < tokens->seat_count; i++)
		if (tokens->seats[i].is_running)
			seat_judge(&tokens->seats[i], now_ns);
	tokens_plan_shares(tokens, idle_count, running_count, now_ns);
	if (tokens_move(tokens))
		tokens->look_ns = TOKENS_LOOK_NS;
	else if (tokens->look_ns < TOKENS_LOOK_MAX_NS)
		tokens->look_ns *= 2;
	tokens->look_at_ns = running_count > 1 ? now_ns + tokens->look_ns : CLOCK_NEVER;
}

/* Fewer workers than there were: what is lent beyond them comes back as it is returned. */
static void
tokens_shrink(struct tokens *tokens)
{
	size_t used = tokens->busy_count;
	for (size_t i = 0; i < tokens->seat_count; i++)
		used += tokens->seats[i].lent_count;
	for (size_t i = 0; i < tokens->seat_count; i++)
		while (used > tokens->total && seat_reclaim(tokens, &tokens->seats[i]))
			used--;
}

/* While all are in use the pipes say when one is put back. */
static void
tokens_watch_seats(struct tokens *tokens, bool is_wanted)
{
	for (size_t i = 0; i < tokens->seat_count; i++) {
		struct token_seat *seat = &tokens->seats[i];
		if (seat->watch != NULL || seat->lent_count > 0)
			tokens_watch(tokens, &seat->watch, seat_fd(tokens, seat),
				     seat->lent_count > 0 && is_wanted);
	}
}

static void
tokens_settle_server(struct tokens *tokens, int64_t now_ns)
{
	size_t running_count;
	bool is_due = tokens->look_at_ns == CLOCK_NEVER || now_ns >= tokens->look_at_ns;
	if (!is_due)
		return;
	tokens_shrink(tokens);
	size_t idle_count = tokens_survey(tokens, &running_count);
	if (idle_count > 0 && running_count > 0)
		tokens_divide(tokens, idle_count, running_count, now_ns);
	else
		tokens->look_at_ns = CLOCK_NEVER;
	tokens_watch_seats(tokens, idle_count == 0);
}

static bool
tokens_take_server(struct tokens *tokens)
{
	if (tokens_free(tokens) > 0)
		return true;
	for (size_t i = 0; i < tokens->seat_count; i++)
		if (tokens->seats[i].is_running && seat_reclaim(tokens, &tokens->seats[i]))
			return tokens_free(tokens) > 0;
	return false;
}

/* --- the client --- */

static bool
tokens_take_client(struct tokens *tokens)
{
	struct jobserver *jobserver = tokens->jobserver;
	return jobserver->busy_count <= jobserver->held_count || jobserver_hold(jobserver);
}

/* Keeps one for each task but the first. */
static void
tokens_settle_client(struct tokens *tokens, bool is_waiting)
{
	struct jobserver *jobserver = tokens->jobserver;
	size_t needed = jobserver->busy_count > 0 ? jobserver->busy_count - 1 : 0;
	while (jobserver->held_count > needed)
		jobserver_unhold(jobserver);
	tokens_watch(tokens, &tokens->watch, jobserver->client_fd, is_waiting);
}

/* --- both --- */

int
tokens_init(struct tokens *tokens, struct jobserver *jobserver, struct loop *loop,
	    struct err *err)
{
	*tokens = (struct tokens){.jobserver = jobserver,
				  .loop = loop,
				  .look_at_ns = CLOCK_NEVER,
				  .look_ns = TOKENS_LOOK_NS};
	if (!tokens_is_server(tokens))
		return 0;
	tokens->seat_count = jobserver->seat_count;
	tokens->seats = calloc(tokens->seat_count, sizeof(*tokens->seats));
	return tokens->seats == NULL ? err_no_memory(err) : 0;
}

void
tokens_fini(struct tokens *tokens)
{
	for (size_t i = 0; tokens->seats != NULL && i < tokens->seat_count; i++)
		loop_unwatch(tokens->loop, tokens->seats[i].watch);
	tokens_ended(tokens, tokens->busy_count);
	if (tokens_is_client(tokens))
		tokens_settle_client(tokens, false);
	free(tokens->seats);
	*tokens = (struct tokens){0};
}

bool
tokens_take(struct tokens *tokens)
{
	if (tokens_is_client(tokens))
		return tokens_take_client(tokens);
	return !tokens_is_server(tokens) || tokens_take_server(tokens);
}

void
tokens_submitted(struct tokens *tokens, size_t count)
{
	tokens->busy_count += count;
	if (tokens_is_client(tokens))
		tokens->jobserver->busy_count += count;
}

void
tokens_started(struct tokens *tokens, size_t slot)
{
	if (tokens_is_server(tokens) && slot > 0 && slot <= tokens->seat_count)
		seat_reset(tokens, &tokens->seats[slot - 1], true);
}

void
tokens_ended(struct tokens *tokens, size_t count)
{
	if (count > tokens->busy_count)
		count = tokens->busy_count;
	tokens->busy_count -= count;
	if (tokens_is_client(tokens))
		tokens->jobserver->busy_count -= count;
}

void
tokens_ended_at(struct tokens *tokens, size_t slot)
{
	tokens_ended(tokens, 1);
	if (tokens_is_server(tokens) && slot > 0 && slot <= tokens->seat_count)
		seat_reset(tokens, &tokens->seats[slot - 1], false);
}

void
tokens_settle(struct tokens *tokens, bool is_waiting, int64_t now_ns)
{
	if (tokens->jobserver == NULL)
		return;
	if (tokens_is_client(tokens))
		tokens_settle_client(tokens, is_waiting);
	else
		tokens_settle_server(tokens, now_ns);
}

int64_t
tokens_wait_until(const struct tokens *tokens)
{
	return tokens->seats == NULL ? CLOCK_NEVER : tokens->look_at_ns;
}
