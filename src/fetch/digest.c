/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 of files, and the few digits of it that torchvision puts into their names:
 * "-([a-f0-9]*)\." as torch/hub.py has it.  Eight digits find damage and mistakes; they
 * are no proof against somebody who forges a file. */
#include <openssl/evp.h>
#include <string.h>

#include "fetch/fetch.h"

static const char hex[] = "0123456789abcdef";

static afn_status hash_bytes(EVP_MD_CTX *c, const afn_map *m, unsigned char out[32])
{
    enum { CHUNK = 1 << 20 };
    unsigned int n = 32;
    bool good = EVP_DigestInit_ex(c, EVP_sha256(), NULL) == 1;
    for (size_t at = 0; good && at < m->size; at += CHUNK) {
        const size_t left = m->size - at;
        good = EVP_DigestUpdate(c, m->data + at, left < CHUNK ? left : CHUNK) == 1;
    }
    if (!good || EVP_DigestFinal_ex(c, out, &n) != 1)
        return afn_fail(AFN_EIO, "libcrypto cannot compute a SHA-256");
    return AFN_OK;
}

afn_status afn_fetch__digest(char out[AFN_SHA256_DIGITS + 1], const char *path)
{
    afn_status st = AFN_OK;
    afn_map map = { 0 };
    unsigned char sum[32];
    EVP_MD_CTX *c = EVP_MD_CTX_new();

    AFN_REQUIRE(c, AFN_ENOMEM, "out of memory");
    AFN_TRY(afn_map_open(&map, path));
    AFN_TRY(hash_bytes(c, &map, sum));
    for (int i = 0; i < 32; i++) {
        out[2 * i] = hex[sum[i] >> 4];
        out[2 * i + 1] = hex[sum[i] & 15];
    }
    out[AFN_SHA256_DIGITS] = '\0';
done:
    afn_map_close(&map);
    EVP_MD_CTX_free(c);
    return st;
}

size_t afn_fetch__name_digits(const char *file, const char **digits)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789._-";
    const char *dash = strrchr(file, '-');
    *digits = "";
    if (!dash || file[0] == '.' || file[strspn(file, plain)]) return 0;
    if (strlen(file) >= AFN_WEIGHTS_FILE_BYTES) return 0;
    const size_t n = strspn(dash + 1, hex);
    if (n < 8 || n > AFN_SHA256_DIGITS || dash[1 + n] != '.') return 0;
    *digits = dash + 1;
    return n;
}

afn_status afn_fetch__check(const char *path, const char *file)
{
    afn_status st = AFN_OK;
    char sum[AFN_SHA256_DIGITS + 1];
    const char *digits;
    const size_t n = afn_fetch__name_digits(file, &digits);

    AFN_REQUIRE(n, AFN_EINVAL, "%s: has no hash in its name", file);
    AFN_TRY(afn_context(afn_fetch__digest(sum, path), "%s", path));
    AFN_REQUIRE(strncmp(sum, digits, n) == 0, AFN_EFORMAT,
                "%s: its SHA-256 begins with %.*s, its name says %.*s", path, (int)n,
                sum, (int)n, digits);
done:
    return st;
}
