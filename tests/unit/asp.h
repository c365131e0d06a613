/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The 128 x 64 matrix that NVIDIA's ASP measures its permutation searches with: MT19937 (Matsumoto and Nishimura 1998)
 * seeded with 1, uniform in [0, 1) with 53 bits, row-major.
 */
#ifndef PR_ASP_H
#define PR_ASP_H

#include <stdint.h>

#define ASP_ROWS 128
#define ASP_COLUMNS 64

struct asp_random {
    uint32_t state[624];
    int next;
};

static inline uint32_t asp_draw(struct asp_random *random)
{
    if (random->next == 624) {
        for (int i = 0; i < 624; i++) {
            uint32_t y = (random->state[i] & 0x80000000u) | (random->state[(i + 1) % 624] & 0x7fffffffu);
            random->state[i] = random->state[(i + 397) % 624] ^ (y >> 1) ^ (y & 1 ? 0x9908b0dfu : 0);
        }
        random->next = 0;
    }
    uint32_t y = random->state[random->next++];
    y ^= y >> 11;
    y ^= y << 7 & 0x9d2c5680u;
    y ^= y << 15 & 0xefc60000u;
    return y ^ y >> 18;
}

static inline void asp_matrix(double matrix[ASP_ROWS * ASP_COLUMNS])
{
    struct asp_random random = {.state = {1}, .next = 624};
    for (uint32_t i = 1; i < 624; i++)
        random.state[i] = 1812433253u * (random.state[i - 1] ^ random.state[i - 1] >> 30) + i;
    for (int i = 0; i < ASP_ROWS * ASP_COLUMNS; i++) {
        uint32_t high = asp_draw(&random) >> 5, low = asp_draw(&random) >> 6;
        matrix[i] = (high * 67108864.0 + low) / 9007199254740992.0;
    }
}

#endif
