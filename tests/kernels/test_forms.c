/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What every form must do, found by walking the list of forms: a new one is tested as soon as it is there. Each is
 * packed from every family of weights that it takes, in every encoding.
 */
#include "problem.h"

#include "core/sparse/packed/packed.h"

static const struct {
    enum pattern pattern;
    const char *spec;
    int fillers; /* zeros are stored where nothing is kept */
} families[] = {
    {RANDOM, "format=csr", 0},
    {UNITS, "format=csr", 0},
    {TWO_OF_FOUR, "format=nm", 0},
    {TWO_OF_FOUR_BY_4, "format=nm,unit_rows=4", 0},
    {ONE_OF_THREE, "format=nm,keep_n=1,group_m=3", 0},
    {FULL, "format=nm,keep_n=4,group_m=4", 0},
    {BLOCKS, "format=bsr,block_rows=8,block_columns=8", 0},
    {UNITS, "format=bsr,block_rows=4,block_columns=1", 0},
    {FULL, "format=dense", 0},
    {RANDOM, "format=csc", 0},
    {RANDOM, "format=bitmap", 0},
    {RANDOM, "format=codebook,gap_bits=8", 0},
    {RANDOM, "format=codebook,levels=256", 1},
};
static const char *const encodings[] = {"f32", "f16", "bf16", "int8"};
#define FAMILIES ((int)(sizeof families / sizeof *families))
#define ENCODINGS ((int)(sizeof encodings / sizeof *encodings))
#define MOST_CASES 1000

/* A form with a family and an encoding that it takes. */
struct form_case {
    int form, family, encoding;
    char spec[120];
};

/* make check-long */
static int is_long(void)
{
    const char *wish = getenv("LONG");
    return wish && strcmp(wish, "1") == 0;
}

static struct form_case cases[MOST_CASES];
static int case_count;

static void find_cases(void)
{
    if (case_count > 0)
        return;
    for (int form = 0; form < pr_form_count; form++) {
        int before = case_count;
        for (int family = 0; family < FAMILIES; family++)
            for (int encoding = 0; encoding < ENCODINGS; encoding++) {
                struct problem p;
                prune_packed *packed = NULL;
                struct form_case *one = &cases[case_count];
                *one = (struct form_case){form, family, encoding, ""};
                snprintf(one->spec, sizeof one->spec, "%s,form=%s,values=%s", families[family].spec,
                         pr_forms[form]->name, encodings[encoding]);
                make(&p, 24, 40, families[family].pattern, 0.4, 0, prune_cpu_detect(), 1);
                int32_t status = prune_packed_create(&packed, p.tensor, p.mask, one->spec);
                if (status != PRUNE_OK && status != PRUNE_E_SPEC)
                    ck_abort_msg("%s: %s", one->spec, prune_error());
                case_count += status == PRUNE_OK;
                ck_assert_int_lt(case_count, MOST_CASES);
                prune_packed_free(packed);
                drop(&p);
            }
        if (case_count == before)
            ck_abort_msg("form %s takes none of the families of weights here; add one that it takes",
                         pr_forms[form]->name);
    }
}

/* The product in double of what the object says it stores, and the sums of magnitudes. */
struct oracle {
    double *sum, *size;
    int64_t *products;
    int64_t n;
};

static struct oracle consult(const struct problem *p, const prune_packed *packed, const float *x, int64_t n)
{
    struct oracle o = {calloc((size_t)(p->rows * n + 1), sizeof(double)),
                       calloc((size_t)(p->rows * n + 1), sizeof(double)), calloc((size_t)p->rows + 1, sizeof(int64_t)),
                       n};
    prune_tensor *back;
    OK(prune_packed_to_tensor(&back, packed));
    const float *w = prune_tensor_data(back);
    for (int64_t i = 0; i < p->rows; i++)
        for (int64_t e = p->indptr[i]; e < p->indptr[i + 1]; e++) {
            int64_t k = p->indices[e];
            o.products[i]++;
            for (int64_t j = 0; j < n; j++) {
                double product = (double)w[i * p->columns + k] * (double)x[k * n + j];
                o.sum[i * n + j] += product;
                o.size[i * n + j] += fabs(product);
            }
        }
    prune_tensor_free(back);
    return o;
}

static void dismiss(struct oracle *o)
{
    free(o->sum);
    free(o->size);
    free(o->products);
}

