/*
 * Tests of ipc/blocks, alone and under held output: what a worker puts into a block is what the
 * coordinator finds, as long as somebody keeps it; and a worker cannot tell of what is not its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "ipc/blocks.h"
#include "ipc/spill.h"

#define SEATS 2
#define MAX_BLOCKS 16

struct fixture {
	int fd;
	struct blocks *blocks;
	struct outbox reader[SEATS];
	struct outbox writer[SEATS];
	struct block_writer block_writer[SEATS];
};

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct err err = {0};
	if (f == NULL || (f->fd = outbox_open(&err)) == -1 ||
	    (f->blocks = blocks_new((uint64_t)MAX_BLOCKS * BLOCK_BYTES)) == NULL)
		return -1;
	for (size_t i = 0; i < SEATS; i++)
		if (outbox_map(&f->reader[i], f->fd, i, true, &err) == -1 ||
		    outbox_map(&f->writer[i], f->fd, i, false, &err) == -1)
			return -1;
	blocks_set_file(f->blocks, f->fd, outbox_file_bytes(SEATS));
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;
	for (size_t i = 0; i < SEATS; i++) {
		block_writer_fini(&f->block_writer[i]);
		outbox_unmap(&f->reader[i]);
		outbox_unmap(&f->writer[i]);
	}
	blocks_free(f->blocks);
	close(f->fd);
	free(f);
	return 0;
}

static void
offer(struct fixture *f, uint32_t seat)
{
	blocks_offer(f->blocks, seat, &f->reader[seat]);
}

/* Puts `length` bytes of this letter into the seat's block. */
static struct block_part
put(struct fixture *f, uint32_t seat, char letter, size_t length)
{
	struct block_part part;
	size_t room;
	char *to =
	    block_writer_room(&f->block_writer[seat], &f->writer[seat], f->fd, &room);
	assert_non_null(to);
	assert_true(length <= room);
	memset(to, letter, length);
	block_writer_put(&f->block_writer[seat], length, &part);
	return part;
}

static bool
has_room(struct fixture *f, uint32_t seat)
{
	size_t room;
	return block_writer_room(&f->block_writer[seat], &f->writer[seat], f->fd, &room) !=
	       NULL;
}

static void
assert_all(const char *bytes, char letter, size_t length)
{
	assert_non_null(bytes);
	for (size_t i = 0; i < length; i++)
		if (bytes[i] != letter)
			fail_msg("byte %zu is not %c", i, letter);
}

/* A whole block of the letter; it is offered again unless somebody keeps it. */
static const char *
pass_block(struct fixture *f, uint32_t seat, char letter)
{
	struct block_part part = put(f, seat, letter, BLOCK_BYTES);
	assert_true(part.is_last);
	const char *bytes = blocks_take(f->blocks, seat, &part);
	assert_all(bytes, letter, BLOCK_BYTES);
	blocks_pass(f->blocks, &part);
	return bytes;
}

static void
nothing_is_there_before_it_is_offered(void **state)
{
	struct fixture *f = *state;
	assert_false(has_room(f, 0));
	offer(f, 0);
	assert_true(has_room(f, 0));
	assert_false(has_room(f, 1));
}

static void
parts_are_found_where_they_were_put(void **state)
{
	struct fixture *f = *state;
	offer(f, 0);
	struct block_part a = put(f, 0, 'a', 1000);
	struct block_part b = put(f, 0, 'b', 70000);
	assert_int_equal(a.block, b.block);
	assert_false(a.is_last);
	const char *first = blocks_take(f->blocks, 0, &a);
	assert_all(first, 'a', 1000);
	assert_true(blocks_has(f->blocks, first));
	assert_ptr_equal(blocks_take(f->blocks, 0, &b), first + 1000);
	assert_all(first + 1000, 'b', 70000);
}

static void
a_few_blocks_serve_for_ever(void **state)
{
	struct fixture *f = *state;
	struct stat before, after;
	for (int i = 0; i < 2 * OUTBOX_OFFERS; i++) {
		offer(f, 0);
		pass_block(f, 0, 'a');
	}
	assert_int_equal(fstat(f->fd, &before), 0);
	for (int i = 0; i < 10 * MAX_BLOCKS; i++) {
		offer(f, 0);
		pass_block(f, 0, (char)('a' + i % 26));
	}
	assert_int_equal(fstat(f->fd, &after), 0);
	assert_int_equal(after.st_size, before.st_size);
}

