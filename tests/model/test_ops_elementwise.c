/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Operators that work element by element: against formulas in double, for every element type and kind of broadcasting.
 */
#include "operator_inputs.h"

static const int32_t floats[] = {PRUNE_F32, PRUNE_F64, PRUNE_F16, PRUNE_BF16};
static const int32_t every_number[] = {PRUNE_F32, PRUNE_F64, PRUNE_F16, PRUNE_BF16, PRUNE_I8, PRUNE_I16,
                                       PRUNE_I32, PRUNE_I64, PRUNE_U8,  PRUNE_U16,  PRUNE_U32};

static double within(double v)
{
    return v < 0 ? 0 : v > 1 ? 1 : v;
}
static double d_relu(double p)
{
    return p <= 0 ? 0 : p;
}
static double d_abs(double p)
{
    return fabs(p);
}
static double d_neg(double p)
{
    return -p;
}
static double d_sign(double p)
{
    return p > 0 ? 1 : p < 0 ? -1 : p == 0 ? 0 : p;
}
static double d_reciprocal(double p)
{
    return 1 / p;
}
static double d_sigmoid(double p)
{
    return 1 / (1 + exp(-p));
}
static double d_softplus(double p)
{
    return isnan(p) ? p : p > 0 ? p + log1p(exp(-p)) : log1p(exp(p));
}
static double d_softsign(double p)
{
    return p / (1 + fabs(p));
}
static double d_leaky(double p)
{
    return p < 0 ? (double)0.01f * p : p;
}
static double d_elu(double p)
{
    return p < 0 ? expm1(p) : p;
}
static double d_hard_sigmoid(double p)
{
    return within((double)0.2f * p + (double)0.5f);
}
static double d_hard_swish(double p)
{
    return p * within(p / 6 + 0.5);
}
static double d_gelu(double p)
{
    return 0.5 * p * (1 + erf(p / sqrt(2.0)));
}

struct unary {
    const char *op;
    double (*reference)(double);
    int integers; /* 0 none, 1 signed, 2 all */
};
static const struct unary unaries[] = {
    {"Relu", d_relu, 1},
    {"Abs", d_abs, 2},
    {"Neg", d_neg, 1},
    {"Sign", d_sign, 2},
    {"Exp", exp, 0},
    {"Log", log, 0},
    {"Sqrt", sqrt, 0},
    {"Tanh", tanh, 0},
    {"Erf", erf, 0},
    {"Sin", sin, 0},
    {"Cos", cos, 0},
    {"Floor", floor, 0},
    {"Ceil", ceil, 0},
    {"Round", rint, 0},
    {"Reciprocal", d_reciprocal, 0},
    {"Sigmoid", d_sigmoid, 0},
    {"Softplus", d_softplus, 0},
    {"Softsign", d_softsign, 0},
    {"LeakyRelu", d_leaky, 0},
    {"Elu", d_elu, 0},
    {"HardSigmoid", d_hard_sigmoid, 0},
    {"HardSwish", d_hard_swish, 0},
    {"Gelu", d_gelu, 0},
};

START_TEST(each_number_alone_is_its_formula)
{
    const int64_t lengths[] = {0, 1, 15, 16, 17, 255, 256, 257, 600};
    for (int u = 0; u < COUNT_OF(unaries); u++)
        for (int t = 0; t < COUNT_OF(every_number); t++)
            for (int l = 0; l < COUNT_OF(lengths); l++) {
                int32_t dtype = every_number[t];
                if (!is_floating(dtype) &&
                    (unaries[u].integers == 0 || (unaries[u].integers == 1 && is_unsigned(dtype))))
                    continue;
                prune_tensor *x = random_of(dtype, SHAPE(lengths[l]), (uint64_t)(u * 100 + l), 1), *y;
                OK(apply(&y, 20, unaries[u].op, INPUTS(x), NULL));
                ck_assert_int_eq(prune_tensor_dtype(y), dtype);
                double *numbers = doubles_of(x);
                for (int64_t i = 0; i < lengths[l]; i++)
                    numbers[i] = unaries[u].reference(numbers[i]);
                expect_numbers(y, SHAPE(lengths[l]), numbers, unaries[u].op);
                free(numbers);
                prune_tensor_free(x);
                prune_tensor_free(y);
            }
}
END_TEST

/* One number through one operator. */
static double one(const char *op, int64_t opset, double x, const char *name, int kind, double value)
{
    prune_tensor *in = tensor_of(PRUNE_F32, SHAPE(1), &x), *y;
    if (kind == PM_FLOAT)
        OK(apply(&y, opset, op, INPUTS(in), name, PM_FLOAT, value, NULL));
    else
        OK(apply(&y, opset, op, INPUTS(in), name, PM_STRING, "tanh", NULL));
    double got = (double)*(const float *)prune_tensor_const_data(y);
    prune_tensor_free(in);
    prune_tensor_free(y);
    return got;
}

