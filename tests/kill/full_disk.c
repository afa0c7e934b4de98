/* A disk that is full, for one process: while the file named by THREADLINE_FULL exists, what would grow a regular
 * file below the folder named by THREADLINE_FULL_BELOW fails with ENOSPC. Loaded before libc (LD_PRELOAD).
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static int full(int fd) {
    const char *flag = getenv("THREADLINE_FULL"), *below = getenv("THREADLINE_FULL_BELOW");
    struct stat s;
    if (!flag || !below || access(flag, F_OK) != 0) return 0;
    if (fstat(fd, &s) != 0 || !S_ISREG(s.st_mode)) return 0;
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n < 0) return 0;
    path[n] = 0;
    return strncmp(path, below, strlen(below)) == 0;
}

#define GUARDED(name, params, args) \
    ssize_t name params { \
        static __typeof__(&name) real; \
        if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name); \
        if (full(fd)) { \
            errno = ENOSPC; \
            return -1; \
        } \
        return real args; \
    }

GUARDED(write, (int fd, const void *b, size_t n), (fd, b, n))
GUARDED(pwrite64, (int fd, const void *b, size_t n, off64_t o), (fd, b, n, o))
