/* SPDX-License-Identifier: Apache-2.0 */
/* The pickle machine: a stack, a memo and a table of opcodes.
 *
 * Each opcode has one row: how its operand is coded and what it does to the stack.
 * Opcodes that only hostile or very old files contain (INST, OBJ, EXT1, ...) have no
 * row and end the reading.  A memo index must be below the pickle's size, as it is in
 * every pickle that numbers its memo 0, 1, 2, ...; so the memo cannot be blown up. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "io/pickle_doc.h"

typedef const afn_pickle_value *ref;

/* Most items on the stack and in the memo: far above any real pickle (a network has
 * some thousands of tensors), and 128 MiB of pointers. */
enum { MOST_ITEMS = 1 << 24 };

typedef struct vec {
    ref *item;
    size_t count, cap;
} vec;

typedef struct machine {
    afn_pickle *doc;
    const afn_pickle_rules *rules;
    const uint8_t *bytes;
    size_t size, pos;
    size_t at; /* of the opcode being run */
    vec stack; /* a NULL item is a mark */
    vec memo;  /* a NULL item is unset */
    size_t memo_count;
    size_t frame; /* index of the topmost mark + 1, 0 = none: pops stop there */
    bool stopped;
} machine;

/* The operand of one opcode, decoded. */
typedef struct operand {
    int64_t integer;
    double real;
    const char *text, *text2; /* borrowed */
    size_t size, size2;
} operand;

typedef enum coding {
    BARE,
    U8,
    U16,
    I32,
    U32,
    F64_BIG,
    BYTES_U8, /* a length of this type, then so many bytes */
    BYTES_I32,
    BYTES_U32,
    BYTES_U64,
    LINE,
    TWO_LINES,
    FRAME_U64
} coding;

typedef afn_status (*op_fn)(machine *m, const operand *o);

static const afn_pickle_value none = { .kind = AFN_PICKLE_NONE };
static const afn_pickle_value no = { .kind = AFN_PICKLE_BOOL };
static const afn_pickle_value yes = { .kind = AFN_PICKLE_BOOL, .u.integer = 1 };
static const afn_pickle_value empty_tuple = { .kind = AFN_PICKLE_TUPLE };

static size_t where(const machine *m)
{
    return m->rules->base + m->at;
}

static afn_status damaged(const machine *m, const char *what)
{
    return afn_fail(AFN_EFORMAT, "pickle damaged at byte %zu: %s", where(m), what);
}

static afn_status vec_reserve(vec *v, size_t count)
{
    if (count <= v->cap) return AFN_OK;
    if (count > MOST_ITEMS) return afn_fail(AFN_EUNSUPPORTED, "pickle is too large");
    size_t cap = v->cap ? v->cap : 64, bytes;
    while (cap < count) cap *= 2;
    if (!afn_mul_size(&bytes, cap, sizeof *v->item))
        return afn_fail(AFN_ENOMEM, "out of memory");
    ref *item = afn_realloc(v->item, bytes);
    if (!item) return afn_fail(AFN_ENOMEM, "out of memory");
    v->item = item;
    v->cap = cap;
    return AFN_OK;
}

static afn_status push(machine *m, ref v)
{
    const afn_status st = vec_reserve(&m->stack, m->stack.count + 1);
    if (st == AFN_OK) m->stack.item[m->stack.count++] = v;
    return st;
}

static afn_status pop(machine *m, ref *out)
{
    *out = NULL;
    if (m->stack.count == m->frame) return damaged(m, "nothing on the stack");
    *out = m->stack.item[--m->stack.count];
    return AFN_OK;
}

static afn_status top(machine *m, ref *out)
{
    const afn_status st = pop(m, out);
    if (st == AFN_OK) m->stack.count++;
    return st;
}

/* Drop everything above the topmost mark, and the mark.  The items stay readable until
 * the next push. */
static afn_status pop_mark(machine *m, ref **item, size_t *count)
{
    *item = NULL;
    *count = 0;
    if (!m->frame) return damaged(m, "no mark on the stack");
    *item = m->stack.item + m->frame;
    *count = m->stack.count - m->frame;
    m->stack.count = m->frame - 1;
    size_t i = m->stack.count;
    while (i && m->stack.item[i - 1]) i--;
    m->frame = i;
    return AFN_OK;
}