START_TEST(attributes_of_activations)
{
    ck_assert_double_eq_tol(one("LeakyRelu", 9, -2, "alpha", PM_FLOAT, 0.25), -0.5, 1e-7);
    ck_assert_double_eq_tol(one("Elu", 9, -1, "alpha", PM_FLOAT, 2), 2 * expm1(-1.0), 1e-6);
    ck_assert_double_eq_tol(one("HardSigmoid", 9, 1, "alpha", PM_FLOAT, 0.3), 0.8, 1e-6);
    ck_assert_double_eq_tol(one("HardSigmoid", 9, 0, "beta", PM_FLOAT, 0.7), 0.7, 1e-6);
    double x = 1.3, inner = sqrt(2 / 3.14159265358979324) * (x + 0.044715 * x * x * x);
    ck_assert_double_eq_tol(one("Gelu", 20, x, "approximate", PM_STRING, 0), 0.5 * x * (1 + tanh(inner)), 1e-6);
    prune_tensor *in = tensor_of(PRUNE_F32, SHAPE(1), &x);
    REFUSED(PRUNE_E_FORMAT, "erf", 20, "Gelu", INPUTS(in), "approximate", PM_STRING, "erf", NULL);
    REFUSED(PRUNE_E_FORMAT, "2 inputs", 13, "Relu", INPUTS(in, in), NULL);
    REFUSED(PRUNE_E_FORMAT, "left out", 13, "Relu", INPUTS(NULL), NULL);
    prune_tensor *whole = tensor_of(PRUNE_I64, SHAPE(1), (double[]){3});
    REFUSED(PRUNE_E_DTYPE, "i64", 13, "Exp", INPUTS(whole), NULL);
    REFUSED(PRUNE_E_DTYPE, "bool", 13, "Not", INPUTS(whole), NULL);
    prune_tensor_free(in);
    prune_tensor_free(whole);
}
END_TEST

static double d_add(double p, double q)
{
    return p + q;
}
static double d_sub(double p, double q)
{
    return p - q;
}
static double d_mul(double p, double q)
{
    return p * q;
}
static double d_div(double p, double q)
{
    return p / q;
}
static double d_min(double p, double q)
{
    return isnan(p) || isnan(q) ? NAN : p < q ? p : q;
}
static double d_max(double p, double q)
{
    return isnan(p) || isnan(q) ? NAN : p > q ? p : q;
}
static double d_prelu(double p, double q)
{
    return p < 0 ? p * q : p;
}
static double d_equal(double p, double q)
{
    return p == q;
}
static double d_greater(double p, double q)
{
    return p > q;
}
static double d_less(double p, double q)
{
    return p < q;
}
static double d_greater_or_equal(double p, double q)
{
    return p >= q;
}
static double d_less_or_equal(double p, double q)
{
    return p <= q;
}

struct binary {
    const char *op;
    double (*reference)(double, double);
    int32_t out; /* 0: as the inputs */
};
static const struct binary binaries[] = {
    {"Add", d_add, 0},
    {"Sub", d_sub, 0},
    {"Mul", d_mul, 0},
    {"Div", d_div, 0},
    {"Sum", d_add, 0},
    {"Min", d_min, 0},
    {"Max", d_max, 0},
    {"Pow", pow, 0},
    {"PRelu", d_prelu, 0},
    {"Equal", d_equal, PRUNE_BOOL},
    {"Greater", d_greater, PRUNE_BOOL},
    {"Less", d_less, PRUNE_BOOL},
    {"GreaterOrEqual", d_greater_or_equal, PRUNE_BOOL},
    {"LessOrEqual", d_less_or_equal, PRUNE_BOOL},
};

struct pair {
    int32_t rank_a, rank_b;
    int64_t a[8], b[8];
};
static const struct pair pairs[] = {
    {2, 2, {3, 7}, {3, 7}},
    {1, 1, {601}, {601}},
    {3, 0, {2, 3, 130}, {0}},
    {3, 1, {2, 3, 130}, {1}},
    {4, 3, {2, 3, 5, 61}, {3, 1, 1}},
    {4, 4, {2, 3, 17, 20}, {1, 3, 1, 1}},
    {2, 1, {5, 33}, {33}},
    {4, 2, {2, 3, 2, 5}, {2, 5}},
    {3, 3, {4, 5, 6}, {4, 1, 6}},
    {3, 3, {4, 5, 6}, {1, 5, 1}},
    {8, 8, {2, 1, 3, 1, 2, 1, 2, 3}, {2, 1, 1, 1, 2, 1, 1, 3}},
    {2, 2, {0, 7}, {1, 7}},
    {0, 0, {0}, {0}},
};
static const struct pair two_sided[] = {
    {0, 3, {0}, {2, 3, 5}},
    {3, 2, {4, 1, 5}, {3, 1}},
    {2, 2, {20, 1}, {1, 300}},
    {1, 4, {3}, {2, 4, 1, 3}},
    {8, 3, {2, 1, 2, 1, 2, 1, 1, 2}, {3, 1, 1}},
};

