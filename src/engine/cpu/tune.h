/* SPDX-License-Identifier: Apache-2.0 */
/* Choices made by measuring, remembered between runs: a text file of lines
 * "choice <tab> key", safe to delete and never needed.  What cannot be read or written
 * is as if it were not there. */
#ifndef AFN_CPU_TUNE_H
#define AFN_CPU_TUNE_H

#include "base/base.h"

typedef struct tune tune;

/*   path     the file, copied; NULL: remember in memory alone */
afn_status tune_open(tune **out, const char *path);
void tune_close(tune *t);

/* The choice kept under this key, NULL if none; lives until the next tune_keep(). */
const char *tune_find(const tune *t, const char *key);

/* Remember a choice, and write the file with what other processes added to it. */
void tune_keep(tune *t, const char *key, const char *choice);

/* Does AFINA_CACHE=off forbid to keep choices? */
bool tune_off(void);

/* Where the file belongs: $AFINA_CACHE/algorithms.txt, or else
 * $XDG_CACHE_HOME/afina/algorithms.txt, or else ~/.cache/afina/algorithms.txt.
 * NULL without a home; free with afn_free(). */
char *tune_path(void);

#endif
