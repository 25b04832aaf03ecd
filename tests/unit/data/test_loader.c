/* SPDX-License-Identifier: Apache-2.0 */
/* Batches: the same for any number of threads, complete, and honest about bad files. */
#define _GNU_SOURCE /* nftw */
#include "afn_test.h"

#include "data/dataset.h"
#include "make_tree.h"

enum { SIDE = 6, IMAGE_BYTES = SIDE * SIDE * 3 };

static const afn_preprocess small = { .crop = SIDE,
                                      .filter = AFN_FILTER_BILINEAR,
                                      .std = { 1, 1, 1 } };

static afn_dataset *open_fake(int size)
{
    char spec[64];
    afn_dataset *d;
    snprintf(spec, sizeof spec, "fake:size=%d,height=8,width=7", size);
    assert_ok(afn_dataset_open(&d, spec));
    return d;
}

static afn_loader *new_loader(const afn_dataset *d, afn_loader_opts o)
{
    afn_loader *l;
    assert_ok(afn_loader_new(&l, d, &small, &o));
    return l;
}

/* All that an epoch gives, one batch after the other. */
typedef struct epoch {
    int64_t index[128];
    int labels[128];
    uint8_t pixels[128][IMAGE_BYTES];
    int64_t n, batches, last; /* last: samples of the last batch */
} epoch;

static void read_epoch(epoch *e, afn_loader *l, int64_t number)
{
    afn_batch b;
    memset(e, 0, sizeof *e);
    assert_ok(afn_loader_start(l, number));
    for (;;) {
        assert_ok(afn_loader_next(l, &b));
        if (!b.n) break;
        assert_true(e->n + b.n <= 128);
        memcpy(e->index + e->n, b.index, (size_t)b.n * sizeof *b.index);
        memcpy(e->labels + e->n, b.labels, (size_t)b.n * sizeof *b.labels);
        memcpy(e->pixels[e->n], b.pixels, (size_t)b.n * IMAGE_BYTES);
        e->n += b.n;
        e->batches++;
        e->last = b.n;
    }
}

static void an_epoch_is_the_same_for_any_number_of_threads(void **state)
{
    (void)state;
    static const int threads[] = { 1, 2, 7 };
    static epoch first[2], e;
    afn_dataset *d = open_fake(100);
    for (size_t t = 0; t < AFN_COUNT(threads); t++) {
        for (int kept = 0; kept < 2; kept++) {
            afn_loader *l = new_loader(d, (afn_loader_opts){ .batch = 8,
                                                             .shuffle = true,
                                                             .threads = threads[t],
                                                             .keep = kept ? -1 : 0,
                                                             .ahead = 3 * kept });
            for (int64_t number = 0; number < 2; number++) {
                read_epoch(&e, l, number);
                assert_int_equal(100, e.n);
                if (t == 0 && !kept) first[number] = e;
                assert_memory_equal(&first[number], &e, sizeof e);
            }
            afn_loader_free(l);
        }
    }
    assert_memory_not_equal(first[0].index, first[1].index, sizeof first[0].index);
    afn_dataset_free(d);
}

static void a_batch_holds_the_samples_it_names(void **state)
{
    (void)state;
    static epoch e;
    bool seen[50] = { false };
    afn_dataset *d = open_fake(50);
    afn_loader *l = new_loader(d, (afn_loader_opts){ .batch = 7, .shuffle = true });
    read_epoch(&e, l, 3);
    for (int64_t i = 0; i < e.n; i++) {
        afn_image image;
        uint8_t want[IMAGE_BYTES];
        assert_false(seen[e.index[i]]);
        seen[e.index[i]] = true;
        assert_ok(afn_dataset_read(d, e.index[i], NULL, &image));
        assert_ok(afn_preprocess_apply(&small, &image, want));
        assert_memory_equal(want, e.pixels[i], IMAGE_BYTES);
        assert_int_equal(afn_dataset_label(d, e.index[i]), e.labels[i]);
        afn_image_free(&image);
    }
    afn_loader_free(l);
    afn_dataset_free(d);
}

