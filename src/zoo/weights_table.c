/* SPDX-License-Identifier: Apache-2.0 */
/* The weights that torchvision publishes for convolutional classifiers, as its version
 * 0.29 has them, and finding an entry in them.  tools/zoo/weights_rows.py prints the
 * rows. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "afina/pretrained.h"
#include "base/base.h"
#include "zoo/zoo.h"

#define PREFIX "IMAGENET1K_"

/* clang-format off */
/* Preprocessing: Resize, CenterCrop, Normalize. */
#define IMAGENET .mean = { 0.485f, 0.456f, 0.406f }, .std = { 0.229f, 0.224f, 0.225f }
#define HALF     .mean = { 0.5f, 0.5f, 0.5f }, .std = { 0.5f, 0.5f, 0.5f }
/* Values of 0 to 255, as a detector's backbone takes them; the classifier in that file
 * is not trained. */
#define BYTES .mean = { 0.48235f, 0.45882f, 0.40784f }, .std = { BYTE, BYTE, BYTE }
#define BYTE  (1.0f / 255)

#define CROP(r, c) .fit = AFN_FIT_CROP, .resize = r, .crop = c, .exif = true
#define BILINEAR(r, c) { CROP(r, c), .filter = AFN_FILTER_BILINEAR, IMAGENET }
#define BICUBIC(r, c)  { CROP(r, c), .filter = AFN_FILTER_BICUBIC, IMAGENET }
#define HALVES(r, c)   { CROP(r, c), .filter = AFN_FILTER_BICUBIC, HALF }
#define FEATURES(r, c) { CROP(r, c), .filter = AFN_FILTER_BILINEAR, BYTES }

#define W(a, n, f, pre, t1, t5, count, macs, size)                             \
    { .arch = #a, .name = PREFIX #n, .file = f, .preprocess = pre, .top1 = t1, \
      .top5 = t5, .parameters = count, .gmacs = macs, .mib = size }

