#include "dist/communicator.h"

#include "base/concat.h"
#include "base/error.h"

#ifdef SUANLI_NCCL
#include "dist/cuda/nccl.h"
#include "dist/cuda/nccl_communicator.h"
#endif

namespace suanli::dist {
namespace {

#ifndef SUANLI_NCCL
constexpr const char* kNotBuilt = "this program was built without nccl.h; build it where NCCL's header is found";
#endif

}  // namespace

std::unique_ptr<Communicator> make_communicator(HostGroup& group, Device device) {
  if (device.type != DeviceType::cuda) {
    throw UserError("device", concat("expected cuda, on which several processes train together, got ", device.text(),
                                     " for rank ", group.rank(), " of ", group.size()));
  }
#ifdef SUANLI_NCCL
  return make_nccl_communicator(group, device);
#else
  throw UserError("nccl", concat("expected NCCL for ", group.size(), " processes: ", kNotBuilt));
#endif
}

#ifdef SUANLI_NCCL

std::string communication_report() {
  if (!nccl().problem.empty()) return concat("no NCCL: ", nccl().problem, "; training uses one GPU without it");
  int version = 0;
  nccl().ncclGetVersion(&version);
  return concat("NCCL ", version / 10000, ".", version / 100 % 100, ".", version % 100,
                ": torchrun or mpirun train on several GPUs");
}

#else

std::string communication_report() { return concat("no NCCL: ", kNotBuilt); }

#endif

}  // namespace suanli::dist
