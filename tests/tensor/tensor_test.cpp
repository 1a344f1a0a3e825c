// The tensor as a value: sharing, views, copies, foreign memory, and errors that hold the real shapes.
#include "tensor/tensor.h"

#include <gtest/gtest.h>

#include <memory>
#include <numeric>
#include <vector>

namespace suanli {
namespace {

Tensor counting(Shape shape) {
  std::vector<int32_t> values(static_cast<size_t>(shape.elements()));
  std::iota(values.begin(), values.end(), 0);
  return Tensor::from(values, shape);
}

/// Runs `action`, which must throw a UserError whose text holds every word.
template <class F>
void expect_user_error(F&& action, std::initializer_list<const char*> words) {
  try {
    action();
    ADD_FAILURE() << "no error";
  } catch (const UserError& error) {
    for (const char* word : words) {
      EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << error.what() << " lacks " << word;
    }
  }
}

TEST(Tensor, HoldsWhatItWasMadeOf) {
  const Tensor t = counting({2, 3});
  EXPECT_TRUE(t.defined());
  EXPECT_EQ(t.dtype(), DType::i32);
  EXPECT_EQ(t.shape(), (Shape{2, 3}));
  EXPECT_EQ(t.dim(-1), 3);
  EXPECT_EQ(t.elements(), 6);
  EXPECT_EQ(t.bytes(), 24);
  EXPECT_EQ(t.device(), Device{});
  EXPECT_EQ(t.host<int32_t>()[5], 5);
  EXPECT_FALSE(Tensor().defined());
}

TEST(Tensor, CopyingTheValueSharesStorage) {
  const Tensor a = counting({4});
  EXPECT_TRUE(a.unique());
  const Tensor b = a;
  EXPECT_FALSE(a.unique());
  EXPECT_TRUE(a.shares_storage(b));
  b.host<int32_t>()[1] = 99;
  EXPECT_EQ(a.host<int32_t>()[1], 99);
  const Tensor c = a.clone();
  EXPECT_FALSE(a.shares_storage(c));
  c.host<int32_t>()[1] = 7;
  EXPECT_EQ(a.host<int32_t>()[1], 99);
}

TEST(Tensor, ZerosAndFillZero) {
  const Tensor z = Tensor::zeros({3, 5}, DType::f64);
  for (const double value : z.host<double>()) EXPECT_EQ(value, 0);
  const Tensor t = counting({4});
  t.fill_zero();
  for (const int32_t value : t.host<int32_t>()) EXPECT_EQ(value, 0);
}

TEST(Tensor, RowsAreAView) {
  const Tensor t = counting({4, 3});
  const Tensor middle = t.rows(1, 3);
  EXPECT_EQ(middle.shape(), (Shape{2, 3}));
  EXPECT_TRUE(middle.shares_storage(t));
  EXPECT_EQ(middle.host<int32_t>()[0], 3);
  const Tensor last = middle.rows(1, 2);
  EXPECT_EQ(last.host<int32_t>()[2], 8);
  last.host<int32_t>()[2] = -1;
  EXPECT_EQ(t.host<int32_t>()[8], -1);
  EXPECT_EQ(t.rows(4, 4).elements(), 0);
  EXPECT_EQ(t.rows(0, 4).elements(), 12);
  middle.fill_zero();
  EXPECT_EQ(t.host<int32_t>()[2], 2) << "zeroing a view reached outside it";
  EXPECT_EQ(t.host<int32_t>()[9], 9) << "zeroing a view reached outside it";
}

TEST(Tensor, RowsOutsideAreUserErrors) {
  const Tensor t = counting({4, 3});
  expect_user_error([&] { t.rows(-1, 2); }, {"tensor.rows", "-1", "4"});
  expect_user_error([&] { t.rows(3, 2); }, {"tensor.rows", "3", "2"});
  expect_user_error([&] { t.rows(0, 5); }, {"tensor.rows", "5"});
  expect_user_error([&] { Tensor::zeros({}, DType::f32).rows(0, 0); }, {"shape"});
}

TEST(Tensor, ViewOutlivesTheTensor) {
  Tensor view;
  {
    const Tensor t = counting({100, 10});
    view = t.rows(50, 51);
  }
  EXPECT_EQ(view.host<int32_t>()[9], 509);
}

TEST(Tensor, ReshapeSharesStorageAndKeepsTheCount) {
  const Tensor t = counting({4, 3});
  const Tensor r = t.rows(1, 3).reshape({3, 2});
  EXPECT_TRUE(r.shares_storage(t));
  EXPECT_EQ(r.host<int32_t>()[5], 8);
  expect_user_error([&] { t.reshape({5, 3}); }, {"tensor.reshape", "12", "[4, 3]", "[5, 3]"});
}

TEST(Tensor, CopyFromNeedsEqualCountAndDtype) {
  const Tensor target = Tensor::zeros({2, 2}, DType::i32);
  target.copy_from(counting({4}));
  EXPECT_EQ(target.host<int32_t>()[3], 3);
  expect_user_error([&] { target.copy_from(counting({5})); }, {"tensor.copy_from", "[2, 2]", "[5]"});
  expect_user_error([&] { target.copy_from(Tensor::zeros({4}, DType::f32)); }, {"tensor.copy_from", "i32", "f32"});
}

TEST(Tensor, FromNeedsAsManyValuesAsTheShape) {
  expect_user_error([] { Tensor::from(std::vector<float>{1, 2, 3}, {2, 2}); }, {"4", "[2, 2]", "3"});
  EXPECT_EQ(Tensor::from(std::vector<float>{}, {0, 7}).elements(), 0);
}

TEST(Tensor, HostAsksForTheRightType) {
  expect_user_error([] { Tensor::zeros({1}, DType::f32).host<double>(); }, {"f64", "f32"});
  expect_user_error([] { Tensor::zeros({1}, DType::bf16).host<float16>(); }, {"f16", "bf16"});
}

TEST(Tensor, AbsentDevicesAreUserErrors) {
  const Device absent{DeviceType::cuda, 97};
  EXPECT_EQ(absent.text(), "cuda:97");
  expect_user_error([&] { Tensor::zeros({2}, DType::f32, absent); }, {"cuda:97"});
  expect_user_error([&] { counting({2}).to(absent); }, {"cuda:97"});
}

TEST(Tensor, BorrowedMemoryLivesAsLongAsItsTensors) {
  auto owner = std::make_shared<std::vector<float>>(std::vector<float>{1, 2, 3, 4});
  const std::weak_ptr<std::vector<float>> watch = owner;
  Tensor view;
  {
    const Tensor t = Tensor::borrow(owner->data(), {2, 2}, DType::f32, owner);
    owner.reset();
    view = t.rows(1, 2);
  }
  ASSERT_FALSE(watch.expired());
  EXPECT_EQ(view.host<float>()[1], 4);
  const Tensor copy = view.clone();
  view = {};
  EXPECT_TRUE(watch.expired());
  EXPECT_EQ(copy.host<float>()[0], 3);
}

}  // namespace
}  // namespace suanli
