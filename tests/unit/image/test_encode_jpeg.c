/* SPDX-License-Identifier: Apache-2.0 */
#include "afn_test.h"

#include "image/image.h"

static afn_image slope(int width, int height)
{
    afn_image image;
    assert_ok(afn_image__alloc(&image, width, height));
    for (int i = 0; i < width * height; i++) {
        image.pixels[3 * i] = (uint8_t)(255 * (i % width) / width);
        image.pixels[3 * i + 1] = (uint8_t)(255 * (i / width) / height);
        image.pixels[3 * i + 2] = 100;
    }
    return image;
}

static void what_is_written_reads_back_alike(void **state)
{
    (void)state;
    char path[1200];
    afn_image back, image = slope(60, 41);
    snprintf(path, sizeof path, "%s/slope.jpg", test_dir("encode"));
    assert_ok(afn_image_write_jpeg(&image, path));
    assert_ok(afn_image_read(&back, path, NULL));
    assert_int_equal(60, back.width);
    assert_int_equal(41, back.height);
    for (int i = 0; i < 60 * 41 * 3; i++)
        assert_in_range(back.pixels[i] - image.pixels[i] + 12, 0, 24);
    afn_image_free(&back);
    afn_image_free(&image);
}

static void bytes_are_appended_and_a_lower_quality_is_smaller(void **state)
{
    (void)state;
    afn_image image = slope(64, 64);
    afn_buf high = { 0 }, low = { 0 };
    for (int i = 0; i < 64 * 64 * 3; i += 7) image.pixels[i] ^= 0x40;
    afn_buf_str(&high, "x");
    assert_ok(afn_image__encode_jpeg(&high, &image, 95));
    assert_ok(afn_image__encode_jpeg(&low, &image, 40));
    assert_int_equal('x', high.data[0]);
    assert_memory_equal("\xff\xd8", high.data + 1, 2);
    assert_true(low.size < high.size / 2);
    afn_buf_free(&high);
    afn_buf_free(&low);
    afn_image_free(&image);
}

static void nothing_to_write_is_an_error(void **state)
{
    (void)state;
    afn_buf b = { 0 };
    const afn_image none = { 0 };
    assert_int_equal(AFN_EINVAL, afn_image__encode_jpeg(&b, &none, 90));
    afn_image wide;
    assert_ok(afn_image__alloc(&wide, 70000, 1));
    assert_fails(AFN_EINVAL, "70000 x 1 pixels", afn_image__encode_jpeg(&b, &wide, 90));
    afn_image_free(&wide);
    assert_null(b.data);
    afn_image image = slope(4, 4);
    assert_fails(AFN_ENOTFOUND, "nowhere/x.jpg",
                 afn_image_write_jpeg(&image, "nowhere/x.jpg"));
    afn_image_free(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_reads_back_alike),
        cmocka_unit_test(bytes_are_appended_and_a_lower_quality_is_smaller),
        cmocka_unit_test(nothing_to_write_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
