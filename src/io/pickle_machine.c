/* SPDX-License-Identifier: Apache-2.0 */
/* The pickle machine: a stack, a memo and a table of opcodes.
 *
 * Each opcode has one row: how its operand is coded and what it does to the stack.
 * Opcodes that only hostile or very old files contain (INST, OBJ, EXT1, ...) have no
 * row and end the reading.  A memo index must be below the pickle's size, as it is in
 * every pickle that numbers its memo 0, 1, 2, ...; so the memo cannot be blown up. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "io/pickle_machine.h"

typedef afn_status (*op_fn)(pickle_machine *m, const pickle_operand *o);

static const afn_pickle_value none = { .kind = AFN_PICKLE_NONE };
static const afn_pickle_value no = { .kind = AFN_PICKLE_BOOL };
static const afn_pickle_value yes = { .kind = AFN_PICKLE_BOOL, .u.integer = 1 };
static const afn_pickle_value empty_tuple = { .kind = AFN_PICKLE_TUPLE };

/* ---- plain values ---- */

static afn_status op_nothing(pickle_machine *m, const pickle_operand *o)
{
    (void)m;
    (void)o;
    return AFN_OK;
}

static afn_status op_proto(pickle_machine *m, const pickle_operand *o)
{
    if (o->integer <= 5) return AFN_OK;
    return afn_fail(AFN_EUNSUPPORTED, "pickle protocol %" PRId64 " at byte %zu",
                    o->integer, afn_io__pickle_where(m));
}

static afn_status op_stop(pickle_machine *m, const pickle_operand *o)
{
    (void)o;
    m->stopped = true;
    if (m->frame) return afn_io__pickle_damaged(m, "ends inside a list");
    return afn_io__pickle_pop(m, &m->doc->root);
}

static afn_status op_none(pickle_machine *m, const pickle_operand *o)
{
    (void)o;
    return afn_io__pickle_push(m, &none);
}

static afn_status op_true(pickle_machine *m, const pickle_operand *o)
{
    (void)o;
    return afn_io__pickle_push(m, &yes);
}

static afn_status op_false(pickle_machine *m, const pickle_operand *o)
{
    (void)o;
    return afn_io__pickle_push(m, &no);
}

static afn_status op_int(pickle_machine *m, const pickle_operand *o)
{
    afn_pickle_value *v;
    const afn_status st = afn_io__pickle_push_new(m, &v, AFN_PICKLE_INT);
    if (st == AFN_OK) v->u.integer = o->integer;
    return st;
}

static afn_status op_float(pickle_machine *m, const pickle_operand *o)
{
    afn_pickle_value *v;
    const afn_status st = afn_io__pickle_push_new(m, &v, AFN_PICKLE_FLOAT);
    if (st == AFN_OK) v->u.real = o->real;
    return st;
}

/* Little-endian two's complement of any length. */
static afn_status op_long(pickle_machine *m, const pickle_operand *o)
{
    if (o->size > 8)
        return afn_io__pickle_push_text(m, AFN_PICKLE_LONG, o->text, o->size);
    uint64_t bits = 0;
    for (size_t i = 0; i < o->size; i++)
        bits |= (uint64_t)(uint8_t)o->text[i] << (8 * i);
    if (o->size && o->size < 8 && (uint8_t)o->text[o->size - 1] & 0x80u)
        bits |= UINT64_MAX << (8 * o->size);
    const pickle_operand value = { .integer = (int64_t)bits };
    return op_int(m, &value);
}

/* Decimal text: "12", "12L"; "00" and "01" are the booleans of protocol 0. */
static afn_status op_int_line(pickle_machine *m, const pickle_operand *o)
{
    char digits[24];
    size_t n = o->size;
    if (n == 2 && o->text[0] == '0' && (o->text[1] == '0' || o->text[1] == '1'))
        return afn_io__pickle_push(m, o->text[1] == '1' ? &yes : &no);
    if (n && o->text[n - 1] == 'L') n--;
    if (n == 0 || n > 18) return afn_io__pickle_damaged(m, "not a number");
    memcpy(digits, o->text, n);
    digits[n] = 0;
    char *end;
    const pickle_operand value = { .integer = strtoll(digits, &end, 10) };
    return *end ? afn_io__pickle_damaged(m, "not a number") : op_int(m, &value);
}

static afn_status op_text(pickle_machine *m, const pickle_operand *o)
{
    return afn_io__pickle_push_text(m, AFN_PICKLE_TEXT, o->text, o->size);
}