static afn_status new_value(machine *m, afn_pickle_value **out, afn_pickle_kind kind)
{
    const afn_status st = afn_io__pickle_take((void **)out, m->doc, sizeof **out);
    if (st == AFN_OK) **out = (afn_pickle_value){ .kind = kind, .at = where(m) };
    return st;
}

static afn_status push_new(machine *m, afn_pickle_value **out, afn_pickle_kind kind)
{
    const afn_status st = new_value(m, out, kind);
    return st == AFN_OK ? push(m, *out) : st;
}

static afn_status push_text(machine *m, afn_pickle_kind kind, const char *s, size_t n)
{
    afn_pickle_value *v;
    const afn_status st = push_new(m, &v, kind);
    if (st != AFN_OK) return st;
    v->u.text.data = s;
    v->u.text.size = n;
    return AFN_OK;
}

/* Append items to a container's array, which grows by doubling. */
static afn_status extend(machine *m, afn_pickle_value *v, const ref *item, size_t n)
{
    const size_t count = v->u.seq.count;
    if (n == 0) return AFN_OK;
    if (n > v->u.seq.cap - count) {
        size_t cap = v->u.seq.cap ? v->u.seq.cap * 2 : 4;
        if (cap - count < n) cap = count + n;
        void *bigger;
        const afn_status st =
            afn_io__pickle_take(&bigger, m->doc, cap * sizeof *v->u.seq.item);
        if (st != AFN_OK) return st;
        if (count) memcpy(bigger, v->u.seq.item, count * sizeof *v->u.seq.item);
        v->u.seq.item = bigger;
        v->u.seq.cap = cap;
    }
    memcpy(v->u.seq.item + count, item, n * sizeof *item);
    v->u.seq.count += n;
    return AFN_OK;
}

/* Make a sequence of the items above the mark, and push it. */
static afn_status gather(machine *m, afn_pickle_kind kind)
{
    afn_status st = AFN_OK;
    afn_pickle_value *v;
    ref *item;
    size_t n;
    AFN_TRY(pop_mark(m, &item, &n));
    if (kind == AFN_PICKLE_DICT && n % 2) return damaged(m, "a key without a value");
    AFN_TRY(new_value(m, &v, kind));
    AFN_TRY(extend(m, v, item, n));
    AFN_TRY(push(m, v));
done:
    return st;
}

/* The container below, which must be of this kind.  Only values of our own making are
 * containers, and the shared constants above are never of a kind asked for here. */
static afn_status container(machine *m, afn_pickle_value **out, afn_pickle_kind kind)
{
    ref v;
    const afn_status st = top(m, &v);
    *out = NULL;
    if (st != AFN_OK) return st;
    if (v->kind != kind)
        return afn_fail(AFN_EFORMAT, "pickle damaged at byte %zu: items for a %s",
                        where(m), afn_pickle_kind_name(v->kind));
    *out = (afn_pickle_value *)v;
    return AFN_OK;
}

static afn_status add_marked(machine *m, afn_pickle_kind kind)
{
    afn_status st = AFN_OK;
    afn_pickle_value *v;
    ref *item;
    size_t n;
    AFN_TRY(pop_mark(m, &item, &n));
    if (kind == AFN_PICKLE_DICT && n % 2) return damaged(m, "a key without a value");
    AFN_TRY(container(m, &v, kind));
    AFN_TRY(extend(m, v, item, n));
done:
    return st;
}

/* ---- plain values ---- */

static afn_status op_nothing(machine *m, const operand *o)
{
    (void)m;
    (void)o;
    return AFN_OK;
}

static afn_status op_proto(machine *m, const operand *o)
{
    if (o->integer <= 5) return AFN_OK;
    return afn_fail(AFN_EUNSUPPORTED, "pickle protocol %" PRId64 " at byte %zu",
                    o->integer, where(m));
}

static afn_status op_stop(machine *m, const operand *o)
{
    (void)o;
    m->stopped = true;
    if (m->frame) return damaged(m, "ends inside a list");
    return pop(m, &m->doc->root);
}

