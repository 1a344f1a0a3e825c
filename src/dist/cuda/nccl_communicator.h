/// Communicator over NCCL; internal to dist/.
#pragma once

#include "dist/communicator.h"

namespace suanli::dist {

/// See make_communicator(); `device` is a GPU.
std::unique_ptr<Communicator> make_nccl_communicator(HostGroup& group, Device device);

}  // namespace suanli::dist
