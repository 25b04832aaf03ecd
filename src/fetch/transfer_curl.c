/* SPDX-License-Identifier: Apache-2.0 */
/* One attempt, by libcurl: the only code that sees its header.
 *
 * The library is loaded when the first file is fetched and not with the program: it and
 * the thirty libraries that it needs would take 4 ms of every start, and most runs
 * fetch nothing.  What a program has once loaded stays loaded. */
#include <curl/curl.h>
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "fetch/fetch.h"

/* clang-format off */
#define CALLS(X)                           \
    X(global_init, curl_global_init)       \
    X(easy_init, curl_easy_init)           \
    X(easy_setopt, curl_easy_setopt)       \
    X(easy_perform, curl_easy_perform)     \
    X(easy_getinfo, curl_easy_getinfo)     \
    X(easy_header, curl_easy_header)       \
    X(easy_strerror, curl_easy_strerror)   \
    X(easy_cleanup, curl_easy_cleanup)     \
    X(slist_append, curl_slist_append)     \
    X(slist_free_all, curl_slist_free_all)
/* clang-format on */

typedef struct curl_calls {
#define POINTER(name, symbol) __typeof__(&symbol) name;
    CALLS(POINTER)
} curl_calls;

/* All that the callbacks need. */
typedef struct request {
    curl_calls call;
    afn_transfer *t;
    CURL *h;
    struct curl_slist *headers;
    char error[CURL_ERROR_SIZE];
    bool judged;   /* the answer's header has been read */
    bool wanted;   /* and what follows is the file */
    size_t thrown; /* bytes of an answer that is not */
    afn_status st; /* what a callback failed with */
} request;