static void agree(const struct oracle *o, const char *spec, float y, int64_t i, int64_t j, int exact)
{
    double sum = o->sum[i * o->n + j], bound = exact ? 0 : gamma_of(o->products[i] + 1) * o->size[i * o->n + j];
    if (isnan(sum) ? !isnan(y) : !((double)y == sum || fabs((double)y - sum) <= bound))
        ck_abort_msg("%s: Y(%lld, %lld) is %.9g; %.17g expected, within %g", spec, (long long)i, (long long)j,
                     (double)y, sum, bound);
}

/* The first n columns of X, and of Y, which stand in wider matrices. */
static void run_part(const prune_packed *packed, const float *x, int64_t ldx, float *y, int64_t ldy, int64_t n,
                     int batch, const prune_epilogue *epilogue)
{
    if (!batch) {
        OK(prune_packed_run(packed, y, ldy, x, ldx, n, epilogue));
        return;
    }
    int64_t rows = prune_packed_rows(packed), columns = prune_packed_columns(packed);
    float *own_x = malloc((size_t)(columns * n + 1) * sizeof *own_x);
    float *own_y = malloc((size_t)(rows * n + 1) * sizeof *own_y);
    for (int64_t k = 0; k < columns; k++)
        for (int64_t j = 0; j < n; j++)
            own_x[j * columns + k] = x[k * ldx + j];
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < n; j++)
            own_y[j * rows + i] = y[i * ldy + j];
    OK(prune_packed_run_batch(packed, own_y, rows, own_x, columns, n, epilogue));
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < n; j++)
            y[i * ldy + j] = own_y[j * rows + i];
    free(own_x);
    free(own_y);
}

START_TEST(n_from_0_to_67_in_both_layouts)
{
    enum { ROWS = 23, COLUMNS = 75, N = 68 };
    find_cases();
    for (int c = 0; c < case_count; c++)
        for (int m = 0; m < MASKS; m++) {
            int whole = (c + m) % 2, exact = whole && cases[c].encoding != 3;
            struct problem p;
            prune_packed *packed;
            if (!cpu_has(masks[m]))
                continue;
            make(&p, ROWS, COLUMNS, families[cases[c].family].pattern, 0.4, whole, masks[m], 1);
            OK(prune_packed_create(&packed, p.tensor, p.mask, cases[c].spec));
            float x[COLUMNS * N], y[ROWS * N];
            struct pr_rng rng;
            pr_rng_seed(&rng, (uint64_t)c);
            fill_random(&rng, x, COLUMNS * N, whole);
            struct oracle o = consult(&p, packed, x, N);
            for (int64_t n = 0; n < N; n++)
                for (int batch = 0; batch < 2; batch++) {
                    fill_pattern(y, ROWS * N);
                    run_part(packed, x, N, y, N, n, batch, NULL);
                    for (int64_t i = 0; i < ROWS; i++) {
                        for (int64_t j = 0; j < n; j++)
                            agree(&o, cases[c].spec, y[i * N + j], i, j, exact);
                        for (int64_t j = n; j < N; j++)
                            if (!is_pattern(y[i * N + j]))
                                ck_abort_msg("%s: a gap in Y was written", cases[c].spec);
                    }
                }
            dismiss(&o);
            prune_packed_free(packed);
            drop(&p);
        }
}
END_TEST

START_TEST(any_number_of_threads_gives_the_same_bits)
{
    enum { ROWS = 331, COLUMNS = 210, N = 70 };
    static const int threads[] = {1, 2, 3, 7}, ns[] = {1, 9, N};
    find_cases();
    float *x = random_x(COLUMNS * N), *y[4][3];
    for (int c = 0; c < case_count; c++) {
        for (int t = 0; t < 4; t++) {
            struct problem p;
            prune_packed *packed;
            make(&p, ROWS, COLUMNS, families[cases[c].family].pattern, 0.5, 0, prune_cpu_detect(), threads[t]);
            OK(prune_packed_create(&packed, p.tensor, p.mask, cases[c].spec));
            for (int i = 0; i < 3; i++) {
                y[t][i] = product_of(packed, x, ns[i], c % 2);
                if (memcmp(y[t][i], y[0][i], (size_t)(ROWS * ns[i]) * sizeof(float)) != 0)
                    ck_abort_msg("%s, n %d: %d threads give other bits than one", cases[c].spec, ns[i], threads[t]);
            }
            prune_packed_free(packed);
            drop(&p);
        }
        for (int t = 0; t < 4; t++)
            for (int i = 0; i < 3; i++)
                free(y[t][i]);
    }
    free(x);
}
END_TEST

