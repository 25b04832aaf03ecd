/* SPDX-License-Identifier: Apache-2.0 */
/* A network with its weights, class names and preprocessing: open, freeze, replace the
 * head, predict, save. */
#ifndef AFINA_MODEL_H
#define AFINA_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "afina/image.h"
#include "afina/status.h"
#include "afina/weights.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Which statistics a batch-norm layer uses while training. */
typedef enum afn_bn_mode {
    AFN_BN_AUTO, /* frozen layers: running ones, unchanged; trained layers: the batch's,
                  * and the running ones follow (Keras's rule) */
    AFN_BN_BATCH, /* all layers as PyTorch's model.train(), frozen or not */
    AFN_BN_FROZEN /* running ones everywhere, even where weights train */
} afn_bn_mode;

/* Of activations and of products; weights, statistics, sums and the optimiser are
 * always fp32. */
typedef enum afn_precision {
    AFN_PRECISION_FP32,
    AFN_PRECISION_BF16 /* half the memory, and up to twice the speed where the processor
                        * is faster in it; one that has none computes in fp32, which is
                        * logged */
} afn_precision;

/* What `wanted` becomes on this machine. */
AFN_API afn_precision afn_precision_here(afn_precision wanted);

/* ---- architectures ---- */

/* One architecture that afina can build. */
typedef struct afn_arch_info {
    const char *name;   /* torchvision's: "resnet50" */
    const char *family; /* "resnet" */
    const char *head;   /* layer replaced for another number of classes: "fc" */
    int64_t parameters; /* with 1000 classes, buffers not counted */
    double macs;        /* multiply-accumulates for one image at `crop`, to 1e6 */
    int resize, crop;   /* pixels: of the first weights that torchvision published */
    int min_size;       /* smallest image side */
    double train_bytes; /* that training all of it takes at batch 32, as afn_describe()
                         * counts on a processor with AVX-512; about */
} afn_arch_info;

AFN_API int afn_arch_count(void);

/* i-th architecture, 0 <= i < afn_arch_count().
 * Errors     AFN_EINVAL */
AFN_API afn_status afn_arch_get(afn_arch_info *out, int i);

/* The architecture whose state dict these tensors are, whatever its number of classes.
 *   name     *name is NULL where they fit none; lives as long as the program
 * Errors     AFN_ENOMEM */
AFN_API afn_status afn_arch_fitting(const char **name, const afn_weights *w);

/* ---- models ---- */

typedef struct afn_model afn_model;

/* Open a model with its weights.
 *
 *   out      the new model, NULL on failure; free with afn_model_free()
 *   arch     torchvision's name, e.g. "resnet50"; NULL for a file written by
 *            afn_model_save(), which says itself what it is
 *   path     weights: .pth in any of PyTorch's formats or .safetensors
 *
 * The number of classes is what the file's head has.  Every parameter starts trainable,
 * as in PyTorch.  A missing num_batches_tracked counts as 0.  Preprocessing is what the
 * file says; else that of the published weights whose digest is in the file's name (see
 * afn_pretrained_of_file()); else that of the first ones published.  Weights of
 * GoogLeNet and Inception v3 that say nothing take pixels from -1 to 1 (mean and std
 * 0.5), which is what torchvision's transform_input=True does.
 *
 * Errors     AFN_ENOTFOUND     no such file, or no such architecture (the message names
 *                              the nearest one)
 *            AFN_ESHAPE        the weights are not this architecture's: the message
 *                              counts and names missing, unexpected and misshapen keys
 *            AFN_EFORMAT       arch is NULL and the file does not name one; or damaged
 *            AFN_EIO, AFN_EUNSUPPORTED, AFN_ENOMEM as afn_weights_open() */
AFN_API afn_status afn_model_open(afn_model **out, const char *arch, const char *path);

/* A model with fresh weights, initialised as torchvision's constructor does.
 *   seed     same seed, same weights */
AFN_API afn_status afn_model_new(afn_model **out, const char *arch, int classes,
                                 uint64_t seed);

/* The same with every value 0: for one whose values come from elsewhere, by
 * afn_model_write_param(), or that is only asked about itself. */
AFN_API afn_status afn_model_new_zero(afn_model **out, const char *arch, int classes);
AFN_API void afn_model_free(afn_model *m);

/* Write the model: weights, architecture, class names and preprocessing.
 *   path     .safetensors, or .pth which torch.load(weights_only=True) and
 *            load_state_dict(strict=True) take; the file appears whole or not at all
 * Errors     AFN_EINVAL for another extension, AFN_EIO, AFN_ENOMEM */
AFN_API afn_status afn_model_save(const afn_model *m, const char *path);

/* ---- describing ---- */

AFN_API const char *afn_model_arch(const afn_model *m);
AFN_API const char *afn_model_head(const afn_model *m); /* "fc", "classifier.6", ... */
AFN_API int afn_model_classes(const afn_model *m);

/* Name of class i, or NULL where the model carries no names. */
AFN_API const char *afn_model_class_name(const afn_model *m, int i);

/* Names are copied; n must be the number of classes.  NULL, 0 forgets them. */
AFN_API afn_status afn_model_set_class_names(afn_model *m, const char *const *name,
                                             int n);

AFN_API afn_preprocess afn_model_preprocess(const afn_model *m);

/* Changes what images go through from now on; crop is the network's input size, the
 * channels must be the model's.
 * Errors     AFN_EINVAL out of range, AFN_ESHAPE where the network needs more pixels */
