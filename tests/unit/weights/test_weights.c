/* SPDX-License-Identifier: Apache-2.0 */
#include "weights_files.h"

/* What PyTorch reads from these files: tensors in order, and the hash of their
 * contiguous bytes. */
static const struct {
    const char *file, *format;
    size_t count;
    uint64_t hash;
} readable[] = {
    /* clang-format off */
    { "akamaster_resnet20.th", "torch-legacy", 97, 0x12bf3908b1a92617 },
    { "akamaster_resnet56.th", "torch-legacy", 277, 0x7544d42e8febc11e },
    { "bumblebee_noncontiguous_tensor.legacy.pt", "torch-legacy", 1, 0xd67193ca494f3065 },
    { "bumblebee_noncontiguous_tensor.zip.pt", "torch-zip", 1, 0xd67193ca494f3065 },
    { "bumblebee_state_dict_base.zip.pt", "torch-zip", 2, 0xcf34f6933aab7b85 },
    { "bumblebee_state_dict_full.zip.pt", "torch-zip", 5, 0x29c68e23bf854955 },
    { "bumblebee_tensors.legacy.pt", "torch-legacy", 12, 0x1de53d7a2f275e91 },
    { "bumblebee_tensors.zip.pt", "torch-zip", 12, 0x1de53d7a2f275e91 },
    { "burn_batch_norm2d.pt", "torch-zip", 5, 0xc171911ef68bfe80 },
    { "burn_bfloat16.pt", "torch-zip", 1, 0xd833c548a8a09020 },
    { "burn_bool.pt", "torch-zip", 1, 0xe0b381aeacc19a6e },
    { "burn_buffers.pt", "torch-zip", 2, 0xe13249d939f7ceb4 },
    { "burn_checkpoint.pt", "torch-zip", 4, 0x9350033e199f603b },
    { "burn_complex_nested.pt", "torch-zip", 23, 0x3c2924e3f628f882 },
    { "burn_complex_structure.pt", "torch-zip", 6, 0x4166d9cce2829295 },
    { "burn_empty.pt", "torch-zip", 1, 0xcbf29ce484222325 },
    { "burn_extreme_values.pt", "torch-zip", 1, 0x859a817c61cbaea5 },
    { "burn_float16.pt", "torch-zip", 1, 0xc513497905d344a9 },
    { "burn_float64.pt", "torch-zip", 1, 0x907326784f3c9e02 },
    { "burn_int64.pt", "torch-zip", 1, 0x2ece0a58c4e435ad },
    { "burn_key_remap.pt", "torch-zip", 3, 0xd404a4e1454ab804 },
    { "burn_large_shape.pt", "torch-zip", 1, 0xa4c55325bbadb9d8 },
    { "burn_legacy_shared_storage.pt", "torch-legacy", 3, 0x761946aa186c1d79 },
    { "burn_legacy_uncloned_views.pt", "torch-legacy", 2, 0xc322af06e4e03431 },
    { "burn_legacy_with_offsets.pt", "torch-legacy", 3, 0xe34f3b379f99b872 },
    { "burn_mixed_types.pt", "torch-zip", 4, 0x2906c6a68907174c },
    { "burn_mnist.pt", "torch-zip", 20, 0xbfcbac03ffc9c478 },
    { "burn_mnist.safetensors", "safetensors", 20, 0x44fcff00ac9af816 },
    { "burn_multi_layer.safetensors", "safetensors", 9, 0xe233e4a79a98abce },
    { "burn_nested_dict.pt", "torch-zip", 4, 0x405c9ccaeb023535 },
    { "burn_non_contiguous_indexes.pt", "torch-zip", 10, 0x409e293a41173398 },
    { "burn_parameter.pt", "torch-zip", 1, 0x862bc8f92961e593 },
    { "burn_scalar.pt", "torch-zip", 1, 0x4c9dc47f9d5afee7 },
    { "burn_simple_legacy.pt", "torch-legacy", 3, 0xb26288d61d7ac16a },
    { "burn_special_values.pt", "torch-zip", 1, 0x004316996e987bc5 },
    { "burn_state_dict.pt", "torch-zip", 4, 0x72e6e652176a18df },
    { "burn_top_level_key.pt", "torch-zip", 2, 0xb56335b12e3e759c },
    { "burn_uint8.pt", "torch-zip", 1, 0xf8e5da7d2a39d3f4 },
    { "burn_weights_with_config.pt", "torch-zip", 3, 0x9ea1f20f24e2976a },
    { "killthebits_resnet18_large_blocks.pth", "torch-legacy", 82, 0xc5aa5ae84576b90a },
    { "lpips_v0.0_alex.pth", "torch-legacy", 5, 0xd7c32da9f0f1a544 },
    { "lpips_v0.0_squeeze.pth", "torch-legacy", 7, 0x761135fa7fa0762b },
    { "lpips_v0.1_alex.pth", "torch-legacy", 5, 0x55b02ccb687f59c7 },
    { "lpips_v0.1_vgg.pth", "torch-legacy", 5, 0x9a2236cd8bdb8600 },
    { "mrdbourke_linear0.pth", "torch-zip", 2, 0xc87b60b78cd0aec0 },
    { "mrdbourke_linear1.pth", "torch-zip", 2, 0xb468e5a95edf6432 },
    { "mrdbourke_tinyvgg.pth", "torch-zip", 10, 0x8dd893afd46eda8f },
    { "mtcnn_onet.pt", "torch-legacy", 21, 0xc8533e0ffce9395b },
    { "mtcnn_pnet.pt", "torch-legacy", 13, 0x81a5348c0c7d9a2e },
    { "mtcnn_rnet.pt", "torch-legacy", 16, 0xb1c4cb4390764575 },
    { "pqf_resnet18_large.pth", "torch-legacy", 82, 0xb8e71c005d3f8844 },
    { "retinaface_RBF_Final.pth", "torch-legacy", 258, 0xadd364659852e55f },
    { "retinaface_mobilenet0.25_Final.pth", "torch-legacy", 300, 0x655194abd568049e },
    { "retinaface_slim_Final.pth", "torch-legacy", 198, 0x47805e093e3e54b3 },
    /* clang-format on */
};

