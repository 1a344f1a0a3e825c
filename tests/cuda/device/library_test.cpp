// What is said of a library that is opened at run time.
#include "tensor/cuda/library.h"

#include <gtest/gtest.h>

namespace suanli::cuda {
namespace {

TEST(Library, SaysThatItIsMissingOrTooOldAndTheWayOut) {
  int (*function)() = nullptr;
  Library absent{"libnobody.so.1"};
  absent.find(function, "nothing");
  EXPECT_EQ(absent.problem("libnobody.so.1", "install it"), "libnobody.so.1 is not found: install it");
  Library old{"libcuda.so.1"};
  EXPECT_EQ(old.problem("libcuda.so.1", "install it"), "");
  old.find(function, "cuTomorrow");
  EXPECT_EQ(old.problem("libcuda.so.1", "install it"), "libcuda.so.1 lacks cuTomorrow: install a newer one");
}

}  // namespace
}  // namespace suanli::cuda
