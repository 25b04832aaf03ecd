/* SPDX-License-Identifier: Apache-2.0 */
/* Text and binary pictures of the netpbm family. */
#include "afn_test.h"

#include "image/codec.h"
#include "make_picture.h"

static void every_kind_decodes(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        size_t size;
        const char *rgb;
    } row[] = {
        { "P1\n2 1\n01", 9, "\xff\xff\xff\0\0\0" },
        { "P1 2 1 0 # off\n1", 16, "\xff\xff\xff\0\0\0" },
        { "P2\n2 1\n255\n97 98", 16, "aaabbb" },
        { "P3\n2 1\n255\n97 98 99\n100 101 102\n", 31, "abcdef" },
        { "P4 2 1\n\x40", 8, "\xff\xff\xff\0\0\0" },
        { "P5 2 1 255\nab", 13, "aaabbb" },
        { "P6 2 1 255\nabcdef", 17, "abcdef" },
        /* comments anywhere in the header, even inside a number */
        { "P5\n# one\n2 # two\n1\n2#\n55\nab", 29, "aaabbb" },
    };
    for (size_t i = 0; i < AFN_COUNT(row); i++)
        assert_decodes(row[i].file, row[i].size, 2, row[i].rgb, 6);
}

static void values_are_scaled_and_rounded_to_even(void **state)
{
    (void)state;
    assert_decodes("P5 3 1 2\n\0\1\2", 12, 3, "\0\0\0\x80\x80\x80\xff\xff\xff", 9);
    assert_decodes("P5 2 1 10\n\3\7", 12, 2, "\x4c\x4c\x4c\xb2\xb2\xb2", 6);
    assert_decodes("P5 2 1 10\n\3\xff", 12, 2, "\x4c\x4c\x4c\xff\xff\xff", 6);
    /* colour of 16 bits is scaled down, gray of 16 bits clipped, as in Pillow */
    assert_decodes("P6 1 1 65535\n\x80\0\xff\xff\0\0", 19, 1, "\x80\xff\0", 3);
    assert_decodes("P5 2 1 65535\n\0a\1\0", 17, 2, "aaa\xff\xff\xff", 6);
    assert_decodes("P2 2 1 1000\n1 2\n", 16, 2, "BBB\x83\x83\x83", 6);
}

static void refuse(const char *file, afn_status code, const char *text)
{
    afn_image image;
    assert_fails(code, text, afn_image_decode(&image, file, strlen(file), NULL));
    assert_null(image.pixels);
}

static void damaged_files_are_refused(void **state)
{
    (void)state;
    refuse("P5 2 1 255\na", AFN_EFORMAT, "2x1 pixels in 1 bytes, file is truncated");
    refuse("P5 2 x 255\nab", AFN_EFORMAT, "byte 5 is no part of a number");
    refuse("P5 0 1 255\nab", AFN_EFORMAT, "0x1 pixels");
    refuse("P5 2 1 0\nab", AFN_EFORMAT, "greatest value 0, need 1 to 65535");
    refuse("P5 2 1 65536\nabcd", AFN_EFORMAT, "greatest value 65536");
    refuse("P5 12345678901 1 255\nab", AFN_EFORMAT, "more than 10 digits");
    refuse("P5 9999999999 9999999999 255\n", AFN_EUNSUPPORTED, "limit is");
    refuse("P6 10000 10000 255\nabc", AFN_EFORMAT, "file is truncated");
    refuse("P2 2 1 7\n8 1", AFN_EFORMAT, "value 8, greatest is 7");
    refuse("P2 2 1 7\n1      ", AFN_EFORMAT, "file is truncated");
    refuse("P1 2 1\n12", AFN_EFORMAT, "byte 8 is neither 0 nor 1");
    refuse("P1 2 1\n1    ", AFN_EFORMAT, "file is truncated");
    refuse("P6#2 1 255\nabcdef", AFN_EFORMAT, "not a picture");
    refuse("P7\nWIDTH 1\n", AFN_EFORMAT, "not a picture");
}

static void no_part_of_a_file_decodes(void **state)
{
    (void)state;
    assert_no_part_decodes("P6 2 1 255\nabcdef", 17);
    assert_no_part_decodes("P3 1 1 9\n1 2 3", 14);
    assert_no_part_decodes("P1 2 2\n1011", 11);
    decode_failing("P6 2 1 255\nabcdef", 17, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_decodes),
        cmocka_unit_test(values_are_scaled_and_rounded_to_even),
        cmocka_unit_test(damaged_files_are_refused),
        cmocka_unit_test(no_part_of_a_file_decodes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