static const struct {
    const char *file;
    afn_status code;
    const char *message;
} refused[] = {
    { "TRUNCATED_tarformat_resnet18-5c106cde_first1MiB.pth", AFN_EFORMAT,
      "tar member storages ends at byte 46822653, the file has 1048576" },
    { "burn_broken.pt", AFN_EFORMAT, "neither a PyTorch nor a safetensors file" },
    { "bumblebee_noncontiguous_numpy_array.zip.pt", AFN_EUNSUPPORTED,
      "holds no tensors, only other data (object)" },
    { "bumblebee_numpy_arrays.legacy.pt", AFN_EUNSUPPORTED,
      "holds no tensors, only other data (list)" },
    { "bumblebee_numpy_arrays.zip.pt", AFN_EUNSUPPORTED,
      "holds no tensors, only other data (list)" },
    { "bumblebee_ordered_dict.legacy.pt", AFN_EUNSUPPORTED,
      "holds no tensors, only other data (dict)" },
    { "bumblebee_ordered_dict.zip.pt", AFN_EUNSUPPORTED,
      "holds no tensors, only other data (dict)" },
    { "bumblebee_storage_view.legacy.pt", AFN_EUNSUPPORTED,
      "holds no tensors, only other data (tuple)" },
    { "dncnn_wholemodel_pickle.pth", AFN_EUNSUPPORTED,
      "a whole model was pickled (class __main__.DnCNN at byte 153), "
      "save its state_dict() instead" },
    { "torchscript_lite_asl.ptl", AFN_EUNSUPPORTED, "a TorchScript archive" },
    { "torchscript_mobilenet_v2_quantized.pt", AFN_EUNSUPPORTED,
      "a TorchScript archive" },
    { "torchscript_reddit.pt1", AFN_EUNSUPPORTED, "a TorchScript archive" },
};

