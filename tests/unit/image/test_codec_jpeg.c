/* SPDX-License-Identifier: Apache-2.0 */
/* JPEGs of every kind, cut off, damaged, and made to waste time or memory. */
#include "afn_test.h"

#include "image/codec.h"
#include "make_picture.h"

typedef struct bytes {
    unsigned char *data;
    unsigned long size;
} bytes;

static bytes jpeg_of(jpeg_kind kind)
{
    bytes b;
    make_jpeg(&b.data, &b.size, kind);
    return b;
}

/* Place of the n-th (from 0) marker 0xff, code; entropy-coded data holds none. */
static size_t find_marker(bytes b, int code, int n)
{
    for (size_t i = 0; i + 1 < b.size; i++)
        if (b.data[i] == 0xff && b.data[i + 1] == code && n-- == 0) return i;
    fail_msg("no marker %02x", code);
    return 0;
}

/* The pixel is what make_jpeg() drew there, up to the losses of the format. */
static void assert_near(const afn_image *image, int x, int y, jpeg_kind kind)
{
    const uint8_t *p = image->pixels + 3 * (image->width * y + x);
    for (int c = 0; c < 3; c++) {
        int want = test_ink(x, y, kind.components == 1 ? 0 : c);
        if (kind.components == 4) want = want * test_ink(x, y, 3) / 255;
        if (abs(want - p[c]) > 12)
            fail_msg("(%d,%d) channel %d: %d, expected about %d", x, y, c, p[c], want);
    }
}

static void every_kind_decodes(void **state)
{
    (void)state;
    const jpeg_kind kinds[] = {
        { .width = 37, .height = 21, .components = 1 },
        { .width = 37, .height = 21, .components = 3 },
        { .width = 37, .height = 21, .components = 3, .progressive = true },
        { .width = 37, .height = 41, .components = 3, .restart_rows = 1 },
        { .width = 37, .height = 21, .components = 4 },
        { .width = 37, .height = 21, .components = 4, .ycck = true },
        { .width = 37, .height = 21, .components = 4, .progressive = true },
        { .width = 1, .height = 1, .components = 3 },
        { .width = 1, .height = 90, .components = 1 },
    };
    for (size_t i = 0; i < AFN_COUNT(kinds); i++) {
        const bytes b = jpeg_of(kinds[i]);
        afn_image image;
        assert_ok(afn_image_decode(&image, b.data, b.size, NULL));
        assert_int_equal(image.width, kinds[i].width);
        assert_int_equal(image.height, kinds[i].height);
        assert_near(&image, 0, 0, kinds[i]);
        assert_near(&image, kinds[i].width - 1, kinds[i].height - 1, kinds[i]);
        afn_image_free(&image);
        free(b.data);
    }
}

static void no_ink_is_white_and_full_black_is_black(void **state)
{
    (void)state;
    /* one flat CMYK block, patched quantisation is not needed: 16x16 of one value */
    for (int value = 0; value < 2; value++) {
        struct jpeg_compress_struct jpeg;
        struct jpeg_error_mgr error;
        bytes b = { 0 };
        jpeg.err = jpeg_std_error(&error);
        jpeg_create_compress(&jpeg);
        jpeg_mem_dest(&jpeg, &b.data, &b.size);
        jpeg.image_width = jpeg.image_height = 16;
        jpeg.input_components = 4;
        jpeg.in_color_space = JCS_CMYK;
        jpeg_set_defaults(&jpeg);
        jpeg_start_compress(&jpeg, TRUE);
        uint8_t row[16 * 4];
        memset(row, value ? 255 : 0, sizeof row);
        JSAMPROW rows[1] = { row };
        for (int y = 0; y < 16; y++) jpeg_write_scanlines(&jpeg, rows, 1);
        jpeg_finish_compress(&jpeg);
        jpeg_destroy_compress(&jpeg);

        afn_image image;
        assert_ok(afn_image_decode(&image, b.data, b.size, NULL));
        assert_int_equal(image.pixels[0], value ? 255 : 0);
        afn_image_free(&image);
        free(b.data);
    }
}

