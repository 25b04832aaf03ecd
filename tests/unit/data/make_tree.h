/* SPDX-License-Identifier: Apache-2.0 */
/* Folders of small pictures for the tests of data sets. */
#ifndef AFN_TEST_MAKE_TREE_H
#define AFN_TEST_MAKE_TREE_H

#include "image/make_picture.h"

#include <ftw.h>

#include "data/data.h"

/* A file below root; folders on its way are made. */
static inline void put_file(const char *root, const char *name, const void *bytes,
                            size_t n)
{
    char path[1200];
    snprintf(path, sizeof path, "%s/%s", root, name);
    char *slash = strrchr(path, '/');
    *slash = 0;
    assert_ok(afn_make_dirs(path));
    *slash = '/';
    assert_ok(afn_file_write(path, bytes, n));
}

static inline void put_text(const char *root, const char *name)
{
    put_file(root, name, "not a picture", 13);
}

/* An 8x6 picture of one shade of gray, by which a test knows it again. */
static inline void put_png(const char *root, const char *name, uint8_t shade)
{
    enum { WIDTH = 8, HEIGHT = 6 };
    uint8_t raw[HEIGHT][1 + WIDTH];
    afn_buf b = { 0 };
    memset(raw, shade, sizeof raw);
    for (int y = 0; y < HEIGHT; y++) raw[y][0] = 0; /* filter: none */
    make_png(&b, (png_head){ WIDTH, HEIGHT, 8, 0, 0 }, &raw[0][0], sizeof raw);
    assert_ok(afn_buf_finish(&b));
    put_file(root, name, b.data, b.size);
    afn_buf_free(&b);
}

static inline void put_jpeg(const char *root, const char *name)
{
    unsigned char *bytes;
    unsigned long n;
    make_jpeg(&bytes, &n, (jpeg_kind){ .width = 9, .height = 7, .components = 3 });
    put_file(root, name, bytes, n);
    free(bytes);
}

static inline int remove_entry(const char *path, const struct stat *info, int type,
                               struct FTW *at)
{
    (void)info;
    (void)type;
    return at->level ? remove(path) : 0;
}

/* An empty folder for this test; the text lives until the next call. */
static inline const char *new_tree(const char *name)
{
    const char *root = test_dir(name);
    assert_int_equal(0, nftw(root, remove_entry, 8, FTW_DEPTH | FTW_PHYS));
    return root;
}

/* Name of sample i without the root; the text lives until the next call. */
static inline const char *name_below(const afn_dataset *d, int64_t i, const char *root)
{
    static char name[1200];
    afn_dataset_sample_name(d, i, name, sizeof name);
    assert_memory_equal(name, root, strlen(root));
    return name + strlen(root) + 1;
}

#endif
