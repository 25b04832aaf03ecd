/* SPDX-License-Identifier: Apache-2.0 */
#include "afina/model.h"
#include "afn_test.h"
#include "fetch/fetch.h"

static void assert_file(const char *arch, const char *spec, const char *file)
{
    afn_weights_file f;
    assert_ok(afn_weights_file_named(&f, arch, spec));
    assert_string_equal(f.file, file);
}

static void words_and_models_name_files(void **state)
{
    (void)state;
    assert_file("resnet50", "default", "resnet50-11ad3fa6.pth");
    assert_file("resnet50", "DEFAULT", "resnet50-11ad3fa6.pth");
    assert_file("resnet50", "V1", "resnet50-0676ba61.pth");
    assert_file("resnet50", "IMAGENET1K_V1", "resnet50-0676ba61.pth");
    assert_file("resnet50", "imagenet1k_v2", "resnet50-11ad3fa6.pth");
    assert_file(NULL, "resnet50", "resnet50-11ad3fa6.pth");
    assert_file("alexnet", "resnet50/v1", "resnet50-0676ba61.pth");
    assert_file("resnet18", "default", "resnet18-f37072fd.pth");
    assert_file(NULL, "alexnet", "alexnet-owt-7be5be79.pth");
    assert_file(NULL, "my-0123abcd.safetensors", "my-0123abcd.safetensors");
}

static void every_network_has_weights(void **state)
{
    (void)state;
    for (int i = 0; i < afn_arch_count(); i++) {
        afn_arch_info info;
        afn_weights_file f;
        const char *digits;
        assert_ok(afn_arch_get(&info, i));
        assert_ok(afn_weights_file_named(&f, info.name, "default"));
        assert_string_equal(f.arch, info.name);
        assert_true(afn_fetch__name_digits(f.file, &digits) >= 8);
    }
}

static void recipes_may_have_longer_names(void **state)
{
    (void)state;
    afn_weights_file f;
    assert_ok(afn_weights_file_named(&f, "regnet_y_16gf", "IMAGENET1K_SWAG_E2E_V1"));
    assert_string_equal(f.recipe, "IMAGENET1K_SWAG_E2E_V1");
    assert_true(afn_weights_file_is_name("regnet_y_16gf/imagenet1k_swag_e2e_v1"));
    assert_false(afn_weights_file_is_name("regnet_y_16gf/weights"));
}

static void what_is_not_known_is_said(void **state)
{
    (void)state;
    afn_weights_file f;
    assert_fails(AFN_ENOTFOUND, "resnet17: no such model, did you mean resnet18?",
                 afn_weights_file_named(&f, NULL, "resnet17"));
    assert_fails(AFN_ENOTFOUND, "there are IMAGENET1K_V1",
                 afn_weights_file_named(&f, "resnet18", "V2"));
    assert_fails(AFN_ENOTFOUND, "resnet50: no weights 'V3'",
                 afn_weights_file_named(&f, NULL, "resnet50/V3"));
    assert_fails(AFN_EINVAL, "of which model?",
                 afn_weights_file_named(&f, NULL, "default"));
}

static void a_file_name_never_leaves_its_folder(void **state)
{
    (void)state;
    static const char *const wrong[] = { "../my-0123abcd.pth", "/my-0123abcd.pth",
                                         "a/my-0123abcd.pth",  ".my-0123abcd.pth",
                                         "my-0123abc.pth",     "my-0123abcd",
                                         "my-0123abcdX.pth",   "my\n-0123abcd.pth",
                                         "0123abcd.pth",       "..-0123abcd.pth" };
    afn_weights_file f;
    for (size_t i = 0; i < AFN_COUNT(wrong); i++)
        assert_int_equal(afn_weights_file_named(&f, NULL, wrong[i]), AFN_ENOTFOUND);
}

static void names_are_told_from_paths(void **state)
{
    (void)state;
    assert_true(afn_weights_file_is_name("default"));
    assert_true(afn_weights_file_is_name("resnet50"));
    assert_true(afn_weights_file_is_name("resnet50/V1"));
    assert_false(afn_weights_file_is_name("resnet50.pth"));
    assert_false(afn_weights_file_is_name("./default"));
    assert_false(afn_weights_file_is_name("run/model"));
    assert_false(afn_weights_file_is_name("/V1"));
    assert_false(afn_weights_file_is_name(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_and_models_name_files),
        cmocka_unit_test(every_network_has_weights),
        cmocka_unit_test(recipes_may_have_longer_names),
        cmocka_unit_test(what_is_not_known_is_said),
        cmocka_unit_test(a_file_name_never_leaves_its_folder),
        cmocka_unit_test(names_are_told_from_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
