// SPDX-License-Identifier: Apache-2.0
#include "server/memory/memory_watcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "engine/base/byte_size.h"
#include "engine/base/random.h"
#include "server/memory/process_memory.h"
#include "tests/support/fake_clock.h"

namespace edgemoe {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t kWanted = 1200 * kMiB;
constexpr std::uint64_t kFloor = 400 * kMiB;
constexpr std::uint64_t kUsable = 4096 * kMiB;

// A daemon that does as the adapter decides, looked at every two seconds.
struct Machine {
  MemoryAdapter adapter{kWanted, kFloor, kUsable};
  std::uint64_t budget = kWanted;
  std::uint64_t now_ms = 1'000'000;
  std::uint64_t usable = kUsable;
  double pressure = 0;
  std::string why;

  // Whether the budget changed.
  bool Look() {
    now_ms += MemoryWatcher::kIntervalMs;
    const auto decision = adapter.Decide({now_ms, usable, pressure}, budget);
    if (!decision) return false;
    EXPECT_NE(decision->budget_bytes, budget);
    budget = decision->budget_bytes;
    why = decision->why;
    return true;
  }
  int Looks(int count) {
    int changes = 0;
    for (int i = 0; i < count; ++i) changes += Look() ? 1 : 0;
    return changes;
  }
};

TEST(MemoryAdapterTest, LetsAWellMachineBe) {
  Machine machine;
  EXPECT_EQ(machine.Looks(1000), 0);
  machine.pressure = 9.9;
  EXPECT_EQ(machine.Looks(1000), 0);
  machine.usable = 0;  // unknown
  EXPECT_EQ(machine.Looks(1000), 0);
}

TEST(MemoryAdapterTest, AFallingLimitCountsAtOnce) {
  Machine machine;
  machine.usable = 1000 * kMiB;
  EXPECT_TRUE(machine.Look());
  EXPECT_EQ(machine.budget, 750 * kMiB);
  EXPECT_THAT(machine.why, HasSubstr("1000 MiB"));
  EXPECT_EQ(machine.Looks(1000), 0);
  machine.usable = 100 * kMiB;
  EXPECT_TRUE(machine.Look());
  EXPECT_EQ(machine.budget, kFloor);
  EXPECT_EQ(machine.Looks(1000), 0);
}

TEST(MemoryAdapterTest, ALimitThatRisesIsFollowedSlowly) {
  Machine machine;
  machine.usable = 800 * kMiB;
  EXPECT_TRUE(machine.Look());
  machine.usable = kUsable;
  EXPECT_EQ(machine.Looks(10), 0);  // twenty seconds of calm are too few
  EXPECT_EQ(machine.Looks(10), 1);
  EXPECT_EQ(machine.budget, 700 * kMiB);
  EXPECT_GT(machine.Looks(200), 4);
  EXPECT_EQ(machine.budget, kWanted);
}

// Who gave the daemon more than three quarters at the start meant it.
TEST(MemoryAdapterTest, TheShareChosenAtTheStartIsKept) {
  MemoryAdapter adapter(900 * kMiB, kFloor, 1000 * kMiB);
  EXPECT_FALSE(adapter.Decide({1, 1000 * kMiB, 0}, 900 * kMiB));
  const auto decision = adapter.Decide({2, 900 * kMiB, 0}, 900 * kMiB);
  ASSERT_TRUE(decision);
  EXPECT_NEAR(static_cast<double>(decision->budget_bytes), 810.0 * kMiB, 1.0 * kMiB);
}

TEST(MemoryAdapterTest, OnlyPressureThatStaysTakesSomething) {
  Machine machine;
  for (int i = 0; i < 99; ++i) {
    machine.pressure = i % 3 == 2 ? 5 : 50;
    EXPECT_FALSE(machine.Look());
  }
  machine.pressure = 50;
  EXPECT_EQ(machine.Looks(3), 1);
  EXPECT_EQ(machine.budget, kWanted - (kWanted - kFloor) / 4);
  EXPECT_THAT(machine.why, HasSubstr("50 %"));
  EXPECT_EQ(machine.Looks(4), 0);  // the average looks back
  EXPECT_EQ(machine.Looks(1), 1);
}

TEST(MemoryAdapterTest, LastingPressureEndsAtTheFloor) {
  Machine machine;
  machine.pressure = 80;
  machine.Looks(1000);
  EXPECT_EQ(machine.budget, kFloor);
  EXPECT_EQ(machine.Looks(1000), 0);
  machine.pressure = 0;
  machine.Looks(5000);
  EXPECT_EQ(machine.budget, kWanted);
}

TEST(MemoryAdapterTest, ItBacksOffFromWhatBringsPressureBack) {
  Machine machine;
  // Any growth beyond 1000 MiB makes memory short.
  std::uint64_t growths = 0;
  std::vector<std::uint64_t> growths_in_hour;
  for (int hour = 0; hour < 3; ++hour) {
    growths = 0;
    for (int i = 0; i < 1800; ++i) {
      machine.pressure = machine.budget > 1000 * kMiB ? 40 : 0;
      const std::uint64_t before = machine.budget;
      if (machine.Look() && machine.budget > before) ++growths;
    }
    growths_in_hour.push_back(growths);
  }
  EXPECT_LT(growths_in_hour[2], growths_in_hour[0]);
  EXPECT_LE(growths_in_hour[2], 3600'000 / MemoryAdapter::kCalmMsMax + 1);
}

TEST(MemoryAdapterTest, SomebodyElsesResizeIsWhatIsWanted) {
  Machine machine;
  machine.budget = 600 * kMiB;
  EXPECT_EQ(machine.Looks(1000), 0);
  machine.pressure = 50;
  EXPECT_EQ(machine.Looks(3), 1);
  machine.pressure = 0;
  machine.Looks(1000);
  EXPECT_EQ(machine.budget, 600 * kMiB);
}

TEST(MemoryAdapterTest, ARefusedResizeIsNotTakenForAWish) {
  MemoryAdapter adapter(kWanted, kFloor, kUsable);
  ASSERT_TRUE(adapter.Decide({1000, 800 * kMiB, 0}, kWanted));
  ASSERT_TRUE(adapter.Decide({3000, 800 * kMiB, 0}, kWanted));  // still: asks again
  std::uint64_t budget = 600 * kMiB;                            // at last
  std::uint64_t now_ms = 5000;
  for (int i = 0; i < 1000; ++i, now_ms += 2000) {
    if (const auto decision = adapter.Decide({now_ms, kUsable, 0}, budget))
      budget = decision->budget_bytes;
  }
  EXPECT_EQ(budget, kWanted);
}

TEST(MemoryAdapterTest, StaysWithinItsBounds) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    Random random(seed);
    Machine machine;
    for (int i = 0; i < 300; ++i) {
      machine.usable = random.NextBelow(3) == 0 ? 0 : random.NextBelow(2 * kUsable);
      machine.pressure = static_cast<double>(random.NextBelow(1000)) / 10;
      machine.Look();
      ASSERT_GE(machine.budget, kFloor);
      ASSERT_LE(machine.budget, kWanted);
    }
  }
}