/* X, Y and the packed bytes between forbidden pages, at either end of what lies between them. */
START_TEST(nothing_is_touched_beyond_the_ends)
{
    static const int64_t ns[] = {1, 2, 4, 7, 16, 33, 64};
    find_cases();
    for (int c = 0; c < case_count; c++)
        for (int m = 0; m < MASKS; m++)
            for (int at_end = 0; cpu_has(masks[m]) && at_end < 2; at_end++) {
                const int64_t rows = 29 + c % 7, columns = 43 + c % 5;
                struct problem p;
                prune_packed *packed, *attached;
                const void *data;
                int64_t bytes;
                make(&p, rows, columns, families[cases[c].family].pattern, 0.4, 0, masks[m], 1);
                OK(prune_packed_create(&packed, p.tensor, p.mask, cases[c].spec));
                OK(prune_packed_blob(packed, &data, &bytes));
                ck_assert_int_eq(bytes % 64, 0);
                void *guarded = guarded_floats(0, bytes / 4, at_end);
                memcpy(guarded, data, (size_t)bytes);
                OK(prune_packed_attach(&attached, p.context, guarded, bytes, at_end));
                for (int i = 0; i < 7; i++)
                    for (int batch = 0; batch < 2; batch++) {
                        float *x = guarded_floats(1, columns * ns[i], at_end), *right = random_x(columns * ns[i]);
                        float *y = guarded_floats(2, rows * ns[i], at_end);
                        memcpy(x, right, (size_t)(columns * ns[i]) * sizeof *x);
                        free(right);
                        right = product_of(packed, x, ns[i], batch);
                        if (batch)
                            OK(prune_packed_run_batch(attached, y, rows, x, columns, ns[i], NULL));
                        else
                            OK(prune_packed_run(attached, y, ns[i], x, ns[i], ns[i], NULL));
                        ck_assert_mem_eq(y, right, (size_t)(rows * ns[i]) * sizeof *y);
                        free(right);
                    }
                prune_packed_free(attached);
                ck_assert_mem_eq(guarded, data, (size_t)bytes); /* not written, not given back */
                prune_packed_free(packed);
                drop(&p);
            }
}
END_TEST

/* One NaN or infinity in each column of X: rows that do not store its position do not see it. */
START_TEST(what_is_not_stored_contributes_nothing)
{
    enum { ROWS = 41, COLUMNS = 68, N = 20 };
    static const int64_t ns[] = {1, 3, 8, N};
    static const float odd[] = {NAN, INFINITY, -INFINITY};
    find_cases();
    for (int c = 0; c < case_count; c++)
        for (int m = 0; m < MASKS; m++) {
            struct problem p;
            prune_packed *packed;
            float x[COLUMNS * N], y[ROWS * N];
            struct pr_rng rng;
            if (!cpu_has(masks[m]) || families[cases[c].family].fillers)
                continue;
            pr_rng_seed(&rng, (uint64_t)(c + 1));
            fill_random(&rng, x, COLUMNS * N, 0);
            for (int64_t j = 0; j < N; j++)
                x[pr_rng_below(&rng, COLUMNS) * N + (uint64_t)j] = odd[j % 3];
            make(&p, ROWS, COLUMNS, families[cases[c].family].pattern, 0.3, 0, masks[m], 1);
            OK(prune_packed_create(&packed, p.tensor, p.mask, cases[c].spec));
            struct oracle o = consult(&p, packed, x, N);
            for (int i = 0; i < 4; i++) {
                run_part(packed, x, N, y, N, ns[i], i % 2, NULL);
                for (int64_t r = 0; r < ROWS; r++)
                    for (int64_t j = 0; j < ns[i]; j++)
                        agree(&o, cases[c].spec, y[r * N + j], r, j, 0);
            }
            dismiss(&o);
            prune_packed_free(packed);
            drop(&p);
        }
}
END_TEST

