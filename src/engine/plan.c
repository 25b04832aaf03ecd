/* SPDX-License-Identifier: Apache-2.0 */
/* The public calls of a plan. */
#include "engine/plan.h"

#include <string.h>

static afn_status copy_options(afn_plan *p, const afn_plan_opts *o)
{
    p->opts = *o;
    p->n_params = afn_graph_n_params(p->graph);
    const size_t n = (size_t)p->n_params;
    p->trainable = afn_alloc_array(n, sizeof *p->trainable);
    p->blob = afn_alloc_array(n, sizeof *p->blob);
    if (!p->trainable || !p->blob) return afn_fail(AFN_ENOMEM, "out of memory");
    if (o->train && o->trainable) memcpy(p->trainable, o->trainable, n);
    p->opts.trainable = p->trainable;
    for (int i = 0; i < p->n_params; i++) {
        p->blob[i].param = i;
        p->blob[i].trainable = p->trainable[i] && !afn_graph_param(p->graph, i)->buffer;
    }
    return AFN_OK;
}

/* Normalised value of every byte of each channel: as torchvision's ToTensor and
 * Normalize, step by step in float. */
static afn_status make_pixel_table(afn_plan *p)
{
    const afn_plan_opts *o = &p->opts;
    const int64_t channels = afn_graph_node(p->graph, 0)->shape.dim[0];
    if (channels > AFN_MAX_CHANNELS) return AFN_OK; /* takes values, no pixels */
    const bool normalise = o->std[0] > 0;
    p->pixel_table = afn_alloc_array((size_t)channels, 256 * sizeof(float));
    if (!p->pixel_table) return afn_fail(AFN_ENOMEM, "out of memory");
    for (int64_t c = 0; c < channels; c++)
        for (int i = 0; i < 256; i++) {
            const float x = (float)i / 255.0f;
            p->pixel_table[c * 256 + i] = normalise ? (x - o->mean[c]) / o->std[c] : x;
        }
    return AFN_OK;
}

/* What the plan computes in: the backend must know it, the processor need not. */
static afn_status settle_precision(afn_plan *p)
{
    if (p->opts.precision == AFN_PRECISION_BF16 && !p->backend->bf16)
        return afn_fail(AFN_EUNSUPPORTED, "backend %s computes in fp32 only",
                        p->backend->name);
    const afn_precision here = afn_precision_here(p->opts.precision);
    if (here != p->opts.precision)
        afn_log(AFN_LOG_WARNING, "this processor has no bf16: computing in fp32");
    p->opts.precision = here;
    return AFN_OK;
}

static afn_status open_device(afn_plan *p)
{
    const int threads = p->opts.threads > 0 ? p->opts.threads : afn_cpu_count();
    const afn_status st = settle_precision(p);
    if (st != AFN_OK) return st;
    return p->backend->open(&p->device, threads, p->opts.precision);
}

static afn_status grow_arena(afn_plan *p, size_t bytes)
{
    if (bytes <= p->arena_bytes) return AFN_OK;
    afn_free(p->arena); /* what it held is dead between calls */
    p->arena_bytes = 0;
    p->arena = afn_alloc_aligned(bytes);
    if (!p->arena)
        return afn_fail(AFN_ENOMEM, "out of memory: %zu MB of activations",
                        bytes >> 20);
    p->arena_bytes = bytes;
    return AFN_OK;
}

/* It moves to the front of the list. */
afn_status afn_plan_program(afn_plan *p, int64_t n, afn_program **out)
{
    afn_status st = AFN_OK;
    afn_program *found = NULL;
    int at = 0;
    while (at < AFN_MAX_PROGRAMS - 1 && p->program[at] && p->program[at]->n != n) at++;
    if (p->program[at] && p->program[at]->n == n) found = p->program[at];
    if (!found) {
        AFN_TRY(afn_program_new(&found, p, n));
        afn_program_free(p->program[at], p); /* the least recently used, or none */
    }
    for (; at > 0; at--) p->program[at] = p->program[at - 1];
    p->program[0] = found;
    *out = found;
    if (p->opts.sizes_only) {
        p->arena_bytes = found->arena_bytes;
        goto done;
    }
    AFN_TRY(afn_blobs_allocate(p));
    AFN_TRY(grow_arena(p, found->arena_bytes));
    found->base = p->arena;
done:
    return st;
}

static afn_status check_watched(const afn_plan *p)
{
    const afn_value v = p->opts.watch;
    if (v <= 0) return AFN_OK;
    if (v >= p->low.n_nodes || p->low.step_of[v] < 0)
        return afn_fail(AFN_EINVAL, "value %d is not made by any step", (int)v);
    return p->opts.train ? AFN_OK
                         : afn_fail(AFN_EINVAL, "an inference plan has no gradients");
}

