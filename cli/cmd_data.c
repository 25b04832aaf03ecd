/* SPDX-License-Identifier: Apache-2.0 */
/* afina data: a report on a data set before training. */
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli.h"
#include "data_open.h"
#include "json_out.h"
#include "weights_arg.h"

enum { N_PARTS = 3, NAME_BYTES = 1024 };

typedef struct data_args {
    const char *model, *weights;
    int64_t tiny, list, threads, batch;
    bool json;
    int order;
} data_args;

static const char *const part_names[N_PARTS] = { "train", "val", "test" };

/* A data set and what was found in it. */
typedef struct report {
    const data_args *o;
    const char *data;
    afn_data_parts parts;
    afn_check check;
    bool labels; /* were looked at */
} report;

static const afn_dataset *part_of(const report *r, int k)
{
    const afn_dataset *const part[N_PARTS] = { r->parts.train, r->parts.val,
                                               r->parts.test };
    return part[k];
}

static bool is_one_part(const report *r)
{
    return !r->parts.val && !r->parts.test;
}

static bool has(const afn_checked *s, afn_finding f)
{
    return s->found >> f & 1;
}

/* Samples with anything that is worth doing something about. */
static int64_t count_problems(const report *r)
{
    int64_t n = 0;
    for (int64_t i = 0; i < r->check.count; i++)
        n += (r->check.sample[i].found & ((1u << AFN_N_PROBLEMS) - 1)) != 0;
    return n;
}

static const char *name_of(const report *r, const afn_checked *s, char name[NAME_BYTES])
{
    return afn_dataset_sample_name(part_of(r, s->part), s->index, name, NAME_BYTES);
}

static const char *class_of(const report *r, int label)
{
    return afn_dataset_class_name(r->parts.train, label);
}

/* ---- looking ---- */

static int check_labels(report *r)
{
    afn_model *m = NULL;
    afn_predict_opts opts = afn_predict_defaults();
    opts.batch = r->o->batch;
    opts.threads = (int)r->o->threads;
    afn_status st = cli_model_open(&m, r->o->model, r->o->weights);
    afn_log_set(NULL, NULL); /* what cannot be read is in the report */
    if (st == AFN_OK) st = afn_check_labels(&r->check, &r->parts, m, &opts);
    afn_log_set(cli_log, NULL);
    afn_model_free(m);
    r->labels = true;
    return st == AFN_OK ? CLI_OK : cli_fail(st);
}

static int look(report *r)
{
    const cli_data_args data = { .order = r->o->order }; /* its own parts, no others */
    afn_check_opts check = afn_check_defaults();
    check.tiny = (int)r->o->tiny;
    check.threads = (int)r->o->threads;
    check.on_look = cli_on_look;
    if (cli_data_open(&r->parts, r->data, &data, false) != CLI_OK) return CLI_FAILED;
    const afn_status st = afn_check_data(&r->check, &r->parts, &check);
    cli_clear_look();
    if (st != AFN_OK) return cli_fail(st);
    return r->o->weights ? check_labels(r) : CLI_OK;
}

/* ---- counts and sizes ---- */

static int64_t count_class(const report *r, int part, int label)
{
    int64_t n = 0;
    for (int64_t i = 0; i < r->check.count; i++)
        n += r->check.sample[i].part == part && r->check.sample[i].label == label;
    return n;
}

static int by_value(const void *pa, const void *pb)
{
    const int64_t a = *(const int64_t *)pa, b = *(const int64_t *)pb;
    return (a > b) - (a < b);
}

typedef struct range {
    int64_t least, median, most;
} range;

