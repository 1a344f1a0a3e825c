#include "tensor/device.h"

#include <map>
#include <utility>

#include "base/error.h"
#include "tensor/cpu_backend.h"

namespace suanli {

namespace {
std::map<std::pair<DeviceType, int>, DeviceBackend*>& backends() {
  static std::map<std::pair<DeviceType, int>, DeviceBackend*> all;
  return all;
}
}  // namespace

std::string Device::text() const { return type == DeviceType::cpu ? "cpu" : "cuda:" + std::to_string(index); }

DeviceBackend& backend(Device device) {
  if (device.type == DeviceType::cpu) return cpu_backend();
  const auto found = backends().find({device.type, device.index});
  if (found == backends().end()) {
    throw UserError("device", "expected a device of this machine, got " + device.text() + "; see `suanli doctor`");
  }
  return *found->second;
}

void register_backend(Device device, DeviceBackend& backend) { backends()[{device.type, device.index}] = &backend; }

}  // namespace suanli