static afn_status op_none(machine *m, const operand *o)
{
    (void)o;
    return push(m, &none);
}

static afn_status op_true(machine *m, const operand *o)
{
    (void)o;
    return push(m, &yes);
}

static afn_status op_false(machine *m, const operand *o)
{
    (void)o;
    return push(m, &no);
}

static afn_status op_int(machine *m, const operand *o)
{
    afn_pickle_value *v;
    const afn_status st = push_new(m, &v, AFN_PICKLE_INT);
    if (st == AFN_OK) v->u.integer = o->integer;
    return st;
}

static afn_status op_float(machine *m, const operand *o)
{
    afn_pickle_value *v;
    const afn_status st = push_new(m, &v, AFN_PICKLE_FLOAT);
    if (st == AFN_OK) v->u.real = o->real;
    return st;
}

/* Little-endian two's complement of any length. */
static afn_status op_long(machine *m, const operand *o)
{
    if (o->size > 8) return push_text(m, AFN_PICKLE_LONG, o->text, o->size);
    uint64_t bits = 0;
    for (size_t i = 0; i < o->size; i++)
        bits |= (uint64_t)(uint8_t)o->text[i] << (8 * i);
    if (o->size && o->size < 8 && (uint8_t)o->text[o->size - 1] & 0x80u)
        bits |= UINT64_MAX << (8 * o->size);
    const operand value = { .integer = (int64_t)bits };
    return op_int(m, &value);
}

/* Decimal text: "12", "12L"; "00" and "01" are the booleans of protocol 0. */
static afn_status op_int_line(machine *m, const operand *o)
{
    char digits[24];
    size_t n = o->size;
    if (n == 2 && o->text[0] == '0' && (o->text[1] == '0' || o->text[1] == '1'))
        return push(m, o->text[1] == '1' ? &yes : &no);
    if (n && o->text[n - 1] == 'L') n--;
    if (n == 0 || n > 18) return damaged(m, "not a number");
    memcpy(digits, o->text, n);
    digits[n] = 0;
    char *end;
    const operand value = { .integer = strtoll(digits, &end, 10) };
    return *end ? damaged(m, "not a number") : op_int(m, &value);
}

static afn_status op_text(machine *m, const operand *o)
{
    return push_text(m, AFN_PICKLE_TEXT, o->text, o->size);
}

static afn_status op_bytes(machine *m, const operand *o)
{
    return push_text(m, AFN_PICKLE_BYTES, o->text, o->size);
}

/* ---- containers ---- */

static afn_status op_mark(machine *m, const operand *o)
{
    (void)o;
    const afn_status st = push(m, NULL);
    if (st == AFN_OK) m->frame = m->stack.count;
    return st;
}

static afn_status op_empty_tuple(machine *m, const operand *o)
{
    (void)o;
    return push(m, &empty_tuple);
}

static afn_status op_empty_list(machine *m, const operand *o)
{
    (void)o;
    afn_pickle_value *v;
    return push_new(m, &v, AFN_PICKLE_LIST);
}

static afn_status op_empty_dict(machine *m, const operand *o)
{
    (void)o;
    afn_pickle_value *v;
    return push_new(m, &v, AFN_PICKLE_DICT);
}

static afn_status op_empty_set(machine *m, const operand *o)
{
    (void)o;
    afn_pickle_value *v;
    return push_new(m, &v, AFN_PICKLE_SET);
}

static afn_status op_tuple(machine *m, const operand *o)
{
    (void)o;
    return gather(m, AFN_PICKLE_TUPLE);
}

static afn_status op_list(machine *m, const operand *o)
{
    (void)o;
    return gather(m, AFN_PICKLE_LIST);
}

static afn_status op_dict(machine *m, const operand *o)
{
    (void)o;
    return gather(m, AFN_PICKLE_DICT);
}

static afn_status op_frozenset(machine *m, const operand *o)
{
    (void)o;
    return gather(m, AFN_PICKLE_SET);
}

static afn_status short_tuple(machine *m, size_t n)
{
    afn_status st = AFN_OK;
    afn_pickle_value *v;
    if (m->stack.count - m->frame < n) return damaged(m, "nothing on the stack");
    AFN_TRY(new_value(m, &v, AFN_PICKLE_TUPLE));
    AFN_TRY(extend(m, v, m->stack.item + m->stack.count - n, n));
    m->stack.count -= n;
    AFN_TRY(push(m, v));
done:
    return st;
}

