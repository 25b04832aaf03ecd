/* SPDX-License-Identifier: Apache-2.0 */
/* EXIF as text, whole and damaged. */
#include "image/png_text.h"

#include "make_picture.h"

#define NAME "Raw profile type exif"

/* The text of a profile with this orientation: digits in lines of six bytes. */
static void make_text(afn_buf *b, int orientation)
{
    uint8_t exif[EXIF_BYTES];
    make_exif(exif, orientation);
    afn_buf_fmt(b, "\nexif\n    %d\n", EXIF_BYTES);
    for (int i = 0; i < EXIF_BYTES; i++)
        afn_buf_fmt(b, "%02x%s", exif[i], i % 6 == 5 ? "\n" : "");
}

static int ask(int before, const afn_buf *text, bool deflated)
{
    afn_buf chunk = { 0 };
    afn_buf_add(&chunk, NAME, sizeof NAME);
    if (deflated) {
        afn_buf_add(&chunk, "", 1);
        zlib_stored(&chunk, (const uint8_t *)text->data, text->size);
    } else {
        afn_buf_add(&chunk, text->data, text->size);
    }
    const int found = afn_image__png_text_orientation(
        before, (const uint8_t *)chunk.data, chunk.size, deflated);
    afn_buf_free(&chunk);
    return found;
}

static void plain_and_deflated_profiles_are_read(void **state)
{
    (void)state;
    afn_buf text = { 0 };
    make_text(&text, 6);
    assert_int_equal(ask(0, &text, false), 6);
    assert_int_equal(ask(3, &text, true), 6);
    afn_buf_free(&text);
}

static void what_is_known_stays_where_there_is_nothing_better(void **state)
{
    (void)state;
    static const char *const texts[] = { "",           "\n",          "\nexif\n 8\n",
                                         "\nexif\n 8", "\n\n\nzz zz", "\n\n\n4d4" };
    for (size_t i = 0; i < AFN_COUNT(texts); i++) {
        afn_buf text = { 0 };
        afn_buf_str(&text, texts[i]);
        assert_int_equal(ask(5, &text, false), 5);
        assert_int_equal(ask(5, &text, true), 5);
        afn_buf_free(&text);
    }
    const uint8_t other[] = "Comment\0\nexif\n 8\n4d4d";
    assert_int_equal(afn_image__png_text_orientation(4, other, sizeof other, false), 4);
    const uint8_t no_stream[] = NAME "\0\0not a zlib stream";
    assert_int_equal(
        afn_image__png_text_orientation(4, no_stream, sizeof no_stream, true), 4);
}

/* Far more text than is looked at; the orientation is at its beginning. */
static void the_start_of_a_long_text_is_enough(void **state)
{
    (void)state;
    afn_buf text = { 0 };
    make_text(&text, 7);
    for (int i = 0; i < 20000; i++) afn_buf_str(&text, "00");
    assert_int_equal(ask(0, &text, false), 7);
    afn_buf_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_and_deflated_profiles_are_read),
        cmocka_unit_test(what_is_known_stays_where_there_is_nothing_better),
        cmocka_unit_test(the_start_of_a_long_text_is_enough),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
