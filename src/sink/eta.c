/* eta.c: see eta.h. */
#include "sink/eta.h"

/* What is so long ago counts a third; in long runs, what is a quarter of it ago. */
#define ETA_MEMORY_S 30.0
#define ETA_MEMORY_PART 4.0
#define ETA_SPREAD 1.64 /* deviations that nine in ten stay within */

void
eta_start(struct eta *eta, int64_t now_ns)
{
	*eta = (struct eta){.at_ns = now_ns};
}

void
eta_look(struct eta *eta, int64_t now_ns, int64_t run_ns, uint64_t ended_count)
{
	double passed_s = (double)(now_ns - eta->at_ns) / 1e9;
	double memory_s = (double)run_ns / 1e9 / ETA_MEMORY_PART;
	if (memory_s < ETA_MEMORY_S)
		memory_s = ETA_MEMORY_S;
	double kept = 1 / (1 + passed_s / memory_s);
	eta->weight_s = eta->weight_s * kept + passed_s;
	eta->weight = eta->weight * kept + (double)(ended_count - eta->ended_count);
	eta->at_ns = now_ns;
	eta->ended_count = ended_count;
}

double
eta_rate(const struct eta *eta)
{
	return eta->weight_s > 0 ? eta->weight / eta->weight_s : 0;
}

int64_t
eta_mean_ns(const struct eta *eta)
{
	return eta->count > 0 ? (int64_t)(eta->sum / (double)eta->count * 1e9) : 0;
}

/* By Newton's steps; the mathematics library would cost each start of ours more than this. */
static double
eta_root(double value)
{
	double root = value > 1 ? value : 1;
	for (int i = 0; i < 64 && value > 0; i++)
		root = (root + value / root) / 2;
	return value > 0 ? root : 0;
}

/* The square of the deviation of a duration, as a part of the mean's. */
static double
eta_variation(const struct eta *eta)
{
	double mean = eta->sum / (double)eta->count;
	double variance = eta->square_sum / (double)eta->count - mean * mean;
	return mean > 0 && variance > 0 ? variance / (mean * mean) : 0;
}

int64_t
eta_left_ns(const struct eta *eta, uint64_t left_count, int64_t *spread_ns)
{
	double rate = eta_rate(eta);
	*spread_ns = 0;
	if (left_count == 0)
		return 0;
	if (rate <= 0 || eta->count == 0)
		return -1;
	double left_ns = (double)left_count / rate * 1e9;
	double part =
	    eta_variation(eta) * (1 / (double)eta->count + 1 / (double)left_count);
	double spread = ETA_SPREAD * eta_root(part) * left_ns;
	if (left_ns > 1e18 || spread > 1e18) /* thirty years */
		return -1;
	*spread_ns = (int64_t)spread;
	return (int64_t)left_ns;
}
