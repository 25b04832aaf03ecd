/* SPDX-License-Identifier: Apache-2.0 */
/* Finding published weights by name and by file.  What the rows say is compared with
 * torchvision by tests/oracle/check_zoo.py. */
#include "afina/pretrained.h"
#include "afn_test.h"
#include "zoo/zoo.h"

static const afn_pretrained *find(const char *arch, const char *name)
{
    const afn_pretrained *w;
    assert_ok(afn_pretrained_find(&w, arch, name));
    return w;
}

static void every_architecture_has_an_entry(void **state)
{
    (void)state;
    for (int i = 0; i < afn_zoo_count(); i++) {
        const afn_arch arch = afn_zoo_get(i);
        const afn_pretrained *w = afn_zoo_published(&arch);
        assert_non_null(w);
        assert_string_equal(w->arch, arch.variant->name);
        assert_true(w->preprocess.crop >= afn_zoo_min_size(&arch));
    }
}

static void the_usual_entry_has_the_usual_preprocessing(void **state)
{
    (void)state;
    const afn_preprocess usual = afn_preprocess_imagenet();
    const afn_preprocess p = find("resnet50", "IMAGENET1K_V1")->preprocess;
    assert_true(p.fit == usual.fit && p.resize == usual.resize && p.crop == usual.crop);
    assert_true(p.filter == usual.filter && p.exif == usual.exif && !p.fast);
    assert_memory_equal(p.mean, usual.mean, sizeof p.mean);
    assert_memory_equal(p.std, usual.std, sizeof p.std);
}

static void weights_are_found_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *arch, *name, *file;
    } row[] = {
        { "resnet50", "IMAGENET1K_V1", "resnet50-0676ba61.pth" },
        { "resnet50", "v1", "resnet50-0676ba61.pth" },
        { "resnet50", NULL, "resnet50-11ad3fa6.pth" },
        { "resnet50", "DEFAULT", "resnet50-11ad3fa6.pth" },
        { "resnet18", "default", "resnet18-f37072fd.pth" },
        { "regnet_y_128gf", NULL, "regnet_y_128gf_swag-c8ce3e52.pth" },
        { "regnet_y_16gf", NULL, "regnet_y_16gf-3e4a00f9.pth" },
        { "regnet_y_16gf", "swag_linear_v1", "regnet_y_16gf_lc_swag-f3ec0043.pth" },
        { "vgg16", NULL, "vgg16-397923af.pth" },
        { "vgg16", "features", "vgg16_features-amdegroot-88682ab5.pth" },
    };
    for (size_t i = 0; i < AFN_COUNT(row); i++)
        assert_string_equal(find(row[i].arch, row[i].name)->file, row[i].file);
}

static void what_there_is_none_of_is_named(void **state)
{
    (void)state;
    const afn_pretrained *w;
    assert_fails(AFN_ENOTFOUND,
                 "resnet50: no weights 'V3', there are IMAGENET1K_V1, IMAGENET1K_V2",
                 afn_pretrained_find(&w, "resnet50", "V3"));
    assert_null(w);
    assert_fails(AFN_ENOTFOUND, "resnet5: no such model, did you mean resnet50?",
                 afn_pretrained_find(&w, "resnet5", NULL));
    assert_null(w);
}

static void a_file_is_told_by_the_digest_in_its_name(void **state)
{
    (void)state;
    static const struct {
        const char *arch, *path, *name;
    } row[] = {
        { "resnet50", "resnet50-11ad3fa6.pth", "IMAGENET1K_V2" },
        { "resnet50", "/a-b/old/resnet50-11ad3fa6 (1).pth", "IMAGENET1K_V2" },
        { "resnet50", "mine-0676ba61-copy.pth", "IMAGENET1K_V1" },
        { "resnet50", "resnet50-19c8e357.pth", "IMAGENET1K_V1" }, /* of 2017 */
        { "efficientnet_b3", "efficientnet_b3_rwightman-cf984f9c.pth",
          "IMAGENET1K_V1" },
        { "efficientnet_b3", "efficientnet_b3_rwightman-b3899882.pth",
          "IMAGENET1K_V1" },
        { "mnasnet0_5", "mnasnet0.5_top1_67.823-3ffadce67e.pth", "IMAGENET1K_V1" },
        { "resnet18", "resnet50-11ad3fa6.pth", NULL },
        { "resnet50", "resnet50-11ad3fa6/model.pth", NULL },
        { "resnet50", "resnet50-11ad3fa67.pth", NULL },
        { "resnet50", "resnet50-11ad3fa.pth", NULL },
        { "resnet50", "resnet50.pth", NULL },
        { "resnet50", "", NULL },
        { "nothing", "resnet50-11ad3fa6.pth", NULL },
    };
    for (size_t i = 0; i < AFN_COUNT(row); i++) {
        const afn_pretrained *w = afn_pretrained_of_file(row[i].arch, row[i].path);
        if (row[i].name) {
            assert_non_null(w);
            assert_string_equal(w->name, row[i].name);
        } else {
            assert_null(w);
        }
    }
}

static void every_file_is_its_own_and_has_a_digest(void **state)
{
    (void)state;
    for (int i = 0; i < afn_pretrained_count(); i++) {
        const afn_pretrained *w = afn_pretrained_get(i);
        size_t n;
        const char *digest = afn_pretrained_digest(w->file, &n);
        assert_true(digest && n >= 8 && strcmp(digest + n, ".pth") == 0);
        assert_ptr_equal(afn_pretrained_of_file(w->arch, w->file), w);
        assert_ptr_equal(find(w->arch, w->name), w);
        assert_true(w->parameters > 0 && w->gmacs > 0 && w->mib > 0);
        assert_true(w->top1 <= w->top5 && w->top5 < 100);
    }
    assert_null(afn_pretrained_get(-1));
    assert_null(afn_pretrained_get(afn_pretrained_count()));
}

static void names_without_a_digest_have_none(void **state)
{
    (void)state;
    static const char *const name[] = { "", "-", "model.pth", "a-fine.pth",
                                        "x-1234567" };
    for (size_t i = 0; i < AFN_COUNT(name); i++) {
        size_t n = 1;
        assert_null(afn_pretrained_digest(name[i], &n));
        assert_int_equal(n, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_architecture_has_an_entry),
        cmocka_unit_test(the_usual_entry_has_the_usual_preprocessing),
        cmocka_unit_test(weights_are_found_by_name),
        cmocka_unit_test(what_there_is_none_of_is_named),
        cmocka_unit_test(a_file_is_told_by_the_digest_in_its_name),
        cmocka_unit_test(every_file_is_its_own_and_has_a_digest),
        cmocka_unit_test(names_without_a_digest_have_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
