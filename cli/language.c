/* SPDX-License-Identifier: Apache-2.0 */
/* Which language the command speaks.  Catalogues are looked for beside the executable
 * first, in ../share/locale: an installation may be moved as a whole. */
#define _POSIX_C_SOURCE 200809L

#include <limits.h>
#include <locale.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"

/* PREFIX/share/locale for PREFIX/bin/afina; false where there is no such folder. */
static bool beside_executable(char path[PATH_MAX])
{
    static const char below[] = "/share/locale";
    struct stat info;
    ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - sizeof below);
    for (int cut = 0; cut < 2; cut++) { /* the file, and its folder */
        while (n > 0 && path[n - 1] != '/') n--;
        if (n > 0) n--;
    }
    if (n < 0) return false;
    memcpy(path + n, below, sizeof below);
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

void cli_language_start(void)
{
    char path[PATH_MAX];
    /* not LC_ALL: a decimal comma would spoil every file and option */
    setlocale(LC_CTYPE, "");
    setlocale(LC_MESSAGES, "");
    if (afn_locale_set(beside_executable(path) ? path : NULL) != AFN_OK)
        cli_fail(AFN_ENOMEM);
}
