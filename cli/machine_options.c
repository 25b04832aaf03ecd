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

afn_precision cli_precision(int choice)
{
    const afn_precision wanted = (afn_precision)choice;
    const afn_precision here = afn_precision_here(wanted);
    if (here != wanted)
        cli_error("warning: this processor has no %s: computing in %s",
                  cli_precisions[wanted], cli_precisions[here]);
    return here;
}