static afn_status op_bytes(pickle_machine *m, const pickle_operand *o)
{
    return afn_io__pickle_push_text(m, AFN_PICKLE_BYTES, o->text, o->size);
}

/* ---- containers ---- */

/* Make a sequence of the items above the mark, and push it. */
static afn_status gather(pickle_machine *m, afn_pickle_kind kind)
{
    afn_status st = AFN_OK;
    afn_pickle_value *v;
    pickle_ref *item;
    size_t n;
    AFN_TRY(afn_io__pickle_pop_mark(m, &item, &n));
    if (kind == AFN_PICKLE_DICT && n % 2)
        return afn_io__pickle_damaged(m, "a key without a value");
    AFN_TRY(afn_io__pickle_new(m, &v, kind));
    AFN_TRY(afn_io__pickle_extend(m, v, item, n));
    AFN_TRY(afn_io__pickle_push(m, v));
done:
    return st;
}

/* The container below, which must be of this kind.  Only values of our own making are
 * containers, and the shared constants above are never of a kind asked for here. */
static afn_status container(pickle_machine *m, afn_pickle_value **out,
                            afn_pickle_kind kind)
{
    pickle_ref v;
    const afn_status st = afn_io__pickle_top(m, &v);
    *out = NULL;
    if (st != AFN_OK) return st;
    if (v->kind != kind)
        return afn_fail(AFN_EFORMAT, "pickle damaged at byte %zu: items for a %s",
                        afn_io__pickle_where(m), afn_pickle_kind_name(v->kind));
    *out = (afn_pickle_value *)v;
    return AFN_OK;
}

static afn_status add_marked(pickle_machine *m, afn_pickle_kind kind)
{
    afn_status st = AFN_OK;
    afn_pickle_value *v;
    pickle_ref *item;
    size_t n;
    AFN_TRY(afn_io__pickle_pop_mark(m, &item, &n));
    if (kind == AFN_PICKLE_DICT && n % 2)
        return afn_io__pickle_damaged(m, "a key without a value");
    AFN_TRY(container(m, &v, kind));
    AFN_TRY(afn_io__pickle_extend(m, v, item, n));
done:
    return st;
}

static afn_status op_mark(pickle_machine *m, const pickle_operand *o)
{
    (void)o;
    return afn_io__pickle_push_mark(m);
}

static afn_status op_empty_tuple(pickle_machine *m, const pickle_operand *o)
{
    (void)o;
    return afn_io__pickle_push(m, &empty_tuple);
}

static afn_status op_empty_list(pickle_machine *m, const pickle_operand *o)
{
    (void)o;
    afn_pickle_value *v;
    return afn_io__pickle_push_new(m, &v, AFN_PICKLE_LIST);
}

static afn_status op_empty_dict(pickle_machine *m, const pickle_operand *o)
{
    (void)o;
    afn_pickle_value *v;
    return afn_io__pickle_push_new(m, &v, AFN_PICKLE_DICT);
}

static afn_status op_empty_set(pickle_machine *m, const pickle_operand *o)
{
    (void)o;
    afn_pickle_value *v;
    return afn_io__pickle_push_new(m, &v, AFN_PICKLE_SET);
}

static afn_status op_tuple(pickle_machine *m, const pickle_operand *o)
{
    (void)o;
    return gather(m, AFN_PICKLE_TUPLE);
}

static afn_status op_list(pickle_machine *m, const pickle_operand *o)
{
    (void)o;
    return gather(m, AFN_PICKLE_LIST);
}

static afn_status op_dict(pickle_machine *m, const pickle_operand *o)
{
    (void)o;
    return gather(m, AFN_PICKLE_DICT);
}

static afn_status op_frozenset(pickle_machine *m, const pickle_operand *o)
{
    (void)o;
    return gather(m, AFN_PICKLE_SET);
}

static afn_status short_tuple(pickle_machine *m, size_t n)
{
    afn_status st = AFN_OK;
    afn_pickle_value *v;
    if (m->stack.count - m->frame < n)
        return afn_io__pickle_damaged(m, "nothing on the stack");
    AFN_TRY(afn_io__pickle_new(m, &v, AFN_PICKLE_TUPLE));
    AFN_TRY(afn_io__pickle_extend(m, v, m->stack.item + m->stack.count - n, n));
    m->stack.count -= n;
    AFN_TRY(afn_io__pickle_push(m, v));
done:
    return st;
}

static afn_status op_tuple1(pickle_machine *m, const pickle_operand *o)
{
    (void)o;
    return short_tuple(m, 1);
}

