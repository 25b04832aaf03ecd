/* SPDX-License-Identifier: Apache-2.0 */
/* Damerau's distance, restricted: a letter takes part in one swap at most.
 * Source     https://doi.org/10.1145/363958.363994 */
#include "afina/nearest.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "base/str.h"

enum { LONGEST = 63, FAR = LONGEST + 1 };

static int least(int a, int b)
{
    return a < b ? a : b;
}

static bool same(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* One more row of the table of distances, from the two rows before it. */
static void next_row(int *row, const int *one, const int *two, const char *a, int i,
                     const char *b)
{
    row[0] = i;
    for (int j = 1; b[j - 1]; j++) {
        const int changed = one[j - 1] + !same(a[i - 1], b[j - 1]);
        row[j] = least(changed, least(one[j], row[j - 1]) + 1);
        const bool swapped =
            i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]);
        if (swapped) row[j] = least(row[j], two[j - 2] + 1);
    }
}

static int distance(const char *a, const char *b)
{
    int row[3][LONGEST + 1];
    const int m = (int)strlen(a), n = (int)strlen(b);

    if (m > LONGEST || n > LONGEST) return FAR;
    for (int j = 0; j <= n; j++) row[0][j] = j;
    for (int i = 1; i <= m; i++)
        next_row(row[i % 3], row[(i + 2) % 3], row[(i + 1) % 3], a, i, b);
    return row[m % 3][n];
}

/* Smaller is nearer; -1 is not near. */
static int nearness(const char *name, const char *candidate)
{
    const int length = (int)strlen(name);
    const int d = distance(name, candidate);
    if (d < FAR && d <= (length + 2) / 3) return d;
    return length >= 2 && length <= LONGEST && strstr(candidate, name) ? FAR : -1;
}

int afn_nearest_names(size_t *out, int max, const char *name,
                      const char *const *candidate, size_t n)
{
    int best = -1, found = 0;

    for (size_t i = 0; i < n; i++) {
        const int d = nearness(name, candidate[i]);
        if (d >= 0 && (best < 0 || d < best)) best = d;
    }
    for (size_t i = 0; best >= 0 && i < n && found < max; i++)
        if (nearness(name, candidate[i]) == best) out[found++] = i;
    return found;
}

const char *afn_nearest(const char *name, const char *const *candidate, size_t n)
{
    size_t at;
    return afn_nearest_names(&at, 1, name, candidate, n) ? candidate[at] : NULL;
}