AFN_API afn_status afn_model_set_preprocess(afn_model *m, const afn_preprocess *p);

/* Give the network another number of input channels, 1 to AFN_MAX_CHANNELS.  The first
 * convolution changes as timm's does: for one channel its weights are summed over the
 * old ones, else repeated over and over and scaled by old / new, so that equal channels
 * give what they gave; mean and std are averaged or repeated alike.  Predicting and
 * training then take pictures in gray, or pixels of a program's own.
 * Errors     AFN_EINVAL out of range */
AFN_API afn_status afn_model_set_channels(afn_model *m, int channels);

/* One entry of the state dict. */
typedef struct afn_param_info {
    const char *name; /* until the head or the preprocessing changes */
    afn_shape shape;
    afn_dtype dtype;
    int buffer;    /* running statistic: not a parameter */
    int trainable; /* requires_grad; 0 for a buffer */
} afn_param_info;

AFN_API int afn_model_n_params(const afn_model *m);
AFN_API afn_status afn_model_param(const afn_model *m, int i, afn_param_info *out);

/* Values of a float parameter by name, row-major; n must be its count. */
AFN_API afn_status afn_model_read_param(const afn_model *m, const char *name,
                                        float *out, size_t n);
AFN_API afn_status afn_model_write_param(afn_model *m, const char *name,
                                         const float *in, size_t n);

/* ---- fine-tuning ---- */

/* Set requires_grad of every parameter whose name matches a pattern: '*' any run of
 * characters, '?' one, ',' between alternatives; "layer4" alone also matches all below
 * it ("layer4.*").
 * Errors     AFN_ENOTFOUND where nothing matches, naming the pattern and some layers */
AFN_API afn_status afn_model_freeze(afn_model *m, const char *pattern);
AFN_API afn_status afn_model_unfreeze(afn_model *m, const char *pattern);

/* Replace the last layer by a fresh one for this many classes, initialised as
 * torch.nn.Linear or torch.nn.Conv2d are; it is trainable, class names are forgotten.
 * The same as the tutorial's  model.fc = nn.Linear(model.fc.in_features, classes). */
AFN_API afn_status afn_model_replace_head(afn_model *m, int classes, uint64_t seed);

/* Auxiliary classifiers, which GoogLeNet and Inception v3 may have: each adds its
 * weighted loss in training (0.3 and 0.4 times) and does nothing else.  A new model has
 * them; one from a file has them where the file does; replacing the head replaces
 * theirs.  An image that is too small for them (Inception v3: below 299 pixels) leaves
 * them out, which is logged. */
AFN_API int afn_model_n_aux(const afn_model *m);

/* Go on without them: as torchvision's aux_logits=False. */
AFN_API afn_status afn_model_drop_aux(afn_model *m);

/* ---- prediction ---- */

/* A model compiled for inference. */
typedef struct afn_predictor afn_predictor;

typedef struct afn_predict_opts {
    int64_t batch;       /* images of a usual call, default 1; any other count works */
    int threads;         /* 0 (default) = every processor */
    const char *backend; /* "cpu" (default) or "ref" */
    bool exact; /* default false; true: no algorithm that trades accuracy for time, see
                 * docs/algorithms.md */
    afn_precision precision; /* default AFN_PRECISION_FP32 */
} afn_predict_opts;
AFN_API afn_predict_opts afn_predict_defaults(void);

/*   opts     NULL means defaults
 * Memory     borrows the model until afn_predictor_free() */
AFN_API afn_status afn_predictor_new(afn_predictor **out, const afn_model *m,
                                     const afn_predict_opts *opts);
AFN_API void afn_predictor_free(afn_predictor *p);

/* Logits of a batch of pictures already resized and cropped.
 *   pixels   (n, crop, crop, channels): RGB, or what the model's preprocessing says
 *   logits   (n, classes), written */
AFN_API afn_status afn_predictor_run(afn_predictor *p, const uint8_t *pixels, int64_t n,
                                     float *logits);

/* Logits of one picture of any size, through the model's preprocessing.
 *   logits   (classes), written */
AFN_API afn_status afn_predictor_image(afn_predictor *p, const afn_image *image,
                                       float *logits);

/* Take the model's weights anew after they changed. */
AFN_API afn_status afn_predictor_refresh(afn_predictor *p);

/* p[i] = exp(logit[i]) / sum, without overflow. */
AFN_API void afn_softmax(const float *logits, int n, float *p);

/* What turns a model's logits into honest probabilities, learned from images that it
 * was not trained with: see afn_calibrate(). */
typedef struct afn_calibration {
    double temperature;   /* logits are divided by it, 0.01 to 100 */
    double unknown_below; /* probability of the likeliest class below which the picture
                           * is better called unknown; 0 to 1, 0 = never */
    double quantile;      /* of right answers that this takes for unknown, [0, 1) */
    int64_t images;       /* that it was learned from; 0 = the model has none */
} afn_calibration;

/* The model's; where it has none, a temperature of 1 and nothing unknown. */
AFN_API afn_calibration afn_model_calibration(const afn_model *m);

/* Keep it in the model, and in its file from the next save on.  Another head or other
 * preprocessing forgets it.
 *   c        NULL = none
 * Errors     AFN_EINVAL out of range */
AFN_API afn_status afn_model_set_calibration(afn_model *m, const afn_calibration *c);

/* Probabilities of logits at a temperature, in double. */
AFN_API void afn_softmax_at(const float *logits, int n, double temperature, double *p);

#ifdef __cplusplus
}
#endif
#endif
