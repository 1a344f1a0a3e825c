/// Counts what operator new gives out in this test program.
#pragma once

#include <cstddef>

namespace suanli {

/// Bytes that operator new has given out and not got back.
size_t live_heap_bytes();
/// The largest live_heap_bytes() since reset_peak_heap_bytes().
size_t peak_heap_bytes();
void reset_peak_heap_bytes();

}  // namespace suanli
