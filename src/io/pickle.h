/* SPDX-License-Identifier: Apache-2.0 */
/* Python pickles, read as inert values.
 *
 * Nothing is imported, called or built: a call in the pickle becomes a value that says
 * which global was called with what, and a global outside the caller's list ends the
 * reading.  Memory stays below a fixed multiple of the pickle's size; the value graph
 * may share nodes and may be cyclic, so walkers must bound their depth and steps. */
#ifndef AFN_IO_PICKLE_H
#define AFN_IO_PICKLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

typedef enum afn_pickle_kind {
    AFN_PICKLE_NONE,
    AFN_PICKLE_BOOL,
    AFN_PICKLE_INT,
    AFN_PICKLE_LONG, /* more than 64 bits: its little-endian bytes are in text */
    AFN_PICKLE_FLOAT,
    AFN_PICKLE_TEXT,
    AFN_PICKLE_BYTES,
    AFN_PICKLE_TUPLE,
    AFN_PICKLE_LIST,
    AFN_PICKLE_SET,
    AFN_PICKLE_DICT,
    AFN_PICKLE_GLOBAL,
    AFN_PICKLE_CALL,   /* a global applied to arguments, perhaps with a state */
    AFN_PICKLE_PERSID, /* a reference to something outside the pickle */
    AFN_N_PICKLE_KINDS
} afn_pickle_kind;

typedef struct afn_pickle_value afn_pickle_value;
struct afn_pickle_value {
    afn_pickle_kind kind;
    int global; /* GLOBAL, CALL: id from the caller's list */
    size_t at;  /* byte of the opcode that made it */
    union {
        int64_t integer; /* BOOL, INT */
        double real;
        struct {
            const char *data; /* borrowed from the pickle, not 0-terminated */
            size_t size;
        } text; /* TEXT, BYTES, LONG */
        struct {
            const afn_pickle_value **item; /* DICT: key, value, key, value, ... */
            size_t count, cap;
        } seq; /* TUPLE, LIST, SET, DICT */
        struct {
            const afn_pickle_value *args, *state; /* state: NULL where there is none */
        } call;
        struct {
            const afn_pickle_value *id;
            const afn_pickle_value *next; /* the PERSID read before this one, or NULL */
        } persid;
    } u;
};

/* What calling a permitted global makes. */
typedef enum afn_pickle_role {
    AFN_PICKLE_AS_CALL, /* a CALL value, for the caller to judge */
    AFN_PICKLE_AS_DICT  /* a DICT, from no argument, pairs or a dictionary */
} afn_pickle_role;

typedef struct afn_pickle_global {
    const char *module, *name;
    afn_pickle_role role;
    int id; /* the caller's */
} afn_pickle_global;

/* The global that ended a reading. */
typedef struct afn_pickle_refusal {
    char name[200]; /* "module.name", empty where nothing was refused */
    size_t at;
    bool is_root_class; /* the pickle as a whole is an object of this class */
} afn_pickle_refusal;

typedef struct afn_pickle_rules {
    const afn_pickle_global *global; /* permitted ones, [count] */
    size_t count;
    size_t base; /* where the pickle begins in its file: added to offsets in messages */
    afn_pickle_refusal *refusal; /* filled where a global is refused; may be NULL */
} afn_pickle_rules;

typedef struct afn_pickle afn_pickle;

/* Read one pickle at the start of bytes, which must outlive the result.
 *
 * Errors     AFN_EFORMAT       damaged or cut off; the message has the byte
 *            AFN_EUNSUPPORTED  a global outside the rules, or a rare opcode
 *            AFN_ENOMEM
 * Source     the opcode list of CPython's Lib/pickletools.py, protocols 0 to 5 */
afn_status afn_pickle_read(afn_pickle **out, const void *bytes, size_t size,
                           const afn_pickle_rules *rules);
void afn_pickle_free(afn_pickle *p);

const afn_pickle_value *afn_pickle_root(const afn_pickle *p);
size_t afn_pickle_size(const afn_pickle *p); /* bytes up to and with STOP */

/* The last PERSID value made; the others follow by u.persid.next.  NULL: none. */
const afn_pickle_value *afn_pickle_persids(const afn_pickle *p);

/* Is v TEXT or BYTES (a Python 2 str) equal to s? */
bool afn_pickle_is_text(const afn_pickle_value *v, const char *s);

/* The value under a text key of a DICT, the last one set; NULL where there is none. */
const afn_pickle_value *afn_pickle_get(const afn_pickle_value *dict, const char *key);

/* "dict", "tuple", ... for messages. */
const char *afn_pickle_kind_name(afn_pickle_kind kind);

#endif