static afn_status op_tuple1(machine *m, const operand *o)
{
    (void)o;
    return short_tuple(m, 1);
}

static afn_status op_tuple2(machine *m, const operand *o)
{
    (void)o;
    return short_tuple(m, 2);
}

static afn_status op_tuple3(machine *m, const operand *o)
{
    (void)o;
    return short_tuple(m, 3);
}

static afn_status op_append(machine *m, const operand *o)
{
    (void)o;
    afn_status st = AFN_OK;
    afn_pickle_value *list;
    ref item;
    AFN_TRY(pop(m, &item));
    AFN_TRY(container(m, &list, AFN_PICKLE_LIST));
    AFN_TRY(extend(m, list, &item, 1));
done:
    return st;
}

static afn_status op_appends(machine *m, const operand *o)
{
    (void)o;
    return add_marked(m, AFN_PICKLE_LIST);
}

static afn_status op_additems(machine *m, const operand *o)
{
    (void)o;
    return add_marked(m, AFN_PICKLE_SET);
}

static afn_status op_setitem(machine *m, const operand *o)
{
    (void)o;
    afn_status st = AFN_OK;
    afn_pickle_value *dict;
    ref pair[2];
    AFN_TRY(pop(m, &pair[1]));
    AFN_TRY(pop(m, &pair[0]));
    AFN_TRY(container(m, &dict, AFN_PICKLE_DICT));
    AFN_TRY(extend(m, dict, pair, 2));
done:
    return st;
}

static afn_status op_setitems(machine *m, const operand *o)
{
    (void)o;
    return add_marked(m, AFN_PICKLE_DICT);
}

/* ---- stack and memo ---- */

static afn_status op_pop(machine *m, const operand *o)
{
    (void)o;
    ref v, *item;
    size_t n;
    if (m->frame && m->stack.count == m->frame) return pop_mark(m, &item, &n);
    return pop(m, &v);
}

static afn_status op_pop_mark(machine *m, const operand *o)
{
    (void)o;
    ref *item;
    size_t n;
    return pop_mark(m, &item, &n);
}

static afn_status op_dup(machine *m, const operand *o)
{
    (void)o;
    ref v;
    const afn_status st = top(m, &v);
    return st == AFN_OK ? push(m, v) : st;
}

static afn_status op_put(machine *m, const operand *o)
{
    afn_status st = AFN_OK;
    ref v;
    const size_t i = (size_t)o->integer;
    AFN_TRY(top(m, &v));
    if (i >= m->size) return damaged(m, "memo index out of range");
    AFN_TRY(vec_reserve(&m->memo, i + 1));
    while (m->memo.count <= i) m->memo.item[m->memo.count++] = NULL;
    if (!m->memo.item[i]) m->memo_count++;
    m->memo.item[i] = v;
done:
    return st;
}

static afn_status op_memoize(machine *m, const operand *o)
{
    (void)o;
    const operand next = { .integer = (int64_t)m->memo_count };
    return op_put(m, &next);
}

static afn_status op_get(machine *m, const operand *o)
{
    const size_t i = (size_t)o->integer;
    if (i >= m->memo.count || !m->memo.item[i])
        return damaged(m, "memo index was never set");
    return push(m, m->memo.item[i]);
}

/* ---- globals, calls and references: recorded, never carried out ---- */

/* Does the pickle go on with "()" NEWOBJ, memo opcodes apart: is this the class of the
 * object being unpickled?  That is how a whole torch.nn.Module begins. */
static bool instantiates(const machine *m)
{
    static const char wanted[2] = { ')', '\x81' };
    size_t found = 0;
    for (size_t i = m->pos; i < m->size && found < sizeof wanted;) {
        const uint8_t op = m->bytes[i];
        if (op == (uint8_t)wanted[found]) {
            found++;
            i++;
        } else if (op == 'q') {
            i += 2;
        } else if (op == 'r') {
            i += 5;
        } else if (op == 0x94) {
            i++;
        } else {
            return false;
        }
    }
    return found == sizeof wanted;
}

