/* SPDX-License-Identifier: Apache-2.0 */
/* Records as TensorFlow writes them, whole, cut off and damaged. */
#include "afn_test.h"

#include "io/io.h"

static void the_check_is_crc32c(void **state)
{
    (void)state;
    uint8_t zeros[32] = { 0 }; /* RFC 3720, B.4 */
    assert_int_equal(afn_crc32c("123456789", 9), 0xe3069283u);
    assert_int_equal(afn_crc32c(zeros, 32), 0x8a9136aau);
    assert_int_equal(afn_crc32c("", 0), 0);
}

/* The bytes that TensorFlow's TFRecordWriter makes of b"abc". */
static void a_record_is_framed_by_checks(void **state)
{
    (void)state;
    static const uint8_t want[] = { 3,   0,    0,    0,    0,    0,   0,
                                    0,   0xb0, 0x99, 0x49, 0x0e, 'a', 'b',
                                    'c', 0x6e, 0x57, 0xf1, 0x21 };
    afn_buf b = { 0 };
    afn_tfrecord_add(&b, "abc", 3);
    assert_ok(afn_buf_finish(&b));
    assert_int_equal(b.size, sizeof want);
    assert_memory_equal(b.data, want, sizeof want);
    afn_buf_free(&b);
}

static void what_is_cut_off_or_damaged_does_not_count(void **state)
{
    (void)state;
    afn_buf b = { 0 };
    afn_tfrecord_add(&b, "one", 3);
    const size_t first = b.size;
    afn_tfrecord_add(&b, "", 0);
    afn_tfrecord_add(&b, "three", 5);
    assert_ok(afn_buf_finish(&b));
    assert_int_equal(afn_tfrecord_whole(b.data, b.size), b.size);
    for (size_t n = 0; n < b.size; n++) {
        const size_t whole = n < first ? 0 : n < first + 16 ? first : first + 16;
        assert_int_equal(afn_tfrecord_whole(b.data, n), whole);
    }
    for (size_t i = 0; i < first; i++) {
        b.data[i] ^= 0x40;
        assert_int_equal(afn_tfrecord_whole(b.data, b.size), 0);
        b.data[i] ^= 0x40;
    }
    afn_buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_check_is_crc32c),
        cmocka_unit_test(a_record_is_framed_by_checks),
        cmocka_unit_test(what_is_cut_off_or_damaged_does_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
