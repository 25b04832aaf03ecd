/* SPDX-License-Identifier: Apache-2.0 */
/* Stores the fp32 tensors of a weights file as fp16, for the demo's small download:
 *   halve IN OUT.safetensors
 * Other types and the metadata go over unchanged.  Reading widens fp16 again, so such
 * a file opens like any other; each value is off by 2^-11 of itself at most. */
#include <afina/afina.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Round to nearest even: IEEE 754 binary16 from binary32; too large becomes infinite.
 */
static uint16_t half_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    const uint32_t sign = bits >> 16 & 0x8000u, size = bits & 0x7fffffffu;

    if (size > 0x7f800000u) return (uint16_t)(sign | 0x7e00u);  /* not a number */
    if (size >= 0x477ff000u) return (uint16_t)(sign | 0x7c00u); /* 65520 and more */
    if (size < 0x33000000u) return (uint16_t)sign;              /* below 2^-25: 0 */
    if (size >= 0x38800000u) {                                  /* normal: 2^-14 up */
        const uint32_t odd = size >> 13 & 1;
        return (uint16_t)(sign | ((size - 0x38000000u + 0xfffu + odd) >> 13));
    }
    const uint32_t whole = (size & 0x7fffffu) | 0x800000u;
    const int drop = 126 - (int)(size >> 23); /* 14 to 24 bits */
    const uint32_t rest = whole & ((1u << drop) - 1), tie = 1u << (drop - 1);
    const uint32_t kept = whole >> drop;
    return (uint16_t)(sign | (kept + (rest > tie || (rest == tie && (kept & 1)))));
}

static afn_status add_half(afn_weights *to, const afn_weights *from,
                           const afn_weight *t)
{
    const size_t n = (size_t)afn_shape_count(&t->shape);
    float *values = calloc(n ? n : 1, sizeof *values);
    uint16_t *halves = calloc(n ? n : 1, sizeof *halves);
    afn_status st = values && halves ? AFN_OK : AFN_ENOMEM;

    if (st == AFN_OK) st = afn_weights_read_f32(from, t, values, n);
    for (size_t i = 0; st == AFN_OK && i < n; i++) halves[i] = half_of(values[i]);
    if (st == AFN_OK) st = afn_weights_add(to, t->name, AFN_F16, &t->shape, halves);
    free(values);
    free(halves);
    return st;
}

static afn_status add_same(afn_weights *to, const afn_weights *from,
                           const afn_weight *t)
{
    const size_t bytes = (size_t)afn_shape_count(&t->shape) * afn_dtype_bytes(t->dtype);
    void *values = calloc(bytes ? bytes : 1, 1);
    afn_status st = values ? AFN_OK : AFN_ENOMEM;

    if (st == AFN_OK) st = afn_weights_read_raw(from, t, values, bytes);
    if (st == AFN_OK) st = afn_weights_add(to, t->name, t->dtype, &t->shape, values);
    free(values);
    return st;
}

static afn_status fill(afn_weights *to, const afn_weights *from)
{
    afn_status st = AFN_OK;
    for (size_t i = 0; st == AFN_OK && i < afn_weights_count(from); i++) {
        const afn_weight *t = afn_weights_get(from, i);
        st = t->dtype == AFN_F32 ? add_half(to, from, t) : add_same(to, from, t);
    }
    for (size_t i = 0; st == AFN_OK && i < afn_weights_metadata_count(from); i++) {
        const char *key = afn_weights_metadata_key(from, i);
        st = afn_weights_set_metadata(to, key, afn_weights_metadata(from, key));
    }
    return st;
}

int main(int argc, char **argv)
{
    afn_weights *from = NULL, *to = NULL;

    if (argc != 3) {
        fputs("usage: halve IN OUT.safetensors\n", stderr);
        return 2;
    }
    afn_status st = afn_weights_open(&from, argv[1]);
    if (st == AFN_OK) st = afn_weights_new(&to);
    if (st == AFN_OK) st = fill(to, from);
    if (st == AFN_OK) st = afn_weights_save(to, argv[2]);
    if (st == AFN_ENOMEM)
        fputs("halve: out of memory\n", stderr);
    else if (st != AFN_OK)
        fprintf(stderr, "halve: %s\n", afn_error_message());
    afn_weights_free(to);
    afn_weights_free(from);
    return st == AFN_OK ? 0 : 1;
}