static afn_status op_tuple2(pickle_machine *m, const pickle_operand *o)
{
    (void)o;
    return short_tuple(m, 2);
}

static afn_status op_tuple3(pickle_machine *m, const pickle_operand *o)
{
    (void)o;
    return short_tuple(m, 3);
}

static afn_status op_append(pickle_machine *m, const pickle_operand *o)
{
    (void)o;
    afn_status st = AFN_OK;
    afn_pickle_value *list;
    pickle_ref item;
    AFN_TRY(afn_io__pickle_pop(m, &item));
    AFN_TRY(container(m, &list, AFN_PICKLE_LIST));
    AFN_TRY(afn_io__pickle_extend(m, list, &item, 1));
done:
    return st;
}

static afn_status op_appends(pickle_machine *m, const pickle_operand *o)
{
    (void)o;
    return add_marked(m, AFN_PICKLE_LIST);
}

static afn_status op_additems(pickle_machine *m, const pickle_operand *o)
{
    (void)o;
    return add_marked(m, AFN_PICKLE_SET);
}

static afn_status op_setitem(pickle_machine *m, const pickle_operand *o)
{
    (void)o;
    afn_status st = AFN_OK;
    afn_pickle_value *dict;
    pickle_ref pair[2];
    AFN_TRY(afn_io__pickle_pop(m, &pair[1]));
    AFN_TRY(afn_io__pickle_pop(m, &pair[0]));
    AFN_TRY(container(m, &dict, AFN_PICKLE_DICT));
    AFN_TRY(afn_io__pickle_extend(m, dict, pair, 2));
done:
    return st;
}

static afn_status op_setitems(pickle_machine *m, const pickle_operand *o)
{
    (void)o;
    return add_marked(m, AFN_PICKLE_DICT);
}

/* ---- stack and memo ---- */

static afn_status op_pop(pickle_machine *m, const pickle_operand *o)
{
    (void)o;
    pickle_ref v, *item;
    size_t n;
    if (m->frame && m->stack.count == m->frame)
        return afn_io__pickle_pop_mark(m, &item, &n);
    return afn_io__pickle_pop(m, &v);
}

static afn_status op_pop_mark(pickle_machine *m, const pickle_operand *o)
{
    (void)o;
    pickle_ref *item;
    size_t n;
    return afn_io__pickle_pop_mark(m, &item, &n);
}

static afn_status op_dup(pickle_machine *m, const pickle_operand *o)
{
    (void)o;
    pickle_ref v;
    const afn_status st = afn_io__pickle_top(m, &v);
    return st == AFN_OK ? afn_io__pickle_push(m, v) : st;
}

static afn_status op_put(pickle_machine *m, const pickle_operand *o)
{
    afn_status st = AFN_OK;
    pickle_ref v;
    const size_t i = (size_t)o->integer;
    AFN_TRY(afn_io__pickle_top(m, &v));
    if (i >= m->size) return afn_io__pickle_damaged(m, "memo index out of range");
    AFN_TRY(afn_io__pickle_reserve(&m->memo, i + 1));
    while (m->memo.count <= i) m->memo.item[m->memo.count++] = NULL;
    if (!m->memo.item[i]) m->memo_count++;
    m->memo.item[i] = v;
done:
    return st;
}

static afn_status op_memoize(pickle_machine *m, const pickle_operand *o)
{
    (void)o;
    const pickle_operand next = { .integer = (int64_t)m->memo_count };
    return op_put(m, &next);
}

static afn_status op_get(pickle_machine *m, const pickle_operand *o)
{
    const size_t i = (size_t)o->integer;
    if (i >= m->memo.count || !m->memo.item[i])
        return afn_io__pickle_damaged(m, "memo index was never set");
    return afn_io__pickle_push(m, m->memo.item[i]);
}

/* ---- the table ---- */

