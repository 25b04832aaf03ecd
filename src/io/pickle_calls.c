/* SPDX-License-Identifier: Apache-2.0 */
/* Globals, calls and references of a pickle: recorded, never carried out.  A global
 * outside the caller's rules ends the reading. */
#include <stdio.h>
#include <string.h>

#include "io/pickle_machine.h"

/* Does the pickle go on with "()" NEWOBJ, memo opcodes apart: is this the class of the
 * object being unpickled?  That is how a whole torch.nn.Module begins. */
static bool instantiates(const pickle_machine *m)
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
static bool is_first_object(const pickle_machine *m)
{
    bool in_module = false;
    for (size_t i = 0; i < m->stack.count; i++) {
        pickle_ref v = m->stack.item[i];
        if (!v) continue;
        if (!afn_pickle_is_text(v, "module")) return false;
        in_module = true;
    }
    return in_module || (m->stack.count == 0 && instantiates(m));
}

static afn_status refuse(pickle_machine *m, const pickle_operand *o)
{
    char name[sizeof((afn_pickle_refusal *)0)->name];
    const int n1 = o->size > 96 ? 96 : (int)o->size;
    const int n2 = o->size2 > 96 ? 96 : (int)o->size2;
    snprintf(name, sizeof name, "%.*s.%.*s", n1, o->text, n2, o->text2);
    if (m->rules->refusal) {
        afn_pickle_refusal *r = m->rules->refusal;
        memcpy(r->name, name, sizeof name);
        r->at = afn_io__pickle_where(m);
        r->is_root_class = is_first_object(m);
    }
    return afn_fail(
        AFN_EUNSUPPORTED,
        "pickle asks for %s at byte %zu, which is not tensors or plain data", name,
        afn_io__pickle_where(m));
}

static bool same(const char *s, const char *text, size_t n)
{
    return strlen(s) == n && memcmp(s, text, n) == 0;
}

/* text is the module, text2 the name. */
afn_status afn_io__pickle_op_global(pickle_machine *m, const pickle_operand *o)
{
    afn_pickle_value *v;
    for (size_t i = 0; i < m->rules->count; i++) {
        const afn_pickle_global *g = &m->rules->global[i];
        if (!same(g->name, o->text2, o->size2) || !same(g->module, o->text, o->size))
            continue;
        const afn_status st = afn_io__pickle_push_new(m, &v, AFN_PICKLE_GLOBAL);
        if (st != AFN_OK) return st;
        v->global = g->id;
        v->u.integer = g->role;
        return AFN_OK;
    }
    return refuse(m, o);
}

afn_status afn_io__pickle_op_stack_global(pickle_machine *m, const pickle_operand *o)
{
    (void)o;
    afn_status st = AFN_OK;
    pickle_ref module, name;
    AFN_TRY(afn_io__pickle_pop(m, &name));
    AFN_TRY(afn_io__pickle_pop(m, &module));
    if (name->kind != AFN_PICKLE_TEXT || module->kind != AFN_PICKLE_TEXT)
        return afn_io__pickle_damaged(m, "a global's name is not text");
    const pickle_operand both = { .text = module->u.text.data,
                                  .size = module->u.text.size,
                                  .text2 = name->u.text.data,
                                  .size2 = name->u.text.size };
    st = afn_io__pickle_op_global(m, &both);
done:
    return st;
}

/* Items for a new dictionary from OrderedDict's argument: [[k, v], ...] as Python 2
 * wrote it, or a dictionary. */
static afn_status fill_dict(pickle_machine *m, afn_pickle_value *dict, pickle_ref args)
{
    if (args->u.seq.count == 0) return AFN_OK;
    pickle_ref from = args->u.seq.item[0];
    if (from->kind == AFN_PICKLE_DICT)
        return afn_io__pickle_extend(m, dict, from->u.seq.item, from->u.seq.count);
    if (from->kind != AFN_PICKLE_LIST && from->kind != AFN_PICKLE_TUPLE)
        return afn_io__pickle_damaged(
            m, "a dictionary made from something else than pairs");
    for (size_t i = 0; i < from->u.seq.count; i++) {
        pickle_ref pair = from->u.seq.item[i];
        if ((pair->kind != AFN_PICKLE_LIST && pair->kind != AFN_PICKLE_TUPLE) ||
            pair->u.seq.count != 2)
            return afn_io__pickle_damaged(
                m, "a dictionary made from something else than pairs");
        const afn_status st = afn_io__pickle_extend(m, dict, pair->u.seq.item, 2);
        if (st != AFN_OK) return st;
    }
    return AFN_OK;
}

afn_status afn_io__pickle_op_call(pickle_machine *m,
                                  const pickle_operand *o) /* REDUCE and NEWOBJ */
{
    (void)o;
    afn_status st = AFN_OK;
    afn_pickle_value *v;
    pickle_ref args, callee;
    AFN_TRY(afn_io__pickle_pop(m, &args));
    AFN_TRY(afn_io__pickle_pop(m, &callee));
    if (callee->kind != AFN_PICKLE_GLOBAL)
        return afn_io__pickle_damaged(m, "calls what is no global");
    if (args->kind != AFN_PICKLE_TUPLE)
        return afn_io__pickle_damaged(m, "arguments are not a tuple");
    if (callee->u.integer == AFN_PICKLE_AS_DICT) {
        AFN_TRY(afn_io__pickle_push_new(m, &v, AFN_PICKLE_DICT));
        AFN_TRY(fill_dict(m, v, args));
    } else {
        AFN_TRY(afn_io__pickle_push_new(m, &v, AFN_PICKLE_CALL));
        v->global = callee->global;
        v->u.call.args = args;
    }
done:
    return st;
}

/* Attributes of a dictionary (PyTorch's _metadata) are dropped. */
afn_status afn_io__pickle_op_build(pickle_machine *m, const pickle_operand *o)
{
    (void)o;
    afn_status st = AFN_OK;
    pickle_ref state, object;
    AFN_TRY(afn_io__pickle_pop(m, &state));
    AFN_TRY(afn_io__pickle_top(m, &object));
    if (object->kind == AFN_PICKLE_CALL)
        ((afn_pickle_value *)object)->u.call.state = state;
    else if (object->kind != AFN_PICKLE_DICT)
        st = afn_io__pickle_damaged(m, "a state for what is no object");
done:
    return st;
}

static afn_status push_persid(pickle_machine *m, pickle_ref id)
{
    afn_pickle_value *v;
    const afn_status st = afn_io__pickle_push_new(m, &v, AFN_PICKLE_PERSID);
    if (st != AFN_OK) return st;
    v->u.persid.id = id;
    v->u.persid.next = m->doc->last_persid;
    m->doc->last_persid = v;
    return AFN_OK;
}

afn_status afn_io__pickle_op_binpersid(pickle_machine *m, const pickle_operand *o)
{
    (void)o;
    pickle_ref id;
    const afn_status st = afn_io__pickle_pop(m, &id);
    return st == AFN_OK ? push_persid(m, id) : st;
}

afn_status afn_io__pickle_op_persid(pickle_machine *m, const pickle_operand *o)
{
    pickle_ref id;
    const afn_status st =
        afn_io__pickle_push_text(m, AFN_PICKLE_TEXT, o->text, o->size);
    if (st != AFN_OK) return st;
    return afn_io__pickle_pop(m, &id) == AFN_OK ? push_persid(m, id) : AFN_EFORMAT;
}
