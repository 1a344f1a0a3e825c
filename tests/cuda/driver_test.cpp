/// The driver's stand-in: what it promises about order, memory, modules and errors.
#include <cuda.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>

#include "probe.h"

namespace {

constexpr int kCount = 300;

std::string file_of(const std::string& name) {
  std::ifstream file(std::string(SUANLI_PROBE_PTX) + "/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class Driver : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(cuInit(0), CUDA_SUCCESS);
    ASSERT_EQ(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING), CUDA_SUCCESS);
    ASSERT_EQ(cuMemAllocHost_v2(reinterpret_cast<void**>(&pinned), kCount * sizeof(float)), CUDA_SUCCESS);
    ASSERT_EQ(cuMemAlloc_v2(&in, kCount * sizeof(float)), CUDA_SUCCESS);
    ASSERT_EQ(cuMemAlloc_v2(&out, kCount * sizeof(float)), CUDA_SUCCESS);
    for (int k = 0; k < kCount; ++k) pinned[k] = static_cast<float>(k);
  }
  void TearDown() override {
    for (const CUmodule module : modules) cuModuleUnload(module);
    cuMemFree_v2(in);
    cuMemFree_v2(out);
    cuMemFreeHost(pinned);
    cuStreamDestroy_v2(stream);
  }
  CUfunction load(const std::string& image, const char* name) {
    CUmodule module = nullptr;
    CUfunction function = nullptr;
    EXPECT_EQ(cuModuleLoadData(&module, image.c_str()), CUDA_SUCCESS);
    modules.push_back(module);
    EXPECT_EQ(cuModuleGetFunction(&function, module, name), CUDA_SUCCESS);
    return function;
  }
  CUresult scale(CUfunction function, int count, CUstream on) {
    void* arguments[] = {&in, &out, &count};
    return cuLaunchKernel(function, 2, 1, 1, 256, 1, 1, 0, on, arguments, nullptr);
  }
  CUresult copy_in(CUstream on) { return cuMemcpyHtoDAsync_v2(in, pinned, kCount * sizeof(float), on); }

  CUstream stream = nullptr;
  float* pinned = nullptr;
  CUdeviceptr in = 0, out = 0;
  std::vector<CUmodule> modules;
};

TEST_F(Driver, AFatbinRunsFromItsPtxCompressedOrNot) {
  for (const char* image : {"blocks.fatbin", "blocks_plain.fatbin", "blocks.ptx"}) {
    std::vector<float> got(kCount);
    ASSERT_EQ(copy_in(stream), CUDA_SUCCESS);
    ASSERT_EQ(scale(load(file_of(image), "scale_right"), kCount, stream), CUDA_SUCCESS);
    ASSERT_EQ(cuMemcpyDtoHAsync_v2(got.data(), out, kCount * sizeof(float), stream), CUDA_SUCCESS);
    EXPECT_EQ(got[7], 14) << image;
    ASSERT_EQ(cuMemsetD8Async(out, 0, kCount * sizeof(float), stream), CUDA_SUCCESS);
  }
}

TEST_F(Driver, WhoDoesNotWaitReadsTheOldBytes) {
  ASSERT_EQ(copy_in(stream), CUDA_SUCCESS);
  ASSERT_EQ(scale(load(file_of("blocks.ptx"), "scale_right"), kCount, stream), CUDA_SUCCESS);
  ASSERT_EQ(cuMemcpyDtoHAsync_v2(pinned, out, kCount * sizeof(float), stream), CUDA_SUCCESS);
  EXPECT_EQ(pinned[7], 7);
  ASSERT_EQ(cuStreamSynchronize(stream), CUDA_SUCCESS);
  EXPECT_EQ(pinned[7], 14);
}

TEST_F(Driver, PinnedMemoryIsReadWhenTheStreamComesToIt) {
  ASSERT_EQ(copy_in(stream), CUDA_SUCCESS);
  pinned[3] = -1;  // too early: nobody waited
  std::vector<float> got(kCount);
  ASSERT_EQ(cuMemcpyDtoHAsync_v2(got.data(), in, kCount * sizeof(float), stream), CUDA_SUCCESS);
  EXPECT_EQ(got[3], -1);
}