static void pictures_of_four_channels_are_kept_whole(void **state)
{
    (void)state;
    afn_preprocess p = small;
    p.channels = 4;
    const size_t bytes = afn_preprocess_bytes(&p);
    afn_dataset *d = open_fake(5);
    afn_loader *l;
    afn_batch batch;
    const afn_loader_opts o = { .batch = 5, .threads = 2, .keep = -1 };
    uint8_t *first = malloc(5 * bytes);
    assert_non_null(first);
    assert_ok(afn_loader_new(&l, d, &p, &o));
    for (int64_t number = 0; number < 2; number++) {
        assert_ok(afn_loader_start(l, number));
        assert_ok(afn_loader_next(l, &batch));
        if (!number) memcpy(first, batch.pixels, 5 * bytes);
        assert_memory_equal(first, batch.pixels, 5 * bytes);
        for (size_t i = 0; i < 5 * bytes; i += 4)
            assert_int_equal(batch.pixels[i + 3], 255); /* pictures without alpha */
    }
    free(first);
    afn_loader_free(l);
    afn_dataset_free(d);
}

static void the_last_batch_is_small_or_dropped(void **state)
{
    (void)state;
    static const struct {
        int64_t count, batch;
        bool drop;
        int64_t batches, n, last;
    } row[] = {
        { 10, 4, false, 3, 10, 2 }, { 10, 4, true, 2, 8, 4 },
        { 8, 4, false, 2, 8, 4 },   { 8, 4, true, 2, 8, 4 },
        { 3, 4, false, 1, 3, 3 },   { 3, 4, true, 0, 0, 0 },
        { 1, 1, true, 1, 1, 1 },    { 3, INT64_MAX, false, 1, 3, 3 },
        { 9, 1, false, 9, 9, 1 },
    };
    static epoch e;
    for (size_t i = 0; i < AFN_COUNT(row); i++) {
        afn_dataset *d = open_fake((int)row[i].count);
        afn_loader *l = new_loader(d, (afn_loader_opts){ .batch = row[i].batch,
                                                         .drop_last = row[i].drop,
                                                         .threads = 3 });
        assert_int_equal(row[i].batches, afn_loader_batches(l));
        read_epoch(&e, l, 0);
        assert_int_equal(row[i].batches, e.batches);
        assert_int_equal(row[i].n, e.n);
        assert_int_equal(row[i].last, e.last);
        afn_loader_free(l);
        afn_dataset_free(d);
    }
}

static void an_empty_set_has_no_batches(void **state)
{
    (void)state;
    static epoch e;
    afn_dataset *d = open_fake(3), *none;
    assert_ok(afn_data__subset(&none, d, NULL, 0));
    afn_loader *l = new_loader(none, afn_loader_defaults());
    read_epoch(&e, l, 0);
    assert_int_equal(0, e.batches);
    afn_loader_free(l);
    afn_dataset_free(none);
    afn_dataset_free(d);
}

static void without_shuffling_the_sets_order_is_kept(void **state)
{
    (void)state;
    static epoch e;
    afn_dataset *d = open_fake(30);
    afn_loader *l = new_loader(d, (afn_loader_opts){ .batch = 4 });
    for (int64_t number = 0; number < 2; number++) {
        read_epoch(&e, l, number);
        for (int64_t i = 0; i < 30; i++) assert_int_equal(i, e.index[i]);
    }
    afn_loader_free(l);
    afn_dataset_free(d);
}

static void an_epoch_can_begin_anew_at_any_batch(void **state)
{
    (void)state;
    static epoch whole, e;
    afn_dataset *d = open_fake(60);
    afn_loader *l =
        new_loader(d, (afn_loader_opts){ .batch = 4, .shuffle = true, .threads = 4 });
    read_epoch(&whole, l, 9);
    for (int taken = 0; taken <= 15; taken++) {
        afn_batch b;
        assert_ok(afn_loader_start(l, 5));
        for (int i = 0; i < taken; i++) assert_ok(afn_loader_next(l, &b));
        read_epoch(&e, l, 9);
        assert_memory_equal(&whole, &e, sizeof e);
    }
    afn_loader_free(l);
    afn_dataset_free(d);
}