/* The output's shape and, for each element, which of the input's it takes. */
static int32_t shape_of(const struct pair *p, int64_t *out, int64_t *count)
{
    int32_t rank = p->rank_a > p->rank_b ? p->rank_a : p->rank_b;
    *count = 1;
    for (int32_t i = 0; i < rank; i++) {
        int32_t at_a = i - rank + p->rank_a, at_b = i - rank + p->rank_b;
        int64_t a = at_a < 0 ? 1 : p->a[at_a], b = at_b < 0 ? 1 : p->b[at_b];
        out[i] = a == 1 ? b : a;
        *count *= out[i];
    }
    return rank;
}

static int64_t source_of(int64_t index, int32_t rank, const int64_t *out, int32_t own, const int64_t *shape)
{
    int64_t at = 0, stride = 1;
    for (int32_t i = rank - 1; i >= 0; index /= out[i--]) {
        int32_t axis = i - (rank - own);
        if (axis < 0)
            continue;
        at += shape[axis] == 1 ? 0 : index % out[i] * stride;
        stride *= shape[axis];
    }
    return at;
}

static void try_pair(const struct binary *b, const struct pair *p, int32_t dtype, uint64_t seed)
{
    int whole = !is_floating(dtype);
    int64_t out[8], count;
    int32_t rank = shape_of(p, out, &count);
    prune_tensor *x = random_of(dtype, p->rank_a, p->a, seed, 1), *z = random_of(dtype, p->rank_b, p->b, seed + 1, 1),
                 *y;
    double *left = doubles_of(x), *right = doubles_of(z), *wanted = malloc((size_t)(count + 1) * sizeof *wanted);
    /* Neither quotients by 0 nor powers below 0 are defined for integers. */
    if (whole && b->reference == d_div)
        for (int64_t i = 0; i < prune_tensor_count(z); i++)
            right[i] = right[i] == 0 ? 3 : right[i];
    if (whole && b->reference == pow)
        for (int64_t i = 0; i < prune_tensor_count(z); i++)
            right[i] = fmod(fabs(right[i]), 3);
    if (whole && (b->reference == pow || b->reference == d_mul || b->reference == d_sub || b->reference == d_prelu))
        for (int64_t i = 0; i < prune_tensor_count(x); i++)
            left[i] = b->reference == d_sub && is_unsigned(dtype) ? 20 + left[i] : left[i];
    prune_tensor_free(x);
    prune_tensor_free(z);
    x = tensor_of(dtype, p->rank_a, p->a, left);
    z = tensor_of(dtype, p->rank_b, p->b, right);
    OK(apply(&y, 16, b->op, INPUTS(x, z), NULL));
    ck_assert_int_eq(prune_tensor_dtype(y), b->out ? b->out : dtype);
    for (int64_t i = 0; i < count; i++) {
        wanted[i] = b->reference(left[source_of(i, rank, out, p->rank_a, p->a)],
                                 right[source_of(i, rank, out, p->rank_b, p->b)]);
        if (whole)
            wanted[i] = trunc(wanted[i]);
        if (dtype == PRUNE_F16 && fabs(wanted[i]) > 65519)
            wanted[i] = copysign(INFINITY, wanted[i]);
        /* Below what a half holds with all its bits. */
        if (dtype == PRUNE_F16 && fabs(wanted[i]) < 1e-4)
            wanted[i] = 0;
    }
    expect_numbers(y, rank, out, wanted, b->op);
    free(left);
    free(right);
    free(wanted);
    prune_tensor_free(x);
    prune_tensor_free(z);
    prune_tensor_free(y);
}

START_TEST(two_inputs_of_every_type_are_broadcast)
{
    for (int b = 0; b < COUNT_OF(binaries); b++)
        for (int t = 0; t < COUNT_OF(every_number); t++) {
            for (int p = 0; p < COUNT_OF(pairs); p++)
                try_pair(&binaries[b], &pairs[p], every_number[t], (uint64_t)(b * 1000 + t * 50 + p));
            for (int p = 0; p < COUNT_OF(two_sided) && binaries[b].reference != d_prelu; p++)
                try_pair(&binaries[b], &two_sided[p], every_number[t], (uint64_t)(b * 1000 + t * 50 + p));
        }
}
END_TEST

