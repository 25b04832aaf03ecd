/* SPDX-License-Identifier: Apache-2.0 */
/* Another number of input channels.  The rule is that of timm's adapt_input_conv()
 * (https://github.com/huggingface/pytorch-image-models, timm/models/_manipulate.py). */
#include "model/state.h"

int afn_model__input_param(const afn_graph *g)
{
    for (int i = 0; i < afn_graph_n_nodes(g); i++) {
        const afn_node *n = afn_graph_node(g, i);
        if (n->op == AFN_OP_CONV2D && n->input[0] == 0) return n->param[AFN_WEIGHT];
    }
    return -1;
}

/* What output `o` makes of channel c. */
static void adapt_one(float *to, const float *from, const model_input *s, int64_t c)
{
    const double scale = (double)s->from_channels / (double)s->to_channels;
    for (int64_t i = 0; i < s->pixels; i++) {
        double sum = 0;
        for (int64_t k = 0; s->to_channels == 1 && k < s->from_channels; k++)
            sum += (double)from[k * s->pixels + i];
        to[i] =
            s->to_channels == 1
                ? (float)sum
                : (float)(scale * (double)from[c % s->from_channels * s->pixels + i]);
    }
}

void afn_model__adapt_input(float *to, const float *from, const model_input *s)
{
    for (int64_t o = 0; o < s->oc; o++)
        for (int64_t c = 0; c < s->to_channels; c++)
            adapt_one(to + (o * s->to_channels + c) * s->pixels,
                      from + o * s->from_channels * s->pixels, s, c);
}

/* The same for mean and deviation: the average for one channel, else repeated. */
static void adapt_numbers(float v[AFN_MAX_CHANNELS], int to, int from)
{
    double sum = 0;
    for (int c = 0; c < from; c++) sum += (double)v[c];
    if (to == 1) v[0] = (float)(sum / from);
    for (int c = from; c < to; c++) v[c] = v[c % from];
    for (int c = to; c < AFN_MAX_CHANNELS; c++) v[c] = 0;
}

void afn_model__adapt_preprocess(afn_preprocess *p, int channels)
{
    const int old = afn_preprocess_channels(p);
    p->channels = channels;
    adapt_numbers(p->mean, channels, old);
    adapt_numbers(p->std, channels, old);
}

afn_status afn_model_set_channels(afn_model *m, int channels)
{
    afn_status st = AFN_OK;
    model_net net;
    model_form f = afn_model__form(m);
    AFN_REQUIRE(channels >= 1 && channels <= AFN_MAX_CHANNELS, AFN_EINVAL,
                "%d channels, need 1 to %d", channels, (int)AFN_MAX_CHANNELS);
    if (channels == f.channels) return AFN_OK;
    f.channels = channels;
    AFN_TRY(afn_model__rebuild(&net, m, &f, false));
    afn_model__net_free(&m->net);
    m->net = net;
    afn_model__adapt_preprocess(&m->preprocess, channels);
    m->calibration = (afn_calibration){ 0 }; /* was learned from other pixels */
    m->generation++;
done:
    return st;
}