static const afn_pretrained table[] = {
/*  W(architecture, name, file,
      preprocessing, top-1, top-5, parameters, GMACs, MiB) */
    W(alexnet, V1, "alexnet-owt-7be5be79.pth",
      BILINEAR(256, 224), 56.522, 79.066, 61100840, 0.714, 233.087),
    W(convnext_base, V1, "convnext_base-6075fbad.pth",
      BILINEAR(232, 224), 84.062, 96.870, 88591464, 15.355, 338.064),
    W(convnext_large, V1, "convnext_large-ea097f82.pth",
      BILINEAR(232, 224), 84.414, 96.976, 197767336, 34.361, 754.537),
    W(convnext_small, V1, "convnext_small-0c510722.pth",
      BILINEAR(230, 224), 83.616, 96.650, 50223688, 8.684, 191.703),
    W(convnext_tiny, V1, "convnext_tiny-983f1562.pth",
      BILINEAR(236, 224), 82.520, 96.146, 28589128, 4.456, 109.119),
    W(densenet121, V1, "densenet121-a639ec97.pth",
      BILINEAR(256, 224), 74.434, 91.972, 7978856, 2.834, 30.845),
    W(densenet161, V1, "densenet161-8d451a50.pth",
      BILINEAR(256, 224), 77.138, 93.560, 28681000, 7.728, 110.369),
    W(densenet169, V1, "densenet169-b2777c0a.pth",
      BILINEAR(256, 224), 75.600, 92.806, 14149480, 3.360, 54.708),
    W(densenet201, V1, "densenet201-c1103571.pth",
      BILINEAR(256, 224), 76.896, 93.370, 20013928, 4.291, 77.373),
    W(efficientnet_b0, V1, "efficientnet_b0_rwightman-7f5810bc.pth",
      BICUBIC(256, 224), 77.692, 93.532, 5288548, 0.386, 20.451),
    W(efficientnet_b1, V1, "efficientnet_b1_rwightman-bac287d4.pth",
      BICUBIC(256, 240), 78.642, 94.186, 7794184, 0.687, 30.134),
    W(efficientnet_b1, V2, "efficientnet_b1-c27df63c.pth",
      BILINEAR(255, 240), 79.838, 94.934, 7794184, 0.687, 30.136),
    W(efficientnet_b2, V1, "efficientnet_b2_rwightman-c35c1473.pth",
      BICUBIC(288, 288), 80.608, 95.310, 9109994, 1.088, 35.174),
    W(efficientnet_b3, V1, "efficientnet_b3_rwightman-b3899882.pth",
      BICUBIC(320, 300), 82.008, 96.054, 12233232, 1.827, 47.184),
    W(efficientnet_b4, V1, "efficientnet_b4_rwightman-23ab8bcd.pth",
      BICUBIC(384, 380), 83.384, 96.594, 19341616, 4.394, 74.489),
    W(efficientnet_b5, V1, "efficientnet_b5_lukemelas-1a07897c.pth",
      BICUBIC(456, 456), 83.444, 96.628, 30389784, 10.266, 116.864),
    W(efficientnet_b6, V1, "efficientnet_b6_lukemelas-24a108a5.pth",
      BICUBIC(528, 528), 84.008, 96.916, 43040704, 19.068, 165.362),
    W(efficientnet_b7, V1, "efficientnet_b7_lukemelas-c5b4e57e.pth",
      BICUBIC(600, 600), 84.122, 96.908, 66347960, 37.746, 254.675),
    W(efficientnet_v2_l, V1, "efficientnet_v2_l-59c71312.pth",
      HALVES(480, 480), 85.808, 97.788, 118515272, 56.080, 454.573),
    W(efficientnet_v2_m, V1, "efficientnet_v2_m-dc08266a.pth",
      BILINEAR(480, 480), 85.112, 97.156, 54139356, 24.582, 208.010),
    W(efficientnet_v2_s, V1, "efficientnet_v2_s-dd5fe13b.pth",
      BILINEAR(384, 384), 84.228, 96.878, 21458488, 8.366, 82.704),
    W(googlenet, V1, "googlenet-1378be20.pth",
      BILINEAR(256, 224), 69.778, 89.530, 6624904, 1.498, 49.731),
    W(inception_v3, V1, "inception_v3_google-0cc3c7bd.pth",
      BILINEAR(342, 299), 77.294, 93.450, 27161264, 5.713, 103.903),
    W(mnasnet0_5, V1, "mnasnet0.5_top1_67.823-3ffadce67e.pth",
      BILINEAR(256, 224), 67.734, 87.490, 2218512, 0.104, 8.591),
    W(mnasnet0_75, V1, "mnasnet0_75-7090bc5f.pth",
      BILINEAR(232, 224), 71.180, 90.496, 3170208, 0.215, 12.303),
    W(mnasnet1_0, V1, "mnasnet1.0_top1_73.512-f206786ef8.pth",
      BILINEAR(256, 224), 73.456, 91.510, 4383312, 0.314, 16.915),
    W(mnasnet1_3, V1, "mnasnet1_3-a4c69d6f.pth",
      BILINEAR(232, 224), 76.506, 93.522, 6282256, 0.526, 24.246),
    W(mobilenet_v2, V1, "mobilenet_v2-b0353104.pth",
      BILINEAR(256, 224), 71.878, 90.286, 3504872, 0.301, 13.555),
    W(mobilenet_v2, V2, "mobilenet_v2-7ebf99e0.pth",
      BILINEAR(232, 224), 72.154, 90.822, 3504872, 0.301, 13.598),
    W(mobilenet_v3_large, V1, "mobilenet_v3_large-8738ca79.pth",
      BILINEAR(256, 224), 74.042, 91.340, 5483032, 0.217, 21.114),
    W(mobilenet_v3_large, V2, "mobilenet_v3_large-5c1a4163.pth",
      BILINEAR(232, 224), 75.274, 92.566, 5483032, 0.217, 21.107),
    W(mobilenet_v3_small, V1, "mobilenet_v3_small-047dcff4.pth",
      BILINEAR(256, 224), 67.668, 87.402, 2542856, 0.057, 9.829),
    W(regnet_x_16gf, V1, "regnet_x_16gf-2007eb11.pth",
      BILINEAR(256, 224), 80.058, 94.944, 54278536, 15.941, 207.627),
    W(regnet_x_16gf, V2, "regnet_x_16gf-ba3796d7.pth",
      BILINEAR(232, 224), 82.716, 96.196, 54278536, 15.941, 207.627),
    W(regnet_x_1_6gf, V1, "regnet_x_1_6gf-e3633e7f.pth",
      BILINEAR(256, 224), 77.040, 93.440, 9190136, 1.603, 35.339),
    W(regnet_x_1_6gf, V2, "regnet_x_1_6gf-a12f2b72.pth",
      BILINEAR(232, 224), 79.668, 94.922, 9190136, 1.603, 35.339),
    W(regnet_x_32gf, V1, "regnet_x_32gf-9d47f8d0.pth",
      BILINEAR(256, 224), 80.622, 95.248, 107811560, 31.736, 412.039),
    W(regnet_x_32gf, V2, "regnet_x_32gf-6eb8fdc6.pth",
      BILINEAR(232, 224), 83.014, 96.288, 107811560, 31.736, 412.039),
    W(regnet_x_3_2gf, V1, "regnet_x_3_2gf-f342aeae.pth",
      BILINEAR(256, 224), 78.364, 93.992, 15296552, 3.177, 58.756),
    W(regnet_x_3_2gf, V2, "regnet_x_3_2gf-7071aa85.pth",
      BILINEAR(232, 224), 81.196, 95.430, 15296552, 3.177, 58.756),
    W(regnet_x_400mf, V1, "regnet_x_400mf-adf1edd5.pth",
      BILINEAR(256, 224), 72.834, 90.950, 5495976, 0.414, 21.258),
    W(regnet_x_400mf, V2, "regnet_x_400mf-62229a5f.pth",
      BILINEAR(232, 224), 74.864, 92.322, 5495976, 0.414, 21.257),
    W(regnet_x_800mf, V1, "regnet_x_800mf-ad17e45c.pth",
      BILINEAR(256, 224), 75.212, 92.348, 7259656, 0.800, 27.945),
    W(regnet_x_800mf, V2, "regnet_x_800mf-94a99ebd.pth",
      BILINEAR(232, 224), 77.522, 93.826, 7259656, 0.800, 27.945),
    W(regnet_x_8gf, V1, "regnet_x_8gf-03ceed89.pth",
      BILINEAR(256, 224), 79.344, 94.686, 39572648, 7.995, 151.456),
    W(regnet_x_8gf, V2, "regnet_x_8gf-2b70d774.pth",
      BILINEAR(232, 224), 81.682, 95.678, 39572648, 7.995, 151.456),
    W(regnet_y_128gf, SWAG_E2E_V1, "regnet_y_128gf_swag-c8ce3e52.pth",
      BICUBIC(384, 384), 88.228, 98.682, 644812894, 374.570, 2461.564),
    W(regnet_y_128gf, SWAG_LINEAR_V1, "regnet_y_128gf_lc_swag-cbe8ce12.pth",
      BICUBIC(224, 224), 86.068, 97.844, 644812894, 127.518, 2461.564),
    W(regnet_y_16gf, V1, "regnet_y_16gf-9e6ed7dd.pth",
      BILINEAR(256, 224), 80.424, 95.240, 83590140, 15.912, 319.490),
    W(regnet_y_16gf, V2, "regnet_y_16gf-3e4a00f9.pth",
      BILINEAR(232, 224), 82.886, 96.328, 83590140, 15.912, 319.490),
    W(regnet_y_16gf, SWAG_E2E_V1, "regnet_y_16gf_swag-43afe44d.pth",
      BICUBIC(384, 384), 86.012, 98.054, 83590140, 46.735, 319.490),
    W(regnet_y_16gf, SWAG_LINEAR_V1, "regnet_y_16gf_lc_swag-f3ec0043.pth",
      BICUBIC(224, 224), 83.976, 97.244, 83590140, 15.912, 319.490),
    W(regnet_y_1_6gf, V1, "regnet_y_1_6gf-b11a554e.pth",
      BILINEAR(256, 224), 77.950, 93.966, 11202430, 1.612, 43.152),
    W(regnet_y_1_6gf, V2, "regnet_y_1_6gf-0d7bc02a.pth",
      BILINEAR(232, 224), 80.876, 95.444, 11202430, 1.612, 43.152),
    W(regnet_y_32gf, V1, "regnet_y_32gf-4dee3f7a.pth",
      BILINEAR(256, 224), 80.878, 95.340, 145046770, 32.280, 554.076),
    W(regnet_y_32gf, V2, "regnet_y_32gf-8db6d4b5.pth",
      BILINEAR(232, 224), 83.368, 96.498, 145046770, 32.280, 554.076),
    W(regnet_y_32gf, SWAG_E2E_V1, "regnet_y_32gf_swag-04fdfa75.pth",
      BICUBIC(384, 384), 86.838, 98.362, 145046770, 94.826, 554.076),
    W(regnet_y_32gf, SWAG_LINEAR_V1, "regnet_y_32gf_lc_swag-e1583746.pth",
      BICUBIC(224, 224), 84.622, 97.480, 145046770, 32.280, 554.076),
    W(regnet_y_3_2gf, V1, "regnet_y_3_2gf-b5a9779c.pth",
      BILINEAR(256, 224), 78.948, 94.576, 19436338, 3.176, 74.567),
    W(regnet_y_3_2gf, V2, "regnet_y_3_2gf-9180c971.pth",
      BILINEAR(232, 224), 81.982, 95.972, 19436338, 3.176, 74.567),
    W(regnet_y_400mf, V1, "regnet_y_400mf-c65dace8.pth",
      BILINEAR(256, 224), 74.046, 91.716, 4344144, 0.402, 16.806),
    W(regnet_y_400mf, V2, "regnet_y_400mf-e6988f5f.pth",
      BILINEAR(232, 224), 75.804, 92.742, 4344144, 0.402, 16.806),
    W(regnet_y_800mf, V1, "regnet_y_800mf-1b27b58c.pth",
      BILINEAR(256, 224), 76.420, 93.136, 6432512, 0.834, 24.774),
    W(regnet_y_800mf, V2, "regnet_y_800mf-58fc7688.pth",
      BILINEAR(232, 224), 78.828, 94.502, 6432512, 0.834, 24.774),
    W(regnet_y_8gf, V1, "regnet_y_8gf-d0d0e4a8.pth",
      BILINEAR(256, 224), 80.032, 95.048, 39381472, 8.473, 150.701),
    W(regnet_y_8gf, V2, "regnet_y_8gf-dc2b1b54.pth",
      BILINEAR(232, 224), 82.828, 96.330, 39381472, 8.473, 150.701),
    W(resnet101, V1, "resnet101-63fe2227.pth",
      BILINEAR(256, 224), 77.374, 93.546, 44549160, 7.801, 170.511),
    W(resnet101, V2, "resnet101-cd907fc2.pth",
      BILINEAR(232, 224), 81.886, 95.780, 44549160, 7.801, 170.530),
    W(resnet152, V1, "resnet152-394f9c45.pth",
      BILINEAR(256, 224), 78.312, 94.046, 60192808, 11.514, 230.434),
    W(resnet152, V2, "resnet152-f82ba261.pth",
      BILINEAR(232, 224), 82.284, 96.002, 60192808, 11.514, 230.474),
    W(resnet18, V1, "resnet18-f37072fd.pth",
      BILINEAR(256, 224), 69.758, 89.078, 11689512, 1.814, 44.661),
    W(resnet34, V1, "resnet34-b627a593.pth",
      BILINEAR(256, 224), 73.314, 91.420, 21797672, 3.664, 83.275),
    W(resnet50, V1, "resnet50-0676ba61.pth",
      BILINEAR(256, 224), 76.130, 92.862, 25557032, 4.089, 97.781),
    W(resnet50, V2, "resnet50-11ad3fa6.pth",
      BILINEAR(232, 224), 80.858, 95.434, 25557032, 4.089, 97.790),
    W(resnext101_32x8d, V1, "resnext101_32x8d-8ba56ff5.pth",
      BILINEAR(256, 224), 79.312, 94.526, 88791336, 16.414, 339.586),
    W(resnext101_32x8d, V2, "resnext101_32x8d-110c445d.pth",
      BILINEAR(232, 224), 82.834, 96.228, 88791336, 16.414, 339.673),
    W(resnext101_64x4d, V1, "resnext101_64x4d-173b62eb.pth",
      BILINEAR(232, 224), 83.246, 96.454, 83455272, 15.460, 319.318),
    W(resnext50_32x4d, V1, "resnext50_32x4d-7cdf4587.pth",
      BILINEAR(256, 224), 77.618, 93.698, 25028904, 4.230, 95.789),
    W(resnext50_32x4d, V2, "resnext50_32x4d-1a0047aa.pth",
      BILINEAR(232, 224), 81.198, 95.340, 25028904, 4.230, 95.833),
    W(shufflenet_v2_x0_5, V1, "shufflenetv2_x0.5-f707e7126e.pth",
      BILINEAR(256, 224), 60.552, 81.746, 1366792, 0.040, 5.282),
    W(shufflenet_v2_x1_0, V1, "shufflenetv2_x1-5666bf0f80.pth",
      BILINEAR(256, 224), 69.362, 88.316, 2278604, 0.145, 8.791),
    W(shufflenet_v2_x1_5, V1, "shufflenetv2_x1_5-3c479a10.pth",
      BILINEAR(232, 224), 72.996, 91.086, 3503624, 0.296, 13.557),
    W(shufflenet_v2_x2_0, V1, "shufflenetv2_x2_0-8be3c8ee.pth",
      BILINEAR(232, 224), 76.230, 93.006, 7393996, 0.583, 28.433),
    W(squeezenet1_0, V1, "squeezenet1_0-b66bff10.pth",
      BILINEAR(256, 224), 58.092, 80.420, 1248424, 0.819, 4.778),
    W(squeezenet1_1, V1, "squeezenet1_1-b8a52dc0.pth",
      BILINEAR(256, 224), 58.178, 80.624, 1235496, 0.349, 4.729),
    W(vgg11, V1, "vgg11-8a719046.pth",
      BILINEAR(256, 224), 69.020, 88.628, 132863336, 7.609, 506.840),
    W(vgg11_bn, V1, "vgg11_bn-6002323d.pth",
      BILINEAR(256, 224), 70.370, 89.810, 132868840, 7.609, 506.881),
    W(vgg13, V1, "vgg13-19584684.pth",
      BILINEAR(256, 224), 69.928, 89.246, 133047848, 11.308, 507.545),
    W(vgg13_bn, V1, "vgg13_bn-abd245e5.pth",
      BILINEAR(256, 224), 71.586, 90.374, 133053736, 11.308, 507.590),
    W(vgg16, V1, "vgg16-397923af.pth",
      BILINEAR(256, 224), 71.592, 90.382, 138357544, 15.470, 527.796),
    W(vgg16, FEATURES, "vgg16_features-amdegroot-88682ab5.pth",
      FEATURES(256, 224), 0.000, 0.000, 138357544, 15.470, 527.802),
    W(vgg16_bn, V1, "vgg16_bn-6c64b313.pth",
      BILINEAR(256, 224), 73.360, 91.516, 138365992, 15.470, 527.866),
    W(vgg19, V1, "vgg19-dcbb9e9d.pth",
      BILINEAR(256, 224), 72.376, 90.876, 143667240, 19.632, 548.051),
    W(vgg19_bn, V1, "vgg19_bn-c79401a0.pth",
      BILINEAR(256, 224), 74.218, 91.842, 143678248, 19.632, 548.143),
    W(wide_resnet101_2, V1, "wide_resnet101_2-32ee1156.pth",
      BILINEAR(256, 224), 78.848, 94.284, 126886696, 22.753, 242.896),
    W(wide_resnet101_2, V2, "wide_resnet101_2-d733dc28.pth",
      BILINEAR(232, 224), 82.510, 96.020, 126886696, 22.753, 484.747),
    W(wide_resnet50_2, V1, "wide_resnet50_2-95faca4d.pth",
      BILINEAR(256, 224), 78.468, 94.086, 68883240, 11.398, 131.820),
    W(wide_resnet50_2, V2, "wide_resnet50_2-9ba9bcbe.pth",
      BILINEAR(232, 224), 81.602, 95.758, 68883240, 11.398, 263.124),
};