/* Of the widths, or heights, of what can be read; zeros without any. */
static range measure(const report *r, bool height)
{
    range out = { 0, 0, 0 };
    int64_t n = 0;
    int64_t *side = calloc((size_t)r->check.count + 1, sizeof *side);
    for (int64_t i = 0; side && i < r->check.count; i++) {
        const afn_checked *s = &r->check.sample[i];
        if (!s->why) side[n++] = height ? s->height : s->width;
    }
    if (n) {
        qsort(side, (size_t)n, sizeof *side, by_value);
        out = (range){ side[0], side[n / 2], side[n - 1] };
    }
    free(side);
    return out;
}

/* Images of the largest class of train for one of the smallest. */
static double unevenness(const report *r)
{
    int64_t least = INT64_MAX, most = 0;
    for (int c = 0; c < afn_dataset_classes(r->parts.train); c++) {
        const int64_t n = count_class(r, 0, c);
        if (n < least) least = n;
        if (n > most) most = n;
    }
    return least ? (double)most / (double)least : (double)INFINITY;
}

/* ---- text ---- */

static void put_counts(const report *r)
{
    const int classes = afn_dataset_classes(r->parts.train);
    int width = 7;
    for (int c = 0; c < classes; c++) {
        const int w = cli_width(class_of(r, c));
        if (w > width && w <= 40) width = w;
    }
    printf("\n");
    cli_put_wide(stdout, cli_text("class"), width);
    for (int k = 0; k < N_PARTS; k++)
        if (part_of(r, k))
            printf("  %8s", is_one_part(r) ? cli_text("images") : part_names[k]);
    printf("\n");
    for (int c = 0; c < classes; c++) {
        cli_put_wide(stdout, class_of(r, c), width);
        for (int k = 0; k < N_PARTS; k++)
            if (part_of(r, k)) printf("  %8lld", (long long)count_class(r, k, c));
        printf("\n");
    }
    printf("\n");
}

static void put_sizes(const report *r)
{
    const range w = measure(r, false), h = measure(r, true);
    cli_say("sizes    width %lld to %lld, height %lld to %lld, median %lldx%lld\n",
            (long long)w.least, (long long)w.most, (long long)h.least,
            (long long)h.most, (long long)w.median, (long long)h.median);
    const double uneven = unevenness(r);
    if (isfinite(uneven) && uneven >= 3)
        cli_say("uneven   the largest class has %.1f times the images of the smallest: "
                "see --class-weights and --sampler\n",
                uneven);
}

/* "  cats/1.jpg (val)", and the class where it matters. */
static void put_sample(const report *r, const afn_checked *s, bool class)
{
    char name[NAME_BYTES];
    cli_put(stdout, name_of(r, s, name));
    if (!is_one_part(r)) printf(" (%s)", part_names[s->part]);
    if (class) {
        printf(" [");
        cli_put(stdout, class_of(r, s->label));
        printf("]");
    }
}

/* A line for a kind of finding; false where there are none. */
static bool put_head(const report *r, afn_finding f, const char *what)
{
    char count[CLI_COUNT_BYTES];
    const int64_t n = r->check.found[f];
    if (!n) return false;
    printf("%-8s %s %s %s\n", afn_finding_name(f), cli_count(n, count),
           cli_plural(n, "image", "images"), what);
    return true;
}

/* May one more be listed?  Says how many there are beyond. */
static bool may_list(const report *r, int64_t *listed, int64_t of)
{
    const int64_t most = r->o->list ? r->o->list : INT64_MAX;
    if (++*listed <= most) return true;
    if (*listed == most + 1)
        cli_say("           ... and %lld more, see --list\n", (long long)(of - most));
    return false;
}

static void put_bad(const report *r)
{
    int64_t listed = 0;
    if (!put_head(r, AFN_FOUND_BAD, cli_text("cannot be read"))) return;
    for (int64_t i = 0; i < r->check.count; i++) {
        const afn_checked *s = &r->check.sample[i];
        if (!s->why || !may_list(r, &listed, r->check.found[AFN_FOUND_BAD])) continue;
        printf("           ");
        put_sample(r, s, false);
        printf(": ");
        cli_put(stdout, s->why);
        printf("\n");
    }
}