static void a_loader_can_be_freed_at_any_moment(void **state)
{
    (void)state;
    afn_dataset *d = open_fake(60);
    for (int taken = -1; taken < 5; taken++) {
        afn_batch b;
        afn_loader *l = new_loader(
            d, (afn_loader_opts){ .batch = 4, .shuffle = true, .threads = 4 });
        if (taken >= 0) assert_ok(afn_loader_start(l, 0));
        for (int i = 0; i < taken; i++) assert_ok(afn_loader_next(l, &b));
        afn_loader_free(l);
    }
    afn_loader_free(NULL);
    afn_dataset_free(d);
}

static void the_end_of_an_epoch_stays_the_end(void **state)
{
    (void)state;
    static epoch e;
    afn_batch b;
    afn_dataset *d = open_fake(5);
    afn_loader *l = new_loader(d, afn_loader_defaults());
    assert_fails(AFN_EINVAL, "no epoch was started", afn_loader_next(l, &b));
    read_epoch(&e, l, 0);
    for (int i = 0; i < 3; i++) {
        assert_ok(afn_loader_next(l, &b));
        assert_int_equal(0, b.n);
    }
    afn_loader_free(l);
    afn_dataset_free(d);
}

static void strictly_the_first_bad_sample_in_order_is_an_error(void **state)
{
    (void)state;
    static const int threads[] = { 1, 2, 7 };
    char file[32];
    afn_dataset *d;
    const char *root = new_tree("loader-bad");
    for (int i = 0; i < 20; i++) {
        snprintf(file, sizeof file, "a/%02d.png", i);
        if (i == 9 || i == 11 || i == 17)
            put_text(root, file);
        else
            put_png(root, file, (uint8_t)i);
    }
    assert_ok(afn_dataset_open(&d, root));
    for (size_t t = 0; t < AFN_COUNT(threads); t++) {
        afn_batch b;
        afn_loader *l = new_loader(
            d, (afn_loader_opts){ .batch = 4, .threads = threads[t], .strict = true });
        for (int again = 0; again < 2; again++) {
            assert_ok(afn_loader_start(l, 0));
            assert_ok(afn_loader_next(l, &b));
            assert_ok(afn_loader_next(l, &b));
            assert_int_equal(4, b.n);
            assert_int_equal(7, b.pixels[3 * IMAGE_BYTES]);
            for (int i = 0; i < 3; i++) {
                assert_fails(AFN_EFORMAT, "/a/09.png: ", afn_loader_next(l, &b));
                assert_int_equal(0, b.n);
            }
        }
        afn_loader_free(l);
    }
    afn_dataset_free(d);
}

/* 40 pictures of which every seventh cannot be read, and a whole batch of 4 neither. */
static const char *spoilt_tree(const char *name)
{
    char file[32];
    const char *root = new_tree(name);
    for (int i = 0; i < 40; i++) {
        snprintf(file, sizeof file, "%c/%02d.png", "ab"[i / 20], i);
        if (i % 7 == 3 || i / 4 == 5)
            put_text(root, file);
        else
            put_png(root, file, (uint8_t)(i + 1));
    }
    return root;
}

typedef struct warnings {
    int n;
    char first[1200];
} warnings;

static void note_warning(afn_log_level level, const char *line, void *user)
{
    warnings *w = user;
    if (level != AFN_LOG_WARNING) return;
    if (!w->n++) snprintf(w->first, sizeof w->first, "%s", line);
}