START_TEST(what_cannot_be_broadcast_is_refused)
{
    prune_tensor *a = random_of(PRUNE_F32, SHAPE(2, 3), 1, 0), *b = random_of(PRUNE_F32, SHAPE(2, 4), 2, 0);
    prune_tensor *whole = random_of(PRUNE_I64, SHAPE(2, 3), 3, 0), *row = random_of(PRUNE_F32, SHAPE(4, 2, 3), 4, 0);
    for (int i = 0; i < COUNT_OF(binaries); i++) {
        REFUSED(PRUNE_E_SHAPE, "broadcast", 16, binaries[i].op, INPUTS(a, b), NULL);
        if (binaries[i].reference != pow)
            REFUSED(PRUNE_E_DTYPE, "same type", 16, binaries[i].op, INPUTS(a, whole), NULL);
        if (strcmp(binaries[i].op, "Sum") != 0 && binaries[i].reference != d_min && binaries[i].reference != d_max) {
            REFUSED(PRUNE_E_FORMAT, "1 inputs", 16, binaries[i].op, INPUTS(a), NULL);
            REFUSED(PRUNE_E_FORMAT, "left out", 16, binaries[i].op, INPUTS(a, NULL), NULL);
        }
    }
    REFUSED(PRUNE_E_SHAPE, "slope", 16, "PRelu", INPUTS(a, row), NULL);
    REFUSED(PRUNE_E_DTYPE, "bool", 16, "And", INPUTS(a, a), NULL);
    REFUSED(PRUNE_E_FORMAT, "left out", 16, "Sum", INPUTS(a, NULL), NULL);
    REFUSED(PRUNE_E_FORMAT, "0 inputs", 16, "Sum", 0, NULL, NULL);
    prune_tensor_free(a);
    prune_tensor_free(b);
    prune_tensor_free(whole);
    prune_tensor_free(row);
}
END_TEST

START_TEST(integers_wrap_around_and_have_no_quotient_by_zero)
{
    int64_t least = INT64_MIN, minus = -1;
    prune_tensor *a, *b, *y;
    OK(prune_tensor_create(&a, NULL, PRUNE_I64, 0, NULL));
    OK(prune_tensor_create(&b, NULL, PRUNE_I64, 0, NULL));
    *(int64_t *)prune_tensor_data(a) = least;
    *(int64_t *)prune_tensor_data(b) = minus;
    const char *const ops[] = {"Div", "Mul", "Add", "Sub"};
    const int64_t wanted[] = {INT64_MIN, INT64_MIN, INT64_MAX, INT64_MIN + 1};
    for (int i = 0; i < 4; i++) {
        OK(apply(&y, 14, ops[i], INPUTS(a, b), NULL));
        ck_assert_int_eq(*(const int64_t *)prune_tensor_const_data(y), wanted[i]);
        prune_tensor_free(y);
    }
    OK(apply(&y, 14, "Neg", INPUTS(a), NULL));
    ck_assert_int_eq(*(const int64_t *)prune_tensor_const_data(y), INT64_MIN);
    prune_tensor_free(y);
    REFUSED(PRUNE_E_VALUE, "-1", 15, "Pow", INPUTS(a, b), NULL);
    for (int t = 4; t < COUNT_OF(every_number); t++) {
        prune_tensor *p = tensor_of(every_number[t], SHAPE(3), (double[]){1, 2, 3});
        prune_tensor *q = tensor_of(every_number[t], SHAPE(3), (double[]){1, 0, 3});
        REFUSED(PRUNE_E_VALUE, "element 1 of the divisor is 0", 14, "Div", INPUTS(p, q), NULL);
        prune_tensor_free(p);
        prune_tensor_free(q);
    }
    prune_tensor *byte = tensor_of(PRUNE_U8, SHAPE(1), (double[]){200}),
                 *half = tensor_of(PRUNE_I8, SHAPE(1), (double[]){-128});
    prune_tensor *less = tensor_of(PRUNE_I8, SHAPE(1), (double[]){-1});
    OK(apply(&y, 14, "Add", INPUTS(byte, byte), NULL));
    expect_numbers(y, SHAPE(1), (double[]){144}, "200 + 200");
    prune_tensor_free(y);
    OK(apply(&y, 14, "Div", INPUTS(half, less), NULL));
    expect_numbers(y, SHAPE(1), (double[]){-128}, "-128 / -1");
    prune_tensor_free(y);
    prune_tensor_free(byte);
    prune_tensor_free(half);
    prune_tensor_free(less);
    prune_tensor_free(a);
    prune_tensor_free(b);
}
END_TEST

START_TEST(powers_of_two_types_have_the_type_of_the_base)
{
    const double base[] = {1, 2, 3, 0}, exponent[] = {2, 0.5, -1, 3}, whole[] = {2, 0, 3, 1};
    for (int a = 0; a < COUNT_OF(every_number); a++)
        for (int b = 0; b < COUNT_OF(every_number); b++) {
            int real = is_floating(every_number[b]);
            const double *by = real ? exponent : whole;
            prune_tensor *x = tensor_of(every_number[a], SHAPE(4), base);
            prune_tensor *z = tensor_of(every_number[b], SHAPE(4), by), *y;
            double wanted[4];
            OK(apply(&y, 15, "Pow", INPUTS(x, z), NULL));
            ck_assert_int_eq(prune_tensor_dtype(y), every_number[a]);
            for (int i = 0; i < 4; i++)
                wanted[i] = is_floating(every_number[a]) ? pow(base[i], by[i]) : trunc(pow(base[i], by[i]));
            expect_numbers(y, SHAPE(4), wanted, "Pow");
            prune_tensor_free(x);
            prune_tensor_free(y);
            prune_tensor_free(z);
        }
    prune_tensor *x = random_of(PRUNE_F32, SHAPE(37), 5, 1), *two = tensor_of(PRUNE_F32, 0, NULL, (double[]){2}), *y;
    double *wanted = doubles_of(x);
    for (int i = 0; i < 37; i++)
        wanted[i] *= wanted[i];
    OK(apply(&y, 15, "Pow", INPUTS(x, two), NULL));
    expect_numbers(y, SHAPE(37), wanted, "squares");
    free(wanted);
    prune_tensor_free(x);
    prune_tensor_free(y);
    prune_tensor_free(two);
}
END_TEST

