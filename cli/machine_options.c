/* SPDX-License-Identifier: Apache-2.0 */
/* What the shared options choose among. */
#include "machine_options.h"

#include <stddef.h>

const char *const cli_backends[] = { "cpu", "ref", NULL };

const char *const cli_precisions[] = { "fp32", "bf16", NULL };
_Static_assert(AFN_PRECISION_FP32 == 0 && AFN_PRECISION_BF16 == 1,
               "cli_precisions[] in the order of afn_precision");

const char cli_precision_help[] =
    "of activations and products: bf16 halves their memory and can be faster; it falls "
    "back to fp32 where the processor does not multiply it";

const char *const cli_bn_modes[] = { "auto", "batch", "frozen", NULL };
_Static_assert(AFN_BN_AUTO == 0 && AFN_BN_BATCH == 1 && AFN_BN_FROZEN == 2,
               "cli_bn_modes[] in the order of afn_bn_mode");

const char cli_bn_help[] =
    "statistics of batch norm: auto takes the running ones where a layer is frozen and "
    "the batch's where it trains, batch the batch's everywhere as PyTorch's "
    "model.train(), frozen the running ones everywhere";

afn_precision cli_precision(int choice)
{
    const afn_precision wanted = (afn_precision)choice;
    const afn_precision here = afn_precision_here(wanted);
    if (here != wanted)
        cli_error("warning: this processor has no %s: computing in %s",
                  cli_precisions[wanted], cli_precisions[here]);
    return here;
}