static void bad_samples_make_batches_smaller_and_are_named_once(void **state)
{
    (void)state;
    static const int threads[] = { 1, 2, 7 };
    static epoch e, first[2];
    afn_dataset *d;
    const char *root = spoilt_tree("loader-spoilt");
    assert_ok(afn_dataset_open(&d, root));
    for (size_t t = 0; t < AFN_COUNT(threads); t++) {
        warnings w = { 0 };
        afn_log_set(note_warning, &w);
        afn_loader *l = new_loader(d, (afn_loader_opts){ .batch = 4,
                                                         .threads = threads[t],
                                                         .shuffle = t == 1,
                                                         .keep = t == 2 ? -1 : 0 });
        for (int64_t number = 0; number < 2; number++) {
            read_epoch(&e, l, number);
            assert_int_equal(10, afn_loader_bad(l));
            assert_int_equal(10, w.n);
            assert_int_equal(30, e.n);
            for (int64_t i = 0; i < e.n; i++) { /* no blank, and none twice */
                assert_int_equal(e.index[i] + 1, e.pixels[i][0]);
                assert_int_equal(e.index[i] / 20, e.labels[i]);
                for (int64_t k = 0; k < i; k++)
                    assert_int_not_equal(e.index[i], e.index[k]);
            }
            if (t == 0) first[number] = e;
            if (t == 2) assert_memory_equal(&first[number], &e, sizeof e);
            if (t == 0) assert_int_equal(9, e.batches); /* of 10: one has none left */
        }
        if (t != 1) {
            assert_non_null(strstr(w.first, "/a/03.png: not a picture"));
            assert_non_null(strstr(w.first, ", skipped"));
        }
        afn_loader_free(l);
        afn_log_set(NULL, NULL);
    }
    afn_dataset_free(d);
}

/* What is in a batch does not depend on what was found before: a loader that begins in
 * the second epoch gives what one that saw the first one gives. */
static void batches_do_not_depend_on_earlier_epochs(void **state)
{
    (void)state;
    static epoch a, b;
    afn_dataset *d;
    const char *root = spoilt_tree("loader-resumed");
    assert_ok(afn_dataset_open(&d, root));
    for (int balanced = 0; balanced < 2; balanced++) {
        const afn_loader_opts o = {
            .batch = 4, .shuffle = true, .balanced = balanced, .seed = 5
        };
        afn_loader *one = new_loader(d, o), *other = new_loader(d, o);
        read_epoch(&a, one, 0);
        read_epoch(&a, one, 1);
        read_epoch(&b, other, 1);
        assert_memory_equal(&a, &b, sizeof a);
        afn_loader_free(one);
        afn_loader_free(other);
    }
    afn_dataset_free(d);
}

static void a_set_of_which_nothing_can_be_read_is_an_error(void **state)
{
    (void)state;
    afn_dataset *d;
    afn_batch b;
    const char *root = new_tree("loader-none");
    put_text(root, "a/1.png");
    put_text(root, "a/2.png");
    put_text(root, "a/3.png");
    assert_ok(afn_dataset_open(&d, root));
    afn_loader *l = new_loader(d, (afn_loader_opts){ .batch = 2 });
    for (int64_t number = 0; number < 2; number++) {
        assert_ok(afn_loader_start(l, number));
        for (int again = 0; again < 2; again++)
            assert_fails(AFN_EFORMAT, "/a/1.png: not a picture",
                         afn_loader_next(l, &b));
    }
    assert_int_equal(3, afn_loader_bad(l));
    afn_loader_free(l);
    afn_dataset_free(d);
}

