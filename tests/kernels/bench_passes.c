/* SPDX-License-Identifier: Apache-2.0 */
/* Every algorithm of a convolution on real layers: milliseconds of each pass, and how
 * far the result is from the direct one, relative to its largest element.
 *
 *   bench_passes [--bf16] [--pass NAME] [TEXT]
 *
 *   --pass NAME     only infer, forward, data or weights
 *   TEXT            only networks and layers whose name contains it
 *
 * ONEDNN_MAX_CPU_ISA=AVX2 shows another processor; OMP_NUM_THREADS as usual. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/cpu/cpu_pass.h"

typedef struct layer {
    const char *name;
    int64_t n, ic, h, w, oc;
    int k, stride;
} layer;

static const layer layers[] = {
    { "resnet50 layer1 3x3", 32, 64, 56, 56, 64, 3, 1 },
    { "resnet50 layer2 3x3", 32, 128, 28, 28, 128, 3, 1 },
    { "resnet50 layer3 3x3", 32, 256, 14, 14, 256, 3, 1 },
    { "resnet50 layer4 3x3", 32, 512, 7, 7, 512, 3, 1 },
    { "resnet50 layer1 1x1", 32, 64, 56, 56, 256, 1, 1 },
    { "resnet50 layer1 1x1 back", 32, 256, 56, 56, 64, 1, 1 },
    { "resnet50 layer2 1x1 first", 32, 256, 56, 56, 128, 1, 1 },
    { "resnet50 layer2 1x1", 32, 128, 28, 28, 512, 1, 1 },
    { "resnet50 layer2 1x1 back", 32, 512, 28, 28, 128, 1, 1 },
    { "resnet50 layer3 1x1", 32, 256, 14, 14, 1024, 1, 1 },
    { "resnet50 layer3 1x1 back", 32, 1024, 14, 14, 256, 1, 1 },
    { "resnet50 layer4 1x1", 32, 512, 7, 7, 2048, 1, 1 },
    { "resnet50 layer4 1x1 back", 32, 2048, 7, 7, 512, 1, 1 },
    { "resnet50 layer2 1x1/2", 32, 256, 56, 56, 512, 1, 2 },
    { "resnet50 layer3 1x1/2", 32, 512, 28, 28, 1024, 1, 2 },
    { "resnet50 layer4 1x1/2", 32, 1024, 14, 14, 2048, 1, 2 },
    { "resnet50 layer2 3x3/2", 32, 128, 56, 56, 128, 3, 2 },
    { "resnet50 layer3 3x3/2", 32, 256, 28, 28, 256, 3, 2 },
    { "resnet50 layer4 3x3/2", 32, 512, 14, 14, 512, 3, 2 },
    { "vgg16 conv1_2", 16, 64, 224, 224, 64, 3, 1 },
    { "vgg16 conv2_1", 16, 64, 112, 112, 128, 3, 1 },
    { "vgg16 conv2_2", 16, 128, 112, 112, 128, 3, 1 },
    { "vgg16 conv3_1", 16, 128, 56, 56, 256, 3, 1 },
    { "vgg16 conv3_2", 16, 256, 56, 56, 256, 3, 1 },
    { "vgg16 conv4_1", 16, 256, 28, 28, 512, 3, 1 },
    { "vgg16 conv4_2", 16, 512, 28, 28, 512, 3, 1 },
    { "vgg16 conv5_1", 16, 512, 14, 14, 512, 3, 1 },
};

static const struct {
    const char *name;
    dnn_pass kind;
    dnn_slot result;
} passes[] = {
    { "infer", DNN_INFER, DNN_DST },
    { "forward", DNN_FORWARD, DNN_DST },
    { "data", DNN_BACKWARD_DATA, DNN_DIFF_SRC },
    { "weights", DNN_BACKWARD_WEIGHTS, DNN_DIFF_WEIGHTS },
};

static const cpu_algo *const algos[][5] = {
    [DNN_F32] = { &cpu_algo_direct, &cpu_algo_winograd_dnn, &cpu_algo_winograd },
    [DNN_BF16] = { &cpu_algo_direct, &cpu_algo_pairs, &cpu_algo_winograd_f2,
                   &cpu_algo_winograd_f2_weights, &cpu_algo_reordered },
};

static void must(afn_status st)
{
    if (st == AFN_OK) return;
    fprintf(stderr, "bench_passes: %s\n", afn_error_message());
    exit(2);
}

static float *buffer_of(size_t bytes, bool random)
{
    float *v = afn_alloc_aligned(bytes);
    unsigned state = 1;
    if (!v) exit(2);
    for (size_t i = 0; i < bytes / sizeof *v; i++) {
        state = state * 1664525u + 1013904223u;
        v[i] = random ? (float)(state >> 8) / (1 << 23) - 1 : 0;
    }
    return v;
}

/* One layer: descriptors, buffers, and the direct result of the pass at hand. */
typedef struct bench {
    cpu_device *device;
    const char *pass, *layer; /* what to run, NULL = all */
    afn_conv_attr conv;
    dnn_md *src, *dst;
    dnn_md *weights, *gradient; /* any layout; the gradient is in fp32 */
    dnn_md *blob;               /* weights as they are kept */
    float *data[DNN_N_SLOTS], *expected;
} bench;

