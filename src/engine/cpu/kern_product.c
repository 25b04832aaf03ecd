/* SPDX-License-Identifier: Apache-2.0 */
/* A small product of matrices, compiled like kern.c: C (rows, columns) = A B, for one
 * or two vectors of columns.
 *
 * A tile of C, up to ROWS x 2 vectors, stays in registers while A and B stream by: for
 * each step of depth, two loads of B and one number of A for each row.  As in BLIS, Van
 * Zee and van de Geijn 2015, https://doi.org/10.1145/2764454.  A column of C is summed
 * in order of depth whatever its place, so results do not depend on how the work was
 * cut. */
#include "engine/cpu/kern.h"
#include "engine/cpu/kern_vec.h"

/* As many as leave registers for B and A: 32 of them with AVX-512, 16 without. */
enum { ROWS = B == 16 ? 14 : 6 };

INLINE void tile(const afn_kern_product *p, const float *a, float *c, int rows,
                 int vectors)
{
    vec sum[ROWS][2];
#pragma GCC unroll 16
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < vectors; v++)
            sum[r][v] = p->add ? load_vec(c + r * p->c_row + v * B) : (vec){ 0 };
    const float *b = p->b;
    for (int64_t k = 0; k < p->depth; k++) {
        const vec b0 = load_vec(b), b1 = vectors > 1 ? load_vec(b + B) : b0;
#pragma GCC unroll 16
        for (int r = 0; r < rows; r++) {
            const float x = a[r * p->a_row];
            sum[r][0] += x * b0;
            if (vectors > 1) sum[r][1] += x * b1;
        }
        a += p->a_depth;
        b += p->b_depth;
    }
#pragma GCC unroll 16
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < vectors; v++)
            store_vec(c + r * p->c_row + v * B, sum[r][v]);
}

/* One function for each number of rows, so that sums have registers of their own. */
#define TILE(n)                                                                        \
    static void tile##n(const afn_kern_product *p, const float *a, float *c)           \
    {                                                                                  \
        if (p->vectors > 1)                                                            \
            tile(p, a, c, n, 2);                                                       \
        else                                                                           \
            tile(p, a, c, n, 1);                                                       \
    }
TILE(1)
TILE(2)
TILE(3)
TILE(4)
TILE(5)
TILE(6)
#if B == 16
TILE(7)
TILE(8)
TILE(9)
TILE(10)
TILE(11)
TILE(12)
TILE(13)
TILE(14)
#endif

typedef void (*tile_fn)(const afn_kern_product *p, const float *a, float *c);
static const tile_fn tile_of[ROWS + 1] = {
    NULL,  tile1, tile2, tile3,  tile4,  tile5,  tile6,
#if B == 16
    tile7, tile8, tile9, tile10, tile11, tile12, tile13, tile14,
#endif
};

/* Rows in groups of nearly equal size. */
void AFN_PRODUCT(const afn_kern_product *p)
{
    const int64_t groups = (p->rows + ROWS - 1) / ROWS;
    for (int64_t g = 0; g < groups; g++) {
        const int64_t from = p->rows * g / groups, to = p->rows * (g + 1) / groups;
        tile_of[to - from](p, p->a + from * p->a_row, p->c + from * p->c_row);
    }
}
