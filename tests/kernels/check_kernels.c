/* SPDX-License-Identifier: Apache-2.0 */
/* Every operator of a backend against the naive one, on hand-picked and random graphs,
 * in every way that plans are used.
 *
 *   check_kernels [--backend NAME] [--case TEXT] [--seed S] [--random COUNT]
 *                 [--isa base|avx2|avx512] [--bf16] [--verbose]
 *                 [--algorithms exact|winograd|library|reordered|pairs]
 *   check_kernels --bench [--backend NAME] [--case TEXT]
 *
 * --isa skips the check (exit status 77) unless the cpu backend runs on exactly this
 * instruction set, which ONEDNN_MAX_CPU_ISA can lower.  --bf16 compares with the naive
 * backend in fp32, and is skipped alike where the processor has no bf16.
 *
 * A pre-activation within rounding of zero may fall on either side of it and change a
 * gradient by much; so a graph that differs is tried again with other numbers, and
 * fails when it differs twice.  Exit status: 0, 1 for a difference, 2 for an error. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/cpu/dnn.h"
#include "kernels.h"

typedef struct options {
    const char *backend, *only; /* only cases whose name contains this; NULL = all */
    const char *isa;            /* NULL = any */
    uint64_t seed;
    int random; /* graphs */
    afn_algorithms algorithms;
    afn_precision precision;
    double slice_bytes; /* of the plan, 0 = as is usual */
    bool bench, verbose;
} options;

typedef struct tally {
    int graphs, runs, retries, failures;
    double worst;
} tally;

static double compare_once(const options *o, const afn_graph *g, const setup *s,
                           uint64_t seed, char *text, size_t text_bytes)
{
    results expected, got;
    setup naive = *s;
    const tolerance allowed = graph_tolerance(g, s);
    naive.precision = AFN_PRECISION_FP32;
    run_graph(&expected, g, &naive, "ref", seed);
    run_graph(&got, g, s, o->backend, seed);
    const double d = compare_results(&expected, &got, &allowed, text, text_bytes);
    free_results(&expected);
    free_results(&got);
    return d;
}

static void print_graph(const afn_graph *g)
{
    afn_buf b = { 0 };
    afn_graph_dump(g, &b);
    if (afn_buf_finish(&b) == AFN_OK) printf("%s", b.data);
    afn_buf_free(&b);
}

static void check_graph(const options *o, const afn_graph *g, const char *name,
                        tally *t)
{
    char text[256];
    t->graphs++;
    bool failed = false;
    for (int i = 0; i < n_setups; i++) {
        setup own = setups[i];
        const setup *s = &own;
        own.algorithms = o->algorithms;
        own.precision = o->precision;
        own.slice_bytes = o->slice_bytes;
        double d = compare_once(o, g, s, o->seed, text, sizeof text);
        t->runs++;
        if (d > 1) {
            t->retries++;
            if (o->verbose) printf("retry %s, %s: %s\n", name, s->name, text);
            d = compare_once(o, g, s, o->seed + 77777, text, sizeof text);
        }
        if (d > t->worst && d <= 1) t->worst = d;
        if (o->verbose && d <= 1)
            printf("ok    %s, %s: %.3f %s\n", name, s->name, d, text);
        if (d <= 1) continue;
        printf("FAIL  %s, %s: %s\n", name, s->name, text);
        failed = true;
    }
    if (failed) print_graph(g);
    t->failures += failed;
    fflush(stdout);
}

static bool chosen(const options *o, const char *name)
{
    return !o->only || strstr(name, o->only);
}

static void check_cases(const options *o, tally *t)
{
    for (int i = 0; i < n_kernel_cases; i++) {
        const kernel_case *k = &kernel_cases[i];
        if (!chosen(o, k->name)) continue;
        afn_graph *g = case_graph(k);
        if (!g) must(AFN_EINVAL, k->name);
        check_graph(o, g, k->name, t);
        afn_graph_free(g);
    }
}

static void check_random(const options *o, tally *t)
{
    for (int i = 0; i < o->random; i++) {
        char name[32];
        snprintf(name, sizeof name, "random %llu",
                 (unsigned long long)o->seed + (unsigned)i);
        if (!chosen(o, name)) continue;
        afn_graph *g = random_graph(o->seed + (uint64_t)i, 2 + i % 13);
        check_graph(o, g, name, t);
        afn_graph_free(g);
    }
}

