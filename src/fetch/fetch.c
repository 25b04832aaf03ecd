/* SPDX-License-Identifier: Apache-2.0 */
/* A file's way into the cache: attempts with waits between them, each going on where
 * the last ended; then the hash; then the name.
 *
 * Beside FILE.part lies FILE.part.etag, the server's mark of the version that the part
 * is of.  A part of another version is refetched from its first byte; should the mark
 * be missing or wrong, the hash finds it, and the file is fetched once more as a whole.
 */
#define _POSIX_C_SOURCE 200809L

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fetch/fetch.h"

static const char default_url[] = "https://download.pytorch.org/models";

afn_fetch_opts afn_fetch_defaults(void)
{
    return (afn_fetch_opts){ .attempts = 5, .timeout_s = 30 };
}

/* All that one fetch needs. */
typedef struct fetch {
    const afn_fetch_opts *o;
    const char *path; /* final */
    char url[AFN_PATH_BYTES], etag_path[AFN_PATH_BYTES];
    afn_growing part;
    afn_transfer transfer;
    afn_fetch_progress at;
} fetch;

/* ---- the mark ---- */

static void read_etag(fetch *f)
{
    uint8_t *text = NULL;
    size_t n = 0;
    f->transfer.etag[0] = '\0';
    if (!afn_is_file(f->etag_path)) return;
    if (afn_file_read(&text, &n, f->etag_path) != AFN_OK) return;
    if (n < sizeof f->transfer.etag) {
        memcpy(f->transfer.etag, text, n);
        f->transfer.etag[n] = '\0';
    }
    afn_free(text);
}

/* Losing it costs a comparison with the hash, no more: errors do not matter. */
static void write_etag(const fetch *f)
{
    const char *etag = f->transfer.etag;
    if (*etag)
        (void)afn_file_write(f->etag_path, etag, strlen(etag));
    else
        (void)unlink(f->etag_path);
}

/* ---- telling ---- */

static int tell(fetch *f)
{
    f->at.done = f->part.size;
    f->at.total = f->transfer.total;
    f->at.resumed = f->transfer.resumed;
    return f->o->on_progress ? f->o->on_progress(&f->at, f->o->user) : 0;
}

static int on_bytes(afn_transfer *t, void *user)
{
    (void)t;
    return tell(user);
}

static afn_status stopped(const fetch *f)
{
    return afn_fail(AFN_ECANCELLED, "%s: stopped at %lld bytes", f->url,
                    (long long)f->part.size);
}

/* 1, 2, 4 ... seconds, asking all the time whether to stop. */
static afn_status wait_after(fetch *f, const char *trouble)
{
    const double until =
        afn_now_s() + ldexp(1, f->at.attempt < 6 ? f->at.attempt - 1 : 5);
    const struct timespec nap = { .tv_nsec = 100000000 };

    f->at.trouble = trouble;
    for (double left = until - afn_now_s(); left > 0; left = until - afn_now_s()) {
        f->at.wait_s = left;
        if (tell(f) != 0) return stopped(f);
        (void)nanosleep(&nap, NULL);
    }
    f->at.trouble = NULL;
    f->at.wait_s = 0;
    return AFN_OK;
}

/* ---- attempts ---- */

static afn_status attempt(fetch *f)
{
    f->transfer.total = -1;
    f->transfer.again = false;
    const afn_status st = afn_fetch__transfer(&f->transfer);
    write_etag(f);
    return st;
}

/* What to do without a network; not where it was the disk that failed. */
static afn_status with_advice(const fetch *f, afn_status st)
{
    char text[1024];
    if (st == AFN_ECANCELLED || st == AFN_ENOMEM) return st;
    if (!afn_starts_with(afn_error_message(), f->url)) return st;
    snprintf(text, sizeof text, "%s", afn_error_message());
    return afn_fail(st, "%s; by other means, put it there as %s", text, f->path);
}

/* Until one comes to the end; an attempt that brought something does not count against
 * the number of those allowed. */
