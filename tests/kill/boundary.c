/* Ends the process by SIGKILL at a chosen boundary: just before, or just after, a call that changes a file or speaks
 * to a server.
 *
 * Loaded before libc (LD_PRELOAD). Boundaries are counted from 1, one before each call of the list below and one after
 * each that has done something: a call that moved bytes or that succeeded has two, a call that failed has one. Reading
 * from a socket has its first only where something is there to be read, so that waiting is no boundary.
 *
 *     write, writev, pwrite, pwrite64, fsync, fdatasync, ftruncate, ftruncate64, fallocate
 *     open and openat with O_CREAT, mkdir, mkdirat, link, linkat, rename, renameat, unlink, unlinkat, rmdir,
 *     chmod, fchmod
 *     send, sendto, sendmsg, and read, readv, recv, recvfrom, recvmsg on sockets
 *
 * Not counted: what is written to the three standard streams and to event descriptors, SQLite's shared memory (it lies
 * in memory and is thrown away by the next process), and file calls that go past libc.
 *
 * THREADLINE_KILL_AT=n ends the process at boundary n; with THREADLINE_KILL_WHILE=file boundaries count only while that file
 * is there, so that a test chooses the moment from which on they do. THREADLINE_KILL_COUNT=file writes the number of boundaries there
 * when the process ends by itself, and behind it those of each call; a test can then enumerate all of them.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_long boundaries;
static long kill_at = -1;
static const char *count_file;
static const char *count_while;

/* How often each call was seen to do something, for the count file. */
#define NAMES 40
static struct {
    const char *call;
    atomic_long times;
} seen[NAMES];
static atomic_int names;

__attribute__((constructor)) static void begin(void) {
    const char *at = getenv("THREADLINE_KILL_AT");
    if (at) kill_at = atol(at);
    count_file = getenv("THREADLINE_KILL_COUNT");
    count_while = getenv("THREADLINE_KILL_WHILE");
}

__attribute__((destructor)) static void end(void) {
    if (!count_file) return;
    long all = atomic_load(&boundaries);
    FILE *f = fopen(count_file, "w");
    if (!f) return;
    fprintf(f, "%ld\n", all);
    for (int i = 0; i < NAMES && i < atomic_load(&names); i++)
        if (seen[i].call) fprintf(f, "%s %ld\n", seen[i].call, atomic_load(&seen[i].times));
    fclose(f);
}

static void boundary(void) {
    if (count_while && access(count_while, F_OK) != 0) return;
    if (atomic_fetch_add(&boundaries, 1) + 1 == kill_at) kill(getpid(), SIGKILL);
}

static mode_t kind(int fd) {
    struct stat s;
    return fstat(fd, &s) == 0 ? s.st_mode & S_IFMT : 0;
}

/* An event descriptor, by which threads wake each other, has no file type; pipes do the same. */
static int is_file_or_socket(int fd) {
    mode_t k = fd > 2 ? kind(fd) : 0;
    return k == S_IFREG || k == S_IFSOCK;
}

/* Whether a socket has something to be read at once. */
static int can_be_read(int fd) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return kind(fd) == S_IFSOCK && poll(&p, 1, 0) == 1 && (p.revents & POLLIN);
}

#define REAL(name) \
    static __typeof__(&name) real; \
    static int own = -1; \
    if (!real) { \
        real = (__typeof__(&name))dlsym(RTLD_NEXT, #name); \
        own = atomic_fetch_add(&names, 1); \
        if (own < NAMES) seen[own].call = #name; \
    }

#define AFTER() \
    do { \
        if (own >= 0 && own < NAMES) atomic_fetch_add(&seen[own].times, 1); \
        boundary(); \
    } while (0)

#define PASS(type, name, params, args, counts, happened) \
    type name params { \
        REAL(name); \
        int counted = (counts); \
        if (counted) boundary(); \
        type r = real args; \
        if (counted && (happened)) AFTER(); \
        return r; \
    }

#define DATA(name, params, args) PASS(ssize_t, name, params, args, is_file_or_socket(fd), r > 0)
#define DONE(name, params, args) PASS(int, name, params, args, 1, r == 0)
#define TAKE(name, params, args) PASS(ssize_t, name, params, args, can_be_read(fd), r > 0)

DATA(write, (int fd, const void *b, size_t n), (fd, b, n))
DATA(writev, (int fd, const struct iovec *v, int n), (fd, v, n))
DATA(pwrite, (int fd, const void *b, size_t n, off_t o), (fd, b, n, o))
DATA(pwrite64, (int fd, const void *b, size_t n, off64_t o), (fd, b, n, o))
DATA(send, (int fd, const void *b, size_t n, int f), (fd, b, n, f))
DATA(sendto, (int fd, const void *b, size_t n, int f, const struct sockaddr *a, socklen_t l), (fd, b, n, f, a, l))
DATA(sendmsg, (int fd, const struct msghdr *m, int f), (fd, m, f))

DONE(fsync, (int fd), (fd))
DONE(fdatasync, (int fd), (fd))
DONE(ftruncate, (int fd, off_t n), (fd, n))
DONE(ftruncate64, (int fd, off64_t n), (fd, n))
DONE(fallocate, (int fd, int m, off_t o, off_t n), (fd, m, o, n))
DONE(mkdir, (const char *a, mode_t m), (a, m))
DONE(mkdirat, (int d, const char *a, mode_t m), (d, a, m))
DONE(link, (const char *a, const char *b), (a, b))
DONE(linkat, (int d, const char *a, int e, const char *b, int f), (d, a, e, b, f))
DONE(rename, (const char *a, const char *b), (a, b))
DONE(renameat, (int d, const char *a, int e, const char *b), (d, a, e, b))
DONE(unlink, (const char *a), (a))
DONE(unlinkat, (int d, const char *a, int f), (d, a, f))
DONE(rmdir, (const char *a), (a))
DONE(chmod, (const char *a, mode_t m), (a, m))
DONE(fchmod, (int fd, mode_t m), (fd, m))

TAKE(read, (int fd, void *b, size_t n), (fd, b, n))
TAKE(readv, (int fd, const struct iovec *v, int n), (fd, v, n))
TAKE(recv, (int fd, void *b, size_t n, int f), (fd, b, n, f))
TAKE(recvfrom, (int fd, void *b, size_t n, int f, struct sockaddr *a, socklen_t *l), (fd, b, n, f, a, l))
TAKE(recvmsg, (int fd, struct msghdr *m, int f), (fd, m, f))

/* A file that is opened is a boundary only where it may be made by that. */
#define OPEN(name, params, args) \
    int name params { \
        REAL(name); \
        mode_t mode = 0; \
        int makes = (flags & O_CREAT) != 0; \
        if (makes) { \
            va_list more; \
            va_start(more, flags); \
            mode = va_arg(more, mode_t); \
            va_end(more); \
            boundary(); \
        } \
        int r = real args; \
        if (makes && r >= 0) AFTER(); \
        return r; \
    }

OPEN(open, (const char *a, int flags, ...), (a, flags, mode))
OPEN(open64, (const char *a, int flags, ...), (a, flags, mode))
OPEN(openat, (int d, const char *a, int flags, ...), (d, a, flags, mode))
OPEN(openat64, (int d, const char *a, int flags, ...), (d, a, flags, mode))