/* Files of earlier releases with the same weights, and the digest of today's. */
static const struct {
    const char *file, *now;
} moved[] = {
    { "alexnet-owt-4df8aa71.pth", "7be5be79" },
    { "efficientnet_b0_rwightman-3dd342df.pth", "7f5810bc" },
    { "efficientnet_b1_rwightman-533bc792.pth", "bac287d4" },
    { "efficientnet_b2_rwightman-bcdf34b7.pth", "c35c1473" },
    { "efficientnet_b3_rwightman-cf984f9c.pth", "b3899882" },
    { "efficientnet_b4_rwightman-7eb33cd5.pth", "23ab8bcd" },
    { "efficientnet_b5_lukemelas-b6417697.pth", "1a07897c" },
    { "efficientnet_b6_lukemelas-c76e70fd.pth", "24a108a5" },
    { "efficientnet_b7_lukemelas-dcc49843.pth", "c5b4e57e" },
    { "inception_v3_google-1a9a5a14.pth", "0cc3c7bd" },
    { "resnet101-5d3b4d8f.pth", "63fe2227" },
    { "resnet152-b121ed2d.pth", "394f9c45" },
    { "resnet18-5c106cde.pth", "f37072fd" },
    { "resnet34-333f7ec4.pth", "b627a593" },
    { "resnet50-19c8e357.pth", "0676ba61" },
    { "squeezenet1_0-a815701f.pth", "b66bff10" },
    { "squeezenet1_1-f364aa15.pth", "b8a52dc0" },
    { "vgg11-bbd30ac9.pth", "8a719046" },
    { "vgg13-c768596a.pth", "19584684" },
};
/* clang-format on */