static void options_out_of_range_are_refused(void **state)
{
    (void)state;
    afn_loader *l;
    afn_loader_opts o = afn_loader_defaults();
    afn_preprocess p = small;
    afn_dataset *d = open_fake(5);
    assert_int_equal(32, o.batch);
    assert_true(o.shuffle);
    o.batch = 0;
    assert_fails(AFN_EINVAL, "batch of 0", afn_loader_new(&l, d, &small, &o));
    assert_null(l);
    o = afn_loader_defaults();
    o.threads = -1;
    assert_fails(AFN_EINVAL, "-1 threads", afn_loader_new(&l, d, &small, &o));
    o.threads = 0;
    o.ahead = -1;
    assert_fails(AFN_EINVAL, "-1 batches ahead", afn_loader_new(&l, d, &small, &o));
    o.ahead = 0;
    o.keep = -2;
    assert_fails(AFN_EINVAL, "-2 bytes for images", afn_loader_new(&l, d, &small, &o));
    o = afn_loader_defaults();
    o.augment.spec = "flop";
    assert_fails(AFN_EINVAL, "no step \"flop\"", afn_loader_new(&l, d, &small, &o));
    p.crop = 0;
    assert_fails(AFN_EINVAL, "crop of 0", afn_loader_new(&l, d, &p, NULL));
    assert_ok(afn_loader_new(&l, d, &small, NULL));
    assert_fails(AFN_EINVAL, "epoch -1", afn_loader_start(l, -1));
    assert_fails(AFN_EINVAL, "epoch 16777216", afn_loader_start(l, AFN_MAX_EPOCHS));
    afn_loader_free(l);
    afn_dataset_free(d);
}

/* ---- augmentation ---- */

static const afn_augment_opts strong = {
    .spec = "crop=0.5,hflip,color=0.3:0.3:0.3:0.1,trivial"
};

/* An epoch as a new loader gives it. */
static void augmented_epoch(epoch *e, const afn_dataset *d, const afn_augment_opts *a,
                            int threads, int64_t number)
{
    afn_loader *l = new_loader(d, (afn_loader_opts){ .batch = 8,
                                                     .shuffle = true,
                                                     .seed = 3,
                                                     .threads = threads,
                                                     .augment = *a });
    read_epoch(e, l, number);
    afn_loader_free(l);
}

static void
augmented_epochs_are_the_same_for_any_number_of_threads_and_start(void **state)
{
    (void)state;
    static const afn_augment_opts way[] = {
        { .spec = "strong" },
        { .spec = "crop", .mixup = 0.4 },
        { .cutmix = 1 },
        { .spec = "hflip", .mixup = 0.2, .cutmix = 1, .views = 2 },
    };
    static const int threads[] = { 1, 2, 7 };
    static epoch through[4], e;
    afn_dataset *d = open_fake(30); /* the last batch is smaller */
    for (size_t k = 0; k < AFN_COUNT(way); k++) {
        afn_loader *l = new_loader(
            d, (afn_loader_opts){
                   .batch = 8, .shuffle = true, .seed = 3, .augment = way[k] });
        for (int64_t number = 0; number < 4; number++)
            read_epoch(&through[number], l, number);
        afn_loader_free(l);
        for (size_t t = 0; t < AFN_COUNT(threads); t++)
            for (int64_t number = 3; number >= 0; number--) {
                augmented_epoch(&e, d, &way[k], threads[t], number);
                assert_memory_equal(&e, &through[number], sizeof e);
            }
    }
    afn_dataset_free(d);
}

/* Pixels of sample i in an epoch. */
static const uint8_t *pixels_of(const epoch *e, int64_t i)
{
    for (int64_t k = 0; k < e->n; k++)
        if (e->index[k] == i) return e->pixels[k];
    fail_msg("sample %d is missing", (int)i);
    return NULL;
}

static int count_equal(const epoch *a, const epoch *b)
{
    int equal = 0;
    for (int64_t i = 0; i < a->n; i++)
        equal += memcmp(pixels_of(a, i), pixels_of(b, i), IMAGE_BYTES) == 0;
    return equal;
}

static void every_epoch_has_other_pictures_unless_views_come_again(void **state)
{
    (void)state;
    static epoch e[5];
    afn_augment_opts o = strong;
    afn_dataset *d = open_fake(30);
    for (o.views = 0; o.views <= 3; o.views++) {
        for (int64_t number = 0; number < 5; number++)
            augmented_epoch(&e[number], d, &o, 2, number);
        for (int i = 0; i < 5; i++)
            for (int k = 0; k < i; k++) {
                const int equal = count_equal(&e[i], &e[k]);
                if (o.views && i % o.views == k % o.views)
                    assert_int_equal(equal, 30);
                else
                    assert_true(equal <= 2);
            }
    }
    afn_dataset_free(d);
}