/* Nothing but marks and the word "module" (PyTorch before 1.6 wraps the class of a
 * module in a persistent id that begins so) lies below. */
static bool is_first_object(const machine *m)
{
    bool in_module = false;
    for (size_t i = 0; i < m->stack.count; i++) {
        ref v = m->stack.item[i];
        if (!v) continue;
        if (!afn_pickle_is_text(v, "module")) return false;
        in_module = true;
    }
    return in_module || (m->stack.count == 0 && instantiates(m));
}

static afn_status refuse(machine *m, const operand *o)
{
    char name[sizeof((afn_pickle_refusal *)0)->name];
    const int n1 = o->size > 96 ? 96 : (int)o->size;
    const int n2 = o->size2 > 96 ? 96 : (int)o->size2;
    snprintf(name, sizeof name, "%.*s.%.*s", n1, o->text, n2, o->text2);
    if (m->rules->refusal) {
        afn_pickle_refusal *r = m->rules->refusal;
        memcpy(r->name, name, sizeof name);
        r->at = where(m);
        r->is_root_class = is_first_object(m);
    }
    return afn_fail(
        AFN_EUNSUPPORTED,
        "pickle asks for %s at byte %zu, which is not tensors or plain data", name,
        where(m));
}

static bool same(const char *s, const char *text, size_t n)
{
    return strlen(s) == n && memcmp(s, text, n) == 0;
}

/* text is the module, text2 the name. */
static afn_status op_global(machine *m, const operand *o)
{
    afn_pickle_value *v;
    for (size_t i = 0; i < m->rules->count; i++) {
        const afn_pickle_global *g = &m->rules->global[i];
        if (!same(g->name, o->text2, o->size2) || !same(g->module, o->text, o->size))
            continue;
        const afn_status st = push_new(m, &v, AFN_PICKLE_GLOBAL);
        if (st != AFN_OK) return st;
        v->global = g->id;
        v->u.integer = g->role;
        return AFN_OK;
    }
    return refuse(m, o);
}

static afn_status op_stack_global(machine *m, const operand *o)
{
    (void)o;
    afn_status st = AFN_OK;
    ref module, name;
    AFN_TRY(pop(m, &name));
    AFN_TRY(pop(m, &module));
    if (name->kind != AFN_PICKLE_TEXT || module->kind != AFN_PICKLE_TEXT)
        return damaged(m, "a global's name is not text");
    const operand both = { .text = module->u.text.data,
                           .size = module->u.text.size,
                           .text2 = name->u.text.data,
                           .size2 = name->u.text.size };
    st = op_global(m, &both);
done:
    return st;
}

/* Items for a new dictionary from OrderedDict's argument: [[k, v], ...] as Python 2
 * wrote it, or a dictionary. */
static afn_status fill_dict(machine *m, afn_pickle_value *dict, ref args)
{
    if (args->u.seq.count == 0) return AFN_OK;
    ref from = args->u.seq.item[0];
    if (from->kind == AFN_PICKLE_DICT)
        return extend(m, dict, from->u.seq.item, from->u.seq.count);
    if (from->kind != AFN_PICKLE_LIST && from->kind != AFN_PICKLE_TUPLE)
        return damaged(m, "a dictionary made from something else than pairs");
    for (size_t i = 0; i < from->u.seq.count; i++) {
        ref pair = from->u.seq.item[i];
        if ((pair->kind != AFN_PICKLE_LIST && pair->kind != AFN_PICKLE_TUPLE) ||
            pair->u.seq.count != 2)
            return damaged(m, "a dictionary made from something else than pairs");
        const afn_status st = extend(m, dict, pair->u.seq.item, 2);
        if (st != AFN_OK) return st;
    }
    return AFN_OK;
}

