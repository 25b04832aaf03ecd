/* SPDX-License-Identifier: Apache-2.0 */
/* For the comparison with PyTorch: lists a weight file with a hash of every tensor's
 * contiguous bytes, or copies one through our reader and writer. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "weights/weights.h"

static uint64_t fnv1a(const uint8_t *p, size_t n)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < n; i++) h = (h ^ p[i]) * 0x100000001b3u;
    return h;
}

static int fail(void)
{
    fprintf(stderr, "%s\n", afn_error_message());
    return 1;
}

static int list(const afn_weights *w)
{
    printf("format %s\n", afn_weights_format(w));
    for (size_t i = 0; i < afn_weights_count(w); i++) {
        const afn_weight *t = afn_weights_get(w, i);
        const size_t n = (size_t)afn_shape_count(&t->shape) * afn_dtype_bytes(t->dtype);
        char shape[128];
        uint8_t *bytes = malloc(n + 1);
        if (!bytes) return 1;
        if (afn_weights_read_raw(w, t, bytes, n) != AFN_OK) return fail();
        printf("%s %s %s %016" PRIx64 "\n", t->name, afn_dtype_name(t->dtype),
               afn_shape_text(&t->shape, shape, sizeof shape), fnv1a(bytes, n));
        free(bytes);
    }
    for (size_t i = 0; i < afn_weights_metadata_count(w); i++) {
        const char *key = afn_weights_metadata_key(w, i);
        printf("metadata %s=%s\n", key, afn_weights_metadata(w, key));
    }
    return 0;
}

int main(int argc, char **argv)
{
    afn_weights *w = NULL;
    if (argc < 3) {
        fprintf(stderr, "usage: weights_tool list FILE | copy FROM TO [KEY VALUE]\n");
        return 2;
    }
    if (afn_weights_open(&w, argv[2]) != AFN_OK) return fail();
    int rc = 0;
    if (strcmp(argv[1], "list") == 0) {
        rc = list(w);
    } else if (argc == 4 || argc == 6) {
        if (argc == 6 && afn_weights_set_metadata(w, argv[4], argv[5]) != AFN_OK)
            rc = fail();
        if (rc == 0 && afn_weights_save(w, argv[3]) != AFN_OK) rc = fail();
    }
    afn_weights_free(w);
    return rc;
}
