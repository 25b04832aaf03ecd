/* SPDX-License-Identifier: Apache-2.0 */
/* What check_model.py compares with torchvision.  ARCH is "-" for a file of our own:
 *   model_tool logits ARCH FILE IMAGE        one value a line
 *   model_tool save ARCH FILE OUT [NAME...]  the same model under another name
 *   model_tool info ARCH FILE                architecture, classes, names,
 * preprocessing
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "afina/afina.h"

static afn_status print_logits(const afn_model *m, const char *image_path)
{
    afn_image image = { 0 };
    afn_predictor *p = NULL;
    float *logits = malloc((size_t)afn_model_classes(m) * sizeof *logits);
    afn_status st = logits ? AFN_OK : AFN_ENOMEM;
    if (st == AFN_OK) st = afn_image_read(&image, image_path, NULL);
    if (st == AFN_OK) st = afn_predictor_new(&p, m, NULL);
    if (st == AFN_OK) st = afn_predictor_image(p, &image, logits);
    for (int i = 0; st == AFN_OK && i < afn_model_classes(m); i++)
        printf("%.9g\n", (double)logits[i]);
    afn_predictor_free(p);
    afn_image_free(&image);
    free(logits);
    return st;
}

static afn_status save(afn_model *m, const char *path, char **names, int n)
{
    if (n > 0) {
        const afn_status st =
            afn_model_set_class_names(m, (const char *const *)names, n);
        if (st != AFN_OK) return st;
    }
    return afn_model_save(m, path);
}

static afn_status print_info(const afn_model *m)
{
    const afn_preprocess p = afn_model_preprocess(m);
    printf("%s %d %d %d %s\n", afn_model_arch(m), afn_model_classes(m), p.resize,
           p.crop, afn_filter_name(p.filter));
    for (int i = 0; afn_model_class_name(m, i); i++) puts(afn_model_class_name(m, i));
    return AFN_OK;
}

int main(int argc, char **argv)
{
    afn_model *m = NULL;
    if (argc < 4) return 2;
    const char *arch = strcmp(argv[2], "-") == 0 ? NULL : argv[2];
    afn_status st = afn_model_open(&m, arch, argv[3]);
    if (st == AFN_OK && strcmp(argv[1], "logits") == 0 && argc == 5)
        st = print_logits(m, argv[4]);
    else if (st == AFN_OK && strcmp(argv[1], "save") == 0 && argc >= 5)
        st = save(m, argv[4], argv + 5, argc - 5);
    else if (st == AFN_OK && strcmp(argv[1], "info") == 0)
        st = print_info(m);
    if (st != AFN_OK) fprintf(stderr, "%s\n", afn_error_message());
    afn_model_free(m);
    return st != AFN_OK;
}