TEST(MemorySampleTest, ParsesPressure) {
  EXPECT_EQ(ParsePressure("some avg10=12.34 avg60=1.00 avg300=0.00 total=99\n"
                          "full avg10=99.00 avg60=0.00 avg300=0.00 total=0\n"),
            12.34);
  for (const char* text : {"", "some", "some avg10=", "some avg10=x", "some avg10=-1",
                           "some avg10=101", "full avg10=5"})
    EXPECT_EQ(ParsePressure(text), 0) << text;
}

TEST(MemorySampleTest, ReadsTheWorseOfGroupAndMachine) {
  const std::filesystem::path root =
      std::filesystem::path(testing::TempDir()) / ("watch-" + std::to_string(::getpid()));
  std::filesystem::create_directories(root / "proc/self");
  std::filesystem::create_directories(root / "proc/pressure");
  std::filesystem::create_directories(root / "cgroup/a/b");
  const auto write = [&](const char* path, const char* text) {
    std::ofstream(root / path) << text;
  };
  write("proc/meminfo", "MemTotal: 2048 kB\n");
  write("proc/self/cgroup", "0::/a/b\n");
  write("cgroup/a/memory.max", "1048576\n");
  FakeClock clock;
  clock.Advance(5'999'999);
  const auto read = [&] {
    return ReadMemorySample(clock, (root / "proc").string(), (root / "cgroup").string());
  };
  EXPECT_EQ(read().at_ms, 5u);
  EXPECT_EQ(read().usable_bytes, kMiB);
  EXPECT_EQ(read().pressure_percent, 0);
  write("proc/pressure/memory", "some avg10=3.00 avg60=0\n");
  EXPECT_EQ(read().pressure_percent, 3);
  write("cgroup/a/b/memory.pressure", "some avg10=7.50 avg60=0\n");
  EXPECT_EQ(read().pressure_percent, 7.5);
  std::filesystem::remove_all(root);
}

TEST(ProcessMemoryTest, ReadsStatus) {
  const ProcessMemory memory = ParseProcessStatus("VmHWM:\t  200 kB\nVmRSS:\t    100 kB\n");
  EXPECT_EQ(memory.resident_bytes, 100U * 1024);
  EXPECT_EQ(memory.peak_resident_bytes, 200U * 1024);
  EXPECT_EQ(ParseProcessStatus("").resident_bytes, 0U);
}

}  // namespace
}  // namespace edgemoe
