/* SPDX-License-Identifier: Apache-2.0 */
/* Archives written by zip_out.c and by libzip, read by zip.c; and damaged ones. */
#include <zip.h>

#include "afn_test.h"
#include "io/zip.h"

static const char hello[] = "hello, hello, hello, hello, hello, hello";

static const char *path_of(const char *name)
{
    static char path[1100];
    snprintf(path, sizeof path, "%s/%s", test_dir("zip"), name);
    return path;
}

static void write_ours(const char *path)
{
    afn_out *out;
    afn_zip_out *z;
    assert_ok(afn_out_open(&out, path));
    assert_ok(afn_zip_out_new(&z, out));
    assert_ok(afn_zip_out_add(z, "a/one", 1, hello, sizeof hello));
    assert_ok(afn_zip_out_add(z, "a/two", 64, "two", 3));
    assert_ok(afn_zip_out_add(z, "a/none", 4096, "", 0));
    assert_ok(afn_zip_out_add(z, "a/three", 4096, "three", 5));
    assert_ok(afn_zip_out_finish(z));
    afn_zip_out_free(z);
    assert_ok(afn_out_commit(out));
}

static void stored_entries_are_used_in_place(void **state)
{
    (void)state;
    afn_map m;
    afn_zip *z;
    const uint8_t *data;
    size_t size;
    void *owned;
    write_ours(path_of("ours.zip"));
    assert_ok(afn_map_open(&m, path_of("ours.zip")));
    assert_ok(afn_zip_open(&z, m.data, m.size));
    assert_int_equal(afn_zip_count(z), 4);
    assert_string_equal(afn_zip_name(z, 1), "a/two");
    assert_int_equal(afn_zip_find(z, "a/three"), 3);
    assert_int_equal(afn_zip_find(z, "three"), -1);
    assert_ok(afn_zip_read(z, 1, &data, &size, &owned));
    assert_null(owned);
    assert_int_equal(size, 3);
    assert_memory_equal(data, "two", 3);
    assert_true(data > m.data && data < m.data + m.size);
    assert_int_equal((data - m.data) % 64, 0);
    assert_ok(afn_zip_read(z, 3, &data, &size, &owned));
    assert_int_equal((data - m.data) % 4096, 0);
    afn_zip_free(z);
    afn_map_close(&m);
}

/* libzip checks the checksums that we wrote. */
static void libzip_reads_what_we_write(void **state)
{
    (void)state;
    char text[64];
    int error;
    write_ours(path_of("ours2.zip"));
    zip_t *z = zip_open(path_of("ours2.zip"), ZIP_RDONLY | ZIP_CHECKCONS, &error);
    assert_non_null(z);
    assert_int_equal(zip_get_num_entries(z, 0), 4);
    zip_file_t *f = zip_fopen(z, "a/one", 0);
    assert_non_null(f);
    assert_int_equal(zip_fread(f, text, sizeof text), sizeof hello);
    assert_memory_equal(text, hello, sizeof hello);
    assert_int_equal(zip_fclose(f), 0);
    zip_discard(z);
}

/* Beyond 65535 entries the end record needs its zip64 form.  A sanitizer makes so many
 * allocations slow beyond use; they are the same as for few entries. */
static void many_entries_use_zip64(void **state)
{
    (void)state;
#ifdef __SANITIZE_ADDRESS__
    skip();
#endif
    enum { N = 66000 };
    afn_map m;
    afn_out *out;
    afn_zip *z;
    afn_zip_out *zo;
    const uint8_t *data;
    size_t size;
    void *owned;
    char name[32];
    assert_ok(afn_out_open(&out, path_of("many.zip")));
    assert_ok(afn_zip_out_new(&zo, out));
    for (int i = 0; i < N; i++) {
        snprintf(name, sizeof name, "e/%d", i);
        assert_ok(afn_zip_out_add(zo, name, 1, name, strlen(name)));
    }
    assert_ok(afn_zip_out_finish(zo));
    afn_zip_out_free(zo);
    assert_ok(afn_out_commit(out));
    assert_ok(afn_map_open(&m, path_of("many.zip")));
    assert_ok(afn_zip_open(&z, m.data, m.size));
    assert_int_equal(afn_zip_count(z), N);
    assert_ok(afn_zip_read(z, N - 1, &data, &size, &owned));
    assert_memory_equal(data, "e/65999", 7);
    afn_zip_free(z);
    afn_map_close(&m);
}

