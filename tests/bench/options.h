/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H

#include <stddef.h>

#include "contenders.h"

struct options {
    int64_t m, k;
    const char *n, *sparsity, *pattern, *layout, *json, *cells, *dlmc;
    int single; /* the products described here, not the grid */
    int append; /* to the records in the file */
    struct entry_list entries;
    struct race_limits limits;
    uint32_t cpu;
};

/* 0, or the exit status for wrong options, which have been complained of. Ends the program after --help. */
int options_parse(struct options *options, int argc, char **argv);

/* The next word of a list with commas; 0 at the end. */
int next_word(const char **list, char *word, size_t size);

#endif
