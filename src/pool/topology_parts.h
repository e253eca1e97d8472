/*
 * topology_parts.h: what a topology is made of, for topology.c, topology_print.c
 * and their tests only.
 */
#ifndef PINION_TOPOLOGY_PARTS_H
#define PINION_TOPOLOGY_PARTS_H

#include "pool/budget.h"
#include "pool/machine.h"
#include "pool/places.h"
#include "pool/topology.h"

struct topology {
	struct budget budget;
	struct machine machine;
	struct places places;
	struct topology_facts facts; /* sums of the above */
};

#endif