static const struct {
    op_fn run; /* NULL: refused */
    pickle_coding coding;
} opcode[256] = {
    ['('] = { op_mark, BARE },
    [')'] = { op_empty_tuple, BARE },
    ['.'] = { op_stop, BARE },
    ['0'] = { op_pop, BARE },
    ['1'] = { op_pop_mark, BARE },
    ['2'] = { op_dup, BARE },
    ['B'] = { op_bytes, BYTES_U32 },                 /* BINBYTES */
    ['C'] = { op_bytes, BYTES_U8 },                  /* SHORT_BINBYTES */
    ['G'] = { op_float, F64_BIG },                   /* BINFLOAT */
    ['I'] = { op_int_line, LINE },                   /* INT */
    ['J'] = { op_int, I32 },                         /* BININT */
    ['K'] = { op_int, U8 },                          /* BININT1 */
    ['L'] = { op_int_line, LINE },                   /* LONG */
    ['M'] = { op_int, U16 },                         /* BININT2 */
    ['N'] = { op_none, BARE },                       /* NONE */
    ['P'] = { afn_io__pickle_op_persid, LINE },      /* PERSID */
    ['Q'] = { afn_io__pickle_op_binpersid, BARE },   /* BINPERSID */
    ['R'] = { afn_io__pickle_op_call, BARE },        /* REDUCE */
    ['T'] = { op_bytes, BYTES_I32 },                 /* BINSTRING */
    ['U'] = { op_bytes, BYTES_U8 },                  /* SHORT_BINSTRING */
    ['X'] = { op_text, BYTES_U32 },                  /* BINUNICODE */
    [']'] = { op_empty_list, BARE },                 /* EMPTY_LIST */
    ['a'] = { op_append, BARE },                     /* APPEND */
    ['b'] = { afn_io__pickle_op_build, BARE },       /* BUILD */
    ['c'] = { afn_io__pickle_op_global, TWO_LINES }, /* GLOBAL */
    ['d'] = { op_dict, BARE },                       /* DICT */
    ['e'] = { op_appends, BARE },                    /* APPENDS */
    ['h'] = { op_get, U8 },                          /* BINGET */
    ['j'] = { op_get, U32 },                         /* LONG_BINGET */
    ['l'] = { op_list, BARE },                       /* LIST */
    ['q'] = { op_put, U8 },                          /* BINPUT */
    ['r'] = { op_put, U32 },                         /* LONG_BINPUT */
    ['s'] = { op_setitem, BARE },                    /* SETITEM */
    ['t'] = { op_tuple, BARE },                      /* TUPLE */
    ['u'] = { op_setitems, BARE },                   /* SETITEMS */
    ['}'] = { op_empty_dict, BARE },                 /* EMPTY_DICT */
    [0x80] = { op_proto, U8 },                       /* PROTO */
    [0x81] = { afn_io__pickle_op_call, BARE },       /* NEWOBJ */
    [0x85] = { op_tuple1, BARE },
    [0x86] = { op_tuple2, BARE },
    [0x87] = { op_tuple3, BARE },
    [0x88] = { op_true, BARE },
    [0x89] = { op_false, BARE },
    [0x8a] = { op_long, BYTES_U8 },                    /* LONG1 */
    [0x8b] = { op_long, BYTES_I32 },                   /* LONG4 */
    [0x8c] = { op_text, BYTES_U8 },                    /* SHORT_BINUNICODE */
    [0x8d] = { op_text, BYTES_U64 },                   /* BINUNICODE8 */
    [0x8e] = { op_bytes, BYTES_U64 },                  /* BINBYTES8 */
    [0x8f] = { op_empty_set, BARE },                   /* EMPTY_SET */
    [0x90] = { op_additems, BARE },                    /* ADDITEMS */
    [0x91] = { op_frozenset, BARE },                   /* FROZENSET */
    [0x93] = { afn_io__pickle_op_stack_global, BARE }, /* STACK_GLOBAL */
    [0x94] = { op_memoize, BARE },                     /* MEMOIZE */
    [0x95] = { op_nothing, FRAME_U64 }, /* FRAME: only a hint for readers */
    [0x96] = { op_bytes, BYTES_U64 },   /* BYTEARRAY8 */
};

static afn_status step(pickle_machine *m)
{
    pickle_operand o = { 0 };
    m->at = m->pos;
    if (m->pos == m->size) return afn_io__pickle_cut_off(m);
    const uint8_t op = m->bytes[m->pos++];
    if (!opcode[op].run)
        return afn_fail(AFN_EUNSUPPORTED, "pickle opcode 0x%02x at byte %zu", op,
                        afn_io__pickle_where(m));
    const afn_status st = afn_io__pickle_operand(m, &o, opcode[op].coding);
    return st == AFN_OK ? opcode[op].run(m, &o) : st;
}

afn_status afn_io__pickle_run(afn_pickle *p, const uint8_t *bytes, size_t size,
                              const afn_pickle_rules *rules)
{
    afn_status st = AFN_OK;
    pickle_machine m = { .doc = p, .rules = rules, .bytes = bytes, .size = size };
    while (!m.stopped) AFN_TRY(step(&m));
    p->size = m.pos;
done:
    afn_free(m.stack.item);
    afn_free(m.memo.item);
    afn_free(m.mark);
    return st;
}
