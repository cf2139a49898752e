// SPDX-License-Identifier: Apache-2.0
#include "engine/io/probe/device_probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>

#include "engine/io/faulty_reader.h"
#include "engine/io/metered_reader.h"
#include "engine/io/pread_reader.h"
#include "engine/io/probe/probe_store.h"
#include "engine/io/throttled_reader.h"
#include "tests/support/fake_clock.h"
#include "tests/support/test_file.h"

namespace edgemoe {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t kFileBytes = 8u << 20;
constexpr std::uint64_t kMillisecond = 1'000'000;

class DeviceProbeTest : public testing::Test {
 protected:
  // A file behind a modelled device, in the time of `clock_`.
  std::unique_ptr<BlockReader> Model(std::uint64_t bytes_per_second, std::uint64_t latency_ns) {
    return std::make_unique<ThrottledReader>(
        *PreadReader::Open(files_, {.depth = 32, .thread_count = 2}),
        ThrottledReader::Options{.bytes_per_second = bytes_per_second,
                                 .latency_ns = latency_ns,
                                 .clock = &clock_,
                                 .sleep = [this](std::uint64_t ns) { clock_.Advance(ns); }});
  }

  void SetUp() override { files_.push_back(*StorageFile::Open(file_.path())); }

  TestFile file_{kFileBytes, 5};
  FakeClock clock_;
  std::vector<StorageFile> files_;
};

const ProbePoint* Find(const DeviceProbe& probe, std::uint32_t read_bytes, std::uint32_t depth) {
  for (const ProbePoint& point : probe.points)
    if (point.read_bytes == read_bytes && point.depth == depth) return &point;
  return nullptr;
}

TEST_F(DeviceProbeTest, ASlowCardIsMeasuredAsItIs) {
  const auto reader = Model(90'000'000, kMillisecond);
  const auto probe = ProbeReader(*reader, kFileBytes, clock_);
  ASSERT_TRUE(probe) << probe.error().ToString();
  EXPECT_NEAR(probe->bytes_per_second, 90e6, 0.01 * 90e6);
  EXPECT_NEAR(static_cast<double>(probe->small_read_ns), 1e6 + 4096 / 0.09, 1000);
  // One read of 64 KiB at a time pays the latency each time: 64 KiB / (728 us + 1 ms).
  const ProbePoint* alone = Find(*probe, 64u << 10, 1);
  ASSERT_NE(alone, nullptr);
  EXPECT_NEAR(alone->bytes_per_second, 65536 / (65536 / 90e6 + 1e-3), 0.02 * 38e6);
  // 90 MB/s times 1 ms of latency are 90 kB: with 64 KiB being read, two more hide it.
  EXPECT_EQ(probe->read_bytes, 64u << 10);
  EXPECT_EQ(probe->depth, 4u);
  EXPECT_EQ(probe->in_flight_bytes, 256u << 10);
  EXPECT_EQ(reader->in_flight(), 0u);
}

TEST_F(DeviceProbeTest, TimeAndBytesAreBounded) {
  for (const std::uint64_t speed : {1'000'000ull, 90'000'000ull, 3'500'000'000ull}) {
    const auto reader = Model(speed, 80'000);
    const std::uint64_t begin_ns = clock_.NowNs();
    ASSERT_TRUE(ProbeReader(*reader, kFileBytes, clock_));
    EXPECT_LT(clock_.NowNs() - begin_ns, 2000 * kMillisecond) << speed;
    EXPECT_LT(reader->counters().bytes, std::uint64_t{3} << 30) << speed;
  }
}

TEST_F(DeviceProbeTest, ASmallerByteBoundReadsLess) {
  const auto reader = Model(3'500'000'000, 80'000);
  ASSERT_TRUE(ProbeReader(*reader, kFileBytes, clock_, {.bytes_max = 16u << 20}));
  EXPECT_LT(reader->counters().bytes, std::uint64_t{128} << 20);
}

TEST_F(DeviceProbeTest, AFileTooSmallToMeasureIsRefused) {
  const auto reader = Model(90'000'000, 0);
  const auto probe = ProbeReader(*reader, kProbeFileBytesMin - 1, clock_);
  ASSERT_FALSE(probe);
  EXPECT_EQ(probe.error().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(probe.error().message(), HasSubstr("65535"));
}

TEST_F(DeviceProbeTest, AReadErrorIsGivenAndNothingStaysInFlight) {
  for (const char* faults : {"eio:after=3", "eio:after=200"}) {
    FaultyReader reader(Model(90'000'000, kMillisecond), *ParseFaultSchedule(faults));
    const auto probe = ProbeReader(reader, kFileBytes, clock_);
    ASSERT_FALSE(probe) << faults;
    EXPECT_EQ(probe.error().code(), StatusCode::kDataLoss) << faults;
    EXPECT_EQ(reader.in_flight(), 0u) << faults;
  }
}

TEST(ChooseReadShapeTest, FewestBytesInFlightOfThoseThatAreFastEnough) {
  DeviceProbe probe;
  probe.points = {{65536, 1, 100e6},   {65536, 32, 949e6}, {262144, 8, 951e6},
                  {1048576, 1, 960e6}, {1048576, 4, 1e9},  {2097152, 2, 990e6}};
  ChooseReadShape(probe);
  EXPECT_EQ(probe.bytes_per_second, 1e9);
  EXPECT_EQ(probe.read_bytes, 262144u);
  EXPECT_EQ(probe.depth, 8u);
  EXPECT_EQ(probe.in_flight_bytes, 2097152u);
}

TEST(ChooseReadShapeTest, OneReadInFlightOnlyWhereMoreAreSlower) {
  DeviceProbe probe;
  probe.points = {{65536, 1, 400e6}, {1048576, 1, 1e9}, {2097152, 1, 1.2e9}, {65536, 2, 1.1e9}};
  ChooseReadShape(probe);
  EXPECT_EQ(probe.bytes_per_second, 1.2e9);
  EXPECT_EQ(probe.read_bytes, 65536u);
  EXPECT_EQ(probe.depth, 2u);
  for (const bool slow_queue : {true, false}) {
    probe.points.pop_back();
    if (slow_queue) probe.points.push_back({65536, 2, 0.9e9});
    ChooseReadShape(probe);
    EXPECT_EQ(probe.read_bytes, 2097152u);
    EXPECT_EQ(probe.depth, 1u);
  }
}

TEST(ChooseReadShapeTest, OfEqualsTheFewestReads) {
  DeviceProbe probe;
  probe.points = {{65536, 16, 1e9}, {262144, 4, 1e9}, {1048576, 1, 0.9e9}};
  ChooseReadShape(probe);
  EXPECT_EQ(probe.read_bytes, 262144u);
  EXPECT_EQ(probe.depth, 4u);
}

TEST(JudgeProbeTest, SaysWhenThePageCacheAnswered) {
  DeviceProbe sound;
  sound.direct = true;
  sound.bytes_per_second = 7e9;
  sound.small_read_ns = 12'000;
  DeviceProbe probe = sound;
  JudgeProbe(probe);
  EXPECT_EQ(probe.note, "");
  probe.direct = false;
  JudgeProbe(probe);
  EXPECT_THAT(probe.note, HasSubstr("O_DIRECT is not in force"));
  probe = sound;
  probe.bytes_per_second = 41e9;
  JudgeProbe(probe);
  EXPECT_THAT(probe.note, HasSubstr("41 GB/s"));
  probe = sound;
  probe.small_read_ns = 1'500;
  JudgeProbe(probe);
  EXPECT_THAT(probe.note, HasSubstr("1.5 us"));
}

TEST(ProbeFileTest, MeasuresARealFile) {
  const TestFile file(4u << 20, 9);
  const SteadyClock clock;
  const StorageFile storage = *StorageFile::Open(file.path());
  for (const char* backend : {"auto", "pread"}) {
    const auto probe = ProbeFile(storage, backend, clock, {.time_max_ns = 50 * kMillisecond});
    ASSERT_TRUE(probe) << probe.error().ToString();
    EXPECT_THAT(probe->key.device, testing::MatchesRegex("[0-9]+:[0-9]+"));
    EXPECT_NE(probe->key.file_system, "");
    EXPECT_GT(probe->bytes_per_second, 0);
    EXPECT_GT(probe->small_read_ns, 0u);
    EXPECT_EQ(probe->in_flight_bytes, std::uint64_t{probe->read_bytes} * probe->depth);
    EXPECT_EQ(probe->direct, storage.direct());
    if (!storage.direct()) {
      EXPECT_NE(probe->note, "");
    }
  }
}

// ---- what is kept ----

class ProbeStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string folder = testing::TempDir() + "/probe_store_XXXXXX";
    ASSERT_NE(::mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    path_ = ProbeStorePath(folder_ + "/state", key_);
    probe_.key = key_;
    probe_.backend = "io_uring";
    probe_.direct = true;
    probe_.small_read_ns = 81'000;
    probe_.note = "a \"note\"";
    probe_.points = {{65536, 1, 1.5e8}, {1048576, 2, 4.25e8}};
    ChooseReadShape(probe_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void Spoil(const std::string& text) { std::ofstream(path_, std::ios::trunc) << text; }
  std::string Content() {
    std::ifstream file(path_);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

  const StorageKey key_{.device = "259:1", .file_system = "ext4", .backend = "auto"};
  std::string folder_;
  std::string path_;
  DeviceProbe probe_;
};

TEST_F(ProbeStoreTest, WhatWasWrittenIsRead) {
  EXPECT_FALSE(ReadProbe(path_, key_));
  ASSERT_TRUE(WriteProbe(path_, probe_).ok());
  ASSERT_TRUE(WriteProbe(path_, probe_).ok()) << "a second time";
  const auto read = ReadProbe(path_, key_);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->key, key_);
  EXPECT_EQ(read->backend, "io_uring");
  EXPECT_TRUE(read->direct);
  EXPECT_EQ(read->small_read_ns, 81'000u);
  EXPECT_EQ(read->note, probe_.note);
  ASSERT_EQ(read->points.size(), 2u);
  EXPECT_EQ(read->points[1].bytes_per_second, 4.25e8);
  EXPECT_EQ(read->read_bytes, probe_.read_bytes);
  EXPECT_EQ(read->depth, probe_.depth);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_ + "/state"),
                          std::filesystem::directory_iterator()),
            1)
      << "no partial file is left";
}

TEST_F(ProbeStoreTest, ASpoiltFileIsIgnored) {
  ASSERT_TRUE(WriteProbe(path_, probe_).ok());
  const std::string good = Content();
  for (std::size_t length = 0; length + 2 < good.size(); length += 7) {
    Spoil(good.substr(0, length));
    EXPECT_FALSE(ReadProbe(path_, key_)) << length;
  }
  const auto with = [&good](std::string_view from, std::string_view to) {
    std::string text = good;
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  };
  for (const std::string& text :
       {with("\"version\": 2", "\"version\": 3"), with("65536", "65537"), with("65536", "0"),
        with("65536", "-1"), with("65536", "\"x\""), with("\"depth\": 1", "\"depth\": 100000"),
        with("150000000.0", "-1"), with("150000000.0", "0"), with("true", "7"),
        with("259:1", "8:0"), std::string("[]"), std::string("null"), std::string(100'000, '[')}) {
    Spoil(text);
    EXPECT_FALSE(ReadProbe(path_, key_)) << text.substr(0, 200);
  }
  Spoil(good);
  EXPECT_TRUE(ReadProbe(path_, key_));
  EXPECT_FALSE(ReadProbe(path_, {.device = "8:0", .file_system = "ext4", .backend = "auto"}));
}

TEST_F(ProbeStoreTest, ADirectoryThatCannotBeMadeIsAnError) {
  std::ofstream(folder_ + "/file") << "x";
  const Status status = WriteProbe(folder_ + "/file/state/probe.json", probe_);
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(status.message(), HasSubstr(folder_));
}

// ---- MeteredReader ----

TEST_F(DeviceProbeTest, OnlyWaitingIsMetered) {
  Heartbeat heartbeat;
  MeteredReader reader(Model(4096 * 1000, 0), clock_, heartbeat);
  alignas(kReadAlignment) static std::byte memory[2 * kReadAlignment];
  for (std::uint64_t tag = 0; tag < 2; ++tag)
    ASSERT_TRUE(reader.TrySubmit({.destination = memory + tag * kReadAlignment,
                                  .bytes = kReadAlignment,
                                  .bytes_needed = kReadAlignment,
                                  .tag = tag}));
  std::array<ReadCompletion, 2> completions;
  EXPECT_EQ(reader.Wait(completions), 1u);
  EXPECT_EQ(reader.meter().bytes, 4096u);
  EXPECT_EQ(reader.meter().ns, kMillisecond);
  clock_.Advance(5 * kMillisecond);
  EXPECT_EQ(heartbeat.Look().beats, 1u);
  while (reader.Poll(completions) == 0) {
  }
  EXPECT_EQ(heartbeat.Look().beats, 2u);
  EXPECT_EQ(reader.meter().bytes, 4096u);
  EXPECT_EQ(reader.meter().ns, kMillisecond);
  EXPECT_EQ(reader.in_flight(), 0u);
}

}  // namespace
}  // namespace edgemoe
