// The machine as the kernels see it, the cap SUANLI_ISA, and the registry's refusals.
#include "kernels/machine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "base/env.h"
#include "base/error.h"
#include "kernels/elementwise.h"
#include "kernels/registry.h"

namespace suanli {
namespace {

TEST(Machine, NamesAreInRisingOrder) {
  EXPECT_STREQ(name_of(Isa::scalar), "scalar");
  EXPECT_STREQ(name_of(Isa::avx2), "avx2");
  EXPECT_STREQ(name_of(Isa::avx512), "avx512");
  EXPECT_STREQ(name_of(Isa::amx), "amx");
  EXPECT_LT(Isa::scalar, Isa::avx2);
  EXPECT_LT(Isa::avx512, Isa::amx);
}

// The compiler's own run-time check is a second opinion on what this CPU and system offer.
TEST(Machine, NeverClaimsMoreThanTheCpuOrTheCap) {
  const Machine& here = machine();
  if (here.isa >= Isa::avx2) {
    EXPECT_TRUE(__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"));
  }
  if (here.isa >= Isa::avx512) {
    EXPECT_TRUE(__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq"));
  } else {
    EXPECT_FALSE(here.avx512_bf16 || here.avx512_vnni);
  }
  const auto cap = environment("SUANLI_ISA");
  if (cap) {
    bool allowed = false;  // the ISA in use is the cap or one before it
    for (const Isa isa : {Isa::scalar, Isa::avx2, Isa::avx512, Isa::amx}) {
      if (isa == here.isa) allowed = true;
      if (*cap == name_of(isa)) break;
      if (isa == Isa::amx) FAIL() << "an unknown SUANLI_ISA was accepted: " << *cap;
    }
    EXPECT_TRUE(allowed) << name_of(here.isa) << " under a cap of " << *cap;
  } else if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    EXPECT_GE(here.isa, Isa::avx2);
  }
  EXPECT_GE(here.threads, 1);
  EXPECT_FALSE(here.cpu_model.empty());
}

// machine() is read once, so that a wrong name can only be seen by a fresh process: a death test re-executes this one.
TEST(MachineDeathTest, UnknownIsaIsAUserErrorThatNamesTheValidOnes) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const std::string before = environment("SUANLI_ISA").value_or("");
  setenv("SUANLI_ISA", "sse9", 1);
  EXPECT_EXIT(
      {
        try {
          machine();
        } catch (const UserError& error) {
          fprintf(stderr, "%s\n", error.what());
          exit(2);
        }
        exit(0);
      },
      ::testing::ExitedWithCode(2), "SUANLI_ISA.*scalar, avx2, avx512 or amx.*sse9");
  before.empty() ? unsetenv("SUANLI_ISA") : setenv("SUANLI_ISA", before.c_str(), 1);
}

TEST(Registry, EveryKernelEndsWithItsReference) {
  const auto& listed = kernels::listed_implementations();
  ASSERT_FALSE(listed.empty());
  for (const auto& entry : listed) {
    const auto last = std::find_if(listed.rbegin(), listed.rend(), [&](const auto& other) {
      return other.kernel == entry.kernel && other.device == "cpu";
    });
    ASSERT_NE(last, listed.rend()) << entry.kernel;
    EXPECT_EQ(last->implementation, "ref") << entry.kernel;
  }
}

TEST(Registry, RefusalsOfAllImplementationsAreInTheError) {
  const kernels::Dropout args{nullptr, nullptr, 0, {}, DType::i64};
  try {
    kernels::dropout(args, backend({}).default_stream());
    FAIL() << "an integer dtype was accepted";
  } catch (const UserError& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("dropout"), std::string::npos) << text;
    for (const auto& implementation : kernels::dropout.implementations()) {
      if (implementation.device != DeviceType::cpu) continue;
      EXPECT_NE(text.find(implementation.name), std::string::npos) << text;
    }
    EXPECT_NE(text.find("f32, bf16, f16 or f64"), std::string::npos) << text;
  }
}

TEST(Registry, UnknownImplementationIsNotFound) {
  EXPECT_EQ(kernels::dropout.find("no such implementation"), nullptr);
  EXPECT_EQ(kernels::dropout.find("ref", DeviceType::cuda), nullptr);
}

}  // namespace
}  // namespace suanli