/* Every prefix is refused, but the one that lacks the end marker's last bytes only once
 * all rows are out; nothing reads past the end. */
static void a_cut_file_is_refused(void **state)
{
    (void)state;
    const jpeg_kind kinds[] = {
        { .width = 40, .height = 33, .components = 3 },
        { .width = 20, .height = 9, .components = 3, .progressive = true }
    };
    for (size_t i = 0; i < AFN_COUNT(kinds); i++) {
        const bytes b = jpeg_of(kinds[i]);
        for (size_t n = 3; n + 2 < b.size; n++) {
            afn_image image;
            uint8_t *copy = malloc(n); /* of the exact size, for the sanitizer */
            memcpy(copy, b.data, n);
            const afn_status st = afn_image_decode(&image, copy, n, NULL);
            if (st != AFN_EFORMAT || !strstr(afn_error_message(), "truncated"))
                fail_msg("%zu of %lu bytes: %s", n, b.size, afn_error_message());
            assert_null(image.pixels);
            free(copy);
        }
        free(b.data);
    }
}

static void bytes_behind_the_end_are_ignored(void **state)
{
    (void)state;
    const bytes b = jpeg_of((jpeg_kind){ .width = 9, .height = 9, .components = 3 });
    afn_image one, two;
    uint8_t *longer = calloc(b.size + 100, 1);
    memcpy(longer, b.data, b.size);
    assert_ok(afn_image_decode(&one, b.data, b.size, NULL));
    assert_ok(afn_image_decode(&two, longer, b.size + 100, NULL));
    assert_memory_equal(one.pixels, two.pixels, 9 * 9 * 3);
    afn_image_free(&one);
    afn_image_free(&two);
    free(longer);
    free(b.data);
}

/* Warnings of the library: the picture is still taken, as in Pillow. */
static void damaged_pixels_are_tolerated(void **state)
{
    (void)state;
    const bytes b = jpeg_of((jpeg_kind){ .width = 64, .height = 64, .components = 3 });
    const size_t scan = find_marker(b, 0xda, 0) + 40;
    afn_image image;
    assert_true(scan + 40 < b.size);
    memset(b.data + scan, 0x55, 30);
    assert_ok(afn_image_decode(&image, b.data, b.size, NULL));
    assert_int_equal(image.width, 64);
    afn_image_free(&image);
    free(b.data);
}

static void set_size(bytes b, int code, unsigned width, unsigned height)
{
    uint8_t *p = b.data + find_marker(b, code, 0) + 5;
    p[0] = (uint8_t)(height >> 8);
    p[1] = (uint8_t)height;
    p[2] = (uint8_t)(width >> 8);
    p[3] = (uint8_t)width;
}

static void a_size_that_the_file_cannot_hold_is_refused(void **state)
{
    (void)state;
    static const struct {
        unsigned width, height;
        afn_status code;
        const char *message;
    } row[] = {
        { 65500, 65500, AFN_EUNSUPPORTED, "limit is" },
        { 13000, 13000, AFN_EFORMAT, "file is truncated" },
        { 0, 16, AFN_EFORMAT, "" },
        { 16, 0, AFN_EFORMAT, "" },
    };
    for (size_t i = 0; i < AFN_COUNT(row); i++) {
        const bytes b =
            jpeg_of((jpeg_kind){ .width = 9, .height = 9, .components = 3 });
        afn_image image;
        set_size(b, 0xc0, row[i].width, row[i].height);
        const int64_t before = afn_alloc_count();
        assert_fails(row[i].code, row[i].message,
                     afn_image_decode(&image, b.data, b.size, NULL));
        assert_int_equal(afn_alloc_count(), before);
        free(b.data);
    }
}