static void a_mixed_batch_names_both_labels_and_the_share(void **state)
{
    (void)state;
    static epoch plain;
    const afn_augment_opts none = { 0 };
    afn_augment_opts o = { .mixup = 1 };
    afn_dataset *d = open_fake(30);
    augmented_epoch(&plain, d, &none, 1, 2);
    afn_loader *l = new_loader(
        d, (afn_loader_opts){ .batch = 8, .shuffle = true, .seed = 3, .augment = o });
    int64_t at = 0;
    assert_ok(afn_loader_start(l, 2));
    for (;;) {
        afn_batch b;
        assert_ok(afn_loader_next(l, &b));
        if (!b.n) break;
        assert_non_null(b.other);
        assert_true(b.share >= 0 && b.share <= 1);
        for (int64_t i = 0; i < b.n; i++) {
            const int64_t with = i ? i - 1 : b.n - 1;
            assert_int_equal(b.labels[i], plain.labels[at + i]);
            assert_int_equal(b.other[i], plain.labels[at + with]);
            for (int k = 0; k < IMAGE_BYTES; k++) {
                const double want = b.share * plain.pixels[at + i][k] +
                                    (1 - b.share) * plain.pixels[at + with][k];
                const double is = b.pixels[i * IMAGE_BYTES + k];
                assert_true(is - want < 0.5001 && want - is < 0.5001);
            }
        }
        at += b.n;
    }
    assert_int_equal(at, 30);
    afn_loader_free(l);
    afn_dataset_free(d);
}

static void augmentation_can_be_changed_between_epochs(void **state)
{
    (void)state;
    static epoch e, want;
    const afn_augment_opts none = { 0 }, mixed = { .cutmix = 1 };
    const afn_augment_opts wrong = { .spec = "crop=2" };
    char spec[] = "hflip=1";
    afn_dataset *d = open_fake(30);
    afn_loader *l =
        new_loader(d, (afn_loader_opts){ .batch = 8, .shuffle = true, .seed = 3 });
    assert_ok(afn_loader_set_augment(l, &(afn_augment_opts){ .spec = spec }));
    memset(spec, 'x', sizeof spec - 1); /* copied */
    read_epoch(&e, l, 1);
    augmented_epoch(&want, d, &(afn_augment_opts){ .spec = "hflip=1" }, 1, 1);
    assert_memory_equal(&e, &want, sizeof e);
    assert_fails(AFN_EINVAL, "area is 2", afn_loader_set_augment(l, &wrong));
    read_epoch(&e, l, 1); /* as it was */
    assert_memory_equal(&e, &want, sizeof e);
    assert_ok(afn_loader_start(l, 1));
    assert_ok(afn_loader_set_augment(l, &mixed));
    afn_batch b;
    assert_fails(AFN_EINVAL, "no epoch was started", afn_loader_next(l, &b));
    read_epoch(&e, l, 1);
    augmented_epoch(&want, d, &mixed, 1, 1);
    assert_memory_equal(&e, &want, sizeof e);
    assert_ok(afn_loader_set_augment(l, &none));
    read_epoch(&e, l, 1);
    augmented_epoch(&want, d, &none, 1, 1);
    assert_memory_equal(&e, &want, sizeof e);
    afn_loader_free(l);
    afn_dataset_free(d);
}

/* A data set that counts what is read of it. */
typedef struct counted {
    afn_dataset base;
    atomic_int reads;
    atomic_int asked[32]; /* for each sample, to be read ahead */
} counted;

static afn_status counted_load(const afn_dataset *d, int64_t i, afn_stored *out)
{
    (void)i;
    atomic_fetch_add(&((counted *)(uintptr_t)d)->reads, 1);
    out->owned = afn_alloc(IMAGE_BYTES);
    out->data = out->owned;
    out->width = out->height = SIDE;
    out->channels = 3;
    return out->owned ? AFN_OK : afn_fail(AFN_ENOMEM, "out of memory");
}

