/* SPDX-License-Identifier: Apache-2.0 */
/* afina: fine-tunes pretrained convolutional networks.  This header includes all. */
#ifndef AFINA_H
#define AFINA_H

#include "afina/augment.h"
#include "afina/bench.h"
#include "afina/check.h"
#include "afina/data.h"
#include "afina/describe.h"
#include "afina/fetch.h"
#include "afina/forecast.h"
#include "afina/heat.h"
#include "afina/image.h"
#include "afina/lr_find.h"
#include "afina/metrics.h"
#include "afina/model.h"
#include "afina/nearest.h"
#include "afina/optim.h"
#include "afina/pretrained.h"
#include "afina/profile.h"
#include "afina/report.h"
#include "afina/status.h"
#include "afina/tensor.h"
#include "afina/toml.h"
#include "afina/train.h"
#include "afina/weights.h"

#endif