/* Values of the device's type. */
static float *values_of(const bench *b, const dnn_md *md)
{
    const size_t bytes = dnn_md_bytes(md);
    if (b->device->type == DNN_F32) return buffer_of(bytes, true);
    float *wide = buffer_of(2 * bytes, true), *v = buffer_of(bytes, false);
    afn_kern_avx512_bf16.store(v, wide, (int64_t)(bytes / 2));
    afn_free(wide);
    return v;
}

static void open_layer(bench *b, const layer *l)
{
    const dnn_type type = b->device->type;
    const int64_t src[] = { l->n, l->ic, l->h, l->w };
    const int64_t dst[] = { l->n, l->oc, l->h / l->stride, l->w / l->stride };
    const int64_t weights[] = { l->oc, l->ic, l->k, l->k };
    const bool wide = b->device->kern->block == 16;
    b->conv = (afn_conv_attr){ .oc = (int)l->oc,
                               .kh = l->k,
                               .kw = l->k,
                               .sh = l->stride,
                               .sw = l->stride,
                               .ph = l->k / 2,
                               .pw = l->k / 2,
                               .dh = 1,
                               .dw = 1,
                               .groups = 1 };
    must(dnn_md_new(&b->src, 4, src, b->device->blocked, type));
    must(dnn_md_new(&b->dst, 4, dst, b->device->blocked, type));
    must(dnn_md_new(&b->weights, 4, weights, DNN_ANY, type));
    must(dnn_md_new(&b->gradient, 4, weights, DNN_ANY, DNN_F32));
    must(
        dnn_md_new(&b->blob, 4, weights, wide ? DNN_WEIGHTS16 : DNN_WEIGHTS8, DNN_F32));
    b->data[DNN_SRC] = values_of(b, b->src);
    b->data[DNN_WEIGHTS] = buffer_of(dnn_md_bytes(b->blob), true);
    b->data[DNN_DIFF_DST] = values_of(b, b->dst);
    b->data[DNN_DST] = buffer_of(dnn_md_bytes(b->dst), false);
    b->data[DNN_DIFF_SRC] = buffer_of(dnn_md_bytes(b->src), false);
}

static void close_layer(bench *b)
{
    dnn_md_free(b->src);
    dnn_md_free(b->dst);
    dnn_md_free(b->weights);
    dnn_md_free(b->gradient);
    dnn_md_free(b->blob);
    for (int i = 0; i < DNN_N_SLOTS; i++) afn_free(b->data[i]);
    *b = (bench){ .device = b->device, .pass = b->pass, .layer = b->layer };
}

static void reorder(const bench *b, const dnn_md *from, const dnn_md *to, float *x,
                    float *y)
{
    dnn_op *op;
    must(dnn_reorder_new(&op, b->device->dnn, from, to));
    const dnn_md *md = dnn_op_md(op, DNN_SCRATCH);
    float *scratch = buffer_of(md ? dnn_md_bytes(md) : 0, false);
    must(dnn_run(b->device->dnn, op,
                 (void *[DNN_N_SLOTS]){
                     [DNN_SRC] = x, [DNN_DST] = y, [DNN_SCRATCH] = scratch }));
    afn_free(scratch);
    dnn_op_free(op);
}

/* Weights for a pass, in its layout. */
static float *weights_for(const bench *b, const cpu_pass *p)
{
    dnn_md *plain;
    float *own = buffer_of(dnn_md_bytes(p->weights), false);
    must(dnn_md_plain(&plain, b->blob));
    float *flat = buffer_of(dnn_md_bytes(plain), false);
    reorder(b, b->blob, plain, b->data[DNN_WEIGHTS], flat);
    reorder(b, plain, p->weights, flat, own);
    dnn_md_free(plain);
    afn_free(flat);
    if (!p->packed_bytes) return own;
    float *packed = buffer_of(p->packed_bytes, false);
    p->algo->pack(p, own, packed);
    afn_free(own);
    return packed;
}

