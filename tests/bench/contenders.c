/* SPDX-License-Identifier: BSD-2-Clause */
#include "contenders.h"

#include "options.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Copies of one contender take at most this many bytes. */
#define MOST_BYTES 4e8

void contender_run(void *pointer, int64_t turn)
{
    const struct contender *c = pointer;
    const struct problem *p = c->problem;
    void *state = c->states[turn % c->copies];
    if (c->kind != OURS)
        c->peer->run(state, p->y, p->x);
    else if (p->layout == KXN)
        prune_packed_run(state, p->y, p->n, p->x, p->n, p->n, NULL);
    else
        prune_packed_run_batch(state, p->y, p->m, p->x, p->k, p->n, NULL);
}

static void release(struct contender *c)
{
    for (int i = 0; i < c->copies; i++)
        if (c->kind != OURS)
            c->peer->release(c->states[i]);
        else
            prune_packed_free(c->states[i]);
    c->copies = 0;
}

void contenders_free(struct contender *contenders, int count)
{
    for (int i = 0; i < count; i++)
        release(&contenders[i]);
}

/* How many copies exceed what the caches hold. */
static int copies_for(const struct entry_list *list, double bytes)
{
    if (!list->from_memory || bytes <= 0)
        return 1;
    double copies = ceil(list->memory_bytes / bytes), most = floor(MOST_BYTES / bytes);
    copies = fmin(fmin(copies, fmax(most, 1)), MOST_COPIES);
    return (int)fmax(copies, 1);
}

/* The first product, checked. */
static int is_right(struct contender *c, double slack)
{
    const struct problem *p = c->problem;
    for (int64_t i = 0; i < p->m * p->n; i++)
        p->y[i] = NAN;
    contender_run(c, 0);
    if (problem_check(p, slack, &c->error))
        return 1;
    fprintf(stderr, "%s: WRONG: its error is %.3g times the bound; left out\n", c->name, c->error);
    return 0;
}

static int has_word(const char *list, const char *name)
{
    char word[64];
    while (list && next_word(&list, word, sizeof word))
        if (!strncmp(word, name, strlen(word)))
            return 1;
    return 0;
}

static int make_ours(struct contender *c, const struct problem *p, const struct entry_list *list, const char *format,
                     const char *form, const prune_tensor *w, const prune_mask *mask)
{
    char spec[512], shape[64] = "";
    prune_packed *packed;
    if (!strcmp(format, "nm") && p->group_m)
        snprintf(shape, sizeof shape, ",keep_n=%d,group_m=%d,unit_rows=%d", p->keep_n, p->group_m, p->unit_rows);
    snprintf(spec, sizeof spec, "columns=%lld,format=%s,form=%s%s%s%s", (long long)p->n, format, form, shape,
             list->spec && *list->spec ? "," : "", list->spec ? list->spec : "");
    memset(c, 0, sizeof *c);
    c->kind = OURS;
    c->problem = p;
    double start = bench_now();
    if (prune_packed_create(&packed, w, mask, spec)) {
        fprintf(stderr, "libprune (%s): %s\n", spec, prune_error());
        return 0;
    }
    c->pack_seconds = bench_now() - start;
    snprintf(c->name, sizeof c->name, "libprune/%s", prune_packed_form(packed));
    snprintf(c->format, sizeof c->format, "%s", prune_packed_format(packed));
    snprintf(c->kernels, sizeof c->kernels, "%s", prune_packed_kernels(packed, p->n));
    const void *blob;
    int64_t bytes;
    if (prune_packed_blob(packed, &blob, &bytes)) {
        fprintf(stderr, "%s: %s\n", c->name, prune_error());
        exit(1);
    }
    c->bytes = (double)bytes;
    int copies = copies_for(list, c->bytes);
    c->states[0] = packed;
    c->copies = 1;
    while (c->copies < copies) {
        if (prune_packed_load((prune_packed **)&packed, prune_tensor_context(w), blob, bytes)) {
            fprintf(stderr, "%s: %s\n", c->name, prune_error());
            exit(1);
        }
        c->states[c->copies++] = packed;
    }
    return 1;
}

