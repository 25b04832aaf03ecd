/* SPDX-License-Identifier: Apache-2.0 */
/* The stack of the pickle machine and the values on it. */
#include <string.h>

#include "io/pickle_machine.h"

/* Most items on the stack and in the memo: far above any real pickle (a network has
 * some thousands of tensors), and 128 MiB of pointers. */
enum { MOST_ITEMS = 1 << 24 };

size_t afn_io__pickle_where(const pickle_machine *m)
{
    return m->rules->base + m->at;
}

afn_status afn_io__pickle_damaged(const pickle_machine *m, const char *what)
{
    return afn_fail(AFN_EFORMAT, "pickle damaged at byte %zu: %s",
                    afn_io__pickle_where(m), what);
}

afn_status afn_io__pickle_reserve(pickle_vec *v, size_t count)
{
    if (count <= v->cap) return AFN_OK;
    if (count > MOST_ITEMS) return afn_fail(AFN_EUNSUPPORTED, "pickle is too large");
    size_t cap = v->cap ? v->cap : 64, bytes;
    while (cap < count) cap *= 2;
    if (!afn_mul_size(&bytes, cap, sizeof *v->item))
        return afn_fail(AFN_ENOMEM, "out of memory");
    pickle_ref *item = afn_realloc(v->item, bytes);
    if (!item) return afn_fail(AFN_ENOMEM, "out of memory");
    v->item = item;
    v->cap = cap;
    return AFN_OK;
}

afn_status afn_io__pickle_push(pickle_machine *m, pickle_ref v)
{
    const afn_status st = afn_io__pickle_reserve(&m->stack, m->stack.count + 1);
    if (st == AFN_OK) m->stack.item[m->stack.count++] = v;
    return st;
}

afn_status afn_io__pickle_pop(pickle_machine *m, pickle_ref *out)
{
    *out = NULL;
    if (m->stack.count == m->frame)
        return afn_io__pickle_damaged(m, "nothing on the stack");
    *out = m->stack.item[--m->stack.count];
    return AFN_OK;
}

afn_status afn_io__pickle_top(pickle_machine *m, pickle_ref *out)
{
    const afn_status st = afn_io__pickle_pop(m, out);
    if (st == AFN_OK) m->stack.count++;
    return st;
}

afn_status afn_io__pickle_push_mark(pickle_machine *m)
{
    if (m->n_marks == m->marks_cap) {
        const size_t cap = m->marks_cap ? m->marks_cap * 2 : 16;
        size_t *mark = afn_realloc(m->mark, cap * sizeof *mark);
        if (!mark) return afn_fail(AFN_ENOMEM, "out of memory");
        m->mark = mark;
        m->marks_cap = cap;
    }
    const afn_status st = afn_io__pickle_push(m, NULL);
    if (st == AFN_OK) m->frame = m->mark[m->n_marks++] = m->stack.count;
    return st;
}

afn_status afn_io__pickle_pop_mark(pickle_machine *m, pickle_ref **item, size_t *count)
{
    *item = NULL;
    *count = 0;
    if (!m->frame) return afn_io__pickle_damaged(m, "no mark on the stack");
    *item = m->stack.item + m->frame;
    *count = m->stack.count - m->frame;
    m->stack.count = m->frame - 1;
    m->n_marks--;
    m->frame = m->n_marks ? m->mark[m->n_marks - 1] : 0;
    return AFN_OK;
}

afn_status afn_io__pickle_new(pickle_machine *m, afn_pickle_value **out,
                              afn_pickle_kind kind)
{
    const afn_status st = afn_io__pickle_take((void **)out, m->doc, sizeof **out);
    if (st == AFN_OK)
        **out = (afn_pickle_value){ .kind = kind, .at = afn_io__pickle_where(m) };
    return st;
}

afn_status afn_io__pickle_push_new(pickle_machine *m, afn_pickle_value **out,
                                   afn_pickle_kind kind)
{
    const afn_status st = afn_io__pickle_new(m, out, kind);
    return st == AFN_OK ? afn_io__pickle_push(m, *out) : st;
}

afn_status afn_io__pickle_push_text(pickle_machine *m, afn_pickle_kind kind,
                                    const char *s, size_t n)
{
    afn_pickle_value *v;
    const afn_status st = afn_io__pickle_push_new(m, &v, kind);
    if (st != AFN_OK) return st;
    v->u.text.data = s;
    v->u.text.size = n;
    return AFN_OK;
}

afn_status afn_io__pickle_extend(pickle_machine *m, afn_pickle_value *v,
                                 const pickle_ref *item, size_t n)
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
