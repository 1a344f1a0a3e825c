/// The stand-in driver as tests of the product see it.
#pragma once

#include <cstdint>
#include <string>

extern "C" {
/// How often the host had to wait for the device so far.
uint64_t stand_in_host_waits();
/// How often a graph was launched so far.
uint64_t stand_in_graph_launches();
/// What ran so far, in order, a letter each: u host to device, d device to host, m within the device, k kernel, e
/// event, w wait of a stream for an event.
const char* stand_in_order();
/// True: streams run ahead of one another as far as events let them; false: nothing runs before it must.
void stand_in_run_early(bool early);
}

namespace suanli {

/// What runs while it lives, copies and kernels alone.
class OrderOfWork {
 public:
  std::string text() const {
    std::string out;
    for (const char kind : std::string(stand_in_order()).substr(before_)) {
      if (kind == 'u' || kind == 'd' || kind == 'k') out += kind;
    }
    return out;
  }

 private:
  size_t before_ = std::string(stand_in_order()).size();
};

/// Streams that run early until the end of the scope.
class EarlyStreams {
 public:
  explicit EarlyStreams(bool early = true) { stand_in_run_early(early); }
  ~EarlyStreams() { stand_in_run_early(false); }
  EarlyStreams(const EarlyStreams&) = delete;
  EarlyStreams& operator=(const EarlyStreams&) = delete;
};

}  // namespace suanli
