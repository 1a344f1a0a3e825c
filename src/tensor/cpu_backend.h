/// The CPU as a device: a caching allocator over huge pages; work is done when a call returns.
#pragma once

#include "tensor/device.h"

namespace suanli {

/// The only CPU backend. Blocks are kept by size class and reused; blocks of 2 MiB and more ask for huge pages.
DeviceBackend& cpu_backend();

}  // namespace suanli