afn_status afn_plan_new(afn_plan **out, const afn_graph *g, afn_params *params,
                        const afn_plan_opts *opts)
{
    afn_status st = AFN_OK;
    afn_program *usual;
    *out = NULL;
    afn_plan *p = afn_alloc(sizeof *p);
    AFN_REQUIRE(p, AFN_ENOMEM, "out of memory");
    AFN_REQUIRE(opts->batch > 0, AFN_EINVAL, "batch is %lld, need at least 1",
                (long long)opts->batch);
    p->graph = g;
    p->params = params;
    AFN_TRY(afn_backend_find(&p->backend, opts->backend ? opts->backend : "cpu"));
    AFN_TRY(copy_options(p, opts));
    AFN_TRY(make_pixel_table(p));
    AFN_TRY(open_device(p));
    AFN_TRY(afn_lower(&p->low, g, &p->opts, p->backend));
    AFN_TRY(check_watched(p));
    p->backend->enter(p->device);
    AFN_TRY(afn_plan_program(p, opts->batch, &usual));
    *out = p;
    p = NULL;
done:
    afn_plan_free(p);
    return st;
}

void afn_plan_free(afn_plan *p)
{
    if (!p) return;
    for (int i = 0; i < AFN_MAX_PROGRAMS; i++) afn_program_free(p->program[i], p);
    afn_blobs_free(p);
    afn_lowered_free(&p->low);
    if (p->device) p->backend->close(p->device);
    afn_free(p->profiler);
    afn_free(p->trainable);
    afn_free(p->changes);
    afn_free(p->padded);
    afn_free(p->pixel_table);
    afn_free(p->arena);
    afn_free(p);
}

afn_status afn_plan_finish(afn_plan *p, afn_program *r, int from, const uint8_t *pixels,
                           const float *values, float *logits)
{
    afn_status st = AFN_OK;
    const afn_value out = p->low.output;
    p->calls++; /* before the kernels, so that backward sees the same number */
    AFN_TRY(afn_program_forward(r, p, from, p->low.n_steps, pixels, values));
    AFN_TRY(p->backend->read_value(p->device, &r->layout[out],
                                   &afn_graph_node(p->graph, out)->shape, r->n,
                                   afn_program_at(r, r->value_buffer[out]), logits));
    if (p->opts.train) {
        p->last = r;
        p->new_batches++;
    }
done:
    return st;
}

int afn_plan_heads(const afn_plan *p)
{
    const afn_shape *made = &afn_graph_node(p->graph, p->low.output)->shape;
    return (int)(afn_shape_count(made) / afn_graph_classes(p->graph));
}

static afn_status forward(afn_plan *p, const uint8_t *pixels, const float *values,
                          int64_t n, float *logits)
{
    afn_status st = AFN_OK;
    afn_program *r;
    p->last = NULL;
    p->backend->enter(p->device);
    AFN_REQUIRE(n > 0, AFN_EINVAL, "a batch of %lld samples", (long long)n);
    AFN_REQUIRE(!p->opts.sizes_only, AFN_EINVAL, "this plan was made for its sizes");
    AFN_TRY(afn_plan_program(p, n, &r));
    AFN_TRY(afn_plan_finish(p, r, 0, pixels, values, logits));
done:
    return st;
}

afn_status afn_plan_forward(afn_plan *p, const uint8_t *pixels, int64_t n,
                            float *logits)
{
    if (!p->pixel_table)
        return afn_fail(AFN_ESHAPE, "pixels of more than %d channels",
                        (int)AFN_MAX_CHANNELS);
    return forward(p, pixels, NULL, n, logits);
}

afn_status afn_plan_forward_f32(afn_plan *p, const float *x, int64_t n, float *logits)
{
    return forward(p, NULL, x, n, logits);
}

afn_status afn_plan_run_backward(afn_plan *p, const float *dlogits, const afn_update *u)
{
    afn_program *r = p->last;
    const afn_value out = p->low.output;
    if (!r)
        return afn_fail(AFN_EINVAL, "backward without a training forward before it");
    if (r->grad_buffer[out] < 0) return AFN_OK; /* nothing trains */
    const afn_status st = p->backend->write_value(
        p->device, &r->layout[out], &afn_graph_node(p->graph, out)->shape, r->n,
        dlogits, afn_program_at(r, r->grad_buffer[out]));
    return st == AFN_OK ? afn_program_backward(r, p, u) : st;
}

static afn_status update(afn_plan *p, const afn_update *u)
{
    const double start = afn_profile_start(p);
    const afn_status st = afn_blobs_update(p, u);
    afn_profile_add_update(p, start);
    return st;
}

static afn_status keeps_gradients(const afn_plan *p)
{
    if (!p->opts.update_at_once) return AFN_OK;
    return afn_fail(AFN_EINVAL, "this plan updates at once and keeps no gradients");
}

afn_status afn_plan_backward(afn_plan *p, const float *dlogits)
{
    p->backend->enter(p->device);
    const afn_status st = keeps_gradients(p);
    return st == AFN_OK ? afn_plan_run_backward(p, dlogits, NULL) : st;
}

