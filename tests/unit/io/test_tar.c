/* SPDX-License-Identifier: Apache-2.0 */
/* Tar archives: all ways of naming a file, and what is cut off or damaged. */
#include "make_tar.h"

#include "io/io.h"

/* Names and sizes of the files, "name=size ". */
static afn_status list(char *out, size_t room, const void *bytes, size_t n)
{
    afn_status st = AFN_OK;
    afn_tar t = { .data = bytes, .size = n };
    afn_tar_file f;
    bool more;
    size_t at = 0;
    *out = 0;
    for (;;) {
        AFN_TRY(afn_tar_next(&t, &f, &more));
        if (!more) break;
        assert_true(f.at + f.size <= n);
        at += (size_t)snprintf(out + at, room - at, "%s=%zu ", f.name, f.size);
    }
done:
    afn_tar_close(&t);
    return st;
}

static void ordinary_files_are_listed_and_others_passed_over(void **state)
{
    (void)state;
    char got[1024];
    afn_buf b = { 0 };
    tar_add(&b, "dir/", NULL, 0, '5');
    tar_text(&b, "dir/a.txt", "hello");
    tar_add(&b, "link", NULL, 0, '2');
    tar_add(&b, "old", "x", 1, 0);
    tar_add(&b, "comment", "24 comment=for everybody\n", 25, 'g');
    tar_text(&b, "empty", "");
    const size_t no_end = b.size;
    tar_end(&b);
    tar_text(&b, "behind", "the end");
    assert_ok(list(got, sizeof got, b.data, b.size));
    assert_string_equal("dir/a.txt=5 old=1 empty=0 ", got);
    assert_ok(list(got, sizeof got, b.data, no_end));
    assert_string_equal("dir/a.txt=5 old=1 empty=0 ", got);
    assert_ok(list(got, sizeof got, b.data, 0));
    assert_string_equal("", got);
    afn_buf_free(&b);
}

static void long_names_come_in_three_ways(void **state)
{
    (void)state;
    char got[2048], name[301], want[2048], header[512];
    afn_buf b = { 0 };
    memset(name, 'n', 300);
    name[300] = 0;
    tar_add(&b, "././@LongLink", name, 301, 'L');
    tar_text(&b, "cut", "ab");
    tar_text(&b, "plain", "c");
    tar_add(&b, "pax", "15 path=second\n10 size=4\n", 25, 'x');
    tar_header(&b, "cut", 3, '0'); /* the extended size counts */
    memset(header, 0, sizeof header);
    afn_buf_add(&b, header, sizeof header);
    tar_text(&b, "third", "d");
    char *h = b.data + b.size - 1024; /* put a prefix into the last header */
    memcpy(h + 345, "some/prefix", 11);
    unsigned sum = 0;
    memset(h + 148, ' ', 8);
    for (int i = 0; i < 512; i++) sum += (unsigned char)h[i];
    snprintf(h + 148, 8, "%06o", sum);
    tar_end(&b);
    snprintf(want, sizeof want, "%s=2 plain=1 second=4 some/prefix/third=1 ", name);
    assert_ok(list(got, sizeof got, b.data, b.size));
    assert_string_equal(want, got);
    afn_buf_free(&b);
}

static void damage_is_told_with_its_place(void **state)
{
    (void)state;
    char got[256];
    afn_buf b = { 0 };
    tar_text(&b, "a", "hello");
    tar_text(&b, "b", "hello");
    assert_ok(afn_buf_finish(&b));
    assert_fails(AFN_EFORMAT, "byte 1024: file is cut off",
                 list(got, sizeof got, b.data, b.size - 509));
    assert_fails(AFN_EFORMAT, "byte 1024: cut off in a header",
                 list(got, sizeof got, b.data, 1024 + 100));
    b.data[1024]++;
    assert_fails(AFN_EFORMAT, "byte 1024: wrong checksum",
                 list(got, sizeof got, b.data, b.size));
    b.data[0]++;
    assert_fails(AFN_EFORMAT, "not a tar archive",
                 list(got, sizeof got, b.data, b.size));
    assert_fails(AFN_EUNSUPPORTED, "compressed with gzip",
                 list(got, sizeof got, "\x1f\x8b\x08", 3));
    afn_buf_free(&b);
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    afn_buf b = { 0 };
    tar_add(&b, "pax", "15 path=second\n", 15, 'x');
    tar_text(&b, "a", "hello");
    tar_end(&b);
    for (int64_t k = 1;; k++) {
        char got[64];
        afn_alloc_fail_at(k);
        const afn_status st = list(got, sizeof got, b.data, b.size);
        afn_alloc_fail_at(0);
        if (st == AFN_OK) {
            assert_int_equal(3, k);
            break;
        }
        assert_int_equal(AFN_ENOMEM, st);
    }
    afn_buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ordinary_files_are_listed_and_others_passed_over),
        cmocka_unit_test(long_names_come_in_three_ways),
        cmocka_unit_test(damage_is_told_with_its_place),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