START_TEST(truth_values)
{
    const double a[] = {0, 0, 1, 1}, b[] = {0, 1, 0, 1};
    prune_tensor *x = tensor_of(PRUNE_BOOL, SHAPE(4), a), *z = tensor_of(PRUNE_BOOL, SHAPE(4), b), *y;
    OK(apply(&y, 13, "And", INPUTS(x, z), NULL));
    expect_numbers(y, SHAPE(4), (double[]){0, 0, 0, 1}, "And");
    prune_tensor_free(y);
    OK(apply(&y, 13, "Or", INPUTS(x, z), NULL));
    expect_numbers(y, SHAPE(4), (double[]){0, 1, 1, 1}, "Or");
    prune_tensor_free(y);
    OK(apply(&y, 13, "Xor", INPUTS(x, z), NULL));
    expect_numbers(y, SHAPE(4), (double[]){0, 1, 1, 0}, "Xor");
    prune_tensor_free(y);
    OK(apply(&y, 13, "Equal", INPUTS(x, z), NULL));
    expect_numbers(y, SHAPE(4), (double[]){1, 0, 0, 1}, "Equal");
    prune_tensor_free(y);
    OK(apply(&y, 13, "Not", INPUTS(x), NULL));
    expect_numbers(y, SHAPE(4), (double[]){1, 1, 0, 0}, "Not");
    prune_tensor_free(y);
    prune_tensor_free(x);
    prune_tensor_free(z);
}
END_TEST

START_TEST(where_takes_from_either_side)
{
    const int32_t types[] = {PRUNE_F32, PRUNE_F64, PRUNE_F16, PRUNE_BF16, PRUNE_I8,  PRUNE_I16,
                             PRUNE_I32, PRUNE_I64, PRUNE_U8,  PRUNE_U16,  PRUNE_U32, PRUNE_BOOL};
    for (int t = 0; t < COUNT_OF(types); t++) {
        const int64_t out[] = {4, 3, 5};
        prune_tensor *c = random_of(PRUNE_BOOL, SHAPE(3, 1), 7, 0), *a = random_of(types[t], SHAPE(4, 1, 5), 8, 1);
        prune_tensor *b = random_of(types[t], SHAPE(5), 9, 1), *y;
        double *chosen = doubles_of(c), *yes = doubles_of(a), *no = doubles_of(b), wanted[60];
        for (int i = 0; i < 60; i++)
            wanted[i] = chosen[i / 5 % 3] != 0 ? yes[i / 15 * 5 + i % 5] : no[i % 5];
        OK(apply(&y, 16, "Where", INPUTS(c, a, b), NULL));
        ck_assert_int_eq(prune_tensor_dtype(y), types[t]);
        expect_numbers(y, 3, out, wanted, "Where");
        prune_tensor_free(y);
        prune_tensor *other = random_of(types[t] == PRUNE_F32 ? PRUNE_F64 : PRUNE_F32, SHAPE(5), 1, 0);
        REFUSED(PRUNE_E_DTYPE, "same type", 16, "Where", INPUTS(c, a, other), NULL);
        prune_tensor_free(other);
        free(chosen);
        free(yes);
        free(no);
        prune_tensor_free(c);
        prune_tensor_free(a);
        prune_tensor_free(b);
    }
    prune_tensor *c = random_of(PRUNE_BOOL, SHAPE(3), 7, 0), *a = random_of(PRUNE_F32, SHAPE(3), 8, 1),
                 *b = random_of(PRUNE_F32, SHAPE(4), 8, 1);
    REFUSED(PRUNE_E_SHAPE, "broadcast", 16, "Where", INPUTS(c, a, b), NULL);
    REFUSED(PRUNE_E_SHAPE, "broadcast", 16, "Where", INPUTS(c, b, b), NULL);
    REFUSED(PRUNE_E_DTYPE, "bool", 16, "Where", INPUTS(a, a, a), NULL);
    REFUSED(PRUNE_E_FORMAT, "2 inputs", 16, "Where", INPUTS(c, a), NULL);
    prune_tensor_free(a);
    prune_tensor_free(b);
    prune_tensor_free(c);
}
END_TEST

