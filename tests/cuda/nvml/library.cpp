/// The functions of libnvidia-ml.so.1 that the product uses, for a device that is limited to half of its power.
#include <cstring>

namespace {
struct Memory {
  unsigned long long total, free, used;
};
int device;
}  // namespace

extern "C" {

int nvmlInit_v2() { return 0; }
int nvmlDeviceGetHandleByPciBusId_v2(const char* address, void** out) {
  *out = &device;
  return std::strcmp(address, "0000:01:00.0") == 0 ? 0 : 6;  // NVML_ERROR_NOT_FOUND
}
int nvmlDeviceGetPowerManagementLimit(void*, unsigned* milliwatts) { return *milliwatts = 200'000, 0; }
int nvmlDeviceGetPowerManagementLimitConstraints(void*, unsigned* least, unsigned* most) {
  return *least = 100'000, *most = 400'000, 0;
}
int nvmlDeviceGetTemperature(void*, int, unsigned* degrees) { return *degrees = 41, 0; }
int nvmlDeviceGetClockInfo(void*, int, unsigned* megahertz) { return *megahertz = 345, 0; }
int nvmlDeviceGetMaxClockInfo(void*, int, unsigned* megahertz) { return *megahertz = 1410, 0; }
int nvmlDeviceGetMemoryInfo(void*, Memory* out) { return *out = {8ULL << 30, 6ULL << 30, 2ULL << 30}, 0; }
/// Half a joule more each time it is asked.
int nvmlDeviceGetTotalEnergyConsumption(void*, unsigned long long* millijoules) {
  static unsigned long long taken = 7'000'000;
  return *millijoules = taken += 500, 0;
}

}  // extern "C"
