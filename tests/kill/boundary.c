/* Ends the process at a chosen boundary: after the n-th call that writes, syncs, renames, sends or receives.
 *
 * Loaded before libc (LD_PRELOAD). THREADLINE_KILL_AT=n ends the process by SIGKILL right after call n has done
 * its work. THREADLINE_KILL_COUNT=file writes the number of calls there when the process ends by itself, so that a
 * test can enumerate all of them. Without either it only counts.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_long calls;
static long kill_at = -1;
static const char *count_file;

__attribute__((constructor)) static void begin(void) {
    const char *at = getenv("THREADLINE_KILL_AT");
    if (at) kill_at = atol(at);
    count_file = getenv("THREADLINE_KILL_COUNT");
}

__attribute__((destructor)) static void end(void) {
    if (!count_file) return;
    FILE *f = fopen(count_file, "w");
    if (f) {
        fprintf(f, "%ld\n", atomic_load(&calls));
        fclose(f);
    }
}

static void boundary(void) {
    if (atomic_fetch_add(&calls, 1) + 1 == kill_at) kill(getpid(), SIGKILL);
}

/* An event descriptor, by which threads wake each other, has no file type. */
static int is_file_or_socket(int fd) {
    struct stat s;
    return fstat(fd, &s) == 0 && (s.st_mode & S_IFMT) != 0;
}

#define REAL(name) \
    static __typeof__(&name) real; \
    if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

/* A call that moved bytes, or that succeeded, is a boundary. One that would have blocked is none. */
#define PASS(type, name, params, args, happened) \
    type name params { \
        REAL(name); \
        type r = real args; \
        if (happened) boundary(); \
        return r; \
    }

PASS(ssize_t, write, (int fd, const void *b, size_t n), (fd, b, n), fd > 2 && r > 0 && is_file_or_socket(fd))
PASS(ssize_t, writev, (int fd, const struct iovec *v, int n), (fd, v, n), fd > 2 && r > 0)
PASS(ssize_t, pwrite64, (int fd, const void *b, size_t n, off64_t o), (fd, b, n, o), r > 0)
PASS(int, fsync, (int fd), (fd), r == 0)
PASS(int, fdatasync, (int fd), (fd), r == 0)
PASS(int, ftruncate64, (int fd, off64_t n), (fd, n), r == 0)
PASS(int, rename, (const char *a, const char *b), (a, b), r == 0)
PASS(int, unlink, (const char *a), (a), r == 0)
PASS(ssize_t, send, (int fd, const void *b, size_t n, int f), (fd, b, n, f), r > 0)
PASS(ssize_t, sendmsg, (int fd, const struct msghdr *m, int f), (fd, m, f), r > 0)
PASS(ssize_t, recv, (int fd, void *b, size_t n, int f), (fd, b, n, f), r > 0)
PASS(ssize_t, recvmsg, (int fd, struct msghdr *m, int f), (fd, m, f), r > 0)