START_TEST(clip_reads_its_bounds_as_each_opset_has_them)
{
    const double numbers[] = {-3, -1, 0, 2, 9, NAN, INFINITY, -INFINITY};
    prune_tensor *x = tensor_of(PRUNE_F32, SHAPE(8), numbers), *y;
    prune_tensor *low = tensor_of(PRUNE_F32, 0, NULL, (double[]){-1}),
                 *high = tensor_of(PRUNE_F32, 0, NULL, (double[]){6});
    OK(apply(&y, 6, "Clip", INPUTS(x), "min", PM_FLOAT, 0.0, "max", PM_FLOAT, 6.0, NULL));
    expect_numbers(y, SHAPE(8), (double[]){0, 0, 0, 2, 6, NAN, 6, 0}, "Clip of opset 6");
    prune_tensor_free(y);
    OK(apply(&y, 11, "Clip", INPUTS(x, low, high), NULL));
    expect_numbers(y, SHAPE(8), (double[]){-1, -1, 0, 2, 6, NAN, 6, -1}, "Clip");
    prune_tensor_free(y);
    OK(apply(&y, 13, "Clip", INPUTS(x, NULL, high), NULL));
    expect_numbers(y, SHAPE(8), (double[]){-3, -1, 0, 2, 6, NAN, 6, -INFINITY}, "Clip from above");
    prune_tensor_free(y);
    OK(apply(&y, 13, "Clip", INPUTS(x, low), NULL));
    expect_numbers(y, SHAPE(8), (double[]){-1, -1, 0, 2, 9, NAN, INFINITY, -1}, "Clip from below");
    prune_tensor_free(y);
    OK(apply(&y, 13, "Clip", INPUTS(x, high, low), NULL));
    expect_numbers(y, SHAPE(8), (double[]){-1, -1, -1, -1, -1, NAN, -1, -1}, "Clip with crossed bounds");
    prune_tensor_free(y);
    OK(apply(&y, 13, "Clip", INPUTS(x), NULL));
    expect_numbers(y, SHAPE(8), numbers, "Clip without bounds");
    prune_tensor_free(y);
    for (int t = 4; t < COUNT_OF(every_number); t++) {
        prune_tensor *v = tensor_of(every_number[t], SHAPE(3), (double[]){1, 5, 9});
        prune_tensor *l = tensor_of(every_number[t], 0, NULL, (double[]){2}),
                     *h = tensor_of(every_number[t], 0, NULL, (double[]){6});
        OK(apply(&y, 13, "Clip", INPUTS(v, l, h), NULL));
        expect_numbers(y, SHAPE(3), (double[]){2, 5, 6}, "Clip");
        prune_tensor_free(y);
        REFUSED(PRUNE_E_DTYPE, "same type", 13, "Clip", INPUTS(x, l), NULL);
        prune_tensor_free(v);
        prune_tensor_free(l);
        prune_tensor_free(h);
    }
    REFUSED(PRUNE_E_SHAPE, "8 elements", 13, "Clip", INPUTS(x, x), NULL);
    REFUSED(PRUNE_E_FORMAT, "3 inputs", 10, "Clip", INPUTS(x, low, high), NULL);
    prune_tensor *none = tensor_of(PRUNE_F32, 0, NULL, (double[]){NAN});
    OK(apply(&y, 13, "Clip", INPUTS(x, none), NULL));
    expect_numbers(y, SHAPE(8), (double[]){NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN}, "Clip at NaN");
    prune_tensor_free(y);
    prune_tensor_free(none);
    prune_tensor_free(x);
    prune_tensor_free(low);
    prune_tensor_free(high);
}
END_TEST