static void counted_read_ahead(const afn_dataset *d, int64_t i)
{
    atomic_fetch_add(&((counted *)(uintptr_t)d)->asked[i], 1);
}

static void counted_name(const afn_dataset *d, int64_t i, char *buf, size_t bytes)
{
    (void)d;
    snprintf(buf, bytes, "counted %d", (int)i);
}

static const afn_dataset_ops counted_ops = { .kind = "counted",
                                             .load = counted_load,
                                             .read_ahead = counted_read_ahead,
                                             .sample_name = counted_name };

static counted *new_counted(int n)
{
    counted *d = (counted *)afn_data__new(&counted_ops, sizeof *d);
    assert_non_null(d);
    d->base.count = n;
    d->base.label = afn_alloc_array((size_t)n, sizeof(int));
    return d;
}

static void a_batch_is_decoded_when_it_is_asked_for(void **state)
{
    (void)state;
    counted *d = new_counted(25);
    afn_loader *l = new_loader(
        &d->base, (afn_loader_opts){ .batch = 10, .threads = 7, .ahead = 2 });
    assert_ok(afn_loader_start(l, 0));
    for (int taken = 0; taken < 3; taken++) {
        afn_batch b;
        usleep(2000); /* time for a thread to run ahead, if there were one */
        assert_int_equal(10 * taken, atomic_load(&d->reads));
        assert_ok(afn_loader_next(l, &b));
    }
    assert_int_equal(25, atomic_load(&d->reads));
    afn_loader_free(l);
    afn_dataset_free(&d->base);
}

/* Wait, up to 5 s, until the samples below n and no others were asked for once. */
static void assert_asked(counted *d, int n)
{
    for (int ms = 0; ms < 5000; ms++, usleep(1000)) {
        int sum = 0;
        for (int i = 0; i < 32; i++) sum += atomic_load(&d->asked[i]);
        if (sum == n) break;
    }
    for (int i = 0; i < 32; i++) assert_int_equal(i < n, atomic_load(&d->asked[i]));
}

static void bytes_are_asked_for_ahead_of_their_batch(void **state)
{
    (void)state;
    afn_batch b;
    counted *d = new_counted(25);
    for (int i = 0; i < 5; i++) atomic_store(&d->asked[i], 1); /* nobody waits for it */
    afn_loader *l = new_loader(&d->base, (afn_loader_opts){ .batch = 5, .ahead = 2 });
    assert_ok(afn_loader_start(l, 0));
    assert_asked(d, 10);
    for (int taken = 0; taken < 5; taken++) {
        assert_ok(afn_loader_next(l, &b));
        assert_asked(d, taken < 3 ? 15 + 5 * taken : 25);
    }
    afn_loader_free(l);
    afn_dataset_free(&d->base);
}

static void images_that_fit_are_made_once(void **state)
{
    (void)state;
    static const int64_t keep[] = { 0, 10 * IMAGE_BYTES, -1 };
    static const int reads[] = { 75, 25 + 2 * 15, 25 };
    for (size_t i = 0; i < AFN_COUNT(keep); i++) {
        static epoch e;
        counted *d = new_counted(25);
        afn_loader *l = new_loader(
            &d->base,
            (afn_loader_opts){ .batch = 7, .shuffle = true, .keep = keep[i] });
        for (int64_t number = 0; number < 3; number++) read_epoch(&e, l, number);
        assert_int_equal(25, e.n);
        assert_int_equal(reads[i], atomic_load(&d->reads));
        afn_loader_free(l);
        afn_dataset_free(&d->base);
    }
}