afn_status afn_plan_update(afn_plan *p, const afn_optimizer *opt,
                           const afn_step_args *args, const int *group)
{
    p->backend->enter(p->device);
    const afn_status st = keeps_gradients(p);
    return st == AFN_OK ? update(p, &(afn_update){ opt, args, group }) : st;
}

afn_status afn_plan_backward_update(afn_plan *p, const float *dlogits,
                                    const afn_optimizer *opt, const afn_step_args *args,
                                    const int *group)
{
    const afn_update u = { opt, args, group };
    const bool at_once = p->opts.update_at_once;
    p->backend->enter(p->device);
    afn_status st = afn_blobs_prepare_update(p, &u);
    if (st == AFN_OK) st = afn_plan_run_backward(p, dlogits, at_once ? &u : NULL);
    if (st == AFN_OK && !at_once) st = update(p, &u);
    return st;
}

afn_status afn_plan_sync(afn_plan *p)
{
    p->backend->enter(p->device);
    return p->opts.train ? afn_blobs_store(p, false) : AFN_OK;
}

afn_status afn_plan_sync_average(afn_plan *p)
{
    p->backend->enter(p->device);
    return p->opts.train ? afn_blobs_store(p, true) : AFN_OK;
}

afn_status afn_plan_reload(afn_plan *p, const bool *only, int from)
{
    p->backend->enter(p->device);
    afn_status st = afn_blobs_load(p, only);
    for (int i = 0; i < AFN_MAX_PROGRAMS && p->program[i]; i++)
        for (int k = from; st == AFN_OK && k < p->low.n_steps; k++) {
            const afn_bound *b = &p->program[i]->bound[k];
            if (b->ops->load) st = b->ops->load(b->kernel.state, p->params);
        }
    return st;
}

afn_status afn_plan_refresh(afn_plan *p)
{
    return afn_plan_reload(p, NULL, 0);
}

afn_status afn_plan_gradient(const afn_plan *p, int i, float *out)
{
    if (i < 0 || i >= p->n_params || !p->blob[i].grad)
        return afn_fail(AFN_EINVAL, "parameter %d is not trained", i);
    p->backend->enter(p->device);
    return p->backend->unpack(p->device, &p->blob[i],
                              &afn_graph_param(p->graph, i)->shape, p->blob[i].grad,
                              out);
}

afn_status afn_plan_input_gradient(const afn_plan *p, float *out)
{
    const afn_program *r = p->last;
    const afn_value in = p->low.n_steps ? p->low.step[0].output : AFN_NO_VALUE;
    if (!r || r->grad_buffer[in] < 0)
        return afn_fail(AFN_EINVAL, "the input's gradient was not asked for");
    p->backend->enter(p->device);
    return p->backend->read_value(p->device, &r->layout[in],
                                  &afn_graph_node(p->graph, in)->shape, r->n,
                                  afn_program_at(r, r->grad_buffer[in]), out);
}

afn_status afn_plan_watched(const afn_plan *p, float *value, float *gradient)
{
    const afn_program *r = p->last;
    const afn_value v = p->opts.watch;
    if (v <= 0 || !r)
        return afn_fail(AFN_EINVAL, "nothing is watched, or nothing was run");
    const afn_shape *shape = &afn_graph_node(p->graph, v)->shape;
    afn_status st = AFN_OK;
    p->backend->enter(p->device);
    if (value)
        st = p->backend->read_value(p->device, &r->layout[v], shape, r->n,
                                    afn_program_at(r, r->value_buffer[v]), value);
    if (st == AFN_OK && gradient)
        st = p->backend->read_value(p->device, &r->layout[v], shape, r->n,
                                    afn_program_at(r, r->grad_buffer[v]), gradient);
    return st;
}

afn_value afn_plan_cut(const afn_plan *p)
{
    return p->low.cut;
}

size_t afn_plan_arena_bytes(const afn_plan *p)
{
    return p->arena_bytes;
}

size_t afn_plan_param_bytes(const afn_plan *p)
{
    size_t floats = 0;
    for (int i = 0; i < p->n_params; i++) {
        const afn_blob *b = &p->blob[i];
        if (!b->used) continue;
        size_t copies = 1 + (b->grad != NULL);
        for (int k = 0; k < AFN_N_STATES; k++) copies += b->state[k] != NULL;
        floats += copies * (size_t)b->count;
    }
    return floats * sizeof(float);
}

size_t afn_plan_state_bytes(const afn_plan *p, int n)
{
    size_t floats = 0;
    for (int i = 0; i < p->n_params; i++)
        if (p->blob[i].used && p->blob[i].trainable) floats += (size_t)p->blob[i].count;
    return (size_t)n * floats * sizeof(float);
}

void afn_plan_dump(const afn_plan *p, afn_buf *out)
{
    afn_lowered_dump(&p->low, out);
}

double afn_plan_macs(const afn_plan *p)
{
    return afn_graph_macs(p->graph) * (double)p->opts.batch;
}