static afn_status load(curl_calls *c)
{
    void *library = NULL;
    /* The same interface on OpenSSL and on GnuTLS. */
    static const char *const file[] = { "libcurl.so.4", "libcurl-gnutls.so.4" };
    for (size_t i = 0; !library && i < AFN_COUNT(file); i++)
        library = dlopen(file[i], RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return afn_fail(AFN_EUNSUPPORTED, "libcurl is not installed (libcurl.so.4)");
#define LOOK_UP(name, symbol)                                                          \
    *(void **)&c->name = dlsym(library, #symbol);                                      \
    if (!c->name)                                                                      \
        return afn_fail(AFN_EUNSUPPORTED, "libcurl is too old: has no %s", #symbol);
    CALLS(LOOK_UP)
    return c->global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK
               ? AFN_OK
               : afn_fail(AFN_EUNSUPPORTED, "libcurl does not start");
}

/* ---- what the server answers ---- */

/* "" where there is no such header. */
static const char *header(const request *r, const char *name)
{
    struct curl_header *found = NULL;
    if (r->call.easy_header(r->h, name, 0, CURLH_HEADER, -1, &found) != CURLHE_OK)
        return "";
    return found->value;
}

static long status_of(const request *r)
{
    long status = 0;
    r->call.easy_getinfo(r->h, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

/* The whole file comes: what was there is of no use. */
static afn_status begin_whole(request *r)
{
    afn_transfer *t = r->t;
    curl_off_t length = -1;
    r->call.easy_getinfo(r->h, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    t->total = length;
    t->resumed = 0;
    snprintf(t->etag, sizeof t->etag, "%s", header(r, "ETag"));
    return t->part->size ? afn_growing_restart(t->part) : AFN_OK;
}

/* The rest comes, if it begins where we ended. */
static afn_status begin_rest(request *r)
{
    afn_transfer *t = r->t;
    int64_t first;
    const char *range = header(r, "Content-Range");
    if (!afn_fetch__content_range(range, &first, &t->total) || first != t->part->size) {
        const afn_status st = afn_growing_restart(t->part);
        t->again = true;
        t->etag[0] = '\0';
        return st != AFN_OK
                   ? st
                   : afn_fail(AFN_EIO, "%s: sent another part than asked for", t->url);
    }
    t->resumed = first;
    return AFN_OK;
}

static afn_status judge(request *r)
{
    const long status = status_of(r);
    r->judged = true;
    r->wanted = status == 200 || status == 206;
    snprintf(r->t->type, sizeof r->t->type, "%.*s",
             (int)strcspn(header(r, "Content-Type"), ";"), header(r, "Content-Type"));
    return status == 200 ? begin_whole(r) : status == 206 ? begin_rest(r) : AFN_OK;
}

static size_t on_body(char *bytes, size_t one, size_t n, void *user)
{
    enum { PATIENCE = 1 << 20 }; /* bytes of an error page */
    request *r = user;
    if (!r->judged) r->st = judge(r);
    if (r->st == AFN_OK && r->wanted) {
        r->st = afn_growing_append(r->t->part, bytes, one * n);
    } else {
        r->thrown += n;
    }
    return r->st == AFN_OK && r->thrown <= PATIENCE ? one * n : CURL_WRITEFUNC_ERROR;
}

/* Called as bytes come, and once a second where none do. */
static int on_time(void *user, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    request *r = user;
    (void)a, (void)b, (void)c, (void)d;
    return r->t->on_bytes(r->t, r->t->user);
}

/* ---- how it ended ---- */

static afn_status answered(const request *r, afn_status code, long status)
{
    return afn_fail(code, "%s: the server answers %ld", r->t->url, status);
}

static afn_status ended_early(const afn_transfer *t)
{
    return afn_fail(AFN_EIO, "%s: ended after %lld of %lld bytes", t->url,
                    (long long)t->part->size, (long long)t->total);
}

/* Nothing more to be had.  Where the part is as long as the file, its hash decides. */
static afn_status beyond_end(request *r)
{
    afn_transfer *t = r->t;
    const char *size = strchr(header(r, "Content-Range"), '/');
    char own[32];
    snprintf(own, sizeof own, "/%lld", (long long)t->part->size);
    t->resumed = t->part->size;
    if (size && strcmp(size, own) == 0) return AFN_OK;
    t->again = true;
    t->etag[0] = '\0';
    const afn_status st = afn_growing_restart(t->part);
    return st != AFN_OK ? st : answered(r, AFN_EIO, 416);
}

static afn_status finished(request *r)
{
    afn_transfer *t = r->t;
    const long status = status_of(r);

    if (!r->judged) { /* an answer without a body */
        const afn_status st = judge(r);
        if (st != AFN_OK) return st;
    }
    if (r->wanted) {
        if (t->total < 0 || t->part->size == t->total) return AFN_OK;
        t->again = true;
        return ended_early(t);
    }
    if (status == 404 || status == 410) return answered(r, AFN_ENOTFOUND, status);
    if (status == 416 && t->part->size) return beyond_end(r);
    t->again = status >= 500 || status == 408 || status == 429;
    return answered(r, AFN_EIO, status);
}

/* A connection that stood and broke may stand again; where there never was one,
 * another attempt only makes people wait. */
static bool may_recover(const request *r, CURLcode code)
{
    curl_off_t connected = 0;
    switch (code) {
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
        return true;
    case CURLE_OPERATION_TIMEDOUT:
        r->call.easy_getinfo(r->h, CURLINFO_CONNECT_TIME_T, &connected);
        return connected > 0;
    default:
        return false;
    }
}

static afn_status broke(request *r, CURLcode code)
{
    afn_transfer *t = r->t;
    const char *why = r->error[0] ? r->error : r->call.easy_strerror(code);

    if (code == CURLE_ABORTED_BY_CALLBACK)
        return afn_fail(AFN_ECANCELLED, "%s: stopped at %lld bytes", t->url,
                        (long long)t->part->size);
    if (code == CURLE_WRITE_ERROR && r->st != AFN_OK) return r->st;
    if (code == CURLE_WRITE_ERROR) return answered(r, AFN_EIO, status_of(r));
    t->again = may_recover(r, code);
    if (code == CURLE_OPERATION_TIMEDOUT && t->again)
        return afn_fail(AFN_EIO, "%s: nothing came for %d s, at %lld bytes", t->url,
                        t->timeout_s, (long long)t->part->size);
    if (code == CURLE_PARTIAL_FILE && t->total > 0) return ended_early(t);
    return afn_fail(AFN_EIO, "%s: %s", t->url, why);
}

/* ---- the request ---- */

/* Only what comes from the same version of the file may be put behind the part: the
 * server sends the whole of another one. */
static afn_status ask_for_rest(request *r, char range[32])
{
    const afn_transfer *t = r->t;
    char line[160];

    snprintf(range, 32, "%lld-", (long long)t->part->size);
    r->call.easy_setopt(r->h, CURLOPT_RANGE, range);
    if (!t->etag[0] || afn_starts_with(t->etag, "W/")) return AFN_OK;
    snprintf(line, sizeof line, "If-Range: %s", t->etag);
    r->headers = r->call.slist_append(NULL, line);
    if (!r->headers) return afn_fail(AFN_ENOMEM, "out of memory");
    r->call.easy_setopt(r->h, CURLOPT_HTTPHEADER, r->headers);
    return AFN_OK;
}

static void set_up(request *r)
{
    const afn_transfer *t = r->t;
    const bool secret = afn_starts_with(t->url, "https:");
    __typeof__(r->call.easy_setopt) set = r->call.easy_setopt;

    set(r->h, CURLOPT_URL, t->url);
    set(r->h, CURLOPT_USERAGENT, "afina");
    set(r->h, CURLOPT_PROTOCOLS_STR, "http,https");
    set(r->h, CURLOPT_REDIR_PROTOCOLS_STR, secret ? "https" : "http,https");
    set(r->h, CURLOPT_FOLLOWLOCATION, 1L);
    set(r->h, CURLOPT_MAXREDIRS, 10L);
    set(r->h, CURLOPT_NOSIGNAL, 1L);
    set(r->h, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    set(r->h, CURLOPT_BUFFERSIZE, 1L << 18);
    set(r->h, CURLOPT_CONNECTTIMEOUT, (long)t->timeout_s);
    set(r->h, CURLOPT_LOW_SPEED_LIMIT, 1L);
    set(r->h, CURLOPT_LOW_SPEED_TIME, (long)t->timeout_s);
    set(r->h, CURLOPT_ERRORBUFFER, r->error);
    set(r->h, CURLOPT_WRITEFUNCTION, on_body);
    set(r->h, CURLOPT_WRITEDATA, r);
    set(r->h, CURLOPT_XFERINFOFUNCTION, on_time);
    set(r->h, CURLOPT_XFERINFODATA, r);
    set(r->h, CURLOPT_NOPROGRESS, 0L);
}

afn_status afn_fetch__transfer(afn_transfer *t)
{
    afn_status st = AFN_OK;
    char range[32];
    request r = { .t = t };

    AFN_TRY(load(&r.call));
    r.h = r.call.easy_init();
    AFN_REQUIRE(r.h, AFN_ENOMEM, "out of memory");
    set_up(&r);
    if (t->part->size) AFN_TRY(ask_for_rest(&r, range));
    const CURLcode code = r.call.easy_perform(r.h);
    st = code == CURLE_OK ? finished(&r) : broke(&r, code);
done:
    if (r.h) r.call.easy_cleanup(r.h);
    if (r.headers) r.call.slist_free_all(r.headers);
    return st;
}
