#include "tensor/device.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "tensor/cpu_backend.h"

namespace suanli {

namespace {
std::map<DeviceType, DeviceFamily>& families() {
  static std::map<DeviceType, DeviceFamily> all;
  return all;
}
}  // namespace

std::string Device::text() const { return type == DeviceType::cpu ? "cpu" : "cuda:" + std::to_string(index); }

int device_count(DeviceType type) {
  if (type == DeviceType::cpu) return 1;
  const auto found = families().find(type);
  return found == families().end() ? 0 : found->second.count();
}

std::string device_problem(DeviceType type) {
  if (type == DeviceType::cpu) return "";
  const auto found = families().find(type);
  if (found == families().end()) return "this build has no CUDA kernels: build it where nvcc is installed";
  return found->second.problem();
}

Device device_named(const std::string& text) {
  if (text == "cpu") return {};
  if (text == "auto") return device_count(DeviceType::cuda) > 0 ? Device{DeviceType::cuda, 0} : Device{};
  const std::string digits = text == "cuda" ? "0" : text.starts_with("cuda:") ? text.substr(5) : "";
  const bool number =
      !digits.empty() && digits.size() < 4 && std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; });
  if (!number) throw UserError("device", "expected auto, cpu, cuda or cuda:0, cuda:1, ..., got \"" + text + "\"");
  const Device device = {DeviceType::cuda, std::stoi(digits)};
  backend(device);
  return device;
}

DeviceBackend& backend(Device device) {
  if (device.type == DeviceType::cpu) return cpu_backend();
  const int count = device_count(device.type);
  if (device.index < 0 || device.index >= count) {
    throw UserError("device", "expected a device of this machine, got " + device.text() + ": " +
                                  (count == 0 ? device_problem(device.type)
                                              : "the last one is " + Device{device.type, count - 1}.text()) +
                                  "; see `suanli doctor`");
  }
  return families().at(device.type).open(device.index);
}

void register_devices(DeviceType type, DeviceFamily family) { families()[type] = family; }

}  // namespace suanli
