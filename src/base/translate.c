/* SPDX-License-Identifier: Apache-2.0 */
/* The C library's gettext with a domain of our own.  Which language is wanted is up to
 * the program: without its setlocale(LC_MESSAGES, "") every text stays as it is. */
#include "base/translate.h"

#include <libintl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "afina_version.h"
#include "base/error.h"

static const char domain[] = "afina";
static atomic_bool bound; /* the domain has a folder */

static bool bind_domain(const char *folder)
{
    const bool done = bindtextdomain(domain, folder) != NULL;
    atomic_store(&bound, true);
    return done;
}

afn_status afn_locale_set(const char *folder)
{
    return bind_domain(folder ? folder : AFN_LOCALE_DIR)
               ? AFN_OK
               : afn_fail(AFN_ENOMEM, "out of memory");
}

const char *afn_translated(const char *text)
{
    if (!atomic_load(&bound)) bind_domain(AFN_LOCALE_DIR);
    return *text ? dgettext(domain, text) : text; /* "" is the catalogue's header */
}
