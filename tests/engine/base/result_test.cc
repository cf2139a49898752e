// SPDX-License-Identifier: Apache-2.0
#include "engine/base/result.h"

#include <gtest/gtest.h>

#include <memory>

namespace edgemoe {
namespace {

Result<std::unique_ptr<int>> Positive(int number) {
  if (number <= 0) return Failure(OutOfRangeError("not positive"));
  return std::make_unique<int>(number);
}

Result<int> Sum(int a, int b) {
  EDGEMOE_ASSIGN_OR_FAIL(const auto x, Positive(a));
  EDGEMOE_ASSIGN_OR_FAIL(const auto y, Positive(b));
  return *x + *y;
}

Status Check(int number, int* reached) {
  EDGEMOE_ASSIGN_OR_RETURN(const auto value, Positive(number));
  *reached = *value;
  return OkStatus();
}

Status CheckBoth(int a, int b, int* reached) {
  EDGEMOE_RETURN_IF_ERROR(Check(a, reached));
  EDGEMOE_RETURN_IF_ERROR(Check(b, reached));
  return OkStatus();
}

Result<int> Last(int a, int b) {
  int reached = 0;
  EDGEMOE_FAIL_IF_ERROR(CheckBoth(a, b, &reached));
  return reached;
}

TEST(ResultTest, AssignOrFailMovesTheValueOrPassesTheError) {
  EXPECT_EQ(Sum(1, 2), 3);
  EXPECT_EQ(Sum(1, 0).error(), OutOfRangeError("not positive"));
}

TEST(ResultTest, StatusesStopAtTheFirstError) {
  int reached = 0;
  EXPECT_TRUE(CheckBoth(4, 5, &reached).ok());
  EXPECT_EQ(reached, 5);
  EXPECT_EQ(CheckBoth(-1, 6, &reached).code(), StatusCode::kOutOfRange);
  EXPECT_EQ(reached, 5);
  EXPECT_EQ(Last(7, 8), 8);
  EXPECT_EQ(Last(7, -8).error().code(), StatusCode::kOutOfRange);
}

}  // namespace
}  // namespace edgemoe
