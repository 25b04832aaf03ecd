/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a data set as train, eval and data do, with a line on the terminal while its
 * images are looked at. */
#ifndef AFN_CLI_DATA_OPEN_H
#define AFN_CLI_DATA_OPEN_H

#include <stdbool.h>
#include <stdint.h>

#include <afina/afina.h>

/* Choices of --class-order, in the order of afn_class_order, and its help. */
extern const char *const cli_class_orders[];
extern const char cli_class_order_help[];

/* What the options say of the data. */
typedef struct cli_data_args {
    int order;
    double val, test;
    int64_t seed, threads;
    bool plain_split, strict;
} cli_data_args;

/* Open all parts.
 *   look     look at the images before a draw, as the options say; false: only read the
 *            index, for checking what else was typed before anything slow
 * Returns CLI_OK, or CLI_FAILED after a message. */
int cli_data_open(afn_data_parts *out, const char *spec, const cli_data_args *args,
                  bool look);

/* Print how many images each part has, and the classes. */
void cli_put_data(const char *spec, const afn_data_parts *parts);

/* Weights of the classes of d.
 *   out      to be freed with free(), NULL for "none"
 *   how      "none", "balanced" or the name of a file
 * Returns CLI_OK, or CLI_FAILED after a message. */
int cli_class_weights(float **out, const afn_dataset *d, const char *how);

/* Give the model the class names of d.
 * Returns CLI_OK, or CLI_FAILED after a message. */
int cli_name_classes(afn_model *m, const afn_dataset *d);

/* Shows how far the looking is; for on_look of any options, user is not used. */
int cli_on_look(int64_t done, int64_t of, void *user);
void cli_clear_look(void); /* wipes that line */

#endif
