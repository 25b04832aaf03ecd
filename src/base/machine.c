/* SPDX-License-Identifier: Apache-2.0 */
/* The machine as Linux describes it under /proc: lines of "key<blanks>: value". */
#include "base/machine.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The value of the first line of a file that begins with key, "" where none does. */
static void read_field(const char *path, const char *key, char *out, size_t bytes)
{
    char line[256];
    FILE *f = fopen(path, "r");
    out[0] = '\0';
    if (!f) return;
    while (!out[0] && fgets(line, sizeof line, f)) {
        const char *colon = strchr(line, ':');
        if (!colon || strncmp(line, key, strlen(key))) continue;
        const char *value = colon + 1 + strspn(colon + 1, " \t");
        snprintf(out, bytes, "%.*s", (int)strcspn(value, "\n"), value);
    }
    fclose(f);
}

char *afn_cpu_name(char buf[AFN_CPU_NAME_BYTES])
{
    read_field("/proc/cpuinfo", "model name", buf, AFN_CPU_NAME_BYTES);
    if (!buf[0]) snprintf(buf, AFN_CPU_NAME_BYTES, "unknown");
    return buf;
}

/* "1234 kB" of this process, in bytes. */
static size_t own_memory(const char *key)
{
    char text[32];
    read_field("/proc/self/status", key, text, sizeof text);
    return (size_t)strtoull(text, NULL, 10) * 1024;
}

/* Not getrusage(): its maximum is inherited from whoever started this program. */
size_t afn_peak_rss_bytes(void)
{
    return own_memory("VmHWM");
}

size_t afn_rss_bytes(void)
{
    return own_memory("VmRSS");
}

afn_isa afn_best_isa(void)
{
#if defined(__x86_64__)
    const bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") &&
                    __builtin_cpu_supports("fma");
    const bool v4 =
        __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512cd");
    return v3 && v4 ? AFN_ISA_AVX512 : v3 ? AFN_ISA_AVX2 : AFN_ISA_BASE;
#else
    return AFN_ISA_BASE;
#endif
}