/* Loads a blob of a small matrix that was changed, its checksum made to fit: refused, or harmless when run. */
static int is_taken(const struct pr_header *blob, int64_t bytes, const float *x, float *y, const char *spec)
{
    prune_packed *loaded = UNTOUCHED;
    int32_t status = prune_packed_load(&loaded, NULL, blob, bytes);
    if (status != PRUNE_OK) {
        if (status != PRUNE_E_FORMAT || loaded != UNTOUCHED)
            ck_abort_msg("%s: a changed blob gives %s: %s", spec, prune_status_name(status), prune_error());
        return 0;
    }
    int64_t rows = prune_packed_rows(loaded), columns = prune_packed_columns(loaded);
    if (rows <= 9 && columns <= 19) {
        OK(prune_packed_run(loaded, y, 5, x, 5, 5, NULL));
        OK(prune_packed_run_batch(loaded, y, rows, x, columns, 1, NULL));
    }
    prune_packed_free(loaded);
    return 1;
}

/* One bit in seven, another one in each case; all of them by make check-long. */
START_TEST(changed_bits_are_refused_or_harmless)
{
    float *x = guarded_floats(0, 19 * 5, 1), *y = guarded_floats(1, 9 * 5, 1);
    int64_t refused = 0, taken = 0;
    memset(x, 0, 19 * 5 * sizeof *x);
    find_cases();
    for (int c = 0; c < case_count; c++) {
        struct problem p;
        prune_packed *packed, *loaded = UNTOUCHED;
        const void *data;
        int64_t bytes;
        make(&p, 9, 19, families[cases[c].family].pattern, 0.4, 0, prune_cpu_detect(), 1);
        OK(prune_packed_create(&packed, p.tensor, p.mask, cases[c].spec));
        OK(prune_packed_blob(packed, &data, &bytes));
        struct pr_header *blob = aligned_alloc(64, (size_t)bytes);
        memcpy(blob, data, (size_t)bytes);
        for (int64_t bit = is_long() ? 0 : c % 7; bit < bytes * 8; bit += is_long() ? 1 : 7) {
            unsigned char *byte = (unsigned char *)blob + bit / 8, was = *byte;
            *byte = (unsigned char)(was ^ 1u << bit % 8);
            uint64_t sum = blob->checksum;
            if (bit % 13 == c % 13) /* as it is: the checksum sees it */
                FAILS(prune_packed_load(&loaded, NULL, blob, bytes), PRUNE_E_FORMAT, "");
            if (blob->bytes == (uint64_t)bytes)
                pr_blob_stamp(blob);
            if (is_taken(blob, bytes, x, y, cases[c].spec))
                taken++;
            else
                refused++;
            blob->checksum = sum;
            *byte = was;
        }
        ck_assert_mem_eq(blob, data, (size_t)bytes);
        free(blob);
        prune_packed_free(packed);
        drop(&p);
    }
    ck_assert_int_gt(refused, 1000);
    ck_assert_int_gt(taken, 1000);
}
END_TEST

START_TEST(blobs_of_others_are_refused_by_name)
{
    find_cases();
    for (int c = 0; c < case_count; c++) {
        struct problem p;
        prune_packed *packed, *other = UNTOUCHED;
        const void *data;
        int64_t bytes;
        make(&p, 9, 19, families[cases[c].family].pattern, 0.4, 0, prune_cpu_detect(), 1);
        OK(prune_packed_create(&packed, p.tensor, p.mask, cases[c].spec));
        OK(prune_packed_blob(packed, &data, &bytes));
        struct pr_header *blob = aligned_alloc(64, (size_t)bytes + 64);
#define REFUSED(change, word)                                                                                          \
    do {                                                                                                               \
        memcpy(blob, data, (size_t)bytes);                                                                             \
        change;                                                                                                        \
        pr_blob_stamp(blob);                                                                                           \
        FAILS(prune_packed_load(&other, NULL, blob, bytes), PRUNE_E_FORMAT, word);                                     \
        FAILS(prune_packed_attach(&other, NULL, blob, bytes, 0), PRUNE_E_FORMAT, word);                                \
        FAILS(prune_packed_attach(&other, NULL, blob, bytes, 1), PRUNE_E_FORMAT, word);                                \
    } while (0)
        REFUSED(blob->version++, "pack again");
        REFUSED(blob->byte_order = 0x04030201, "byte order");
        REFUSED(blob->magic[0] = 'X', "PRPACKED");
        REFUSED(strcpy(blob->form, "of-next-year"), "of-next-year");
        memcpy((char *)blob + 64, data, (size_t)bytes);
        FAILS(prune_packed_attach(&other, NULL, (char *)blob + 4, bytes, 0), PRUNE_E_ARGUMENT, "aligned to 64");
        FAILS(prune_packed_attach(&other, NULL, blob, 8, 0), PRUNE_E_FORMAT, "8 bytes");
        FAILS(prune_packed_attach(&other, NULL, NULL, bytes, 0), PRUNE_E_ARGUMENT, "data");
        FAILS(prune_packed_attach(NULL, NULL, blob, bytes, 0), PRUNE_E_ARGUMENT, "out");
        ck_assert_ptr_eq(other, UNTOUCHED);
        free(blob);
        prune_packed_free(packed);
        drop(&p);
    }
}
END_TEST