int afn_pretrained_count(void)
{
    return AFN_COUNT(table);
}

const afn_pretrained *afn_pretrained_get(int i)
{
    return i >= 0 && i < afn_pretrained_count() ? &table[i] : NULL;
}

/* ---- by name ---- */

static bool same_name(const char *full, const char *name)
{
    return strcasecmp(full, name) == 0 || strcasecmp(full + strlen(PREFIX), name) == 0;
}

/* The last recipe, where there is one; else the first entry: the rest are features for
 * other purposes. */
static const afn_pretrained *default_of(const char *arch)
{
    const afn_pretrained *first = NULL;
    for (size_t i = 0; i < AFN_COUNT(table); i++) {
        if (strcmp(table[i].arch, arch) != 0) continue;
        if (strcmp(table[i].name, PREFIX "V2") == 0) return &table[i];
        if (!first) first = &table[i];
    }
    return first;
}

static afn_status no_such_weights(const char *arch, const char *name)
{
    afn_buf known = { 0 };
    for (size_t i = 0; i < AFN_COUNT(table); i++)
        if (strcmp(table[i].arch, arch) == 0)
            afn_buf_fmt(&known, "%s%s", known.size ? ", " : "", table[i].name);
    const afn_status st = afn_buf_finish(&known);
    if (st == AFN_OK)
        afn_fail(AFN_ENOTFOUND, "%s: no weights '%s', there are %s", arch, name,
                 known.data);
    afn_buf_free(&known);
    return st == AFN_OK ? AFN_ENOTFOUND : st;
}

