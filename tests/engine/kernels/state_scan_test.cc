// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/engine/kernels/kernel_cases.h"

namespace edgemoe {
namespace {

class StateScanTest : public EveryTable {};

struct Position {
  std::vector<float> state;
  std::vector<float> x;
  std::vector<float> b;
  std::vector<float> c;

  StateScanArgs Args(std::vector<float>& out) {
    return {.state = state.data(),
            .x = x.data(),
            .b = b.data(),
            .c = c.data(),
            .out = out.data(),
            .head_size = x.size(),
            .state_size = b.size(),
            .decay = 0.75F,
            .step = 0.3F,
            .skip = -1.25F};
  }
};

Position RandomPosition(Random& random, std::size_t head_size, std::size_t state_size) {
  return {RandomFloats(random, head_size * state_size), RandomFloats(random, head_size),
          RandomFloats(random, state_size), RandomFloats(random, state_size)};
}

// A state is off by the roundings of a sum of two products, one of them of three factors; an output
// by those of its states, and of state_size + 1 products.
TEST_P(StateScanTest, StatesAndOutputsAreThoseOfTheRecurrence) {
  Random random(31);
  for (const std::size_t head_size : {1U, 3U, 4U, 16U, 63U, 64U}) {
    for (const std::size_t state_size : {1U, 7U, 8U, 16U, 33U, 64U, 128U}) {
      Position position = RandomPosition(random, head_size, state_size);
      const Position before = position;
      std::vector<float> out(head_size + 1, 77.0F);
      const StateScanArgs args = position.Args(out);
      table().state_scan(args);
      for (std::size_t i = 0; i < head_size; ++i) {
        const double x = static_cast<double>(before.x[i]);
        double expected = static_cast<double>(args.skip) * x;
        double magnitude = std::fabs(expected);
        for (std::size_t n = 0; n < state_size; ++n) {
          const std::size_t at = i * state_size + n;
          const double kept = static_cast<double>(args.decay) * before.state[at];
          const double added = static_cast<double>(args.step) * x * before.b[n];
          EXPECT_NEAR(static_cast<double>(position.state[at]), kept + added,
                      4 * kUnitRoundoff * (std::fabs(kept) + std::fabs(added)));
          const auto c = static_cast<double>(before.c[n]);
          expected += (kept + added) * c;
          magnitude += (std::fabs(kept) + std::fabs(added)) * std::fabs(c);
        }
        EXPECT_NEAR(static_cast<double>(out[i]), expected,
                    static_cast<double>(state_size + 5) * kUnitRoundoff * magnitude)
            << "head size " << head_size << ", state size " << state_size << ", element " << i;
      }
      EXPECT_EQ(out[head_size], 77.0F);
      EXPECT_EQ(position.b, before.b);
      EXPECT_EQ(position.c, before.c);
    }
  }
}

TEST_P(StateScanTest, OutputMayBeX) {
  Random random(32);
  Position apart = RandomPosition(random, 10, 20);
  Position together = apart;
  std::vector<float> out(10);
  table().state_scan(apart.Args(out));
  table().state_scan(together.Args(together.x));
  EXPECT_EQ(together.x, out);
  EXPECT_EQ(together.state, apart.state);
}

// K1: an element does not depend on how many stand beside it.
TEST_P(StateScanTest, AnElementDoesNotDependOnItsNeighbours) {
  Random random(33);
  Position all = RandomPosition(random, 7, 40);
  std::vector<float> out(7);
  for (std::size_t i = 0; i < 7; ++i) {
    Position one = all;
    one.x = {all.x[i]};
    one.state.assign(all.state.begin() + static_cast<std::ptrdiff_t>(i * 40),
                     all.state.begin() + static_cast<std::ptrdiff_t>((i + 1) * 40));
    std::vector<float> single(1);
    table().state_scan(one.Args(single));
    Position copy = all;
    table().state_scan(copy.Args(out));
    EXPECT_EQ(out[i], single[0]);
  }
}

INSTANTIATE_TEST_SUITE_P(Kernels, StateScanTest, AllTables(), TableName);

}  // namespace
}  // namespace edgemoe