/* Factors of the random products below. Values are small numbers, so that pairs can be ticked off. */
enum factor {
    CASE,
    MASK,
    LAYOUT,
    SLACK_X,
    SLACK_Y,
    SCALE,
    BIAS,
    BETA,
    ACTIVATION,
    HINT,
    THREADS,
    N,
    ROWS,
    FILL,
    FACTORS
};
static const int sizes[FACTORS] = {0, MASKS, 2, 2, 2, 2, 2, 2, 3, 4, 2, 7, 4, 4};
static uint8_t seen[FACTORS][FACTORS][MOST_CASES][8];

static void tick(const int value[FACTORS])
{
    for (int f = 0; f < FACTORS; f++)
        for (int g = 1; g < FACTORS; g++)
            seen[f][g][value[f]][value[g]] = 1;
}

static void check_all_pairs(void)
{
    for (int f = 0; f < FACTORS; f++)
        for (int g = f + 1; g < FACTORS; g++)
            for (int a = 0; a < (f ? sizes[f] : case_count); a++)
                for (int b = 0; b < sizes[g]; b++)
                    if ((f != MASK || cpu_has(masks[a])) && (g != MASK || cpu_has(masks[b])) && !seen[f][g][a][b])
                        ck_abort_msg("factor %d at %d never met factor %d at %d", f, a, g, b);
}

static void fill_some(struct pr_rng *rng, float *to, int64_t count, float factor)
{
    fill_random(rng, to, count, 0);
    for (int64_t i = 0; i < count; i++)
        to[i] *= factor;
}