static afn_status op_call(machine *m, const operand *o) /* REDUCE and NEWOBJ */
{
    (void)o;
    afn_status st = AFN_OK;
    afn_pickle_value *v;
    ref args, callee;
    AFN_TRY(pop(m, &args));
    AFN_TRY(pop(m, &callee));
    if (callee->kind != AFN_PICKLE_GLOBAL) return damaged(m, "calls what is no global");
    if (args->kind != AFN_PICKLE_TUPLE) return damaged(m, "arguments are not a tuple");
    if (callee->u.integer == AFN_PICKLE_AS_DICT) {
        AFN_TRY(push_new(m, &v, AFN_PICKLE_DICT));
        AFN_TRY(fill_dict(m, v, args));
    } else {
        AFN_TRY(push_new(m, &v, AFN_PICKLE_CALL));
        v->global = callee->global;
        v->u.call.args = args;
    }
done:
    return st;
}

/* Attributes of a dictionary (PyTorch's _metadata) are dropped. */
static afn_status op_build(machine *m, const operand *o)
{
    (void)o;
    afn_status st = AFN_OK;
    ref state, object;
    AFN_TRY(pop(m, &state));
    AFN_TRY(top(m, &object));
    if (object->kind == AFN_PICKLE_CALL)
        ((afn_pickle_value *)object)->u.call.state = state;
    else if (object->kind != AFN_PICKLE_DICT)
        st = damaged(m, "a state for what is no object");
done:
    return st;
}

static afn_status push_persid(machine *m, ref id)
{
    afn_pickle_value *v;
    const afn_status st = push_new(m, &v, AFN_PICKLE_PERSID);
    if (st != AFN_OK) return st;
    v->u.persid.id = id;
    v->u.persid.next = m->doc->last_persid;
    m->doc->last_persid = v;
    return AFN_OK;
}

static afn_status op_binpersid(machine *m, const operand *o)
{
    (void)o;
    ref id;
    const afn_status st = pop(m, &id);
    return st == AFN_OK ? push_persid(m, id) : st;
}

static afn_status op_persid(machine *m, const operand *o)
{
    ref id;
    const afn_status st = push_text(m, AFN_PICKLE_TEXT, o->text, o->size);
    if (st != AFN_OK) return st;
    return pop(m, &id) == AFN_OK ? push_persid(m, id) : AFN_EFORMAT;
}

/* ---- the table ---- */

static const struct {
    op_fn run; /* NULL: refused */
    coding coding;
} opcode[256] = {
    ['('] = { op_mark, BARE },
    [')'] = { op_empty_tuple, BARE },
    ['.'] = { op_stop, BARE },
    ['0'] = { op_pop, BARE },
    ['1'] = { op_pop_mark, BARE },
    ['2'] = { op_dup, BARE },
    ['B'] = { op_bytes, BYTES_U32 },  /* BINBYTES */
    ['C'] = { op_bytes, BYTES_U8 },   /* SHORT_BINBYTES */
    ['G'] = { op_float, F64_BIG },    /* BINFLOAT */
    ['I'] = { op_int_line, LINE },    /* INT */
    ['J'] = { op_int, I32 },          /* BININT */
    ['K'] = { op_int, U8 },           /* BININT1 */
    ['L'] = { op_int_line, LINE },    /* LONG */
    ['M'] = { op_int, U16 },          /* BININT2 */
    ['N'] = { op_none, BARE },        /* NONE */
    ['P'] = { op_persid, LINE },      /* PERSID */
    ['Q'] = { op_binpersid, BARE },   /* BINPERSID */
    ['R'] = { op_call, BARE },        /* REDUCE */
    ['T'] = { op_bytes, BYTES_I32 },  /* BINSTRING */
    ['U'] = { op_bytes, BYTES_U8 },   /* SHORT_BINSTRING */
    ['X'] = { op_text, BYTES_U32 },   /* BINUNICODE */
    [']'] = { op_empty_list, BARE },  /* EMPTY_LIST */
    ['a'] = { op_append, BARE },      /* APPEND */
    ['b'] = { op_build, BARE },       /* BUILD */
    ['c'] = { op_global, TWO_LINES }, /* GLOBAL */
    ['d'] = { op_dict, BARE },        /* DICT */
    ['e'] = { op_appends, BARE },     /* APPENDS */
    ['h'] = { op_get, U8 },           /* BINGET */
    ['j'] = { op_get, U32 },          /* LONG_BINGET */
    ['l'] = { op_list, BARE },        /* LIST */
    ['q'] = { op_put, U8 },           /* BINPUT */
    ['r'] = { op_put, U32 },          /* LONG_BINPUT */
    ['s'] = { op_setitem, BARE },     /* SETITEM */
    ['t'] = { op_tuple, BARE },       /* TUPLE */
    ['u'] = { op_setitems, BARE },    /* SETITEMS */
    ['}'] = { op_empty_dict, BARE },  /* EMPTY_DICT */
    [0x80] = { op_proto, U8 },        /* PROTO */
    [0x81] = { op_call, BARE },       /* NEWOBJ */
    [0x85] = { op_tuple1, BARE },
    [0x86] = { op_tuple2, BARE },
    [0x87] = { op_tuple3, BARE },
    [0x88] = { op_true, BARE },
    [0x89] = { op_false, BARE },
    [0x8a] = { op_long, BYTES_U8 },     /* LONG1 */
    [0x8b] = { op_long, BYTES_I32 },    /* LONG4 */
    [0x8c] = { op_text, BYTES_U8 },     /* SHORT_BINUNICODE */
    [0x8d] = { op_text, BYTES_U64 },    /* BINUNICODE8 */
    [0x8e] = { op_bytes, BYTES_U64 },   /* BINBYTES8 */
    [0x8f] = { op_empty_set, BARE },    /* EMPTY_SET */
    [0x90] = { op_additems, BARE },     /* ADDITEMS */
    [0x91] = { op_frozenset, BARE },    /* FROZENSET */
    [0x93] = { op_stack_global, BARE }, /* STACK_GLOBAL */
    [0x94] = { op_memoize, BARE },      /* MEMOIZE */
    [0x95] = { op_nothing, FRAME_U64 }, /* FRAME: only a hint for readers */
    [0x96] = { op_bytes, BYTES_U64 },   /* BYTEARRAY8 */
};

