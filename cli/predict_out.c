/* SPDX-License-Identifier: Apache-2.0 */
#include "predict_out.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli.h"
#include "json_out.h"

const char *const cli_answer_formats[] = {
    "text", "table", "csv", "json", "jsonl", NULL
};
_Static_assert(CLI_ANSWER_TEXT == 0 && CLI_ANSWER_TABLE == 1 && CLI_ANSWER_CSV == 2 &&
                   CLI_ANSWER_JSON == 3 && CLI_ANSWER_JSONL == 4,
               "cli_answer_formats[] in the order of cli_answer_format");

/* ---- text ---- */

static void put_logits(const cli_answers *a, const cli_answer *one)
{
    if (!a->logits) return;
    printf("  logits");
    for (int i = 0; i < afn_model_classes(a->m); i++)
        printf(" %.9g", (double)one->logits[i]);
    printf("\n");
}

static void put_text(const cli_answers *a, const cli_answer *one)
{
    char number[CLI_CLASS_BYTES];

    cli_put(stdout, one->file);
    printf(": ");
    if (one->unknown) cli_say("unknown (");
    for (int k = 0; k < a->top; k++) {
        printf("%s", k ? ", " : "");
        cli_put(stdout, cli_class_text(a->m, one->order[k], number));
        printf(" %.1f %%", 100 * one->p[one->order[k]]);
    }
    printf(one->unknown ? ")\n" : "\n");
    put_logits(a, one);
}

/* ---- table ---- */

static int class_width(const cli_answers *a)
{
    char number[CLI_CLASS_BYTES];
    int wide = cli_width(cli_text("unknown"));
    for (int i = 0; i < afn_model_classes(a->m); i++) {
        const int width = cli_width(cli_class_text(a->m, i, number));
        if (width > wide) wide = width;
    }
    return wide;
}

static void put_table_head(const cli_answers *a)
{
    const int wide = a->class_width;
    cli_put_wide(stdout, cli_text("file"), a->file_width);
    printf("  ");
    cli_put_wide(stdout, cli_text("class"), wide);
    for (int k = 0; k < a->top; k++) {
        printf("  ");
        cli_put_wide(stdout, k ? cli_text("or else") : cli_text("likeliest"), wide + 8);
    }
    printf("\n");
}

static void put_table_row(const cli_answers *a, const cli_answer *one)
{
    const int wide = a->class_width;
    char number[CLI_CLASS_BYTES];
    cli_put_wide(stdout, one->file, a->file_width);
    printf("  ");
    cli_put_wide(stdout,
                 one->unknown ? cli_text("unknown")
                              : cli_class_text(a->m, one->order[0], number),
                 wide);
    for (int k = 0; k < a->top; k++) {
        printf("  ");
        cli_put_wide(stdout, cli_class_text(a->m, one->order[k], number), wide);
        printf(" %5.1f %%", 100 * one->p[one->order[k]]);
    }
    printf("\n");
    put_logits(a, one);
}

/* ---- CSV ---- */

static void put_csv_head(const cli_answers *a)
{
    char number[CLI_CLASS_BYTES];
    printf("file,unknown");
    for (int k = 1; k <= a->top; k++) printf(",class%d,p%d", k, k);
    for (int i = 0; a->logits && i < afn_model_classes(a->m); i++) {
        printf(",");
        cli_csv_text(stdout, cli_class_text(a->m, i, number));
    }
    printf("\n");
}

static void put_csv_row(const cli_answers *a, const cli_answer *one)
{
    char number[CLI_CLASS_BYTES];
    cli_csv_text(stdout, one->file);
    printf(",%d", one->unknown);
    for (int k = 0; k < a->top; k++) {
        printf(",");
        cli_csv_text(stdout, cli_class_text(a->m, one->order[k], number));
        printf(",%.9g", one->p[one->order[k]]);
    }
    for (int i = 0; a->logits && i < afn_model_classes(a->m); i++)
        printf(",%.9g", (double)one->logits[i]);
    printf("\n");
}

/* ---- JSON ---- */

static int put_json(const cli_answers *a, const cli_answer *one)
{
    char number[CLI_CLASS_BYTES];
    json_t *object = json_object();
    json_t *list = json_array();

    for (int k = 0; k < a->top; k++) {
        const int i = one->order[k];
        json_t *name = cli_json_text(cli_class_text(a->m, i, number));
        json_array_append_new(list, json_pack("{s:o, s:o}", "class", name, "p",
                                              cli_json_number(one->p[i])));
    }
    json_object_set_new(object, "file", cli_json_text(one->file));
    json_object_set_new(object, "unknown", json_boolean(one->unknown));
    json_object_set_new(object, "top", list);
    if (a->logits) {
        json_t *logits = json_array();
        for (int i = 0; i < afn_model_classes(a->m); i++) {
            json_array_append_new(logits, cli_json_number((double)one->logits[i]));
        }
        json_object_set_new(object, "logits", logits);
    }
    if (a->format == CLI_ANSWER_JSON) printf(a->n ? "," : "[");
    return cli_json_print(object);
}

/* ---- all ---- */

void cli_answers_begin(cli_answers *a)
{
    a->n = 0;
    a->class_width = class_width(a);
    if (a->format == CLI_ANSWER_TABLE) put_table_head(a);
    if (a->format == CLI_ANSWER_CSV) put_csv_head(a);
}

int cli_answers_put(cli_answers *a, const cli_answer *one)
{
    int code = CLI_OK;
    if (a->format == CLI_ANSWER_TEXT)
        put_text(a, one);
    else if (a->format == CLI_ANSWER_TABLE)
        put_table_row(a, one);
    else if (a->format == CLI_ANSWER_CSV)
        put_csv_row(a, one);
    else
        code = put_json(a, one);
    a->n++;
    return code;
}

void cli_answers_end(cli_answers *a)
{
    if (a->format == CLI_ANSWER_JSON) printf(a->n ? "]\n" : "[]\n");
}
