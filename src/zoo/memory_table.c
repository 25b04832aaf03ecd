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
    { "alexnet", 1164 },
    { "vgg11", 2899 },
    { "vgg13", 3473 },
    { "vgg16", 3736 },
    { "vgg19", 3998 },
    { "vgg11_bn", 3105 },
    { "vgg13_bn", 3346 },
    { "vgg16_bn", 3577 },
    { "vgg19_bn", 3807 },
    { "squeezenet1_0", 631 },
    { "squeezenet1_1", 553 },
    { "resnet18", 656 },
    { "resnet34", 855 },
    { "resnet50", 1553 },
    { "resnet101", 2569 },
    { "resnet152", 3610 },
    { "resnext50_32x4d", 2125 },
    { "resnext101_32x8d", 5141 },
    { "resnext101_64x4d", 5077 },
    { "wide_resnet50_2", 2690 },
    { "wide_resnet101_2", 4414 },
    { "mobilenet_v2", 665 },
    { "shufflenet_v2_x0_5", 198 },
    { "shufflenet_v2_x1_0", 393 },
    { "shufflenet_v2_x1_5", 555 },
    { "shufflenet_v2_x2_0", 805 },
    { "convnext_tiny", 2687 },
    { "convnext_small", 4200 },
    { "convnext_base", 5967 },
    { "convnext_large", 10014 },
    { "googlenet", 733 },
    { "inception_v3", 1778 },
    { "densenet121", 2067 },
    { "densenet161", 4139 },
    { "densenet169", 2585 },
    { "densenet201", 3383 },
    { "mnasnet0_5", 316 },
    { "mnasnet0_75", 444 },
    { "mnasnet1_0", 548 },
    { "mnasnet1_3", 736 },
    { "regnet_x_400mf", 434 },
    { "regnet_x_800mf", 612 },
    { "regnet_x_1_6gf", 1106 },
    { "regnet_x_3_2gf", 1559 },
    { "regnet_x_8gf", 2306 },
    { "regnet_x_16gf", 3708 },
    { "regnet_x_32gf", 5704 },
    { "regnet_y_400mf", 517 },
    { "regnet_y_800mf", 638 },
    { "regnet_y_1_6gf", 1203 },
    { "regnet_y_3_2gf", 1696 },
    { "regnet_y_8gf", 2836 },
    { "regnet_y_16gf", 3945 },
    { "regnet_y_32gf", 5625 },
    { "regnet_y_128gf", 34928 },
    { "mobilenet_v3_large", 548 },
    { "mobilenet_v3_small", 207 },
    { "efficientnet_b0", 687 },
    { "efficientnet_b1", 1167 },
    { "efficientnet_b2", 1704 },
    { "efficientnet_b3", 2564 },
    { "efficientnet_b4", 5219 },
    { "efficientnet_b5", 10795 },
    { "efficientnet_b6", 19060 },
    { "efficientnet_b7", 33174 },
    { "efficientnet_v2_s", 5620 },
    { "efficientnet_v2_m", 14320 },
    { "efficientnet_v2_l", 24812 },
};
/* clang-format on */

double afn_zoo_train_bytes(const afn_arch *arch)
{
    for (size_t i = 0; i < AFN_COUNT(table); i++)
        if (strcmp(table[i].arch, arch->variant->name) == 0)
            return 1e6 * table[i].megabytes;
    return 0;
}