static afn_status cut_off(const machine *m)
{
    return afn_fail(AFN_EFORMAT, "pickle cut off at byte %zu",
                    m->rules->base + m->size);
}

static afn_status take_uint(machine *m, uint64_t *out, size_t bytes)
{
    *out = 0;
    if (bytes > m->size - m->pos) return cut_off(m);
    for (size_t i = 0; i < bytes; i++)
        *out |= (uint64_t)m->bytes[m->pos + i] << (8 * i);
    m->pos += bytes;
    return AFN_OK;
}

static afn_status take_counted(machine *m, operand *o, size_t length_bytes)
{
    uint64_t n;
    const afn_status st = take_uint(m, &n, length_bytes);
    if (st != AFN_OK) return st;
    if (n > m->size - m->pos) return cut_off(m);
    o->text = (const char *)m->bytes + m->pos;
    o->size = (size_t)n;
    m->pos += (size_t)n;
    return AFN_OK;
}

static afn_status take_line(machine *m, const char **text, size_t *size)
{
    const uint8_t *start = m->bytes + m->pos;
    const uint8_t *end = memchr(start, '\n', m->size - m->pos);
    *text = NULL;
    *size = 0;
    if (!end) return cut_off(m);
    *text = (const char *)start;
    *size = (size_t)(end - start);
    m->pos += *size + 1;
    return AFN_OK;
}

static afn_status take_float(machine *m, operand *o)
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
static afn_status take_operand(machine *m, operand *o, coding c)
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

static afn_status step(machine *m)
{
    operand o = { 0 };
    m->at = m->pos;
    if (m->pos == m->size) return cut_off(m);
    const uint8_t op = m->bytes[m->pos++];
    if (!opcode[op].run)
        return afn_fail(AFN_EUNSUPPORTED, "pickle opcode 0x%02x at byte %zu", op,
                        where(m));
    const afn_status st = take_operand(m, &o, opcode[op].coding);
    return st == AFN_OK ? opcode[op].run(m, &o) : st;
}

afn_status afn_io__pickle_run(afn_pickle *p, const uint8_t *bytes, size_t size,
                              const afn_pickle_rules *rules)
{
    afn_status st = AFN_OK;
    machine m = { .doc = p, .rules = rules, .bytes = bytes, .size = size };
    while (!m.stopped) AFN_TRY(step(&m));
    p->size = m.pos;
done:
    afn_free(m.stack.item);
    afn_free(m.memo.item);
    return st;
}
