// SPDX-License-Identifier: Apache-2.0
//
// What every release wrote (release_files.cc) is read today; what a later one would write is
// refused with the name of what is new.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "client/cli/chat/chat_file.h"
#include "engine/base/byte_size.h"
#include "engine/base/mutex.h"
#include "engine/base/system/processor.h"
#include "engine/engine.h"
#include "engine/io/probe/probe_store.h"
#include "engine/replay.h"
#include "engine/speed/compute_store.h"
#include "engine/speed/speed_history.h"
#include "server/process/config_file.h"
#include "tests/engine/serving/listener.h"
#include "tests/releases/release_keys.h"
#include "tests/support/child_process.h"

namespace edgemoe {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

std::vector<std::string> Releases() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(EDGEMOE_SOURCE_DIR "/tests/releases"))
    if (entry.is_directory()) names.push_back(entry.path().filename());
  std::ranges::sort(names);
  return names;
}

std::string BytesOf(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void SetBytes(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

// Works on a copy, in which some tests change what a later release would.
class ReleaseTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    fs::copy(EDGEMOE_SOURCE_DIR "/tests/releases/" + GetParam(), folder_ / "files",
             fs::copy_options::recursive);
  }

  std::string At(std::string_view name) const { return folder_ / "files/" + std::string(name); }

  // The one file of the state whose name begins so.
  std::string StateFileOf(std::string_view kind) const {
    for (const auto& entry : fs::directory_iterator(At("state")))
      if (entry.path().filename().string().starts_with(kind)) return entry.path();
    ADD_FAILURE() << "no file of the state begins with " << kind;
    return {};
  }

  Result<std::unique_ptr<Engine>> Open() {
    EngineOptions options = ReleaseOptions(At("model.gguf"), At("state"));
    options.log = [this](LogLevel, std::string_view line) {
      MutexLock lock(mutex_);
      log_.append(line).append("\n");
    };
    return Engine::Open(std::move(options));
  }
  std::string LogText() {
    MutexLock lock(mutex_);
    return log_;
  }

  Result<std::vector<ReplayResult>> Replay() const {
    return ReplayTrace({.trace_path = At("trace.csv"),
                        .policies = {"lru"},
                        .predictors = {"path"},
                        .budgets_bytes = {64 * kKiB}});
  }

  const TempFolder folder_;
  Mutex mutex_;
  std::string log_ GUARDED_BY(mutex_);
};

TEST_P(ReleaseTest, ThePackAndItsStateStartWarm) {
  const auto engine = Open();
  ASSERT_TRUE(engine) << engine.error().ToString();
  EXPECT_THAT(LogText(), HasSubstr("experts of the last run are read"));
  EXPECT_THAT(LogText(), Not(HasSubstr("no warm start")));
  const auto listener = Submit(**engine, Greedy("Once upon a time", 8));
  ASSERT_NE(listener, nullptr);
  EXPECT_EQ(listener->Wait().tokens.size(), 8u);
}

// What was measured is measured anew when how that is done has changed, which its version tells.
TEST_P(ReleaseTest, MeasurementsAreReadOrTakenAsAbsent) {
  const std::string device_path = ProbeStorePath(At("state"), ReleaseStorage());
  const json device = json::parse(BytesOf(device_path));
  EXPECT_EQ(ReadProbe(device_path, ReleaseStorage()).has_value(),
            device.at("version") == kProbeVersion);
  const std::string compute_path = ComputeStorePath(At("state"), ReleaseProcessor());
  const json compute = json::parse(BytesOf(compute_path));
  EXPECT_EQ(ReadComputeProbe(compute_path, ReleaseProcessor()).has_value(),
            compute.at("version") == kComputeProbeVersion);

  const SpeedHistory history(At("state"));
  json pairs = json::parse(BytesOf(history.path()));
  pairs["processor"] = ProcessorName();
  SetBytes(history.path(), pairs.dump());
  EXPECT_EQ(history.Read().size(), pairs.at("pairs").size());
  pairs["version"] = 99;
  SetBytes(history.path(), pairs.dump());
  EXPECT_TRUE(history.Read().empty());
}