static void a_bomb_of_scans_is_refused(void **state)
{
    (void)state;
    const bytes b = jpeg_of(
        (jpeg_kind){ .width = 64, .height = 64, .components = 3, .progressive = true });
    const size_t end = find_marker(b, 0xd9, 0);
    size_t last = 0;
    for (int n = 0; n < 10; n++) last = find_marker(b, 0xda, n);
    afn_buf bomb = { 0 };
    afn_buf_add(&bomb, b.data, end);
    for (int i = 0; i < 600; i++) afn_buf_add(&bomb, b.data + last, end - last);
    afn_buf_add(&bomb, b.data + end, 2);
    afn_image image;
    assert_fails(AFN_EFORMAT, "more than 500 scans",
                 afn_image_decode(&image, bomb.data, bomb.size, NULL));
    afn_buf_free(&bomb);
    free(b.data);
}

/* From the marker segment with a list of 3 entries of so many bytes, whose count is
 * `at` bytes behind the marker, take the last. */
static void remove_component(bytes *b, int code, size_t at, size_t entry)
{
    uint8_t *p = b->data + find_marker(*b, code, 0);
    uint8_t *last = p + at + 1 + 2 * entry;
    p[3] = (uint8_t)(p[3] - entry); /* length of the segment */
    p[at] = 2;
    memmove(last, last + entry, (size_t)(b->data + b->size - last) - entry);
    b->size -= entry;
}

static void two_components_are_refused(void **state)
{
    (void)state;
    bytes b = jpeg_of((jpeg_kind){ .width = 9, .height = 9, .components = 3 });
    afn_image image;
    remove_component(&b, 0xc0, 9, 3);
    remove_component(&b, 0xda, 4, 2);
    assert_fails(AFN_EFORMAT, "2 components",
                 afn_image_decode(&image, b.data, b.size, NULL));
    free(b.data);
}

/* The sides that Pillow's draft() gives, and about the same picture. */
static void fewer_pixels_are_made_where_they_will_do(void **state)
{
    (void)state;
    static const struct {
        int64_t min_side, width, height;
    } row[] = { { 0, 61, 48 },  { 48, 61, 48 }, { 25, 61, 48 }, { 24, 31, 24 },
                { 13, 31, 24 }, { 12, 16, 12 }, { 7, 16, 12 },  { 6, 8, 6 },
                { 1, 8, 6 },    { -5, 61, 48 } };
    for (int components = 1; components <= 4; components += components == 1 ? 2 : 1) {
        unsigned char *jpeg;
        unsigned long size;
        make_jpeg(&jpeg, &size,
                  (jpeg_kind){ .width = 61, .height = 48, .components = components });
        for (size_t i = 0; i < AFN_COUNT(row); i++) {
            afn_image image, whole;
            const afn_decode_opts opts = { .min_side = row[i].min_side };
            assert_ok(afn_image_decode(&image, jpeg, size, &opts));
            assert_ok(afn_image_decode(&whole, jpeg, size, NULL));
            assert_int_equal(image.width, row[i].width);
            assert_int_equal(image.height, row[i].height);
            const int a = image.pixels[3 * (image.width * (image.height / 2) + 2)];
            const int64_t by = 61 / image.width;
            const int b = whole.pixels[3 * (61 * (24 + by / 2) + 2 * by + by / 2)];
            assert_in_range(a - b + 4, 0, 8);
            afn_image_free(&image);
            afn_image_free(&whole);
        }
        free(jpeg);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fewer_pixels_are_made_where_they_will_do),
        cmocka_unit_test(every_kind_decodes),
        cmocka_unit_test(no_ink_is_white_and_full_black_is_black),
        cmocka_unit_test(a_cut_file_is_refused),
        cmocka_unit_test(bytes_behind_the_end_are_ignored),
        cmocka_unit_test(damaged_pixels_are_tolerated),
        cmocka_unit_test(a_size_that_the_file_cannot_hold_is_refused),
        cmocka_unit_test(a_bomb_of_scans_is_refused),
        cmocka_unit_test(two_components_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
