// SPDX-License-Identifier: Apache-2.0
#include "engine/base/check.h"

#include <gtest/gtest.h>

namespace edgemoe {
namespace {

TEST(CheckTest, HoldsSilently) {
  int evaluations = 0;
  EDGEMOE_CHECK(++evaluations == 1, "evaluated once");
  EXPECT_EQ(evaluations, 1);
}

TEST(CheckDeathTest, NamesPlaceConditionAndMessage) {
  EXPECT_DEATH(EDGEMOE_CHECK(1 + 1 == 3, "arithmetic"),
               "check_test.cc:[0-9]+: CHECK failed: 1 \\+ 1 == 3: arithmetic");
}

}  // namespace
}  // namespace edgemoe
