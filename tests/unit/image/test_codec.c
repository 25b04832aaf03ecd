/* SPDX-License-Identifier: Apache-2.0 */
/* Formats told apart by content, and a yardstick of some 190 tricky files: Pillow's
 * verdict and digest for each, where that folder lies beside the source tree. */
#include "afn_test.h"

#include "image/codec.h"
#include "make_picture.h"
#include "sha1.h"

/* Files about which we and Pillow 9.4 disagree, each for a reason. */
static const struct {
    const char *file, *reason;
    const char *sha1; /* what we decode to; NULL: we refuse */
} differs[] = {
    { "jpeg-bad-metadata/truncated_exif_dpi.jpg",
      "Pillow reads the resolution from EXIF and trips over it; we read no EXIF",
      "f876c6e40c98" },
    { "png-corrupt/png_decompression_dos.png",
      "its text chunk inflates to more than Pillow allows; we inflate no text",
      "29e2dcfbb16f" },
};

typedef struct row {
    char *file, *bytes, *origin, *pillow, *verdict;
} row;

/* Split "| a | b | ... |" in place; false for a line that is no row of the table. */
static bool split_row(row *r, char *line)
{
    char **field[] = { &r->file, &r->bytes, &r->origin, &r->pillow, &r->verdict };
    if (strncmp(line, "| ", 2) != 0) return false;
    char *p = line + 2;
    for (size_t i = 0; i < AFN_COUNT(field); i++) {
        char *end = strstr(p, " |");
        if (!end) return false;
        *field[i] = p;
        *end = 0;
        p = end[2] == ' ' ? end + 3 : end + 2;
    }
    return strcmp(r->file, "file") != 0 && r->file[0] != '-';
}

static bool is_digest(const char *s)
{
    return strlen(s) == 12 && strspn(s, "0123456789abcdef") == 12;
}

/* Formats whose library this build lacks. */
static bool is_left_out(const afn_map *file)
{
    static const struct {
        bool left_out;
        size_t at, size;
        const char *bytes;
    } format[] = { { !AFN_HAVE_GIF, 0, 4, "GIF8" },
                   { !AFN_HAVE_TIFF, 0, 2, "II" },
                   { !AFN_HAVE_WEBP, 8, 4, "WEBP" } };
    for (size_t i = 0; i < AFN_COUNT(format); i++)
        if (format[i].left_out && file->size >= format[i].at + format[i].size &&
            memcmp(file->data + format[i].at, format[i].bytes, format[i].size) == 0)
            return true;
    return false;
}

/* What Pillow says about the file, NULL for "refused", corrected by the list above. */
static const char *expected(const row *r, const afn_map *file)
{
    for (size_t i = 0; i < AFN_COUNT(differs); i++)
        if (strcmp(differs[i].file, r->file) == 0) return differs[i].sha1;
    return is_digest(r->verdict) && !is_left_out(file) ? r->verdict : NULL;
}

/* 1 where our verdict on this file is not the expected one. */
static int check_file(const row *r, const char *path)
{
    afn_map file;
    afn_image image;
    char sha1[41] = "refused";
    assert_ok(afn_map_open(&file, path));
    const char *want = expected(r, &file);
    const double begun = afn_now_s();
    const afn_decode_opts as_stored = { .exif = false };
    const afn_status st = afn_image_decode(&image, file.data, file.size, &as_stored);
    const double seconds = afn_now_s() - begun;
    if (st == AFN_OK)
        sha1_hex(sha1, image.pixels, (size_t)(image.width * image.height * 3));
    else if (st != AFN_EFORMAT && st != AFN_EUNSUPPORTED)
        fail_msg("%s: %s", r->file, afn_status_name(st));
    sha1[12] = 0;
    afn_image_free(&image);
    afn_map_close(&file);

    const bool same = want ? strcmp(sha1, want) == 0 : st != AFN_OK;
    if (!same)
        print_message("%s: %s (%s), Pillow %s\n", r->file, sha1,
                      st == AFN_OK ? "decoded" : afn_error_message(), r->verdict);
    if (st != AFN_OK && seconds > 1.0) fail_msg("%s: refused too late", r->file);
    return !same;
}