static void
a_kept_block_stays_as_it_is_until_it_is_dropped(void **state)
{
	struct fixture *f = *state;
	offer(f, 0);
	const char *kept = pass_block(f, 0, 'k');
	blocks_keep(f->blocks, kept);
	blocks_keep(f->blocks, kept + 5);
	for (int i = 0; i < 3 * MAX_BLOCKS; i++) {
		offer(f, 0);
		pass_block(f, 0, 'x');
	}
	assert_all(kept, 'k', BLOCK_BYTES);
	blocks_drop(f->blocks, kept);
	assert_all(kept, 'k', BLOCK_BYTES);
	blocks_drop(f->blocks, kept);
}

static void
when_all_are_kept_there_are_none(void **state)
{
	struct fixture *f = *state;
	const char *kept[MAX_BLOCKS];
	size_t count = 0;
	for (offer(f, 0); has_room(f, 0); offer(f, 0)) {
		assert_true(count < MAX_BLOCKS);
		kept[count] = pass_block(f, 0, (char)('a' + count));
		blocks_keep(f->blocks, kept[count++]);
	}
	assert_int_equal(count, MAX_BLOCKS);
	offer(f, 1);
	assert_false(has_room(f, 1));
	for (size_t i = 0; i < count; i++) {
		assert_all(kept[i], (char)('a' + i), BLOCK_BYTES);
		blocks_drop(f->blocks, kept[i]);
	}
	offer(f, 1);
	assert_true(has_room(f, 1));
}

static void
what_a_dead_worker_was_offered_is_free_again(void **state)
{
	struct fixture *f = *state;
	for (int i = 0; i < 3 * MAX_BLOCKS; i++) {
		struct err err = {0};
		offer(f, 0);
		struct block_part part = put(f, 0, 'd', 20000);
		const char *bytes = blocks_take(f->blocks, 0, &part);
		assert_non_null(bytes);
		block_writer_fini(&f->block_writer[0]);
		blocks_reclaim(f->blocks, 0);
		assert_null(blocks_take(f->blocks, 0, &part));
		outbox_unmap(&f->writer[0]);
		outbox_unmap(&f->reader[0]);
		assert_int_equal(outbox_map(&f->reader[0], f->fd, 0, true, &err), 0);
		assert_int_equal(outbox_map(&f->writer[0], f->fd, 0, false, &err), 0);
	}
}

static void
a_part_that_cannot_be_is_refused(void **state)
{
	struct fixture *f = *state;
	struct block_part part;
	assert_null(blocks_take(f->blocks, 0, &(struct block_part){.length = 1}));
	offer(f, 0);
	offer(f, 1);
	struct block_part good = put(f, 0, 'a', 1000);
	part = good, part.from = 1;
	assert_null(blocks_take(f->blocks, 0, &part));
	part = good, part.length = BLOCK_BYTES + 1;
	assert_null(blocks_take(f->blocks, 0, &part));
	part = good, part.length = 0;
	assert_null(blocks_take(f->blocks, 0, &part));
	part = good, part.block = UINT32_MAX;
	assert_null(blocks_take(f->blocks, 0, &part));
	part = good, part.block = 0; /* an outbox */
	assert_null(blocks_take(f->blocks, 0, &part));
	part = good, part.block += MAX_BLOCKS;
	assert_null(blocks_take(f->blocks, 0, &part));
	assert_null(blocks_take(f->blocks, 1, &good)); /* another's */
	assert_non_null(blocks_take(f->blocks, 0, &good));
	assert_null(blocks_take(f->blocks, 0, &good)); /* twice */
}

static void
no_memory_for_blocks_is_no_failure(void **state)
{
	struct fixture *f = *state;
	struct blocks *none = blocks_new(BLOCK_BYTES - 1);
	assert_non_null(none);
	blocks_set_file(none, f->fd, outbox_file_bytes(SEATS));
	blocks_offer(none, 0, &f->reader[0]);
	assert_false(has_room(f, 0));
	assert_false(blocks_has(none, "text"));
	assert_false(blocks_has(NULL, "text"));
	blocks_free(none);
}

/* --- held output --- */

/* Tells of a block in parts, each held as it comes; the budget of the spill may be anything. */
static void
hold_block(struct fixture *f, struct spill *spill, struct held **held, struct buf *model)
{
	struct err err = {0};
	static const size_t lengths[] = {40000, 10, 65536, 100000};
	bool is_last = false;
	for (size_t i = 0; !is_last; i++) {
		size_t room;
		offer(f, 0);
		if (block_writer_room(&f->block_writer[0], &f->writer[0], f->fd, &room) ==
		    NULL)
			return;
		size_t length = lengths[i % 4] < room ? lengths[i % 4] : room;
		struct block_part part =
		    put(f, 0, (char)('a' + model->length % 23), length);
		const char *bytes = blocks_take(f->blocks, 0, &part);
		assert_non_null(bytes);
		assert_int_equal(held_append(spill, held, bytes, length, &err), 0);
		assert_int_equal(buf_append(model, bytes, length), 0);
		blocks_pass(f->blocks, &part);
		is_last = part.is_last;
	}
}

