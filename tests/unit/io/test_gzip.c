/* SPDX-License-Identifier: Apache-2.0 */
/* gzip files, whole, cut off, damaged and larger than allowed. */
#include "afn_test.h"

#include <zlib.h>

#include "io/io.h"

enum { PLAIN = 200000, PACKED = 220000 };

static uint8_t plain[PLAIN], packed[PACKED];

static size_t pack(void)
{
    z_stream z = { 0 };
    for (size_t i = 0; i < PLAIN; i++) plain[i] = (uint8_t)(i * i >> 7);
    assert_int_equal(
        Z_OK, deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY));
    z.next_in = plain;
    z.avail_in = PLAIN;
    z.next_out = packed;
    z.avail_out = PACKED;
    assert_int_equal(Z_STREAM_END, deflate(&z, Z_FINISH));
    deflateEnd(&z);
    return PACKED - z.avail_out;
}

static void a_file_comes_out_as_it_went_in(void **state)
{
    (void)state;
    uint8_t *out;
    size_t size;
    const size_t n = pack();
    assert_true(afn_is_gzip(packed, n));
    assert_false(afn_is_gzip(plain, PLAIN));
    assert_ok(afn_gunzip(&out, &size, packed, n, PLAIN));
    assert_int_equal(PLAIN, size);
    assert_memory_equal(plain, out, PLAIN);
    afn_free(out);
}

static void what_is_wrong_is_refused(void **state)
{
    (void)state;
    uint8_t *out;
    size_t size;
    const size_t n = pack();
    assert_fails(AFN_EFORMAT, "over 199999 bytes",
                 afn_gunzip(&out, &size, packed, n, PLAIN - 1));
    assert_null(out);
    for (size_t cut = 0; cut < n; cut += 97)
        assert_fails(AFN_EFORMAT, "gzip: file is truncated",
                     afn_gunzip(&out, &size, packed, cut, PLAIN));
    packed[n - 5] ^= 1; /* the checksum */
    assert_fails(AFN_EFORMAT, "gzip: ", afn_gunzip(&out, &size, packed, n, PLAIN));
    assert_null(out);
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    const size_t n = pack();
    for (int64_t k = 1;; k++) {
        uint8_t *out;
        size_t size;
        afn_alloc_fail_at(k);
        const afn_status st = afn_gunzip(&out, &size, packed, n, PLAIN);
        afn_alloc_fail_at(0);
        if (st == AFN_OK) {
            assert_true(k > 2);
            afn_free(out);
            return;
        }
        assert_int_equal(AFN_ENOMEM, st);
        assert_null(out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_comes_out_as_it_went_in),
        cmocka_unit_test(what_is_wrong_is_refused),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
