/// TCP as far as processes of one machine need it to meet; internal to dist/.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace suanli::dist {

using Deadline = std::chrono::steady_clock::time_point;

/// A socket that listens at address and port. Throws UserError for an address that is none, and EnvironmentError where
/// it cannot be had.
int listen_at(const std::string& address, int port);
/// A connection to it, or -1 where nobody listens. Throws UserError for an address that is none.
int connect_to(const std::string& address, int port);
/// The next connection of a listening socket, or -1 after the deadline.
int accept_until(int listener, Deadline deadline);
/// False where the other end has closed, or after the deadline.
bool receive_until(int socket, void* bytes, size_t size, Deadline deadline);
/// False where the other end has closed.
bool send_all(int socket, const void* bytes, size_t size);
/// From now to the deadline for poll(), at least 0.
int milliseconds_to(Deadline deadline);

}  // namespace suanli::dist
