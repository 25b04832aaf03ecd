/* SPDX-License-Identifier: Apache-2.0 */
#include "training.h"

#include <math.h>
#include <stdio.h>

#include "machine_options.h"
#include "profile_out.h"

static void put_model(const training *s)
{
    const afn_preprocess p = afn_model_preprocess(s->m);

    cli_say("model    %s, ", afn_model_arch(s->m));
    cli_put(stdout, s->o->weights ? s->o->weights : cli_text("fresh weights"));
    printf("%s\n", s->o->keep_head ? cli_text(", head kept") : "");
    cli_say("images   ");
    if (p.fit == AFN_FIT_CROP && p.resize) cli_say("resize %d, ", p.resize);
    printf("%s %d%s%s\n", afn_fit_mode_name(p.fit), p.crop,
           p.exif ? "" : cli_text(", no exif"),
           p.fast ? cli_text(", fast decode") : "");
    if (s->precision != AFN_PRECISION_FP32)
        cli_say("precision %s\n", cli_precisions[s->precision]);
}

/* How large the pictures are, from some of them. */
static void put_sizes(const training *s)
{
    enum { LOOKED_AT = 200 };
    afn_picture_sizes z;
    if (afn_dataset_sizes(&z, s->train, LOOKED_AT) != AFN_OK || !z.pictures) return;
    cli_say("pictures %lld x %lld", (long long)z.width[0], (long long)z.height[0]);
    if (z.width[2] != z.width[0] || z.height[2] != z.height[0])
        cli_say(" to %lld x %lld, the middle one %lld x %lld", (long long)z.width[2],
                (long long)z.height[2], (long long)z.width[1], (long long)z.height[1]);
    printf("\n");
}

/* How a phase gets at its weights. */
static void put_method(const afn_phase *p)
{
    if (p->solver == AFN_SOLVER_LBFGS) {
        cli_say("solved by L-BFGS");
        return;
    }
    cli_say("%d %s at %g", p->epochs, cli_plural(p->epochs, "epoch", "epochs"),
            (double)p->optim.lr);
    cli_optim_put(p);
    cli_schedule_put(p);
}

static void put_phases(const training *s)
{
    char count[CLI_COUNT_BYTES];
    for (int i = 0; i < s->n_phases; i++) {
        const afn_phase *p = &s->phase[i];
        cli_say("phase    %s: ", p->name);
        put_method(p);
        cli_say(", trains %s parameters (", cli_count(s->trained[i], count));
        cli_put(stdout, p->trainable ? p->trainable : afn_model_head(s->m));
        printf(")");
        if (s->trained[i] < s->parameters)
            cli_say(", %s stay frozen",
                    cli_count(s->parameters - s->trained[i], count));
        printf("\n");
        cli_augment_put(p);
    }
}

void cli_train_put_plan(const training *s)
{
    const afn_run_state *was = &s->resumed->state;
    if (s->resumed->begun && was->phase)
        cli_say("resume   in %s %d/%d, %lld %s of the epoch done\n", was->phase,
                was->epoch, was->of, (long long)was->step,
                cli_plural(was->step, "step", "steps"));
    cli_put_data(s->o->source, &s->parts);
    put_sizes(s);
    put_model(s);
    put_phases(s);
    fflush(stdout);
}

void cli_train_put_features(const afn_features *f)
{
    char count[CLI_COUNT_BYTES];
    cli_say("features %s: ", f->phase);
    if (!f->kept) {
        cli_say("not kept: ");
        cli_put(stdout, f->why);
        printf("\n");
        return;
    }
    cli_say("kept before %s, %s %s, ", f->before, cli_count(f->images, count),
            cli_plural(f->images, "image", "images"));
    if (f->views > 1) cli_say("%d views of those to train, ", f->views);
    cli_put_bytes(f->bytes);
    if (f->bytes_on_disk) {
        printf(", ");
        cli_put_bytes(f->bytes_on_disk);
        cli_say(" of it on disk");
    }
    if (f->why) {
        cli_say("; not of the others: ");
        cli_put(stdout, f->why);
    }
    printf("\n");
    fflush(stdout);
}

void cli_train_put_solved(const afn_solved *s)
{
    cli_say("solved   %s: %d %s of L-BFGS, %d passes over the images, L2 %.2g",
            s->phase, s->iterations,
            cli_plural(s->iterations, "iteration", "iterations"), s->passes, s->l2);
    if (s->tried) cli_say(" (of %d tried, by the validation loss)", s->tried);
    printf(", %.1f s%s\n", s->seconds, s->converged ? "" : cli_text(", not converged"));
    fflush(stdout);
}

void cli_train_put_outcome(const training *s, const afn_epoch *best)
{
    static const char *const file[] = { "model.safetensors", "model.pth", "last.pth",
                                        "metrics.csv", "report.html" };
    const int files = s->has_page ? 5 : 4;
    if (!isnan(best->val_acc))
        cli_say("best     %s epoch %d: %.2f %% of the validation images right\n",
                best->phase, best->epoch, 100 * best->val_acc);
    if (s->skipped)
        cli_say("skipped  %lld %s that could not be read\n", (long long)s->skipped,
                cli_plural(s->skipped, "image", "images"));
    cli_say("written  ");
    for (int i = 0; i < files; i++) {
        printf("%s", i ? ", " : "");
        cli_put(stdout, s->o->out);
        printf("/%s", file[i]);
    }
    printf("\n");
}

int cli_train_put_profiles(const training *s)
{
    int code = CLI_OK;
    for (int i = 0; code == CLI_OK && i < s->n_phases; i++) {
        cli_say("\nprofile  %s: time in the network\n", s->phase[i].name);
        code = cli_profile_steps(&s->profile[i], afn_profile_seconds(&s->profile[i]));
    }
    return code;
}