TEST_P(ReleaseTest, TheTraceIsReplayed) {
  const auto rows = Replay();
  ASSERT_TRUE(rows) << rows.error().ToString();
  EXPECT_GT(rows->at(0).decode_uses, 0u);
}

TEST_P(ReleaseTest, TheConfigurationIsTakenOver) {
  Config config;
  std::vector<std::string> read;
  ASSERT_EQ(ApplyConfigFile(At("edgemoed.json"), config), OkStatus());
  ASSERT_EQ(ApplyConfigFolder(DropInFolder(At("edgemoed.json")), config, read), OkStatus());
  EXPECT_EQ(read.size(), 1u);
  EXPECT_EQ(config.engine.memory_budget_bytes, 2 * kGiB);
  EXPECT_EQ(config.engine.context_tokens, 8192u);
  EXPECT_EQ(config.listen.allow_users, std::vector<std::string>({"alice", "1000"}));
}

TEST_P(ReleaseTest, TheConversationIsTakenUp) {
  const auto chat = cli::LoadChat(At("chat.json"));
  ASSERT_TRUE(chat) << chat.error().message;
  EXPECT_EQ(chat->messages_size(), 4);
}

TEST_P(ReleaseTest, APackOfALaterVersionIsRefusedByName) {
  constexpr std::string_view kKey = "edgemoe.pack.version";
  std::string bytes = BytesOf(At("model.gguf"));
  const std::size_t found = bytes.find(kKey);
  ASSERT_NE(found, std::string::npos);
  bytes[found + kKey.size() + sizeof(std::uint32_t)] = 99;  // behind the type
  SetBytes(At("model.gguf"), bytes);
  const auto engine = Open();
  ASSERT_FALSE(engine);
  EXPECT_EQ(engine.error().code(), StatusCode::kUnimplemented);
  EXPECT_THAT(engine.error().message(), HasSubstr("edgemoe.pack.version\": found 99"));
}

TEST_P(ReleaseTest, StateOfALaterVersionIsRefusedByName) {
  const std::string path = StateFileOf("warm-");
  std::string bytes = BytesOf(path);
  bytes.at(8) = 99;
  SetBytes(path, bytes);
  const auto engine = Open();
  ASSERT_TRUE(engine) << engine.error().ToString();
  EXPECT_THAT(LogText(), HasSubstr("no warm start: " + path));
  EXPECT_THAT(LogText(), HasSubstr("found version 99"));
}

TEST_P(ReleaseTest, TextOfALaterVersionIsRefusedByName) {
  std::string trace = BytesOf(At("trace.csv"));
  ASSERT_TRUE(trace.starts_with("# route_trace v1\n"));
  trace.replace(0, trace.find('\n'), "# route_trace v99");
  SetBytes(At("trace.csv"), trace);
  EXPECT_THAT(Replay().error().message(), HasSubstr("route_trace: found \"v99\"; accepted: v1"));

  Config config;
  SetBytes(At("edgemoed.json"), R"({"memory": {"later": 1}})");
  EXPECT_THAT(ApplyConfigFile(At("edgemoed.json"), config).message(), HasSubstr("memory.later"));

  json chat = json::parse(BytesOf(At("chat.json")));
  chat["later"] = 1;
  SetBytes(At("chat.json"), chat.dump());
  EXPECT_THAT(cli::LoadChat(At("chat.json")).error().message, HasSubstr("later"));
}

INSTANTIATE_TEST_SUITE_P(Releases, ReleaseTest, testing::ValuesIn(Releases()),
                         [](const testing::TestParamInfo<std::string>& release) {
                           std::string name = "v" + release.param;
                           for (char& c : name)
                             if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
                           return name;
                         });

}  // namespace
}  // namespace edgemoe
