/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of the machine and of the memory this process has taken. */
#ifndef AFN_BASE_MACHINE_H
#define AFN_BASE_MACHINE_H

#include <stddef.h>

enum { AFN_CPU_NAME_BYTES = 64 };

/* "AMD EPYC 9R14", written into buf; "unknown" where the system does not say; returns
 * buf. */
char *afn_cpu_name(char buf[AFN_CPU_NAME_BYTES]);

/* Instruction sets that code is compiled for, and the best that this processor has. */
typedef enum afn_isa { AFN_ISA_BASE, AFN_ISA_AVX2, AFN_ISA_AVX512 } afn_isa;
afn_isa afn_best_isa(void);

/* Most memory that this process has had resident so far; 0 where unknown. */
size_t afn_peak_rss_bytes(void);

/* Memory that this process has resident now; 0 where unknown. */
size_t afn_rss_bytes(void);

#endif
