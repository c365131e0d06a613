/* SPDX-License-Identifier: BSD-2-Clause */
#include "results.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The shortest time: the products at the peak, or the weights once from where they lie. */
static double least_seconds(const struct problem *p, const struct contender *c, const struct machine *m,
                            int from_memory)
{
    double count = (double)p->m * (double)p->k;
    int dense = c->kind == DENSE_PEER || !strncmp(c->format, "dense", 5);
    double products = (double)p->n * (dense ? count : (double)p->kept_count);
    double bytes = count * machine_weight_bytes(dense ? 1 : 1 - p->sparsity, p->group_m ? p->unit_rows : 0);
    return machine_least_seconds(m, products, bytes, from_memory ? m->read_memory : 0);
}

static int fastest(const struct contender *contenders, const struct racer *racers, int count, int kind)
{
    int best = -1;
    for (int i = 0; i < count; i++)
        if (contenders[i].kind == kind && (best < 0 || racers[i].median < racers[best].median))
            best = i;
    return best;
}

void results_of(struct contender *contenders, const struct racer *racers, int count, int rounds,
                const struct problem *p, const struct machine *machine, int from_memory, const char **dense,
                const char **sparse)
{
    int best_dense = fastest(contenders, racers, count, DENSE_PEER);
    int best_sparse = fastest(contenders, racers, count, SPARSE_PEER);
    *dense = best_dense < 0 ? NULL : contenders[best_dense].name;
    *sparse = best_sparse < 0 ? NULL : contenders[best_sparse].name;
    for (int i = 0; i < count; i++) {
        struct contender *c = &contenders[i];
        c->gflops = 2e-9 * (double)p->m * (double)p->n * (double)p->k / racers[i].median;
        c->ratio_dense = best_dense < 0 ? 0 : median_ratio(&racers[best_dense], &racers[i], rounds);
        c->ratio_sparse = best_sparse < 0 ? 0 : median_ratio(&racers[best_sparse], &racers[i], rounds);
        c->roofline = least_seconds(p, c, machine, from_memory) / racers[i].median;
    }
}

void results_print_machine(const struct machine *m)
{
    printf(
        "%s, %s; FMA peak %.1f GFLOP/s at 512 bits, %.1f at 256; one core reads %.1f GB/s from memory, %.0f from L3, "
        "%.0f from L2; L2 %lld kB, L3 %lld kB\n",
        m->cpu, m->isa, m->fma_peak_512, m->fma_peak_256, m->read_memory, m->read_l3, m->read_l2,
        (long long)m->l2_bytes / 1024, (long long)m->l3_bytes / 1024);
}

static void print_ratio(double ratio)
{
    if (ratio > 0)
        printf(" %7.2f", ratio);
    else
        printf("       -");
}

void results_print(const struct contender *contenders, const struct racer *racers, int count, int rounds,
                   const struct problem *p, int threads, const char *dense, const char *sparse)
{
    printf("\n%lld x %lld x %lld, %s, %s, sparsity %.4f, %d thread%s, %d rounds; ratios to %s (dense), %s (sparse)\n",
           (long long)p->m, (long long)p->n, (long long)p->k, p->layout == KXN ? "kxn" : "nxk", p->pattern, p->sparsity,
           threads, threads == 1 ? "" : "s", rounds, dense ? dense : "none", sparse ? sparse : "none");
    printf("%-28s %11s %11s %8s %7s %7s %5s %10s %8s %6s  %s\n", "contender", "min us", "median us", "GFLOP/s",
           "/dense", "/sparse", "roof", "bytes", "pack ms", "error", "format, kernels");
    for (int i = 0; i < count; i++) {
        const struct contender *c = &contenders[i];
        printf("%-28s %11.2f %11.2f %8.1f", c->name, 1e6 * racers[i].minimum, 1e6 * racers[i].median, c->gflops);
        print_ratio(c->ratio_dense);
        print_ratio(c->ratio_sparse);
        printf(" %5.2f", c->roofline);
        if (c->bytes > 0)
            printf(" %10.0f", c->bytes);
        else
            printf("          -");
        if (c->kind == OURS)
            printf(" %8.1f", 1e3 * c->pack_seconds);
        else
            printf("        -");
        printf(" %6.3f  %s%s%s\n", c->error, c->format, *c->kernels ? ", " : "", c->kernels);
    }
    fflush(stdout);
}

static json_t *ratio(double value)
{
    return value > 0 ? json_real(value) : json_null();
}

static json_t *text(const char *value)
{
    return value ? json_string(value) : json_null();
}

void results_add(json_t *records, const struct contender *contenders, const struct racer *racers, int count,
                 const struct problem *p, const struct machine *machine, int threads, const char *dense,
                 const char *sparse)
{
    for (int i = 0; i < count; i++) {
        const struct contender *c = &contenders[i];
        const char *isa = c->kind == OURS ? c->kernels : machine->isa;
        json_t *record = json_pack(
            "{s:s, s:s, s:s, s:i, s:i, s:i, s:I, s:I, s:I, s:f, s:s, s:s, s:i, s:s}", "op", p->n == 1 ? "spmv" : "spmm",
            "contender", c->name, "format", c->format, "keep_n", p->keep_n, "group_m", p->group_m, "unit_rows",
            p->unit_rows, "m", (json_int_t)p->m, "n", (json_int_t)p->n, "k", (json_int_t)p->k, "sparsity", p->sparsity,
            "pattern", p->pattern, "layout", p->layout == KXN ? "kxn" : "nxk", "threads", threads, "isa", isa);
        json_object_set_new(record, "seconds_min", json_real(racers[i].minimum));
        json_object_set_new(record, "seconds_median", json_real(racers[i].median));
        json_object_set_new(record, "gflops", json_real(c->gflops));
        json_object_set_new(record, "ratio_dense", ratio(c->ratio_dense));
        json_object_set_new(record, "dense_peer", text(dense));
        json_object_set_new(record, "ratio_sparse", ratio(c->ratio_sparse));
        json_object_set_new(record, "sparse_peer", text(sparse));
        json_object_set_new(record, "roofline", json_real(c->roofline));
        json_object_set_new(record, "bytes", ratio(c->bytes));
        json_object_set_new(record, "pack_seconds", ratio(c->pack_seconds));
        json_array_append_new(records, record);
    }
}