TEST_F(Driver, AnEventOrdersTwoStreams) {
  CUstream other = nullptr;
  CUevent copied = nullptr;
  ASSERT_EQ(cuStreamCreate(&other, CU_STREAM_NON_BLOCKING), CUDA_SUCCESS);
  ASSERT_EQ(cuEventCreate(&copied, CU_EVENT_DEFAULT), CUDA_SUCCESS);
  ASSERT_EQ(copy_in(stream), CUDA_SUCCESS);
  ASSERT_EQ(cuEventRecord(copied, stream), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamWaitEvent(other, copied, 0), CUDA_SUCCESS);
  std::vector<float> got(kCount);
  ASSERT_EQ(cuMemcpyDtoDAsync_v2(out, in, kCount * sizeof(float), other), CUDA_SUCCESS);
  ASSERT_EQ(cuMemcpyDtoHAsync_v2(got.data(), out, kCount * sizeof(float), other), CUDA_SUCCESS);
  EXPECT_EQ(got[299], 299);
  EXPECT_EQ(cuEventDestroy_v2(copied), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamDestroy_v2(other), CUDA_SUCCESS);
}

TEST_F(Driver, ACapturedGraphRunsEachTimeItIsLaunched) {
  const CUfunction function = load(file_of("blocks.ptx"), "scale_right");
  CUgraph graph = nullptr;
  CUgraphExec exec = nullptr;
  ASSERT_EQ(cuStreamBeginCapture_v2(stream, CU_STREAM_CAPTURE_MODE_GLOBAL), CUDA_SUCCESS);
  ASSERT_EQ(copy_in(stream), CUDA_SUCCESS);
  ASSERT_EQ(scale(function, kCount, stream), CUDA_SUCCESS);
  ASSERT_EQ(cuMemcpyDtoHAsync_v2(pinned, out, kCount * sizeof(float), stream), CUDA_SUCCESS);
  CUdeviceptr refused = 0;
  EXPECT_EQ(cuMemAlloc_v2(&refused, 16), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  EXPECT_EQ(cuStreamSynchronize(stream), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  ASSERT_EQ(cuStreamEndCapture(stream, &graph), CUDA_SUCCESS);
  ASSERT_EQ(cuGraphInstantiateWithFlags(&exec, graph, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamSynchronize(stream), CUDA_SUCCESS);
  EXPECT_EQ(pinned[7], 7) << "capturing runs nothing";
  for (int k = 0; k < 3; ++k) ASSERT_EQ(cuGraphLaunch(exec, stream), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamSynchronize(stream), CUDA_SUCCESS);
  EXPECT_EQ(pinned[7], 56);
  EXPECT_EQ(cuGraphExecDestroy(exec), CUDA_SUCCESS);
  EXPECT_EQ(cuGraphDestroy(graph), CUDA_SUCCESS);
}

TEST_F(Driver, LaunchesBeyondTheLimitsAreRefused) {
  const CUfunction function = load(file_of("blocks.ptx"), "block_sum_right");
  void* arguments[] = {&in, &out};
  const auto launch = [&](unsigned threads, unsigned shared) {
    return cuLaunchKernel(function, 1, 1, 1, threads, 1, 1, shared, stream, arguments, nullptr);
  };
  EXPECT_EQ(launch(2048, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(launch(64, 100 << 10), CUDA_ERROR_INVALID_VALUE) << "more than 48 KiB wants the attribute first";
  EXPECT_EQ(cuFuncSetAttribute(function, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, 164 << 10),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuFuncSetAttribute(function, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, 100 << 10), CUDA_SUCCESS);
  ASSERT_EQ(copy_in(stream), CUDA_SUCCESS);
  EXPECT_EQ(launch(64, 100 << 10), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamSynchronize(stream), CUDA_SUCCESS);
}

TEST_F(Driver, MoreThanTheCapacityIsOutOfMemory) {
  size_t free = 0, total = 0;
  ASSERT_EQ(cuMemGetInfo_v2(&free, &total), CUDA_SUCCESS);
  CUdeviceptr memory = 0;
  EXPECT_EQ(cuMemAlloc_v2(&memory, free + 1), CUDA_ERROR_OUT_OF_MEMORY);
}

using DriverDeathTest = Driver;

TEST_F(DriverDeathTest, HostCodeThatFollowsADevicePointerDies) {
  EXPECT_DEATH(std::printf("%f", static_cast<double>(*reinterpret_cast<volatile float*>(in))), "");
}

TEST_F(DriverDeathTest, AFindingIsPrintedAndEveryLaterCallFails) {
  const auto whole = [&] {
    copy_in(stream);
    scale(load(file_of("blocks.ptx"), "scale_one_too_many"), kCount, stream);
    const bool failed = cuStreamSynchronize(stream) == CUDA_ERROR_LAUNCH_FAILED &&
                        cuStreamSynchronize(stream) == CUDA_ERROR_LAUNCH_FAILED;
    std::_Exit(failed ? 3 : 4);
  };
  EXPECT_EXIT(whole(), testing::ExitedWithCode(3),
              R"(\[ptx\] scale_one_too_many, block \(1,0,0\), thread \(44,0,0\), line [0-9]+ of the PTX)");
}

}  // namespace
