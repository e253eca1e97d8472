/*
 * identity_bag.h: identities, each as often as it was put in.
 *
 * 20 bytes for each different one, and a quarter as much again of empty room: 25 MB for a million
 * that were announced, up to twice that for a bag that grew by itself. Zero-initialise; end with
 * identity_bag_fini.
 */
#ifndef PINION_IDENTITY_BAG_H
#define PINION_IDENTITY_BAG_H

#include <stdbool.h>
#include <stddef.h>

#include "record/identity.h"

struct identity_bag {
	struct identity *keys;
	uint32_t *counts;   /* where a key was put, how often it is there; else 0 */
	size_t capacity;    /* of both */
	size_t taken_count; /* places that have a key, be there any of it left or not */
};

void identity_bag_fini(struct identity_bag *bag);

/* Room for so many different ones in all. 0, -1 without memory. */
int identity_bag_reserve(struct identity_bag *bag, size_t count);

/* 0, -1 without memory. */
int identity_bag_add(struct identity_bag *bag, const struct identity *identity);

/* Takes one of these out; false: there is none. */
bool identity_bag_take(struct identity_bag *bag, const struct identity *identity);

#endif
