/* SPDX-License-Identifier: Apache-2.0 */
/* Permission bits do not tell whether a write will succeed (read-only mounts, root,
 * /proc), so the check makes what the run will make and removes it. */
#define _POSIX_C_SOURCE 200809L

#include "out_folder.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"

enum { MAX_MADE = 32 };

/* Lengths of the prefixes of a path that were made, outermost first. */
typedef struct made_folders {
    size_t length[MAX_MADE];
    int n;
} made_folders;

/* mkdir of the first `length` bytes of path; false with errno. */
static bool make_one(char *path, size_t length, made_folders *made)
{
    const char after = path[length];
    path[length] = '\0';
    const bool is_new = mkdir(path, 0777) == 0;
    const int error = errno;
    path[length] = after;

    if (is_new && made->n < MAX_MADE) made->length[made->n++] = length;
    errno = error;
    return is_new || error == EEXIST;
}

static bool make_all(char *path, made_folders *made)
{
    for (size_t i = 1; path[i]; i++) {
        if (path[i] == '/' && path[i - 1] != '/' && !make_one(path, i, made))
            return false;
    }
    return make_one(path, strlen(path), made);
}

static void remove_made(char *path, const made_folders *made)
{
    for (int i = made->n; i-- > 0;) {
        path[made->length[i]] = '\0';
        rmdir(path);
    }
}

static bool try_file(const char *folder)
{
    char path[PATH_MAX + 16];
    snprintf(path, sizeof path, "%s/.afina-XXXXXX", folder);
    const int fd = mkstemp(path);
    if (fd < 0) return false;
    close(fd);
    unlink(path);
    return true;
}

bool cli_out_folder_check(const char *path)
{
    made_folders made = { .n = 0 };
    struct stat info;
    char copy[PATH_MAX];

    if (strlen(path) >= sizeof copy) {
        cli_error("--out %s: %s", path, strerror(ENAMETOOLONG));
        return false;
    }
    if (stat(path, &info) == 0 && !S_ISDIR(info.st_mode)) {
        cli_error("--out %s: is a file, not a folder", path);
        return false;
    }
    strcpy(copy, path);
    const bool good = make_all(copy, &made) && try_file(path);
    const int error = errno;
    remove_made(copy, &made);
    if (!good) cli_error("--out %s: cannot be written: %s", path, strerror(error));
    return good;
}