/* One loader's life; AFN_OK or the first failure. */
static afn_status short_life(const afn_dataset *d)
{
    afn_status st = AFN_OK;
    afn_loader *l = NULL;
    afn_batch b;
    const afn_loader_opts o = { .batch = 3,
                                .threads = 3,
                                .augment = { .spec = "crop,blur", .mixup = 1 } };
    AFN_TRY(afn_loader_new(&l, d, &small, &o));
    AFN_TRY(afn_loader_start(l, 0));
    do AFN_TRY(afn_loader_next(l, &b));
    while (b.n);
done:
    afn_loader_free(l);
    return st;
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    char file[32];
    afn_dataset *d;
    const char *root = new_tree("loader-alloc");
    for (int i = 0; i < 8; i++) {
        snprintf(file, sizeof file, "a/%d.png", i);
        put_png(root, file, (uint8_t)i);
    }
    assert_ok(afn_dataset_open(&d, root));
    const int64_t before = afn_alloc_count();
    assert_ok(short_life(d));
    const int64_t most = afn_alloc_count() - before;
    assert_true(most > 20);
    for (int64_t k = 1; k <= most; k++) {
        afn_alloc_fail_at(k);
        const afn_status st = short_life(d);
        afn_alloc_fail_at(0);
        assert_int_equal(AFN_ENOMEM, st);
    }
    afn_dataset_free(d);
}

static void the_flowers_are_read_alike_by_one_thread_and_many(void **state)
{
    (void)state;
    const char *root = shared_data("flowers5/val");
    if (!root) skip();
    afn_dataset *d;
    uint64_t sum[2] = { 0 };
    assert_ok(afn_dataset_open(&d, root));
    const afn_preprocess p = afn_preprocess_imagenet();
    for (int t = 0; t < 2; t++) {
        afn_loader *l;
        afn_batch b;
        afn_loader_opts o = afn_loader_defaults();
        o.threads = t ? 5 : 1;
        assert_ok(afn_loader_new(&l, d, &p, &o));
        assert_ok(afn_loader_start(l, 0));
        int64_t n = 0;
        for (;; n += b.n) {
            assert_ok(afn_loader_next(l, &b));
            if (!b.n) break;
            for (int64_t i = 0; i < b.n * 224 * 224 * 3; i++)
                sum[t] = sum[t] * 31 + b.pixels[i];
        }
        assert_int_equal(200, n);
        afn_loader_free(l);
    }
    assert_true(sum[0] == sum[1]);
    afn_dataset_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_epoch_is_the_same_for_any_number_of_threads),
        cmocka_unit_test(a_batch_holds_the_samples_it_names),
        cmocka_unit_test(pictures_of_four_channels_are_kept_whole),
        cmocka_unit_test(the_last_batch_is_small_or_dropped),
        cmocka_unit_test(an_empty_set_has_no_batches),
        cmocka_unit_test(without_shuffling_the_sets_order_is_kept),
        cmocka_unit_test(an_epoch_can_begin_anew_at_any_batch),
        cmocka_unit_test(a_loader_can_be_freed_at_any_moment),
        cmocka_unit_test(the_end_of_an_epoch_stays_the_end),
        cmocka_unit_test(strictly_the_first_bad_sample_in_order_is_an_error),
        cmocka_unit_test(options_out_of_range_are_refused),
        cmocka_unit_test(bad_samples_make_batches_smaller_and_are_named_once),
        cmocka_unit_test(batches_do_not_depend_on_earlier_epochs),
        cmocka_unit_test(a_set_of_which_nothing_can_be_read_is_an_error),
        cmocka_unit_test(a_batch_is_decoded_when_it_is_asked_for),
        cmocka_unit_test(bytes_are_asked_for_ahead_of_their_batch),
        cmocka_unit_test(images_that_fit_are_made_once),
        cmocka_unit_test(
            augmented_epochs_are_the_same_for_any_number_of_threads_and_start),
        cmocka_unit_test(every_epoch_has_other_pictures_unless_views_come_again),
        cmocka_unit_test(a_mixed_batch_names_both_labels_and_the_share),
        cmocka_unit_test(augmentation_can_be_changed_between_epochs),
        cmocka_unit_test(every_failing_allocation_is_reported),
        cmocka_unit_test(the_flowers_are_read_alike_by_one_thread_and_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