START_TEST(dropout_keeps_all)
{
    prune_tensor *x = random_of(PRUNE_F32, SHAPE(3, 5), 3, 1), *ratio = tensor_of(PRUNE_F32, 0, NULL, (double[]){0.9});
    prune_tensor *yes = tensor_of(PRUNE_BOOL, 0, NULL, (double[]){1}),
                 *no = tensor_of(PRUNE_BOOL, 0, NULL, (double[]){0});
    double *numbers = doubles_of(x), ones[15];
    for (int i = 0; i < 15; i++)
        ones[i] = 1;
    for (int64_t opset = 7; opset < 14; opset++) {
        prune_tensor *out[2] = {NULL, NULL};
        if (opset < 12)
            OK(apply_many(2, out, opset, "Dropout", INPUTS(x), "ratio", PM_FLOAT, 0.9, NULL));
        else
            OK(apply_many(2, out, opset, "Dropout", INPUTS(x, ratio, no), NULL));
        expect_numbers(out[0], SHAPE(3, 5), numbers, "Dropout");
        ck_assert_int_eq(prune_tensor_dtype(out[1]), opset < 10 ? PRUNE_F32 : PRUNE_BOOL);
        expect_numbers(out[1], SHAPE(3, 5), ones, "mask");
        prune_tensor_free(out[0]);
        prune_tensor_free(out[1]);
    }
    REFUSED(PRUNE_E_UNSUPPORTED, "training_mode", 13, "Dropout", INPUTS(x, ratio, yes), NULL);
    prune_tensor *two = random_of(PRUNE_BOOL, SHAPE(2), 1, 0), *zero = tensor_of(PRUNE_F32, 0, NULL, (double[]){0}), *y;
    REFUSED(PRUNE_E_SHAPE, "training_mode", 13, "Dropout", INPUTS(x, ratio, two), NULL);
    REFUSED(PRUNE_E_SHAPE, "ratio", 13, "Dropout", INPUTS(x, x, no), NULL);
    REFUSED(PRUNE_E_DTYPE, "bool", 13, "Dropout", INPUTS(x, no, no), NULL);
    REFUSED(PRUNE_E_DTYPE, "f32", 13, "Dropout", INPUTS(x, ratio, ratio), NULL);
    REFUSED(PRUNE_E_DTYPE, "bool", 13, "Dropout", INPUTS(two), NULL);
    REFUSED(PRUNE_E_UNSUPPORTED, "training_mode", 13, "Dropout", INPUTS(x, NULL, yes), NULL);
    OK(apply(&y, 13, "Dropout", INPUTS(x, zero, yes), NULL));
    expect_numbers(y, SHAPE(3, 5), numbers, "Dropout of nothing");
    prune_tensor_free(y);
    prune_tensor_free(zero);
    prune_tensor_free(two);
    free(numbers);
    prune_tensor_free(x);
    prune_tensor_free(ratio);
    prune_tensor_free(yes);
    prune_tensor_free(no);
}
END_TEST

START_TEST(sums_and_extremes_of_many)
{
    prune_tensor *a = tensor_of(PRUNE_F32, SHAPE(1), (double[]){1}),
                 *b = tensor_of(PRUNE_F32, SHAPE(2, 1), (double[]){2, -5});
    prune_tensor *c = tensor_of(PRUNE_F32, SHAPE(3), (double[]){0, 3, NAN}), *y;
    OK(apply(&y, 13, "Sum", INPUTS(a, b, c), NULL));
    expect_numbers(y, SHAPE(2, 3), (double[]){3, 6, NAN, -4, -1, NAN}, "Sum");
    prune_tensor_free(y);
    OK(apply(&y, 13, "Max", INPUTS(a, b, c), NULL));
    expect_numbers(y, SHAPE(2, 3), (double[]){2, 3, NAN, 1, 3, NAN}, "Max");
    prune_tensor_free(y);
    OK(apply(&y, 13, "Min", INPUTS(a, b, c), NULL));
    expect_numbers(y, SHAPE(2, 3), (double[]){0, 1, NAN, -5, -5, NAN}, "Min");
    prune_tensor_free(y);
    OK(apply(&y, 13, "Max", INPUTS(c), NULL));
    expect_numbers(y, SHAPE(3), (double[]){0, 3, NAN}, "Max of one");
    prune_tensor_free(y);
    prune_tensor_free(a);
    prune_tensor_free(b);
    prune_tensor_free(c);
}
END_TEST

START_TEST(quantizing_rounds_halves_to_even_and_stays_within_the_type)
{
    const double numbers[] = {0, 1, 3, 5, -1, -3, 1000, -1000, INFINITY};
    prune_tensor *x = tensor_of(PRUNE_F32, SHAPE(9), numbers), *scale = tensor_of(PRUNE_F32, 0, NULL, (double[]){2}),
                 *y;
    prune_tensor *zero = tensor_of(PRUNE_U8, 0, NULL, (double[]){128}),
                 *signed_zero = tensor_of(PRUNE_I8, 0, NULL, (double[]){1});
    OK(apply(&y, 10, "QuantizeLinear", INPUTS(x, scale, zero), NULL));
    ck_assert_int_eq(prune_tensor_dtype(y), PRUNE_U8);
    expect_numbers(y, SHAPE(9), (double[]){128, 128, 130, 130, 128, 126, 255, 0, 255}, "QuantizeLinear");
    prune_tensor_free(y);
    OK(apply(&y, 10, "QuantizeLinear", INPUTS(x, scale), NULL));
    expect_numbers(y, SHAPE(9), (double[]){0, 0, 2, 2, 0, 0, 255, 0, 255}, "QuantizeLinear without zero point");
    prune_tensor_free(y);
    OK(apply(&y, 10, "QuantizeLinear", INPUTS(x, scale, signed_zero), NULL));
    expect_numbers(y, SHAPE(9), (double[]){1, 1, 3, 3, 1, -1, 127, -128, 127}, "QuantizeLinear to i8");
    REFUSED(PRUNE_E_DTYPE, "f32", 13, "QuantizeLinear", INPUTS(x, scale, scale), NULL);
    prune_tensor *back;
    OK(apply(&back, 10, "DequantizeLinear", INPUTS(y, scale, signed_zero), NULL));
    expect_numbers(back, SHAPE(9), (double[]){0, 0, 4, 4, 0, -4, 252, -258, 252}, "DequantizeLinear");
    prune_tensor_free(back);
    REFUSED(PRUNE_E_DTYPE, "same type", 13, "DequantizeLinear", INPUTS(y, scale, zero), NULL);
    prune_tensor_free(y);
    prune_tensor_free(zero);
    prune_tensor_free(signed_zero);
    prune_tensor_free(scale);
    prune_tensor_free(x);
}
END_TEST