static void every_tricky_file_is_judged_as_pillow_does(void **state)
{
    (void)state;
    char path[1100], folder[1024];
    const char *root = shared_data("images-tricky");
    if (!root) skip();
    snprintf(folder, sizeof folder, "%s", root);
    snprintf(path, sizeof path, "%s/INDEX.md", folder);
    uint8_t *text;
    size_t size;
    assert_ok(afn_file_read(&text, &size, path));
    int wrong = 0, checked = 0;
    char *rest = NULL;
    for (char *line = strtok_r((char *)text, "\n", &rest); line;
         line = strtok_r(NULL, "\n", &rest)) {
        row r;
        if (!split_row(&r, line)) continue;
        snprintf(path, sizeof path, "%s/%s", folder, r.file);
        if (!afn_is_file(path)) continue;
        wrong += check_file(&r, path);
        checked++;
    }
    afn_free(text);
    assert_int_equal(wrong, 0);
    assert_true(checked > 150);
}

static void other_formats_are_named_and_refused(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        const char *name;
    } other[] = {
        { "\0\0\0\x20"
          "ftypavif",
          12, "a picture in AVIF" },
        { "\0\0\0\x20"
          "ftypheic",
          12, "a picture in HEIC" },
        { "\0\0\0\x20"
          "ftypmif1",
          12, "a picture in HEIC" },
        { "\0\0\0\fjP  ", 8, "a picture in JPEG 2000" },
        { "\xff\x0a....", 6, "a picture in JPEG XL" },
    };
    for (size_t i = 0; i < AFN_COUNT(other); i++) {
        afn_image image = { .width = 7 };
        assert_fails(AFN_EUNSUPPORTED, other[i].name,
                     afn_image_decode(&image, other[i].bytes, other[i].size, NULL));
        assert_null(image.pixels);
        assert_int_equal(image.width, 0);
    }
}

static void what_is_no_picture_is_refused(void **state)
{
    (void)state;
    afn_image image;
    assert_fails(AFN_EFORMAT, "empty", afn_image_decode(&image, "", 0, NULL));
    assert_fails(AFN_EFORMAT, "not a picture",
                 afn_image_decode(&image, "<html>", 6, NULL));
    assert_fails(AFN_EFORMAT, "not a picture",
                 afn_image_decode(&image, "\xff\xd8", 2, NULL));
    assert_fails(AFN_EFORMAT, "not a picture",
                 afn_image_decode(&image, "\x89PNG", 4, NULL));
}

static void reading_names_the_file(void **state)
{
    (void)state;
    char path[1100];
    afn_image image;
    snprintf(path, sizeof path, "%s/text.jpg", test_dir("codec"));
    assert_ok(afn_file_write(path, "hello", 5));
    assert_fails(AFN_EFORMAT, "text.jpg: not a picture",
                 afn_image_read(&image, path, NULL));
    assert_null(image.pixels);
    assert_fails(AFN_ENOTFOUND,
                 "/no/such.png: ", afn_image_read(&image, "/no/such.png", NULL));
}

static void the_extension_does_not_matter(void **state)
{
    (void)state;
    char path[1100];
    unsigned char *jpeg;
    unsigned long size;
    afn_image image;
    make_jpeg(&jpeg, &size, (jpeg_kind){ .width = 20, .height = 9, .components = 3 });
    snprintf(path, sizeof path, "%s/jpeg-named.png", test_dir("codec"));
    assert_ok(afn_file_write(path, jpeg, size));
    assert_ok(afn_image_read(&image, path, NULL));
    assert_int_equal(image.width, 20);
    assert_int_equal(image.height, 9);
    afn_image_free(&image);
    afn_image_free(&image); /* zeroed: a no-op */
    free(jpeg);
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    unsigned char *jpeg;
    unsigned long size;
    make_jpeg(&jpeg, &size, (jpeg_kind){ .width = 30, .height = 20, .components = 4 });
    decode_failing(jpeg, size, 2); /* pixels, a row of CMYK */
    free(jpeg);

    afn_buf png = { 0 };
    make_png(&png, (png_head){ 2, 1, 8, 2, 0 }, (const uint8_t *)"\0abcdef", 7);
    decode_failing(png.data, png.size, 5); /* pixels, libpng's structs and rows */
    afn_buf_free(&png);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_formats_are_named_and_refused),
        cmocka_unit_test(what_is_no_picture_is_refused),
        cmocka_unit_test(reading_names_the_file),
        cmocka_unit_test(the_extension_does_not_matter),
        cmocka_unit_test(every_failing_allocation_is_reported),
        cmocka_unit_test(every_tricky_file_is_judged_as_pillow_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
