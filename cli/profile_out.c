/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of a profile. */
#include "profile_out.h"

#include <stdio.h>

#include "cli.h"

char *cli_profile_kind(const afn_profile_row *r, char buf[CLI_KIND_BYTES])
{
    snprintf(buf, CLI_KIND_BYTES, "%s %s", r->kind, afn_pass_name(r->pass));
    return buf;
}

static double percent(double part, double whole)
{
    return whole > 0 ? 100 * part / whole : 0;
}

static void put_row(const afn_profile_row *r, double seconds)
{
    char kind[CLI_KIND_BYTES];
    printf("%5.1f %% %10.3f %6lld  ", percent(r->seconds, seconds), r->seconds,
           (long long)r->calls);
    if (r->flops > 0 && r->seconds > 0)
        printf("%7.1f  ", 1e-9 * r->flops / r->seconds);
    else
        printf("%7s  ", "-");
    if (*r->name) {
        printf("%-26s ", cli_profile_kind(r, kind));
        cli_put(stdout, r->name);
    } else {
        printf("%s", cli_profile_kind(r, kind));
    }
    printf("\n");
}

static void put_rows(const afn_profile *p, double seconds)
{
    const double other = seconds - afn_profile_seconds(p);
    cli_say("  share    seconds  calls   gflops  ");
    if (p->n && *p->row[0].name)
        cli_say("kind                       step\n");
    else
        cli_say("kind\n");
    for (int i = 0; i < p->n; i++) put_row(&p->row[i], seconds);
    cli_say("%5.1f %% %10.3f %6s  %7s  other\n", percent(other, seconds), other, "-",
            "-");
}

int cli_profile_steps(const afn_profile *p, double seconds)
{
    afn_profile sorted = { 0 };
    const afn_status st = afn_profile_copy(&sorted, p);
    if (st != AFN_OK) return cli_fail(st);
    afn_profile_sort(&sorted);
    put_rows(&sorted, seconds);
    afn_profile_free(&sorted);
    return CLI_OK;
}

int cli_profile_kinds(const afn_profile *p, double seconds)
{
    afn_profile sums = { 0 };
    const afn_status st = afn_profile_by_kind(&sums, p);
    if (st != AFN_OK) return cli_fail(st);
    put_rows(&sums, seconds);
    afn_profile_free(&sums);
    return CLI_OK;
}