afn_status afn_pretrained_find(const afn_pretrained **out, const char *arch,
                               const char *name)
{
    afn_arch known;
    *out = default_of(arch);
    if (!*out) {
        const afn_status st = afn_zoo_find(&known, arch);
        return st != AFN_OK ? st : afn_fail(AFN_ENOTFOUND, "%s: no weights", arch);
    }
    if (!name || strcasecmp(name, "default") == 0) return AFN_OK;
    *out = NULL;
    for (size_t i = 0; i < AFN_COUNT(table) && !*out; i++)
        if (strcmp(table[i].arch, arch) == 0 && same_name(table[i].name, name))
            *out = &table[i];
    return *out ? AFN_OK : no_such_weights(arch, name);
}

/* ---- by file ---- */

const char *afn_pretrained_digest(const char *file, size_t *count)
{
    const char *digest = strrchr(file, '-');
    size_t n = 0;
    if (digest)
        for (digest++; isxdigit((unsigned char)digest[n]);) n++;
    *count = n >= 8 ? n : 0; /* as many as torchvision writes, or more */
    return *count ? digest : NULL;
}

/* Does the name hold "-<digest of file>", and no hexadecimal digit after it? */
static bool has_digest(const char *name, const char *file)
{
    size_t n;
    const char *digest = afn_pretrained_digest(file, &n);
    for (const char *at = strchr(name, '-'); at; at = strchr(at + 1, '-'))
        if (strncmp(at + 1, digest, n) == 0 && !isxdigit((unsigned char)at[1 + n]))
            return true;
    return false;
}

static bool is_file(const char *name, const char *file)
{
    if (has_digest(name, file)) return true;
    for (size_t i = 0; i < AFN_COUNT(moved); i++)
        if (strstr(file, moved[i].now) && has_digest(name, moved[i].file)) return true;
    return false;
}

const afn_pretrained *afn_pretrained_of_file(const char *arch, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    for (size_t i = 0; i < AFN_COUNT(table); i++)
        if (strcmp(table[i].arch, arch) == 0 && is_file(name, table[i].file))
            return &table[i];
    return NULL;
}

const afn_pretrained *afn_zoo_published(const afn_arch *arch)
{
    for (size_t i = 0; i < AFN_COUNT(table); i++)
        if (strcmp(table[i].arch, arch->variant->name) == 0) return &table[i];
    return NULL;
}