static afn_status get_all(fetch *f)
{
    int failures = 0;
    char trouble[512];

    for (f->at.attempt = 1;; f->at.attempt = failures + 1) {
        const int64_t before = f->part.size;
        afn_status st = attempt(f);
        if (st == AFN_OK) return st;
        if (f->part.size > before) failures = 0;
        if (!f->transfer.again || ++failures >= f->o->attempts)
            return with_advice(f, st);
        f->at.attempt = failures;
        snprintf(trouble, sizeof trouble, "%s", afn_error_message());
        st = wait_after(f, trouble);
        if (st != AFN_OK) return st;
    }
}

/* Fetch and check; a resumed file with the wrong hash gets one more chance, as a whole.
 */
static afn_status get_right(fetch *f, const char *file)
{
    afn_status st = get_all(f);
    if (st != AFN_OK) return st;
    st = afn_fetch__check(f->part.part, file);
    if (st != AFN_EFORMAT || f->transfer.resumed == 0) return st;
    st = afn_growing_restart(&f->part);
    f->transfer.etag[0] = '\0';
    if (st == AFN_OK) st = get_all(f);
    if (st == AFN_OK) st = afn_fetch__check(f->part.part, file);
    return st;
}

/* ---- the whole ---- */

static afn_status wrong_content(const fetch *f)
{
    char why[512];
    const char *text = afn_error_message();
    const char *its = strstr(text, "its SHA-256");
    snprintf(why, sizeof why, "%s", its ? its : text);
    return afn_fail(AFN_EFORMAT, "%s: not the file: %s (%lld bytes%s%s)", f->url, why,
                    (long long)f->part.size, *f->transfer.type ? " of " : "",
                    f->transfer.type);
}

static afn_status start(fetch *f, const char *path, const char *file)
{
    const char *base = f->o->url ? f->o->url : getenv("AFINA_WEIGHTS_URL");
    if (!base || !*base) base = default_url;
    const size_t n = strlen(base);
    const char *slash = base[n - 1] == '/' ? "" : "/";
    const int length = snprintf(f->url, sizeof f->url, "%s%s%s", base, slash, file);
    const int more = snprintf(f->etag_path, sizeof f->etag_path, "%s.part.etag", path);

    if (length >= (int)sizeof f->url || more >= (int)sizeof f->etag_path)
        return afn_fail(AFN_EINVAL, "%.100s...: name too long", base);
    f->path = path;
    f->at.url = f->url;
    f->transfer = (afn_transfer){ .url = f->url,
                                  .part = &f->part,
                                  .timeout_s = f->o->timeout_s,
                                  .total = -1,
                                  .on_bytes = on_bytes,
                                  .user = f };
    return afn_growing_open(&f->part, path);
}

static afn_status fetch_into(const char *path, const char *file,
                             const afn_fetch_opts *opts)
{
    afn_status st = AFN_OK;
    fetch *f = afn_alloc(sizeof *f);
    AFN_REQUIRE(f, AFN_ENOMEM, "out of memory");
    f->o = opts;
    AFN_TRY(start(f, path, file));
    if (f->part.size) read_etag(f);
    st = get_right(f, file);
    if (st == AFN_EFORMAT) {
        st = wrong_content(f);
        afn_growing_remove(&f->part);
        (void)unlink(f->etag_path);
    }
    if (st != AFN_OK) goto done;
    AFN_TRY(afn_growing_commit(&f->part));
    (void)unlink(f->etag_path);
done:
    if (f && f->path && f->part.size == 0) afn_growing_remove(&f->part);
    if (f && f->path) afn_growing_close(&f->part);
    afn_free(f);
    return st;
}

afn_status afn_fetch(char path[AFN_PATH_BYTES], const afn_weights_file *p,
                     const afn_fetch_opts *opts)
{
    const afn_fetch_opts defaults = afn_fetch_defaults();
    char dir[AFN_PATH_BYTES];

    afn_status st = afn_weights_file_find(path, p);
    if (st == AFN_OK || !*path) return st; /* a damaged copy is replaced */
    st = afn_fetch__folder(dir);
    if (st == AFN_OK) st = afn_make_dirs(dir);
    return st == AFN_OK ? fetch_into(path, p->file, opts ? opts : &defaults) : st;
}