static void put_tiny(const report *r)
{
    int64_t listed = 0;
    if (!put_head(r, AFN_FOUND_TINY, cli_text("with a short side"))) return;
    for (int64_t i = 0; i < r->check.count; i++) {
        const afn_checked *s = &r->check.sample[i];
        if (!has(s, AFN_FOUND_TINY) ||
            !may_list(r, &listed, r->check.found[AFN_FOUND_TINY]))
            continue;
        printf("           ");
        put_sample(r, s, false);
        printf(": %lldx%lld\n", (long long)s->width, (long long)s->height);
    }
}

/* First of the group that a sample is in: of the same bytes, or alike. */
static int64_t group_of(const afn_checked *s, bool same)
{
    return same ? s->same : s->alike;
}

static int64_t count_groups(const report *r, bool same)
{
    int64_t n = 0, last = -1;
    bool *first = calloc((size_t)r->check.count + 1, sizeof *first);
    for (int64_t i = 0; first && i < r->check.count; i++) {
        last = group_of(&r->check.sample[i], same);
        if (last != i && !first[last]) n += first[last] = true;
    }
    free(first);
    return n;
}

/* The others of a group, by scanning from its first on. */
static void put_group(const report *r, int64_t first, bool same)
{
    printf("           ");
    put_sample(r, &r->check.sample[first], true);
    for (int64_t i = first + 1; i < r->check.count; i++) {
        if (group_of(&r->check.sample[i], same) != first) continue;
        printf(" = ");
        put_sample(r, &r->check.sample[i], true);
    }
    printf("\n");
}

static void put_groups(const report *r, bool same)
{
    const afn_finding f = same ? AFN_FOUND_SAME : AFN_FOUND_ALIKE;
    const int64_t groups = count_groups(r, same);
    int64_t listed = 0;
    bool *done = calloc((size_t)r->check.count + 1, sizeof *done);
    if (done && put_head(r, f,
                         same ? cli_text("with the same bytes")
                              : cli_text("are near-duplicates")))
        for (int64_t i = 0; i < r->check.count; i++) {
            const int64_t first = group_of(&r->check.sample[i], same);
            if (first == i || done[first]) continue;
            if (!same && r->check.sample[first].same == r->check.sample[i].same)
                continue; /* listed as the same */
            done[first] = true;
            if (may_list(r, &listed, groups)) put_group(r, first, same);
        }
    free(done);
}

static void put_suspects(const report *r)
{
    int64_t listed = 0;
    if (!put_head(r, AFN_FOUND_SUSPECT, cli_text("look like another class"))) return;
    for (int64_t i = 0; i < r->check.count; i++) {
        const afn_checked *s = &r->check.sample[i];
        if (!has(s, AFN_FOUND_SUSPECT) ||
            !may_list(r, &listed, r->check.found[AFN_FOUND_SUSPECT]))
            continue;
        printf("           ");
        put_sample(r, s, true);
        cli_say(": its neighbours are ");
        cli_put(stdout, class_of(r, s->looks_like));
        printf("\n");
    }
}

static void put_notes(const report *r)
{
    const struct {
        afn_finding f;
        const char *what;
    } row[] = {
        { AFN_FOUND_ROTATED, cli_text("rotated by EXIF") },
        { AFN_FOUND_GRAY, cli_text("gray") },
        { AFN_FOUND_ALPHA, cli_text("with alpha") },
        { AFN_FOUND_DEEP, cli_text("of over 8 bits") },
        { AFN_FOUND_CMYK, cli_text("in CMYK") },
    };
    bool any = false;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        if (!r->check.found[row[i].f]) continue;
        printf("%s%lld %s", any ? ", " : cli_text("notes    "),
               (long long)r->check.found[row[i].f], row[i].what);
        any = true;
    }
    if (any) printf("\n");
}

