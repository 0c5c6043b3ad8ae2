/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: sockets that listen: what an address may look like, and what becomes of a socket's file. */
#include "cli/cli_listen.h"

#include "base/error.h"
#include "base/text.h"
#include "pvf/status.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define BACKLOG 16
#define UNIX_PREFIX "unix:"

union any_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_un local;
};

/* Splits ADDRESS:PORT or [ADDRESS]:PORT, or takes PORT alone; false when it is none of these. */
static bool parse(const char *text, union any_address *ret, socklen_t *ret_len)
{
    char host[64] = "127.0.0.1";
    const char *port_text = text;
    const char *colon = strrchr(text, ':');
    bool six = text[0] == '[';
    uint64_t port;
    if (colon != NULL) {
        const char *start = six ? text + 1 : text;
        const char *end = six ? colon - 1 : colon;
        if (end < start || (six && *end != ']') || (size_t)(end - start) >= sizeof(host)) {
            return false;
        }
        memcpy(host, start, (size_t)(end - start));
        host[end - start] = '\0';
        port_text = colon + 1;
    }
    if (!pvf__text_parse_u64(port_text, UINT16_MAX, &port)) {
        return false;
    }
    memset(ret, 0, sizeof(*ret));
    if (six) {
        ret->v6.sin6_family = AF_INET6;
        ret->v6.sin6_port = htons((uint16_t)port);
        *ret_len = sizeof(ret->v6);
        return inet_pton(AF_INET6, host, &ret->v6.sin6_addr) == 1;
    }
    ret->v4.sin_family = AF_INET;
    ret->v4.sin_port = htons((uint16_t)port);
    *ret_len = sizeof(ret->v4);
    return inet_pton(AF_INET, host, &ret->v4.sin_addr) == 1;
}

static int socket_of(int family, pvf_error *err)
{
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "a socket");
    }
    return fd;
}

static int bind_failed(const char *address, int sys_errno, pvf_error *err)
{
    int status = sys_errno == EADDRINUSE ? PVF_ERR_BUSY : PVF_ERR_IO;
    return pvf__error_errno(err, status, sys_errno, "%s", address);
}

static int start_listening(struct pvf__cli_listen *ret, pvf_error *err)
{
    if (listen(ret->fd, BACKLOG) != 0) {
        return bind_failed(ret->address, errno, err);
    }
    return 0;
}

/* The address as the kernel made it of ours, with the port that it chose. */
static int name_it(struct pvf__cli_listen *ret, pvf_error *err)
{
    union any_address own;
    socklen_t len = sizeof(own);
    char host[INET6_ADDRSTRLEN] = "";
    memset(&own, 0, sizeof(own));
    if (getsockname(ret->fd, &own.any, &len) != 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "%s", ret->address);
    }
    bool six = own.any.sa_family == AF_INET6;
    const void *bytes = six ? (const void *)&own.v6.sin6_addr : (const void *)&own.v4.sin_addr;
    if (inet_ntop(own.any.sa_family, bytes, host, sizeof(host)) == NULL) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "%s", ret->address);
    }
    (void)snprintf(ret->address,
                   sizeof(ret->address),
                   six ? "[%s]:%u" : "%s:%u",
                   host,
                   (unsigned)ntohs(six ? own.v6.sin6_port : own.v4.sin_port));
    return 0;
}

static int open_network(const char *text, struct pvf__cli_listen *ret, pvf_error *err)
{
    const int on = 1;
    union any_address address;
    socklen_t len;
    if (!parse(text, &address, &len)) {
        return pvf__error_set(err,
                              PVF_ERR_INVALID_ARG,
                              "'%s' is not PORT, ADDRESS:PORT, [ADDRESS]:PORT or unix:PATH, with "
                              "ADDRESS in digits",
                              text);
    }
    ret->fd = socket_of(address.any.sa_family, err);
    if (ret->fd < 0) {
        return ret->fd;
    }
    /* A port of connections that have just ended is free. */
    if (setsockopt(ret->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        bind(ret->fd, &address.any, len) != 0) {
        return bind_failed(text, errno, err);
    }
    int status = start_listening(ret, err);
    return status == 0 ? name_it(ret, err) : status;
}

/* A socket's file whose owner is gone refuses connections; anything else is left alone. */
static bool is_left_behind(const union any_address *address)
{
    struct stat info;
    if (lstat(address->local.sun_path, &info) != 0 || !S_ISSOCK(info.st_mode)) {
        return false;
    }
    PVF__CLEANUP_FD int probe = socket_of(AF_UNIX, NULL);
    return probe >= 0 && connect(probe, &address->any, sizeof(address->local)) != 0 &&
           errno == ECONNREFUSED;
}

static int open_local(const char *path, struct pvf__cli_listen *ret, pvf_error *err)
{
    union any_address address;
    struct stat info;
    memset(&address, 0, sizeof(address));
    address.local.sun_family = AF_UNIX;
    if (path[0] == '\0' || strlen(path) >= sizeof(address.local.sun_path)) {
        return pvf__error_set(err,
                              PVF_ERR_INVALID_ARG,
                              "a socket's path has 1 to %zu bytes",
                              sizeof(address.local.sun_path) - 1);
    }
    memcpy(address.local.sun_path, path, strlen(path) + 1);
    ret->fd = socket_of(AF_UNIX, err);
    if (ret->fd < 0) {
        return ret->fd;
    }
    int bound = bind(ret->fd, &address.any, sizeof(address.local));
    if (bound != 0 && errno == EADDRINUSE) {
        if (!is_left_behind(&address)) {
            return bind_failed(ret->address, EADDRINUSE, err);
        }
        (void)unlink(path); /* if it fails, so does bind, and says why */
        bound = bind(ret->fd, &address.any, sizeof(address.local));
    }
    if (bound != 0) {
        return bind_failed(ret->address, errno, err);
    }
    ret->has_file = true;
    /* Before it listens nobody gets in, whatever the mode it was made with. */
    if (chmod(path, S_IRUSR | S_IWUSR) != 0 || lstat(path, &info) != 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "%s", path);
    }
    ret->device = (uint64_t)info.st_dev;
    ret->inode = (uint64_t)info.st_ino;
    return start_listening(ret, err);
}

int pvf__cli_listen_open(const char *address, struct pvf__cli_listen *ret, pvf_error *err)
{
    const size_t prefix = sizeof(UNIX_PREFIX) - 1;
    *ret = (struct pvf__cli_listen)PVF__CLI_LISTEN_NONE;
    (void)snprintf(ret->address, sizeof(ret->address), "%s", address);
    int status = strncmp(address, UNIX_PREFIX, prefix) == 0 ? open_local(address + prefix, ret, err)
                                                            : open_network(address, ret, err);
    if (status != 0) {
        pvf__cli_listen_done(ret);
    }
    return status;
}

void pvf__cli_listen_done(struct pvf__cli_listen *listen)
{
    const char *path = listen->address + sizeof(UNIX_PREFIX) - 1;
    struct stat info;
    if (listen->has_file && lstat(path, &info) == 0 && (uint64_t)info.st_dev == listen->device &&
        (uint64_t)info.st_ino == listen->inode) {
        (void)unlink(path); /* a file that stays is replaced the next time */
    }
    if (listen->fd >= 0) {
        (void)close(listen->fd);
    }
    listen->fd = -1;
    listen->has_file = false;
}
