/* SPDX-License-Identifier: Apache-2.0 */
/* Draws the demo's picture sets, one folder per class as torchvision's ImageFolder:
 *   make_pictures pretrain DIR N SEED      DIR/CLASS/0000.png ...: N of each class
 *   make_pictures exercise DIR N SEED      the five classes that pretraining never sees
 * Folders are made where missing; the same seed draws the same pictures. */
#include <errno.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "draw.h"

static int make_folder(const char *path)
{
    if (mkdir(path, 0777) == 0 || errno == EEXIST) return 0;
    fprintf(stderr, "make_pictures: %s: %s\n", path, strerror(errno));
    return -1;
}

/* Write a picture as PNG.
 *   rgb      (SIDE, SIDE, 3) */
static int write_png(const char *path, const uint8_t *rgb)
{
    png_image image = { .version = PNG_IMAGE_VERSION,
                        .width = SIDE,
                        .height = SIDE,
                        .format = PNG_FORMAT_RGB,
                        .flags = PNG_IMAGE_FLAG_FAST };
    if (png_image_write_to_file(&image, path, 0, rgb, 0, NULL)) return 0;
    fprintf(stderr, "make_pictures: %s: %s\n", path, image.message);
    return -1;
}

/* FNV-1a over the seed, the class name and the number: every picture its own seed. */
static uint64_t picture_seed(uint64_t seed, const char *name, int i)
{
    uint64_t h = (0xcbf29ce484222325u ^ seed) * 0x100000001b3u;
    for (; *name; name++) h = (h ^ (uint8_t)*name) * 0x100000001b3u;
    return (h ^ (uint64_t)i) * 0x100000001b3u;
}

/* Pretraining sees pictures from plain to wild, since a network without batch norm does
 * not begin to learn from wild ones alone; the exercise has the wilder part. */
static float plainness(const char *set)
{
    return strcmp(set, "pretrain") == 0 ? 1.0f : 0.4f;
}

static int make_class(const thing *t, const char *set, const char *dir, int count,
                      uint64_t seed)
{
    char path[4096];
    uint8_t rgb[SIDE * SIDE * 3];

    if (snprintf(path, sizeof path, "%s/%s", dir, t->name) > 4000) {
        fprintf(stderr, "make_pictures: %.60s...: name too long\n", dir);
        return -1;
    }
    if (make_folder(path)) return -1;
    const size_t end = strlen(path);
    for (int i = 0; i < count; i++) {
        snprintf(path + end, sizeof path - end, "/%04d.png", i);
        draw_picture(rgb, t, plainness(set), picture_seed(seed, t->name, i));
        if (write_png(path, rgb)) return -1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    int n = 0;
    const thing *things = argc == 5 ? things_of(argv[1], &n) : NULL;
    const int count = argc == 5 ? atoi(argv[3]) : 0;

    if (!things || count < 1) {
        fputs("usage: make_pictures pretrain|exercise DIR PER_CLASS SEED\n", stderr);
        return 2;
    }
    if (make_folder(argv[2])) return 1;
    for (int i = 0; i < n; i++)
        if (make_class(&things[i], argv[1], argv[2], count,
                       strtoull(argv[4], NULL, 10)))
            return 1;
    return 0;
}
