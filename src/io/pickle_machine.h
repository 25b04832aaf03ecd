/* SPDX-License-Identifier: Apache-2.0 */
/* Inside src/io only: the pickle machine's state, shared by the files that run it. */
#ifndef AFN_IO_PICKLE_MACHINE_H
#define AFN_IO_PICKLE_MACHINE_H

#include "base/base.h"
#include "io/pickle_doc.h"

typedef const afn_pickle_value *pickle_ref;

typedef struct pickle_vec {
    pickle_ref *item;
    size_t count, cap;
} pickle_vec;

typedef struct pickle_machine {
    afn_pickle *doc;
    const afn_pickle_rules *rules;
    const uint8_t *bytes;
    size_t size, pos;
    size_t at;        /* of the opcode being run */
    pickle_vec stack; /* a NULL item is a mark */
    pickle_vec memo;  /* a NULL item is unset */
    size_t memo_count;
    size_t frame; /* index above the topmost mark, 0 = none: pops stop there */
    size_t *mark; /* [n_marks] such indices of all marks on the stack */
    size_t n_marks, marks_cap;
    bool stopped;
} pickle_machine;

/* The operand of one opcode, decoded. */
typedef struct pickle_operand {
    int64_t integer;
    double real;
    const char *text, *text2; /* borrowed */
    size_t size, size2;
} pickle_operand;

typedef enum pickle_coding {
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
} pickle_coding;

/* ---- pickle_stack.c ---- */

/* Byte of the present opcode in the file. */
size_t afn_io__pickle_where(const pickle_machine *m);
afn_status afn_io__pickle_damaged(const pickle_machine *m, const char *what);

/* Room for count items. */
afn_status afn_io__pickle_reserve(pickle_vec *v, size_t count);

afn_status afn_io__pickle_push(pickle_machine *m, pickle_ref v);
afn_status afn_io__pickle_pop(pickle_machine *m, pickle_ref *out); /* not a mark */
afn_status afn_io__pickle_top(pickle_machine *m, pickle_ref *out); /* pop, but left */

afn_status afn_io__pickle_push_mark(pickle_machine *m);

/* Drop everything above the topmost mark, and the mark.  The items stay readable until
 * the next push. */
afn_status afn_io__pickle_pop_mark(pickle_machine *m, pickle_ref **item, size_t *count);

/* A new value of the document; push_ also puts it on the stack. */
afn_status afn_io__pickle_new(pickle_machine *m, afn_pickle_value **out,
                              afn_pickle_kind kind);
afn_status afn_io__pickle_push_new(pickle_machine *m, afn_pickle_value **out,
                                   afn_pickle_kind kind);
afn_status afn_io__pickle_push_text(pickle_machine *m, afn_pickle_kind kind,
                                    const char *s, size_t n);

/* Append items to a container's array, which grows by doubling. */
afn_status afn_io__pickle_extend(pickle_machine *m, afn_pickle_value *v,
                                 const pickle_ref *item, size_t n);

/* ---- pickle_operand.c ---- */

afn_status afn_io__pickle_cut_off(const pickle_machine *m);

/* Decode the operand at m->pos and step over it. */
afn_status afn_io__pickle_operand(pickle_machine *m, pickle_operand *o,
                                  pickle_coding c);

/* ---- pickle_calls.c: the opcodes that name globals or call them ---- */

afn_status afn_io__pickle_op_global(pickle_machine *m, const pickle_operand *o);
afn_status afn_io__pickle_op_stack_global(pickle_machine *m, const pickle_operand *o);
afn_status afn_io__pickle_op_call(pickle_machine *m, const pickle_operand *o);
afn_status afn_io__pickle_op_build(pickle_machine *m, const pickle_operand *o);
afn_status afn_io__pickle_op_persid(pickle_machine *m, const pickle_operand *o);
afn_status afn_io__pickle_op_binpersid(pickle_machine *m, const pickle_operand *o);

#endif