static void bench(const options *o)
{
    const char *const backend[] = { "ref", o->backend };
    printf("%-32s %12s %12s %12s %12s\n", "ms, batch 8", "ref forward", "+ backward",
           o->backend, "+ backward");
    for (int i = 0; i < n_kernel_cases; i++) {
        const kernel_case *k = &kernel_cases[i];
        if (!chosen(o, k->name)) continue;
        afn_graph *g = case_graph(k);
        if (!g) must(AFN_EINVAL, k->name);
        printf("%-32s", k->name);
        for (int b = 0; b < 2; b++) {
            double forward_s, both_s;
            time_graph(g, backend[b], 8, &forward_s, &both_s);
            printf(" %12.4f %12.4f", forward_s * 1e3, both_s * 1e3);
        }
        printf("\n");
        fflush(stdout);
        afn_graph_free(g);
    }
}

static int usage(void)
{
    fprintf(stderr, "usage: check_kernels [--backend NAME] [--case TEXT] [--seed S] "
                    "[--random COUNT] [--isa NAME] [--bf16] [--slices] "
                    "[--algorithms exact|winograd|library|reordered|pairs] [--verbose] "
                    "[--bench]\n");
    return 2;
}

static afn_algorithms algorithms_of(const char *name)
{
    if (strcmp(name, "winograd") == 0) return AFN_ALGORITHMS_WINOGRAD;
    if (strcmp(name, "library") == 0) return AFN_ALGORITHMS_LIBRARY_WINOGRAD;
    if (strcmp(name, "reordered") == 0) return AFN_ALGORITHMS_REORDERED;
    if (strcmp(name, "pairs") == 0) return AFN_ALGORITHMS_PAIRS;
    if (strcmp(name, "exact") != 0) exit(usage());
    return AFN_ALGORITHMS_EXACT;
}

/* False where the arguments are not understood. */
static bool parse(options *o, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *a = argv[i];
        if (strcmp(a, "--bench") == 0)
            o->bench = true;
        else if (strcmp(a, "--verbose") == 0)
            o->verbose = true;
        else if (strcmp(a, "--bf16") == 0)
            o->precision = AFN_PRECISION_BF16;
        else if (strcmp(a, "--slices") == 0)
            o->slice_bytes = 1; /* every sample alone */
        else if (i + 1 == argc)
            return false;
        else if (strcmp(a, "--backend") == 0)
            o->backend = argv[++i];
        else if (strcmp(a, "--case") == 0)
            o->only = argv[++i];
        else if (strcmp(a, "--isa") == 0)
            o->isa = argv[++i];
        else if (strcmp(a, "--seed") == 0)
            o->seed = strtoull(argv[++i], NULL, 0);
        else if (strcmp(a, "--random") == 0)
            o->random = atoi(argv[++i]);
        else if (strcmp(a, "--algorithms") == 0)
            o->algorithms = algorithms_of(argv[++i]);
        else
            return false;
    }
    return true;
}

static const char *isa_name(void)
{
    static const char *const name[] = {
        [DNN_ISA_BASE] = "base", [DNN_ISA_AVX2] = "avx2", [DNN_ISA_AVX512] = "avx512"
    };
    return name[dnn_best_isa()];
}

int main(int argc, char **argv)
{
    options o = { .backend = "cpu", .seed = 1, .random = 200 };
    if (!parse(&o, argc, argv)) return usage();
    if (o.bench) {
        bench(&o);
        return 0;
    }
    if (o.isa && strcmp(o.isa, isa_name()) != 0) {
        printf("skipped: runs on %s, not on %s\n", isa_name(), o.isa);
        return 77;
    }
    if (afn_precision_here(o.precision) != o.precision) {
        printf("skipped: this processor has no bf16\n");
        return 77;
    }
    tally t = { 0 };
    check_cases(&o, &t);
    check_random(&o, &t);
    printf("%d graphs, %d runs, %d tried twice, %d failed; "
           "largest error that passed: %.2f of what is allowed\n",
           t.graphs, t.runs, t.retries, t.failures, t.worst);
    return t.failures > 0 || t.graphs == 0;
}