static double fastest(const cpu_pass *p, void **buffer)
{
    void *scratch = buffer_of(p->scratch_bytes, false);
    void *held = buffer_of(p->held_bytes, false);
    const cpu_run whole = { buffer, scratch, held, true, true };
    double best = INFINITY;
    const double start = afn_now_s();
    for (int i = 0; i < 3 || (i < 30 && afn_now_s() - start < 0.3); i++) {
        const double t = afn_now_s();
        must(cpu_pass_run(p, &whole));
        const double took = afn_now_s() - t;
        if (took < best) best = took;
    }
    afn_free(held);
    afn_free(scratch);
    return best;
}

/* A result in row-major order. */
static float *plain_result(const bench *b, const dnn_md *md, float *v, int64_t *count)
{
    dnn_md *plain;
    must(dnn_md_plain(&plain, md));
    float *flat = buffer_of(dnn_md_bytes(plain), false);
    *count = (int64_t)(dnn_md_bytes(plain) / sizeof *v);
    reorder(b, md, plain, v, flat);
    dnn_md_free(plain);
    return flat;
}

static double difference(const float *a, const float *b, int64_t n)
{
    double worst = 0, largest = 0;
    for (int64_t i = 0; i < n; i++) {
        const double d = fabs((double)a[i] - (double)b[i]);
        if (!(d <= worst)) worst = d;
        if (fabs((double)a[i]) > largest) largest = fabs((double)a[i]);
    }
    return worst / largest;
}

static void run_algo(bench *b, int pass, const cpu_algo *algo)
{
    cpu_pass *p;
    int64_t count;
    const dnn_slot slot = passes[pass].result;
    const bool gradient = slot == DNN_DIFF_WEIGHTS;
    const dnn_product d = { .src = b->src,
                            .dst = b->dst,
                            .weights = gradient ? b->gradient : b->weights,
                            .conv = &b->conv,
                            .act = AFN_NO_ACT };
    const afn_status st = cpu_pass_new(&p, algo, b->device, passes[pass].kind, &d);
    if (st == AFN_EUNSUPPORTED) {
        printf("%28s", "-");
        return;
    }
    must(st);
    float *weights =
        gradient ? buffer_of(dnn_md_bytes(p->weights), false) : weights_for(b, p);
    void *buffer[DNN_N_SLOTS] = { [DNN_SRC] = b->data[DNN_SRC],
                                  [DNN_DST] = b->data[DNN_DST],
                                  [DNN_DIFF_DST] = b->data[DNN_DIFF_DST],
                                  [DNN_DIFF_SRC] = b->data[DNN_DIFF_SRC],
                                  [DNN_WEIGHTS] = weights,
                                  [DNN_DIFF_WEIGHTS] = weights };
    const double s = fastest(p, buffer);
    float *y = plain_result(b,
                            gradient               ? p->weights
                            : slot == DNN_DIFF_SRC ? b->src
                                                   : b->dst,
                            buffer[slot], &count);
    if (!b->expected) b->expected = y;
    printf("%18.2f (%.1e)", s * 1e3, difference(b->expected, y, count));
    fflush(stdout);
    if (y != b->expected) afn_free(y);
    afn_free(weights);
    cpu_pass_free(p);
}

static void run_layer(bench *b, const layer *l)
{
    const cpu_algo *const *a = algos[b->device->type];
    open_layer(b, l);
    for (int k = 0; k < (int)AFN_COUNT(passes); k++) {
        if (b->pass && strcmp(b->pass, passes[k].name) != 0) continue;
        printf("%-26s%-8s", l->name, passes[k].name);
        for (int i = 0; i < 5 && a[i]; i++) run_algo(b, k, a[i]);
        printf("\n");
        afn_free(b->expected);
        b->expected = NULL;
    }
    close_layer(b);
}

int main(int argc, char **argv)
{
    bench b = { 0 };
    void *device;
    afn_precision precision = AFN_PRECISION_FP32;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--bf16") == 0)
            precision = AFN_PRECISION_BF16;
        else if (strcmp(argv[i], "--pass") == 0 && i + 1 < argc)
            b.pass = argv[++i];
        else
            b.layer = argv[i];
    }
    if (afn_precision_here(precision) != precision) return 77;
    must(afn_backend_cpu.open(&device, afn_cpu_count(), precision));
    afn_backend_cpu.enter(device);
    b.device = device;
    printf("%-34s", "ms (difference)");
    const cpu_algo *const *a = algos[b.device->type];
    for (int i = 0; i < 5 && a[i]; i++) printf("%28s", a[i]->name);
    printf("\n");
    for (size_t i = 0; i < AFN_COUNT(layers); i++)
        if (!b.layer || strstr(layers[i].name, b.layer)) run_layer(&b, &layers[i]);
    afn_backend_cpu.close(device);
    return 0;
}