static void put_text(const report *r)
{
    char count[CLI_COUNT_BYTES];
    const int64_t problems = count_problems(r);
    const int classes = afn_dataset_classes(r->parts.train);
    cli_say("data     ");
    cli_put(stdout, r->data);
    printf(": %s %s, %d %s\n", cli_count(r->check.count, count),
           cli_plural(r->check.count, "image", "images"), classes,
           cli_plural(classes, "class", "classes"));
    put_counts(r);
    put_sizes(r);
    put_notes(r);
    put_bad(r);
    put_tiny(r);
    put_groups(r, true);
    put_groups(r, false);
    put_head(r, AFN_FOUND_ACROSS, cli_text("have a copy in another part"));
    put_head(r, AFN_FOUND_LABELS, cli_text("have a copy with another label"));
    put_suspects(r);
    if (problems)
        cli_say("problems %s %s\n", cli_count(problems, count),
                cli_plural(problems, "image", "images"));
    else
        cli_say("problems none\n");
}

/* ---- JSON ---- */

static json_t *range_json(range x)
{
    return json_pack("{s:I, s:I, s:I}", "min", (json_int_t)x.least, "median",
                     (json_int_t)x.median, "max", (json_int_t)x.most);
}

static json_t *classes_json(const report *r)
{
    json_t *list = json_array();
    for (int c = 0; c < afn_dataset_classes(r->parts.train); c++) {
        json_t *one = json_pack("{s:o}", "name", cli_json_text(class_of(r, c)));
        for (int k = 0; k < N_PARTS; k++)
            if (part_of(r, k))
                json_object_set_new(one, part_names[k],
                                    json_integer(count_class(r, k, c)));
        json_array_append_new(list, one);
    }
    return list;
}

static json_t *found_json(const afn_checked *s)
{
    json_t *list = json_array();
    for (int f = 0; f < AFN_N_FINDINGS; f++)
        if (has(s, (afn_finding)f))
            json_array_append_new(list, json_string(afn_finding_name((afn_finding)f)));
    return list;
}

/* All that was found of a sample. */
static json_t *sample_json(const report *r, const afn_checked *s)
{
    char name[NAME_BYTES];
    json_t *o = json_pack(
        "{s:o, s:s, s:o, s:I, s:I, s:o}", "file", cli_json_text(name_of(r, s, name)),
        "part", part_names[s->part], "class", cli_json_text(class_of(r, s->label)),
        "width", (json_int_t)s->width, "height", (json_int_t)s->height, "found",
        found_json(s));
    const afn_checked *first = &r->check.sample[s->alike];
    if (s->why) json_object_set_new(o, "why", cli_json_text(s->why));
    if (first != s)
        json_object_set_new(o, "copy_of", cli_json_text(name_of(r, first, name)));
    if (s->looks_like >= 0)
        json_object_set_new(o, "looks_like", cli_json_text(class_of(r, s->looks_like)));
    return o;
}

static int put_json(const report *r)
{
    json_t *object = json_object(), *counts = json_object(), *samples = json_array();
    for (int f = 0; f < AFN_N_FINDINGS; f++)
        if (f != AFN_FOUND_SUSPECT || r->labels)
            json_object_set_new(counts, afn_finding_name((afn_finding)f),
                                json_integer(r->check.found[f]));
    for (int64_t i = 0; i < r->check.count; i++)
        if (r->check.sample[i].found)
            json_array_append_new(samples, sample_json(r, &r->check.sample[i]));
    json_object_set_new(object, "images", json_integer(r->check.count));
    json_object_set_new(object, "problems", json_integer(count_problems(r)));
    json_object_set_new(object, "classes", classes_json(r));
    json_object_set_new(object, "width", range_json(measure(r, false)));
    json_object_set_new(object, "height", range_json(measure(r, true)));
    json_object_set_new(object, "found", counts);
    json_object_set_new(object, "samples", samples);
    return cli_json_print(object);
}

/* ---- the command ---- */