static int make_all_of_ours(struct contender *contenders, const struct problem *p, const struct entry_list *list,
                            prune_context *context, int *wrong)
{
    int64_t shape[2] = {p->m, p->k};
    prune_tensor *w;
    prune_mask *mask;
    int count = 0;
    if (prune_tensor_borrow(&w, context, p->w, PRUNE_F32, 2, shape, NULL) ||
        prune_mask_from_bytes(&mask, context, 2, shape, p->kept, p->m * p->k)) {
        fprintf(stderr, "%s\n", prune_error());
        exit(1);
    }
    char format[64], form[64];
    int dense = 0;
    for (const char *formats = list->formats; next_word(&formats, format, sizeof format);)
        for (const char *forms = list->forms; next_word(&forms, form, sizeof form);) {
            if (!strcmp(format, "auto") && p->unit_rows > 1)
                strcpy(format, "nm");
            if (count >= MOST_CONTENDERS / 2 || !make_ours(&contenders[count], p, list, format, form, w, mask))
                continue;
            if (is_right(&contenders[count], 1)) {
                dense |= !strcmp(contenders[count].format, "dense");
                count++;
            } else {
                release(&contenders[count]);
                ++*wrong;
            }
        }
    struct entry_list plain = *list;
    plain.spec = "";
    if (list->dense_form && !dense && make_ours(&contenders[count], p, &plain, "dense", "auto", w, NULL)) {
        if (is_right(&contenders[count], 1))
            count++;
        else {
            release(&contenders[count]);
            ++*wrong;
        }
    }
    prune_mask_free(mask);
    prune_tensor_free(w);
    return count;
}

static int make_peer(struct contender *c, const struct problem *p, const struct entry_list *list,
                     const struct peer *peer, const struct peer_product *product)
{
    memset(c, 0, sizeof *c);
    snprintf(c->name, sizeof c->name, "%s", peer->name);
    snprintf(c->format, sizeof c->format, "%s", peer->sparse ? "csr" : "dense");
    c->kind = peer->sparse ? SPARSE_PEER : DENSE_PEER;
    c->peer = peer;
    c->problem = p;
    if (!(c->states[0] = peer->prepare(product)))
        return 0;
    snprintf(c->kernels, sizeof c->kernels, "%s", peer->detail ? peer->detail() : "");
    c->copies = 1;
    double bytes = peer->sparse ? 8.0 * (double)p->kept_count : 4.0 * (double)p->m * (double)p->k;
    c->bytes = peer->sparse ? 0 : bytes;
    int copies = copies_for(list, bytes);
    while (c->copies < copies && (c->states[c->copies] = peer->prepare(product)))
        c->copies++;
    return 1;
}

static void make_csr(struct peer_product *product, const struct problem *p, int64_t **start, int32_t **column,
                     float **value)
{
    int64_t count = 0;
    *start = malloc((size_t)(p->m + 1) * sizeof **start);
    *column = malloc((size_t)(p->kept_count + 1) * sizeof **column);
    *value = malloc((size_t)(p->kept_count + 1) * sizeof **value);
    if (!*start || !*column || !*value)
        abort();
    for (int64_t r = 0; r < p->m; r++) {
        (*start)[r] = count;
        for (int64_t k = 0; k < p->k; k++)
            if (p->kept[r * p->k + k]) {
                (*column)[count] = (int32_t)k;
                (*value)[count++] = p->w[r * p->k + k];
            }
    }
    (*start)[p->m] = count;
    product->row_start = *start;
    product->column = *column;
    product->value = *value;
}

int contenders_make(struct contender *contenders, const struct problem *p, const struct entry_list *list,
                    const struct machine *machine, prune_context *context, int *wrong)
{
    int64_t *start;
    int32_t *column;
    float *value;
    struct peer_product product = {.m = p->m,
                                   .n = p->n,
                                   .k = p->k,
                                   .layout = p->layout,
                                   .w = p->w,
                                   .threads = list->threads,
                                   .avx512 = !strcmp(machine->isa, "avx512")};
    int count = make_all_of_ours(contenders, p, list, context, wrong);
    make_csr(&product, p, &start, &column, &value);
    for (int i = 0; bench_peers[i]; i++) {
        const struct peer *peer = bench_peers[i];
        if (has_word(list->without, peer->name) || (peer->sparse && p->kept_count == p->m * p->k) ||
            (!strcmp(list->without, "all") && strncmp(peer->name, "openblas", 8)))
            continue;
        if (!make_peer(&contenders[count], p, list, peer, &product))
            continue;
        if (is_right(&contenders[count], peer->slack > 0 ? peer->slack : 4))
            count++;
        else
            release(&contenders[count]);
    }
    free(start);
    free(column);
    free(value);
    return count;
}
