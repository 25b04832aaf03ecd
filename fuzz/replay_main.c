/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a fuzz target over every file of a folder: the corpus as an ordinary test.
 * Each input is copied to memory of exactly its size, so that a sanitizer sees a read
 * past its end; and it is tried cut short at a few places too. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "fuzz.h"

static int try_prefix(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy) return 1;
    if (size) memcpy(copy, data, size);
    const int rc = LLVMFuzzerTestOneInput(copy, size);
    free(copy);
    return rc;
}

static int replay(const char *path)
{
    enum { PIECES = 16 };
    uint8_t *data;
    size_t size;
    if (afn_file_read(&data, &size, path) != AFN_OK) {
        fprintf(stderr, "%s: %s\n", path, afn_error_message());
        return 1;
    }
    int rc = 0;
    for (size_t i = 0; i <= PIECES; i++) rc |= try_prefix(data, size * i / PIECES);
    afn_free(data);
    return rc;
}

int main(int argc, char **argv)
{
    afn_dir files;
    int rc = 0;
    if (argc != 2) {
        fprintf(stderr, "usage: %s CORPUS\n", argv[0]);
        return 2;
    }
    if (afn_dir_read(&files, argv[1]) != AFN_OK) {
        fprintf(stderr, "%s: %s\n", argv[1], afn_error_message());
        return 1;
    }
    for (size_t i = 0; i < files.count; i++) {
        char *path = afn_path_join(argv[1], files.entry[i].name);
        rc |= path ? replay(path) : 1;
        afn_free(path);
    }
    printf("%zu inputs\n", files.count);
    afn_dir_free(&files);
    return rc;
}
