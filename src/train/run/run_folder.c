/* SPDX-License-Identifier: Apache-2.0 */
#include "train/run/run_folder.h"

#include <math.h>

enum { SPARE = 20 };

bool afn_pace_is_due(const afn_pace *p)
{
    return afn_now_s() - p->at >= SPARE * p->seconds;
}

void afn_pace_wrote(afn_pace *p, double start)
{
    p->at = afn_now_s();
    p->seconds = p->at - start;
}

afn_status afn_run_folder_open(afn_run_folder *f, const char *path)
{
    afn_status st = AFN_OK;
    *f = (afn_run_folder){ 0 };
    if (!path) return AFN_OK;
    f->path = afn_strdup(path);
    AFN_REQUIRE(f->path, AFN_ENOMEM, "out of memory");
    AFN_TRY(afn_make_dirs(path));
    AFN_TRY(afn_dir_check_writable(path));
    afn_buf_str(&f->metrics, "phase,epoch,train_loss,train_acc,val_loss,val_acc,lr,"
                             "images_per_second,seconds\n");
done:
    if (st != AFN_OK) afn_run_folder_close(f);
    return st;
}

void afn_run_folder_close(afn_run_folder *f)
{
    afn_free(f->path);
    afn_buf_free(&f->metrics);
    f->path = NULL;
}

/* A number, or an empty field where there is none. */
static void field(afn_buf *b, double x)
{
    if (isnan(x))
        afn_buf_str(b, ",");
    else
        afn_buf_fmt(b, ",%.6f", x);
}

afn_status afn_run_folder_epoch(afn_run_folder *f, const afn_epoch *e)
{
    if (!f->path) return AFN_OK;
    afn_buf_fmt(&f->metrics, "%s,%d", e->phase, e->epoch);
    field(&f->metrics, e->train_loss);
    field(&f->metrics, e->train_acc);
    field(&f->metrics, e->val_loss);
    field(&f->metrics, e->val_acc);
    afn_buf_fmt(&f->metrics, ",%g,%.2f,%.3f\n", (double)e->lr, e->images_per_second,
                e->seconds);
    f->unwritten = true;
    return afn_pace_is_due(&f->pace) ? afn_run_folder_flush(f) : AFN_OK;
}

afn_status afn_run_folder_flush(afn_run_folder *f)
{
    afn_status st = AFN_OK;
    char *path = NULL;
    const double start = afn_now_s();
    if (!f->unwritten) return AFN_OK;
    AFN_TRY(afn_buf_finish(&f->metrics));
    path = afn_path_join(f->path, "metrics.csv");
    AFN_REQUIRE(path, AFN_ENOMEM, "out of memory");
    AFN_TRY(afn_file_write(path, f->metrics.data, f->metrics.size));
    f->unwritten = false;
    afn_pace_wrote(&f->pace, start);
done:
    afn_free(path);
    return st;
}

afn_status afn_run_folder_save(const afn_run_folder *f, const afn_model *m,
                               const afn_params *params, const char *name)
{
    if (!f->path) return AFN_OK;
    char *path = afn_path_join(f->path, name);
    if (!path) return afn_fail(AFN_ENOMEM, "out of memory");
    const afn_status st = afn_model__save_params(m, params, path);
    afn_free(path);
    return st;
}