static void
assert_held(struct spill *spill, struct held *held, const struct buf *model)
{
	struct err err = {0};
	size_t at = 0;
	assert_int_equal(held_bytes(held), model->length);
	while (held_bytes(held) > 0) {
		const char *bytes;
		size_t length;
		assert_int_equal(held_peek(spill, held, &bytes, &length, &err), 0);
		if (length > 30001)
			length = 30001;
		assert_true(length <= model->length - at);
		assert_memory_equal(bytes, model->bytes + at, length);
		held_consume(spill, held, length);
		at += length;
	}
}

static void
hold_within(struct fixture *f, uint64_t budget_bytes)
{
	struct spill spill;
	struct held *held = NULL, *other = NULL;
	struct buf model = {0}, other_model = {0};
	struct err err = {0};
	spill_init(&spill, "/tmp", budget_bytes, f->blocks);
	for (int i = 0; i < 12; i++) {
		hold_block(f, &spill, i % 3 == 2 ? &other : &held,
			   i % 3 == 2 ? &other_model : &model);
		assert_int_equal(held_append(&spill, &held, "short", 5, &err), 0);
		assert_int_equal(buf_append(&model, "short", 5), 0);
		assert_true(spill.memory_bytes <= budget_bytes);
	}
	assert_held(&spill, other, &other_model);
	assert_held(&spill, held, &model);
	held_free(&spill, held);
	held_free(&spill, other);
	spill_fini(&spill);
	buf_fini(&model);
	buf_fini(&other_model);
	blocks_reclaim(f->blocks, 0);
}

static void
held_blocks_read_back_as_they_came(void **state)
{
	hold_within(*state, 64 * 1024 * 1024);
}

static void
held_blocks_over_the_budget_go_to_the_file(void **state)
{
	hold_within(*state, 1000000);
}

static void
what_follows_in_the_next_block_is_kept_there(void **state)
{
	struct fixture *f = *state;
	struct spill spill;
	struct held *held = NULL;
	struct buf model = {0};
	struct err err = {0};
	struct block_part part;
	spill_init(&spill, "/tmp", 64 * 1024 * 1024, f->blocks);
	offer(f, 0);
	/* The first half of a block goes out at once; the second is held, then more in the next. */
	part = put(f, 0, 'x', BLOCK_BYTES / 2);
	assert_non_null(blocks_take(f->blocks, 0, &part));
	for (size_t length = BLOCK_BYTES / 2; length > BLOCK_BYTES / 8; length /= 2) {
		part = put(f, 0, 'a', length);
		const char *bytes = blocks_take(f->blocks, 0, &part);
		assert_non_null(bytes);
		assert_int_equal(buf_append(&model, bytes, length), 0);
		assert_int_equal(held_append(&spill, &held, bytes, length, &err), 0);
		blocks_pass(f->blocks, &part);
	}
	part = put(f, 0, 'x', BLOCK_BYTES * 3 / 4);
	assert_non_null(blocks_take(f->blocks, 0, &part));
	blocks_pass(f->blocks, &part);
	for (int i = 0; i < 3 * MAX_BLOCKS; i++) {
		offer(f, 0);
		pass_block(f, 0, 'y');
	}
	assert_held(&spill, held, &model);
	held_free(&spill, held);
	spill_fini(&spill);
	buf_fini(&model);
}

static void
no_block_is_held_without_a_budget(void **state)
{
	struct fixture *f = *state;
	hold_within(f, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(nothing_is_there_before_it_is_offered),
	    TEST(parts_are_found_where_they_were_put),
	    TEST(a_few_blocks_serve_for_ever),
	    TEST(a_kept_block_stays_as_it_is_until_it_is_dropped),
	    TEST(when_all_are_kept_there_are_none),
	    TEST(what_a_dead_worker_was_offered_is_free_again),
	    TEST(a_part_that_cannot_be_is_refused),
	    TEST(no_memory_for_blocks_is_no_failure),
	    TEST(held_blocks_read_back_as_they_came),
	    TEST(held_blocks_over_the_budget_go_to_the_file),
	    TEST(what_follows_in_the_next_block_is_kept_there),
	    TEST(no_block_is_held_without_a_budget),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
