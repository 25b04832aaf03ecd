/* SPDX-License-Identifier: Apache-2.0 */
/* Heat maps: which parts of a picture speak for a class. */
#ifndef AFINA_HEAT_H
#define AFINA_HEAT_H

#include <stdint.h>

#include "afina/image.h"
#include "afina/model.h"
#include "afina/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A model compiled for heat maps: Grad-CAM over the last features that have places.
 * Each channel of them weighs what a little more of it everywhere does to the class's
 * logit; the map is the positive part of their weighted sum.  Where a network ends in
 * global pooling and one linear layer, that is the class activation map.
 * Source     Selvaraju et al. 2017, https://arxiv.org/abs/1610.02391;
 *            Zhou et al. 2016, https://arxiv.org/abs/1512.04150 */
typedef struct afn_heat afn_heat;

/*   opts     NULL means defaults
 * Memory     borrows the model until afn_heat_free(), which must keep its weights,
 *            head and preprocessing until then
 * Errors     AFN_EUNSUPPORTED for a network without such features */
AFN_API afn_status afn_heat_new(afn_heat **out, const afn_model *m,
                                const afn_predict_opts *opts);
AFN_API void afn_heat_free(afn_heat *h);

AFN_API int afn_heat_rows(const afn_heat *h); /* of a map: 7 for a ResNet at 224 */
AFN_API int afn_heat_columns(const afn_heat *h);

/* Maps of pictures already resized and cropped.
 *   pixels   (n, crop, crop, channels)
 *   classes  (n) what each map is to explain, e.g. the predicted class
 *   map      (n, rows, columns), written: not scaled, 0 where nothing speaks for it */
AFN_API afn_status afn_heat_run(afn_heat *h, const uint8_t *pixels, int64_t n,
                                const int *classes, float *map);

/* A picture with its map over it in colours from blue to yellow, scaled to its largest
 * value.
 *   out      (crop, crop, 3); free with afn_image_free()
 *   pixels   (crop, crop, channels); of more than 3 the first three are shown
 *   map      (rows, columns) of afn_heat_run() */
AFN_API afn_status afn_heat_draw(afn_image *out, const afn_heat *h,
                                 const uint8_t *pixels, const float *map);

#ifdef __cplusplus
}
#endif
#endif
