/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/rng.h"

static uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static uint64_t rotate(uint64_t x, int bits)
{
    return (x << bits) | (x >> (64 - bits));
}

static double to_unit(uint64_t bits)
{
    return (double)(bits >> 11) * 0x1p-53;
}

void pr_rng_seed(struct pr_rng *rng, uint64_t seed)
{
    for (int i = 0; i < 4; i++)
        rng->state[i] = mix(seed += 0x9e3779b97f4a7c15u);
}

uint64_t pr_rng_next(struct pr_rng *rng)
{
    uint64_t *s = rng->state;
    uint64_t result = rotate(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

double pr_rng_uniform(struct pr_rng *rng)
{
    return to_unit(pr_rng_next(rng));
}

uint64_t pr_rng_below(struct pr_rng *rng, uint64_t bound)
{
    uint64_t reject_below = (0 - bound) % bound; /* 2^64 mod bound: what would make low values likelier */
    uint64_t draw;
    do
        draw = pr_rng_next(rng);
    while (draw < reject_below);
    return draw % bound;
}

double pr_rng_at(uint64_t seed, uint64_t index)
{
    return to_unit(mix(mix(seed + 0x9e3779b97f4a7c15u) + index * 0x9e3779b97f4a7c15u));
}