static int run(int argc, char **argv)
{
    data_args o = { 0 };
    cli_args args;

    int code = cli_parse(&cli_cmd_data, argc, argv, &o, &args);
    if (code != CLI_GO_ON) return code;
    if (o.model && !o.weights)
        return cli_usage(&cli_cmd_data, "--model needs --weights");
    report r = { .o = &o, .data = args.operand[0] };
    code = look(&r);
    if (code == CLI_OK && o.json)
        code = put_json(&r);
    else if (code == CLI_OK)
        put_text(&r);
    if (code == CLI_OK && count_problems(&r)) code = CLI_FAILED;
    afn_check_free(&r.check);
    afn_data_parts_free(&r.parts);
    return code;
}

static const cli_option options[] = {
    { .name = "weights",
      .letter = 'w',
      .type = CLI_TEXT,
      .metavar = "FILE",
      .at = offsetof(data_args, weights),
      .help = "a pretrained network, .pth or .safetensors: labels are compared with "
              "those of the images that it finds nearest" },
    { .name = "model",
      .letter = 'm',
      .type = CLI_TEXT,
      .metavar = "NAME",
      .at = offsetof(data_args, model),
      .help = "architecture of weights that do not say themselves, such as "
              "torchvision's files" },
    { .name = "class-order",
      .type = CLI_CHOICE,
      .at = offsetof(data_args, order),
      .choice = cli_class_orders,
      .initial = "string",
      .help = cli_class_order_help },
    { .name = "tiny",
      .type = CLI_INT,
      .metavar = "PIXELS",
      .at = offsetof(data_args, tiny),
      .min = 0,
      .max = 65536,
      .initial = "32",
      .help = "image files with a shorter side are a problem" },
    { .name = "list",
      .type = CLI_INT,
      .metavar = "N",
      .at = offsetof(data_args, list),
      .min = 0,
      .max = INT64_MAX,
      .initial = "10",
      .help = "files to name of each kind, 0 for all" },
    { .name = "json",
      .type = CLI_FLAG,
      .at = offsetof(data_args, json),
      .help = "print one JSON object, with all of them" },
    { .name = "batch",
      .type = CLI_INT,
      .metavar = "N",
      .at = offsetof(data_args, batch),
      .min = 1,
      .max = 4096,
      .initial = "32",
      .help = "images that the network computes at once" },
    { .name = "threads",
      .type = CLI_INT,
      .metavar = "N",
      .at = offsetof(data_args, threads),
      .min = 0,
      .max = 256,
      .initial = "0",
      .help = "processors to use, 0 for all" },
    { .name = NULL },
};

const cli_command cli_cmd_data = {
    .name = "data",
    .summary = "report what is in a data set, and what is wrong with it",
    .operand = { "DATA" },
    .min_operands = 1,
    .about =
        "Looks at every image: how many there are of each class and how large they "
        "are; "
        "files that cannot be read or are tiny; images that are there twice, byte for "
        "byte or nearly, also in different parts or under different labels; and, with "
        "--weights, labels that are probably wrong. DATA is as for 'afina train'.",
    .option = options,
    .notes =
        "The exit code is 0 where nothing is wrong, 1 where something is or the data\n"
        "cannot be opened (then with a message), 2 for a wrong command line. Images\n"
        "that are rotated by EXIF, gray, transparent, of over 8 bits or in CMYK are\n"
        "counted, but not wrong.\n\n"
        "JSON: images, problems, classes [{name, train, val, test}], width and height\n"
        "{min, median, max}, found {bad, tiny, same, alike, across, labels, suspect,\n"
        "rotated, gray, alpha, deep, cmyk} with the number of images of each, samples\n"
        "[{file, part, class, width, height, found [...], why, copy_of, looks_like}]:\n"
        "those of which anything was found.\n\n"
        "example:\n"
        "  afina data photos --model resnet18 --weights resnet18.pth\n",
    .run = run,
};
