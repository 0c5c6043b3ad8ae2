/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the probes of sockets.  The driver listens on each kind. */
#include "sandbox/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int make_socket(struct probe_env *env)
{
    (void)env;
    return probe_result(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static int make_pair(struct probe_env *env)
{
    int ends[2];
    (void)env;
    return probe_result(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends));
}

static int connect_to(int family, int type, const void *address, socklen_t len)
{
    int fd = socket(family, type | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return errno;
    }
    int status = probe_result(connect(fd, address, len));
    if (status == 0 && type == SOCK_DGRAM) {
        status = probe_result(send(fd, "x", 1, MSG_NOSIGNAL));
    }
    (void)close(fd);
    return status;
}

static int connect_path(struct probe_env *env)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, env->arg, sizeof(address.sun_path) - 1);
    return connect_to(AF_UNIX, SOCK_STREAM, &address, sizeof(address));
}

static int connect_abstract(struct probe_env *env)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(env->arg);
    memcpy(address.sun_path + 1, env->arg, len);
    return connect_to(AF_UNIX,
                      SOCK_STREAM,
                      &address,
                      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + len));
}

static int connect_port(struct probe_env *env, int type)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)strtoul(env->arg, NULL, 10)),
        .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)},
    };
    return connect_to(AF_INET, type, &address, sizeof(address));
}

static int connect_tcp(struct probe_env *env)
{
    return connect_port(env, SOCK_STREAM);
}

static int send_udp(struct probe_env *env)
{
    return connect_port(env, SOCK_DGRAM);
}

static int make_netlink(struct probe_env *env)
{
    (void)env;
    return probe_result(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
}

static const struct probe list[] = {
    {"socket", make_socket, false},
    {"socketpair", make_pair, false},
    {"connect-path", connect_path, false},
    {"connect-abstract", connect_abstract, false},
    {"connect-tcp", connect_tcp, false},
    {"send-udp", send_udp, false},
    {"netlink", make_netlink, false},
};
PROBE_LIST(list, probe_network);