static void write_deflated(const char *path, const void *bytes, size_t n)
{
    int error;
    zip_t *z = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, &error);
    assert_non_null(z);
    zip_source_t *s = zip_source_buffer(z, bytes, n, 0);
    assert_int_equal(zip_file_add(z, "packed", s, 0), 0);
    assert_int_equal(zip_set_file_compression(z, 0, ZIP_CM_DEFLATE, 9), 0);
    assert_int_equal(zip_close(z), 0);
}

static void deflated_entries_are_unpacked(void **state)
{
    (void)state;
    afn_map m;
    afn_zip *z;
    const uint8_t *data;
    size_t size;
    void *owned;
    write_deflated(path_of("deflated.zip"), hello, sizeof hello);
    assert_ok(afn_map_open(&m, path_of("deflated.zip")));
    assert_ok(afn_zip_open(&z, m.data, m.size));
    assert_ok(afn_zip_read(z, 0, &data, &size, &owned));
    assert_int_equal(size, sizeof hello);
    assert_ptr_equal(data, owned);
    assert_memory_equal(data, hello, size);
    afn_free(owned);
    afn_zip_free(z);
    afn_map_close(&m);
}

static void a_zip_bomb_is_not_unpacked(void **state)
{
    (void)state;
    enum { BYTES = 64 << 20 };
    afn_map m;
    afn_zip *z;
    const uint8_t *data;
    size_t size;
    void *owned, *zeros = calloc(1, BYTES);
    assert_non_null(zeros);
    write_deflated(path_of("bomb.zip"), zeros, BYTES);
    free(zeros);
    assert_ok(afn_map_open(&m, path_of("bomb.zip")));
    assert_true(m.size < BYTES / 500);
    assert_ok(afn_zip_open(&z, m.data, m.size));
    assert_fails(AFN_EFORMAT, "zip entry packed: expands to 67108864 bytes",
                 afn_zip_read(z, 0, &data, &size, &owned));
    assert_null(owned);
    afn_zip_free(z);
    afn_map_close(&m);
}

/* Open a copy cut to `size` bytes with the byte at `at` changed; SIZE_MAX: none. */
static afn_status open_changed(const char *path, size_t size, size_t at, uint8_t byte)
{
    uint8_t *bytes;
    size_t n;
    afn_zip *z;
    assert_ok(afn_file_read(&bytes, &n, path));
    if (at < n) bytes[at] = byte;
    afn_status st = afn_zip_open(&z, bytes, size < n ? size : n);
    const uint8_t *data;
    void *owned;
    for (size_t i = 0; st == AFN_OK && i < afn_zip_count(z); i++) {
        st = afn_zip_read(z, i, &data, &n, &owned);
        afn_free(owned);
    }
    afn_zip_free(z);
    afn_free(bytes);
    return st;
}

static void a_cut_off_archive_is_refused_wherever_it_ends(void **state)
{
    (void)state;
    const char *path = path_of("cut.zip");
    write_ours(path);
    const size_t size = (size_t)afn_file_size(path);
    for (size_t n = 0; n < size; n += n < 200 || n + 400 > size ? 1 : 97)
        assert_fails(AFN_EFORMAT, "zip archive cut off: no directory at its end",
                     open_changed(path, n, SIZE_MAX, 0));
    assert_ok(open_changed(path, size, SIZE_MAX, 0));
}

static void a_local_header_of_another_name_is_refused(void **state)
{
    (void)state;
    const char *path = path_of("name.zip");
    write_ours(path);
    assert_fails(AFN_EFORMAT,
                 "zip entry a/one: local header at byte 0 bears another name",
                 open_changed(path, SIZE_MAX, 30, 'b'));
    assert_fails(AFN_EFORMAT, "zip entry a/one: no local header at byte 0",
                 open_changed(path, SIZE_MAX, 2, 0));
}

static void no_changed_byte_makes_it_crash(void **state)
{
    (void)state;
    const char *path = path_of("flip.zip");
    write_ours(path);
    const size_t size = (size_t)afn_file_size(path);
    for (size_t at = size - 350; at < size; at++) {
        (void)open_changed(path, SIZE_MAX, at, 0xFF);
        (void)open_changed(path, SIZE_MAX, at, 0x00);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stored_entries_are_used_in_place),
        cmocka_unit_test(libzip_reads_what_we_write),
        cmocka_unit_test(many_entries_use_zip64),
        cmocka_unit_test(deflated_entries_are_unpacked),
        cmocka_unit_test(a_zip_bomb_is_not_unpacked),
        cmocka_unit_test(a_cut_off_archive_is_refused_wherever_it_ends),
        cmocka_unit_test(a_local_header_of_another_name_is_refused),
        cmocka_unit_test(no_changed_byte_makes_it_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