static const char *torch_file(const char *name)
{
    char below[256];
    snprintf(below, sizeof below, "torch-files/%s", name);
    return shared_data(below);
}

static void real_files_read_as_pytorch_reads_them(void **state)
{
    (void)state;
    if (!shared_data("torch-files")) skip();
    for (size_t i = 0; i < AFN_COUNT(readable); i++) {
        afn_weights *w;
        const char *path = torch_file(readable[i].file);
        assert_non_null(path);
        assert_ok(afn_weights_open(&w, path));
        assert_string_equal(afn_weights_format(w), readable[i].format);
        assert_int_equal(afn_weights_count(w), readable[i].count);
        if (hash_of_set(w) != readable[i].hash)
            fail_msg("%s: values differ", readable[i].file);
        afn_weights_free(w);
    }
}

static void files_that_are_not_weights_are_refused_with_a_reason(void **state)
{
    (void)state;
    if (!shared_data("torch-files")) skip();
    for (size_t i = 0; i < AFN_COUNT(refused); i++) {
        afn_weights *w;
        const char *path = torch_file(refused[i].file);
        assert_non_null(path);
        assert_fails(refused[i].code, refused[i].message, afn_weights_open(&w, path));
        assert_null(w);
    }
}

static void an_error_begins_with_the_path(void **state)
{
    (void)state;
    afn_weights *w;
    assert_fails(AFN_ENOTFOUND,
                 "/nowhere/x.pth: ", afn_weights_open(&w, "/nowhere/x.pth"));
    assert_null(w);
    assert_fails(AFN_EIO, "/tmp: is a folder", afn_weights_open(&w, "/tmp"));
}

static void files_of_other_kinds_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *message;
    } other[] = {
        { "", "is empty" },
        { "version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer" },
        { "<!DOCTYPE html><html>", "a web page" },
        { "\x89HDF\r\n\x1a\n", "HDF5" },
        { "hello, world", "neither a PyTorch nor a safetensors file (12 bytes)" },
    };
    for (size_t i = 0; i < AFN_COUNT(other); i++) {
        afn_weights *w;
        const char *bytes = other[i].bytes;
        assert_fails(AFN_EFORMAT, other[i].message,
                     afn_weights_open_memory(&w, bytes, strlen(bytes)));
        assert_null(w);
    }
}

static void a_safetensors_header_of_128_bytes_is_not_taken_for_a_pickle(void **state)
{
    (void)state;
    afn_buf b = { 0 };
    afn_weights *w;
    add_le(&b, 128, 8);
    afn_buf_fmt(&b, "%-128s",
                "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],"
                "\"data_offsets\":[0,1]}}");
    ADD(&b, "x");
    assert_ok(afn_weights_open_memory(&w, b.data, b.size));
    assert_string_equal(afn_weights_format(w), "safetensors");
    afn_weights_free(w);
    afn_buf_free(&b);
}

static void saving_under_an_unknown_extension_is_refused(void **state)
{
    (void)state;
    afn_weights *w;
    assert_ok(afn_weights_new(&w));
    assert_fails(AFN_EINVAL, "x.h5: unknown extension", afn_weights_save(w, "x.h5"));
    assert_fails(AFN_ENOTFOUND, "/nowhere/x.pth",
                 afn_weights_save(w, "/nowhere/x.pth"));
    afn_weights_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(real_files_read_as_pytorch_reads_them),
        cmocka_unit_test(files_that_are_not_weights_are_refused_with_a_reason),
        cmocka_unit_test(an_error_begins_with_the_path),
        cmocka_unit_test(files_of_other_kinds_are_named),
        cmocka_unit_test(a_safetensors_header_of_128_bytes_is_not_taken_for_a_pickle),
        cmocka_unit_test(saving_under_an_unknown_extension_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
