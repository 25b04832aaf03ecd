/* SPDX-License-Identifier: Apache-2.0 */
/* Reading zip archives.
 *
 * libzip parses and checks the archive, names its entries and inflates.  It does not
 * say where a stored entry's bytes lie, so zip_dir.c walks the same central directory
 * for the offsets of the local headers.  Both must agree on every entry, else the
 * archive is refused: two readers that see different files are an attack. */
#include "io/zip.h"

#include <string.h>
#include <zip.h>

#include "base/base.h"
#include "io/zip_dir.h"

enum {
    MOST_EXPANSION = 16,      /* weights hardly compress; a bomb expands 1000 times */
    FREE_EXPANSION = 16 << 20 /* bytes granted to every archive */
};

struct afn_zip {
    const uint8_t *bytes;
    size_t size;
    zip_t *zip;
    zip_dir dir;
    size_t budget; /* bytes that may still be inflated */
};

static afn_status fail_zip(zip_error_t *error)
{
    const int code = zip_error_code_zip(error);
    const afn_status st = code == ZIP_ER_MEMORY ? AFN_ENOMEM : AFN_EFORMAT;
    return afn_fail(st, "zip archive damaged: %s", zip_error_strerror(error));
}

static afn_status open_with_libzip(afn_zip *z)
{
    afn_status st = AFN_OK;
    zip_error_t error;
    zip_error_init(&error);
    zip_source_t *source = zip_source_buffer_create(z->bytes, z->size, 0, &error);
    if (!source) {
        st = fail_zip(&error);
        goto done;
    }
    z->zip = zip_open_from_source(source, ZIP_RDONLY, &error);
    if (!z->zip) {
        zip_source_free(source);
        st = fail_zip(&error);
    }
done:
    zip_error_fini(&error);
    return st;
}

static afn_status compare_entry(const afn_zip *z, size_t i)
{
    zip_stat_t s;
    const zip_dir_entry *e = &z->dir.entry[i];
    if (zip_stat_index(z->zip, i, ZIP_FL_ENC_RAW, &s) != 0)
        return fail_zip(zip_get_error(z->zip));
    if (s.size != e->size || s.comp_size != e->packed || s.comp_method != e->method ||
        strlen(s.name) != e->name_size || memcmp(s.name, e->name, e->name_size) != 0)
        return afn_fail(AFN_EFORMAT, "zip archive damaged: entry %zu is ambiguous", i);
    return AFN_OK;
}

afn_status afn_zip_open(afn_zip **out, const void *bytes, size_t size)
{
    afn_status st = AFN_OK;
    afn_zip *z = NULL;

    *out = NULL;
    z = afn_alloc(sizeof *z);
    AFN_REQUIRE(z, AFN_ENOMEM, "out of memory");
    z->bytes = bytes;
    z->size = size;
    z->budget = size > SIZE_MAX / MOST_EXPANSION - FREE_EXPANSION
                    ? SIZE_MAX
                    : size * MOST_EXPANSION + FREE_EXPANSION;
    AFN_TRY(afn_io__zip_dir_read(&z->dir, bytes, size));
    AFN_TRY(open_with_libzip(z));
    AFN_REQUIRE(zip_get_num_entries(z->zip, 0) == (zip_int64_t)z->dir.count,
                AFN_EFORMAT, "zip archive damaged: entries do not add up");
    for (size_t i = 0; i < z->dir.count; i++) AFN_TRY(compare_entry(z, i));
    *out = z;
    z = NULL;
done:
    afn_zip_free(z);
    return st;
}

void afn_zip_free(afn_zip *z)
{
    if (!z) return;
    if (z->zip) zip_discard(z->zip);
    afn_io__zip_dir_free(&z->dir);
    afn_free(z);
}

size_t afn_zip_count(const afn_zip *z)
{
    return z->dir.count;
}

const char *afn_zip_name(const afn_zip *z, size_t i)
{
    return zip_get_name(z->zip, i, ZIP_FL_ENC_RAW);
}

int64_t afn_zip_find(const afn_zip *z, const char *name)
{
    return zip_name_locate(z->zip, name, ZIP_FL_ENC_RAW);
}

static afn_status inflate_into(afn_zip *z, size_t i, uint8_t *data, size_t size)
{
    afn_status st = AFN_OK;
    char beyond;
    zip_file_t *f = zip_fopen_index(z->zip, i, 0);
    if (!f) return fail_zip(zip_get_error(z->zip));
    size_t done = 0;
    while (done < size) {
        const zip_int64_t n = zip_fread(f, data + done, size - done);
        AFN_REQUIRE(n >= 0, AFN_EFORMAT, "%s",
                    zip_error_strerror(zip_file_get_error(f)));
        AFN_REQUIRE(n > 0, AFN_EFORMAT, "ends after %zu of %zu bytes", done, size);
        done += (size_t)n;
    }
    /* Reading on to the end is what makes libzip compare the checksum. */
    const zip_int64_t more = zip_fread(f, &beyond, 1);
    AFN_REQUIRE(more == 0, AFN_EFORMAT, "%s",
                more > 0 ? "is longer than the directory says"
                         : zip_error_strerror(zip_file_get_error(f)));
done:
    zip_fclose(f);
    return st;
}

static afn_status read_packed(afn_zip *z, size_t i, const uint8_t **data, void **owned)
{
    afn_status st = AFN_OK;
    void *memory = NULL;
    const size_t size = z->dir.entry[i].size;
    AFN_REQUIRE(size <= z->budget, AFN_EFORMAT,
                "expands to %zu bytes, more than the archive's %zu bytes justify", size,
                z->size);
    memory = afn_alloc(size);
    AFN_REQUIRE(memory, AFN_ENOMEM, "out of memory for %zu bytes", size);
    AFN_TRY(inflate_into(z, i, memory, size));
    z->budget -= size;
    *data = *owned = memory;
    memory = NULL;
done:
    afn_free(memory);
    return st;
}

afn_status afn_zip_read(afn_zip *z, size_t i, const uint8_t **data, size_t *size,
                        void **owned)
{
    const zip_dir_entry *e = &z->dir.entry[i];
    afn_status st = AFN_OK;
    *data = NULL;
    *owned = NULL;
    *size = e->size;
    AFN_REQUIRE(!e->encrypted, AFN_EUNSUPPORTED, "is encrypted");
    AFN_REQUIRE(e->method == ZIP_CM_STORE || e->method == ZIP_CM_DEFLATE,
                AFN_EUNSUPPORTED, "is compressed by method %u, not stored or deflated",
                e->method);
    if (e->method == ZIP_CM_STORE)
        AFN_TRY(afn_io__zip_dir_locate(data, e, z->bytes, &z->dir));
    else
        AFN_TRY(read_packed(z, i, data, owned));
done:
    return afn_context(st, "zip entry %s", afn_zip_name(z, i));
}
