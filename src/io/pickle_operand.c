/* SPDX-License-Identifier: Apache-2.0 */
/* Decoding what follows an opcode: little-endian numbers, counted bytes, lines. */
#include <string.h>

#include "io/pickle_machine.h"

afn_status afn_io__pickle_cut_off(const pickle_machine *m)
{
    return afn_fail(AFN_EFORMAT, "pickle cut off at byte %zu",
                    m->rules->base + m->size);
}

static afn_status take_uint(pickle_machine *m, uint64_t *out, size_t bytes)
{
    *out = 0;
    if (bytes > m->size - m->pos) return afn_io__pickle_cut_off(m);
    for (size_t i = 0; i < bytes; i++)
        *out |= (uint64_t)m->bytes[m->pos + i] << (8 * i);
    m->pos += bytes;
    return AFN_OK;
}

static afn_status take_counted(pickle_machine *m, pickle_operand *o,
                               size_t length_bytes)
{
    uint64_t n;
    const afn_status st = take_uint(m, &n, length_bytes);
    if (st != AFN_OK) return st;
    if (n > m->size - m->pos) return afn_io__pickle_cut_off(m);
    o->text = (const char *)m->bytes + m->pos;
    o->size = (size_t)n;
    m->pos += (size_t)n;
    return AFN_OK;
}

static afn_status take_line(pickle_machine *m, const char **text, size_t *size)
{
    const uint8_t *start = m->bytes + m->pos;
    const uint8_t *end = memchr(start, '\n', m->size - m->pos);
    *text = NULL;
    *size = 0;
    if (!end) return afn_io__pickle_cut_off(m);
    *text = (const char *)start;
    *size = (size_t)(end - start);
    m->pos += *size + 1;
    return AFN_OK;
}

static afn_status take_float(pickle_machine *m, pickle_operand *o)
{
    uint64_t little;
    const afn_status st = take_uint(m, &little, 8);
    if (st != AFN_OK) return st;
    uint64_t bits = 0;
    for (int i = 0; i < 8; i++) bits = bits << 8 | (little >> (8 * i) & 0xFFu);
    memcpy(&o->real, &bits, sizeof o->real);
    return AFN_OK;
}

/* One flat switch: a case per coding. */
afn_status afn_io__pickle_operand(pickle_machine *m, pickle_operand *o, pickle_coding c)
{
    afn_status st = AFN_OK;
    uint64_t n = 0;
    switch (c) {
    case BARE:
        break;
    case U8:
        st = take_uint(m, &n, 1);
        break;
    case U16:
        st = take_uint(m, &n, 2);
        break;
    case I32:
        st = take_uint(m, &n, 4);
        n = (uint64_t)(int64_t)(int32_t)(uint32_t)n;
        break;
    case U32:
        st = take_uint(m, &n, 4);
        break;
    case FRAME_U64:
        st = take_uint(m, &n, 8);
        break;
    case F64_BIG:
        return take_float(m, o);
    case BYTES_U8:
        return take_counted(m, o, 1);
    case BYTES_I32: /* a negative length is larger than any pickle */
    case BYTES_U32:
        return take_counted(m, o, 4);
    case BYTES_U64:
        return take_counted(m, o, 8);
    case LINE:
        return take_line(m, &o->text, &o->size);
    case TWO_LINES:
        st = take_line(m, &o->text, &o->size);
        return st == AFN_OK ? take_line(m, &o->text2, &o->size2) : st;
    }
    o->integer = (int64_t)n;
    return st;
}
