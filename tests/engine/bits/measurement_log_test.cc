// SPDX-License-Identifier: Apache-2.0
#include "engine/bits/measurement_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bit>
#include <cctype>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>

#include "tests/support/child_process.h"

namespace edgemoe {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

struct Named {
  const char* name;
  double value;
};
constexpr double kInfinity = std::numeric_limits<double>::infinity();
const Named kValues[] = {{"damage/blk.0.ffn_gate.weight/Q4_0", 0.1},
                         {"nan", std::nan("17")},
                         {"infinity", kInfinity},
                         {"minus/infinity", -kInfinity},
                         {"minus/zero", -0.0},
                         {"denormal", 4.9e-324},
                         {"x", 1.0 / 3}};

std::uint64_t BitsOf(double value) { return std::bit_cast<std::uint64_t>(value); }

class MeasurementLogTest : public testing::Test {
 protected:
  MeasurementLog Open(std::string_view identity = "one") const {
    Result<MeasurementLog> log = MeasurementLog::Open(path_, identity);
    EXPECT_TRUE(log) << log.error().ToString();
    return *std::move(log);
  }
  void Fill() const {
    MeasurementLog log = Open();
    for (const Named& entry : kValues) ASSERT_TRUE(log.Add(entry.name, entry.value).ok());
    ASSERT_TRUE(log.Sync().ok());
  }
  // Values that are there are right to the bit, and stand at the beginning.
  static std::size_t CountRight(const MeasurementLog& log) {
    std::size_t count = 0;
    while (count < std::size(kValues) && log.Find(kValues[count].name)) {
      EXPECT_EQ(BitsOf(*log.Find(kValues[count].name)), BitsOf(kValues[count].value));
      ++count;
    }
    for (std::size_t i = count; i < std::size(kValues); ++i)
      EXPECT_FALSE(log.Find(kValues[i].name)) << "after the first that is lost";
    return count;
  }
  std::string Bytes() const {
    std::ifstream in(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void SetBytes(const std::string& bytes) const { std::ofstream(path_, std::ios::binary) << bytes; }

  TempFolder folder_;
  const std::string path_ = folder_ / "probes";
};

TEST_F(MeasurementLogTest, KeepsEveryBit) {
  Fill();
  MeasurementLog log = Open();
  EXPECT_EQ(CountRight(log), std::size(kValues));
  EXPECT_FALSE(log.Find("y"));
  ASSERT_TRUE(log.Add("x", 2).ok());
  EXPECT_EQ(log.Find("x"), 2);
  log = MeasurementLog(std::move(log));
  ASSERT_TRUE(log.Add("y", 3).ok());
  MeasurementLog{std::move(log)};  // it ends here
  const MeasurementLog again = Open();
  EXPECT_EQ(again.Find("x"), 2) << "the last one counts";
  EXPECT_EQ(again.Find("y"), 3);
}

TEST_F(MeasurementLogTest, AnotherIdentityEmptiesIt) {
  Fill();
  for (const char* const identity : {"on", "one ", "two", "one"}) {
    MeasurementLog log = Open(identity);
    EXPECT_EQ(CountRight(log), 0U) << identity;
    ASSERT_TRUE(log.Add(kValues[0].name, kValues[0].value).ok());
  }
  EXPECT_EQ(CountRight(Open()), 1U);
}

TEST_F(MeasurementLogTest, WhatIsCutShortEndsIt) {
  Fill();
  const std::string whole = Bytes();
  std::size_t before = 0;
  for (std::size_t size = 0; size <= whole.size(); size += 5) {
    SetBytes(whole.substr(0, size));
    std::size_t count = 0;
    {
      MeasurementLog log = Open();
      count = CountRight(log);
      ASSERT_GE(count, before) << size;
      ASSERT_TRUE(log.Add("later", 7).ok());
    }
    before = count;
    const MeasurementLog again = Open();
    ASSERT_EQ(CountRight(again), count) << size;
    ASSERT_EQ(again.Find("later"), 7) << size;
  }
  EXPECT_GE(before, std::size(kValues) - 1);
}

TEST_F(MeasurementLogTest, WhatIsDamagedEndsIt) {
  Fill();
  const std::string whole = Bytes();
  const std::size_t heading = whole.find('\n') + 1;
  for (std::size_t at = 0; at < whole.size(); at += 5) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << (at % 8)));
    SetBytes(bytes);
    std::size_t count = 0;
    {
      MeasurementLog log = Open();
      count = CountRight(log);
      ASSERT_TRUE(log.Add("later", 7).ok());
    }
    // A hexadecimal digit in capitals says the same.
    if (std::tolower(bytes[at]) != whole[at]) {
      ASSERT_LT(count, std::size(kValues)) << at;
    }
    if (at < heading) {
      ASSERT_EQ(count, 0U);
    }
    const MeasurementLog again = Open();
    ASSERT_EQ(CountRight(again), count) << at << ": what was lost does not come back";
    ASSERT_EQ(again.Find("later"), 7) << at;
  }
}

TEST_F(MeasurementLogTest, OneJobAtATime) {
  {
    const MeasurementLog log = Open();
    const auto second = MeasurementLog::Open(path_, "one");
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code(), StatusCode::kFailedPrecondition);
    EXPECT_THAT(second.error().message(), HasSubstr(path_));
    EXPECT_THAT(second.error().message(), HasSubstr("another job"));
  }
  Open();
}

TEST_F(MeasurementLogTest, GoesAway) {
  Fill();
  Open().Remove();
  EXPECT_FALSE(fs::exists(path_));
  EXPECT_EQ(CountRight(Open()), 0U);
}

TEST_F(MeasurementLogTest, ErrorsNameThePath) {
  const auto error = [](const std::string& path) {
    const auto log = MeasurementLog::Open(path, "one");
    EXPECT_FALSE(log) << path;
    if (log) return OkStatus();
    EXPECT_THAT(log.error().message(), HasSubstr(path));
    return log.error();
  };
  EXPECT_EQ(error(folder_ / "no/such/probes").code(), StatusCode::kNotFound);
  fs::create_directory(folder_ / "folder");
  EXPECT_FALSE(error(folder_ / "folder").ok());
  fs::create_symlink(path_, folder_ / "link");
  EXPECT_FALSE(error(folder_ / "link").ok()) << "links are not followed";
  const std::string pipe = folder_ / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(error(pipe).code(), StatusCode::kInvalidArgument);
}

// A limit on the size of files, in a process of its own: as a full disk, in the middle of a record.
TEST_F(MeasurementLogTest, WhatCouldNotBeWrittenIsNamedAndOverwritten) {
  Fill();
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    MeasurementLog log = Open();
    rlimit limit = {fs::file_size(path_) + 20, RLIM_INFINITY};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) ::_exit(1);
    const Status full = log.Add("too/much", 1);
    limit.rlim_cur = RLIM_INFINITY;
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) ::_exit(2);
    const bool named = full.message().find(path_) != std::string::npos;
    ::_exit(!full.ok() && named && !log.Find("too/much") && log.Add("later", 7).ok() ? 0 : 3);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  const MeasurementLog log = Open();
  EXPECT_EQ(CountRight(log), std::size(kValues));
  EXPECT_EQ(log.Find("later"), 7);
}

}  // namespace
}  // namespace edgemoe