/* The plain product against the oracle, then the whole epilogue, bit by bit, from the plain product. */
static void one_product(struct pr_rng *rng, const int value[FACTORS])
{
    static const int64_t least_n[] = {0, 1, 2, 4, 8, 16, 32}, least_rows[] = {0, 1, 2, 33};
    static const char *const activations[] = {"none", "relu", "relu6"};
    static const int hints[] = {1, 4, 16, 64};
    const struct form_case *one = &cases[value[CASE]];
    int64_t n = least_n[value[N]] + (int64_t)pr_rng_below(rng, least_n[value[N]] > 1 ? (uint64_t)least_n[value[N]] : 1);
    int64_t rows = least_rows[value[ROWS]] + (value[ROWS] > 1 ? (int64_t)pr_rng_below(rng, 31) : 0);
    int64_t columns = (int64_t)pr_rng_below(rng, 90);
    enum pattern pattern = families[one->family].pattern;
    if (value[FILL] == 0 && !strstr(one->spec, "=nm") && !strstr(one->spec, "=dense"))
        pattern = EMPTY;
    struct problem p;
    prune_packed *packed;
    char spec[160], ending[100];
    snprintf(spec, sizeof spec, "%s,columns=%d", one->spec, hints[value[HINT]]);
    make(&p, rows, columns, pattern, value[FILL] / 3.0, 0, masks[value[MASK]], 1 + 2 * value[THREADS]);
    OK(prune_packed_create(&packed, p.tensor, p.mask, spec));
    float *x = random_x(columns * n), *plain = calloc((size_t)(rows * n + 1), sizeof *plain);
    struct oracle o = consult(&p, packed, x, n);
    run_part(packed, x, n, plain, n, n, value[LAYOUT], NULL);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < n; j++)
            agree(&o, spec, plain[i * n + j], i, j, 0);
    dismiss(&o);

    int batch = value[LAYOUT], at_end = (int)(n + rows) % 2;
    int64_t ldx = (batch ? columns : n) + 3 * value[SLACK_X], ldy = (batch ? rows : n) + 5 * value[SLACK_Y];
    int64_t x_rows = batch ? n : columns, y_rows = batch ? n : rows, width = batch ? rows : n;
    int64_t x_count = x_rows && ldx ? (x_rows - 1) * ldx + (batch ? columns : n) : 0;
    int64_t y_count = y_rows && width ? (y_rows - 1) * ldy + width : 0;
    float *own_x = guarded_floats(0, x_count, at_end), *y = guarded_floats(1, y_count, at_end);
    float *old = malloc((size_t)(y_count + 1) * sizeof *old);
    float *scale = guarded_floats(2, rows, at_end), *bias = guarded_floats(3, rows, at_end);
    fill_pattern(own_x, x_count);
    for (int64_t k = 0; k < columns; k++)
        for (int64_t j = 0; j < n; j++)
            own_x[batch ? j * ldx + k : k * ldx + j] = x[k * n + j];
    fill_some(rng, scale, rows, 9);
    fill_some(rng, bias, rows, 1);
    fill_some(rng, old, y_count, 1);
    if (!value[BETA])
        fill_pattern(old, y_count);
    memcpy(y, old, (size_t)y_count * sizeof *y);
    float alpha = value[SCALE] ? -0.75f : 1.0f, beta = value[BETA] ? 0.5f : 0.0f;
    snprintf(ending, sizeof ending, "activation=%s,alpha=%s,beta=%s", activations[value[ACTIVATION]],
             value[SCALE] ? "-0.75" : "1", value[BETA] ? "0.5" : "0");
    prune_epilogue *epilogue;
    OK(prune_epilogue_create(&epilogue, p.context, value[SCALE] ? scale : NULL, value[BIAS] ? bias : NULL, rows,
                             ending));
    OK((batch ? prune_packed_run_batch : prune_packed_run)(packed, y, ldy, own_x, ldx, n, epilogue));
    for (int64_t at = 0; at < y_count; at++) {
        int64_t r = at / ldy, c = at % ldy, i = batch ? c : r, j = batch ? r : c;
        float right = old[at];
        if (c < width) {
            float s = value[SCALE] ? alpha * scale[i] : alpha, sum = plain[i * n + j];
            right = value[BIAS] ? fmaf(s, sum, bias[i]) : s * sum;
            if (value[BETA])
                right = fmaf(beta, old[at], right);
            if (value[ACTIVATION] && right <= 0)
                right = 0;
            if (value[ACTIVATION] == 2 && right > 6)
                right = 6;
        }
        if (memcmp(&y[at], &right, sizeof right) != 0)
            ck_abort_msg("%s, %s, %lld x %lld x %lld: element %lld of Y is %.9g, not %.9g", spec, ending,
                         (long long)rows, (long long)n, (long long)columns, (long long)at, (double)y[at],
                         (double)right);
    }
    prune_epilogue_free(epilogue);
    free(old);
    free(x);
    free(plain);
    prune_packed_free(packed);
    drop(&p);
}

/* Each form meets each value of every factor in turn; the rest is drawn. */
START_TEST(random_products_of_every_form)
{
    struct pr_rng rng;
    find_cases();
    int64_t most = is_long() ? 200000 : 10000, rounds = (most + case_count - 1) / case_count;
    pr_rng_seed(&rng, 2026);
    for (int64_t round = 0; round < rounds; round++)
        for (int c = 0; c < case_count; c++) {
            int value[FACTORS] = {c};
            for (int f = 1; f < FACTORS; f++)
                value[f] = round < 7 ? (int)((round + c * (f + 1) / 2 + f * c / 7) % sizes[f])
                                     : (int)pr_rng_below(&rng, (uint64_t)sizes[f]);
            if (!cpu_has(masks[value[MASK]]))
                value[MASK] = 0;
            tick(value);
            one_product(&rng, value);
        }
    check_all_pairs();
}
END_TEST

TEST_MAIN("every form", n_from_0_to_67_in_both_layouts, any_number_of_threads_gives_the_same_bits,
          nothing_is_touched_beyond_the_ends, what_is_not_stored_contributes_nothing,
          changed_bits_are_refused_or_harmless, blobs_of_others_are_refused_by_name, random_products_of_every_form)
