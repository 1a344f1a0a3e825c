#include "dist/socket.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <memory>

#include "base/concat.h"
#include "base/error.h"

namespace suanli::dist {
namespace {

using Addresses = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

Addresses resolved(const std::string& address, int port) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int fault = getaddrinfo(address.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (fault != 0) {
    throw UserError("MASTER_ADDR", concat("expected the address of rank 0, got ", address, ": ", gai_strerror(fault)));
  }
  return {found, freeaddrinfo};
}

int socket_for(const addrinfo& to) { return socket(to.ai_family, to.ai_socktype | SOCK_CLOEXEC, to.ai_protocol); }

void send_at_once(int socket) {
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace

int milliseconds_to(Deadline deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
  return static_cast<int>(std::clamp<int64_t>(left, 0, std::numeric_limits<int>::max()));
}

int listen_at(const std::string& address, int port) {
  const Addresses addresses = resolved(address, port);
  const int listener = socket_for(*addresses);
  const int on = 1;
  if (listener >= 0) setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (listener >= 0 && bind(listener, addresses->ai_addr, addresses->ai_addrlen) == 0 && listen(listener, 128) == 0) {
    return listener;
  }
  const std::string reason = std::strerror(errno);
  if (listener >= 0) close(listener);
  throw EnvironmentError("dist", concat("rank 0 cannot listen at ", address, " port ", port, ": ", reason,
                                        "; set MASTER_ADDR to this machine and MASTER_PORT to a free port"));
}

int connect_to(const std::string& address, int port) {
  const Addresses addresses = resolved(address, port);
  for (const addrinfo* to = addresses.get(); to != nullptr; to = to->ai_next) {
    const int made = socket_for(*to);
    if (made >= 0 && connect(made, to->ai_addr, to->ai_addrlen) == 0) {
      send_at_once(made);
      return made;
    }
    if (made >= 0) close(made);
  }
  return -1;
}

int accept_until(int listener, Deadline deadline) {
  do {
    pollfd waiting = {.fd = listener, .events = POLLIN, .revents = 0};
    const int ready = poll(&waiting, 1, milliseconds_to(deadline));
    const int made = ready > 0 ? accept4(listener, nullptr, nullptr, SOCK_CLOEXEC) : -1;
    if (made < 0) continue;  // a signal, or a caller who has gone again
    send_at_once(made);
    return made;
  } while (milliseconds_to(deadline) > 0);
  return -1;
}

bool receive_until(int socket, void* bytes, size_t size, Deadline deadline) {
  auto* at = static_cast<char*>(bytes);
  while (size > 0) {
    pollfd waiting = {.fd = socket, .events = POLLIN, .revents = 0};
    const int ready = poll(&waiting, 1, milliseconds_to(deadline));
    if (ready == 0) return false;
    if (ready < 0 && errno == EINTR) continue;
    const ssize_t got = recv(socket, at, size, 0);
    if (got <= 0) return false;
    at += got;
    size -= static_cast<size_t>(got);
  }
  return true;
}

bool send_all(int socket, const void* bytes, size_t size) {
  const auto* at = static_cast<const char*>(bytes);
  while (size > 0) {
    const ssize_t sent = ::send(socket, at, size, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    at += sent;
    size -= static_cast<size_t>(sent);
  }
  return true;
}

}  // namespace suanli::dist