START_TEST(quantizing_along_an_axis)
{
    const int64_t shape[] = {2, 3, 2};
    const double whole[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    const int32_t types[] = {PRUNE_U8, PRUNE_I8, PRUNE_U16, PRUNE_I16, PRUNE_I32};
    for (int t = 0; t < COUNT_OF(types); t++)
        for (int axis = -2; axis <= 1; axis += 3) {
            prune_tensor *x = tensor_of(types[t], 3, shape, whole),
                         *scale = tensor_of(PRUNE_F32, SHAPE(3), (double[]){2, 4, 5});
            prune_tensor *zero = tensor_of(types[t], SHAPE(3), (double[]){0, 3, 1}), *y, *again;
            double wanted[12];
            for (int i = 0; i < 12; i++)
                wanted[i] = (whole[i] - (double[]){0, 3, 1}[i / 2 % 3]) * (double[]){2, 4, 5}[i / 2 % 3];
            OK(apply(&y, 13, "DequantizeLinear", INPUTS(x, scale, zero), "axis", PM_INT, axis, NULL));
            expect_numbers(y, 3, shape, wanted, "DequantizeLinear");
            if (types[t] != PRUNE_I32) {
                OK(apply(&again, 13, "QuantizeLinear", INPUTS(y, scale, zero), "axis", PM_INT, axis, NULL));
                ck_assert_int_eq(prune_tensor_dtype(again), types[t]);
                expect_numbers(again, 3, shape, whole, "QuantizeLinear");
                prune_tensor_free(again);
            }
            REFUSED(PRUNE_E_SHAPE, "axis 0 of the input has 2", 13, "DequantizeLinear", INPUTS(x, scale, zero), "axis",
                    PM_INT, 0, NULL);
            REFUSED(PRUNE_E_SHAPE, "axis 3", 13, "DequantizeLinear", INPUTS(x, scale, zero), "axis", PM_INT, 3, NULL);
            REFUSED(PRUNE_E_SHAPE, "f32[3] for blocks of 2 along axis 1", 21, "DequantizeLinear",
                    INPUTS(x, scale, zero), "block_size", PM_INT, 2, NULL);
            REFUSED(PRUNE_E_FORMAT, "block_size is -1", 21, "DequantizeLinear", INPUTS(x, scale, zero), "block_size",
                    PM_INT, -1, NULL);
            prune_tensor_free(x);
            prune_tensor_free(y);
            prune_tensor_free(scale);
            prune_tensor_free(zero);
        }
}
END_TEST

/* What the loops write for halves is what conversion of tensors says, for every one of them and between them. */
START_TEST(halves_round_as_tensors_do)
{
    enum { N = 65536 };
    for (int t = 2; t < COUNT_OF(floats); t++) {
        prune_tensor *x, *quarter = tensor_of(floats[t], 0, NULL, (double[]){0.25}), *y;
        OK(prune_tensor_create(&x, NULL, floats[t], SHAPE(N)));
        uint16_t *bits = prune_tensor_data(x);
        for (int i = 0; i < N; i++)
            bits[i] = (uint16_t)i;
        OK(apply(&y, 14, "Mul", INPUTS(x, quarter), NULL));
        double *from = doubles_of(x);
        for (int i = 0; i < N; i++)
            from[i] *= 0.25;
        prune_tensor *wanted = tensor_of(floats[t], SHAPE(N), from);
        const uint16_t *got = prune_tensor_const_data(y), *right = prune_tensor_const_data(wanted);
        for (int i = 0; i < N; i++)
            if (got[i] != right[i] && !isnan(from[i]))
                ck_abort_msg("%d: %04x instead of %04x", i, got[i], right[i]);
        prune_tensor_free(y);
        prune_tensor_free(wanted);
        prune_tensor_free(x);
        prune_tensor_free(quarter);
        free(from);
    }
}
END_TEST

TEST_MAIN("ops_elementwise", each_number_alone_is_its_formula, attributes_of_activations,
          two_inputs_of_every_type_are_broadcast, what_cannot_be_broadcast_is_refused,
          integers_wrap_around_and_have_no_quotient_by_zero, powers_of_two_types_have_the_type_of_the_base,
          truth_values, where_takes_from_either_side, clip_reads_its_bounds_as_each_opset_has_them, dropout_keeps_all,
          sums_and_extremes_of_many, quantizing_rounds_halves_to_even_and_stays_within_the_type,
          quantizing_along_an_axis, halves_round_as_tensors_do)
