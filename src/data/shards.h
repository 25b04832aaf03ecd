/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/data: the files that a spec of shards stands for. */
#ifndef AFN_DATA_SHARDS_H
#define AFN_DATA_SHARDS_H

#include "base/base.h"

/*   spec     a folder: its files that end in `suffix`, sorted; a path with * and ? in
 * its last part: those that match, sorted; {000..012} anywhere: the numbers, as wide as
 * the first; or the path of one file paths    each ended by 0, one after the other; to
 * be freed with afn_buf_free() Errors     AFN_ENOTFOUND for none, AFN_EINVAL for a
 * range that is none, AFN_ENOMEM */
afn_status afn_shards_find(afn_buf *paths, const char *spec, const char *suffix);

#endif
