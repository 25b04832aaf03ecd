/* SPDX-License-Identifier: Apache-2.0 */
/* The small matrix product of every instruction set, against plain loops. */
#include <string.h>

#include "afn_test.h"
#include "engine/cpu/dnn.h"
#include "engine/cpu/kern.h"

enum { MOST_ROWS = 31, MOST_DEPTH = 9, SPARE = 3 };

typedef struct layout {
    int64_t a_row, a_depth, b_depth, c_row;
} layout;

/* Whole numbers, so that every order of sums is exact. */
static void fill(float *x, size_t n, int step)
{
    for (size_t i = 0; i < n; i++) x[i] = (float)((int)i * step % 13 - 6);
}

static void check(const afn_kern *kern, int rows, int depth, int vectors, bool add,
                  const layout *l)
{
    static float a[4096], b[4096], c[4096], expected[4096];
    const int64_t columns = (int64_t)vectors * kern->block;
    fill(a, AFN_COUNT(a), 5);
    fill(b, AFN_COUNT(b), 7);
    fill(c, AFN_COUNT(c), 3);
    memcpy(expected, c, sizeof c);
    for (int64_t r = 0; r < rows; r++)
        for (int64_t v = 0; v < columns; v++) {
            float sum = add ? c[r * l->c_row + v] : 0.0f;
            for (int64_t k = 0; k < depth; k++)
                sum += a[r * l->a_row + k * l->a_depth] * b[k * l->b_depth + v];
            expected[r * l->c_row + v] = sum;
        }
    kern->winograd->multiply(&(afn_kern_product){ .a = a,
                                                  .b = b,
                                                  .c = c,
                                                  .rows = rows,
                                                  .depth = depth,
                                                  .vectors = vectors,
                                                  .a_row = l->a_row,
                                                  .a_depth = l->a_depth,
                                                  .b_depth = l->b_depth,
                                                  .c_row = l->c_row,
                                                  .add = add });
    assert_memory_equal(c, expected, sizeof c);
}

static void check_all(const afn_kern *kern)
{
    for (int rows = 1; rows <= MOST_ROWS; rows++)
        for (int depth = 1; depth <= MOST_DEPTH; depth += 4)
            for (int variant = 0; variant < 8; variant++) {
                const int vectors = 1 + variant % 2;
                const int64_t columns = (int64_t)vectors * kern->block;
                const bool turned = variant & 4;
                const layout l = { .a_row = turned ? 1 : depth + SPARE,
                                   .a_depth = turned ? rows + SPARE : 1,
                                   .b_depth = columns + SPARE,
                                   .c_row = columns + SPARE };
                check(kern, rows, depth, vectors, variant & 2, &l);
            }
}

static void every_size_and_layout_is_exact(void **state)
{
    (void)state;
    check_all(&afn_kern_base);
    if (dnn_best_isa() >= DNN_ISA_AVX2) check_all(&afn_kern_avx2);
    if (dnn_best_isa() >= DNN_ISA_AVX512) check_all(&afn_kern_avx512);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_and_layout_is_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
