/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that training takes, in millions of bytes: everything trains, batch 32, images
 * of the usual size, SGD with momentum, fp32.  It is what afn_describe() says on a
 * processor with AVX-512; listing the models would take too long to ask it.
 * tools/zoo/memory_rows.py prints the rows. */
#include <string.h>

#include "base/base.h"
#include "zoo/zoo.h"

/* clang-format off */
static const struct {
    const char *arch;
    int megabytes;
} table[] = {
    { "alexnet", 972 },
    { "vgg11", 2899 },
    { "vgg13", 3299 },
    { "vgg16", 3470 },
    { "vgg19", 3701 },
    { "vgg11_bn", 3105 },
    { "vgg13_bn", 3312 },
    { "vgg16_bn", 3470 },
    { "vgg19_bn", 3701 },
    { "squeezenet1_0", 631 },
    { "squeezenet1_1", 290 },
    { "resnet18", 564 },
    { "resnet34", 808 },
    { "resnet50", 1528 },
    { "resnet101", 2546 },
    { "resnet152", 3590 },
    { "resnext50_32x4d", 2115 },
    { "resnext101_32x8d", 5128 },
    { "resnext101_64x4d", 5064 },
    { "wide_resnet50_2", 2683 },
    { "wide_resnet101_2", 4402 },
    { "mobilenet_v2", 665 },
    { "shufflenet_v2_x0_5", 190 },
    { "shufflenet_v2_x1_0", 286 },
    { "shufflenet_v2_x1_5", 400 },
    { "shufflenet_v2_x2_0", 581 },
    { "convnext_tiny", 2363 },
    { "convnext_small", 3892 },
    { "convnext_base", 5556 },
    { "convnext_large", 9378 },
    { "googlenet", 708 },
    { "inception_v3", 1743 },
    { "densenet121", 2066 },
    { "densenet161", 4139 },
    { "densenet169", 2584 },
    { "densenet201", 3381 },
    { "mnasnet0_5", 316 },
    { "mnasnet0_75", 439 },
    { "mnasnet1_0", 540 },
    { "mnasnet1_3", 728 },
    { "regnet_x_400mf", 424 },
    { "regnet_x_800mf", 605 },
    { "regnet_x_1_6gf", 1092 },
    { "regnet_x_3_2gf", 1537 },
    { "regnet_x_8gf", 2322 },
    { "regnet_x_16gf", 3707 },
    { "regnet_x_32gf", 5835 },
    { "regnet_y_400mf", 508 },
    { "regnet_y_800mf", 625 },
    { "regnet_y_1_6gf", 1198 },
    { "regnet_y_3_2gf", 1739 },
    { "regnet_y_8gf", 2835 },
    { "regnet_y_16gf", 3945 },
    { "regnet_y_32gf", 5773 },
    { "regnet_y_128gf", 34930 },
    { "mobilenet_v3_large", 548 },
    { "mobilenet_v3_small", 199 },
    { "efficientnet_b0", 687 },
    { "efficientnet_b1", 1056 },
    { "efficientnet_b2", 1537 },
    { "efficientnet_b3", 2315 },
    { "efficientnet_b4", 4779 },
    { "efficientnet_b5", 9748 },
    { "efficientnet_b6", 17340 },
    { "efficientnet_b7", 30377 },
    { "efficientnet_v2_s", 4879 },
    { "efficientnet_v2_m", 12679 },
    { "efficientnet_v2_l", 22180 },
};
/* clang-format on */

double afn_zoo_train_bytes(const afn_arch *arch)
{
    for (size_t i = 0; i < AFN_COUNT(table); i++)
        if (strcmp(table[i].arch, arch->variant->name) == 0)
            return 1e6 * table[i].megabytes;
    return 0;
}
