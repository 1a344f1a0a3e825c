/// What a client may ask of the server, and for how long: every limit in one place, with its default.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace suanli::serve {

using std::chrono::seconds;

struct Limits {
  // Connections: above these the listener waits, or closes what one address has too many of.
  size_t connections = 1024;
  size_t connections_per_address = 64;

  // A request's head: 414, 431.
  size_t target_bytes = 8 << 10;
  size_t header_bytes = 32 << 10;
  size_t header_count = 100;

  // A request's body, chunked or not: 413.
  size_t json_bytes = 2 << 20;
  size_t binary_bytes = 64 << 20;
  size_t chunks = 4096;

  // Time: the head as a whole 408, a body slower than this 408, a quiet connection closed.
  seconds head_time{10};
  seconds body_grace{10};
  size_t body_bytes_per_second = 1 << 10;
  seconds idle_time{30};
  seconds write_time{30};  ///< without any progress
  size_t requests_per_connection = 1000;

  // Work: 429 with Retry-After, 504.
  size_t in_flight = 512;
  size_t queued = 256;
  size_t requests_per_stream = 64;  ///< under way in one call of gRPC; more are read as their answers leave
  seconds deadline{60};
  size_t items_per_request = 32;
  int64_t picture_pixels = int64_t{1} << 24;  ///< height x width; of super-resolution those of the enlarged one: 400
  int64_t tokens_per_batch = 16'384;
  int64_t explained_tokens = int64_t{1} << 17;  ///< of all texts of a request, times the steps of the integral: 400
  int64_t choices = 8;                          ///< texts that one request has written for each prompt
  int64_t new_tokens = 4096;                    ///< of one text; 256 where nothing is said

  // End of the process.
  seconds drain_time{25};
};

}  // namespace suanli::serve
