// SPDX-License-Identifier: Apache-2.0
//
// ModelsService.Pack over a real socket; the engine's part writes nothing.
#include <gmock/gmock.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>
#include <utility>

#include "edgemoe/v1/models.grpc.pb.h"
#include "edgemoe/v1/observe.grpc.pb.h"
#include "engine/pack.h"
#include "tests/server/server_fixture.h"

namespace edgemoe {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

// The nice value and the I/O class of each thread of this process.
struct ThreadPriority {
  long nice = 0;
  long io_class = 0;
};
constexpr long kIoClassIdle = 3;
std::vector<ThreadPriority> Priorities() {
  constexpr int kWhoProcess = 1;
  constexpr int kClassShift = 13;
  std::vector<ThreadPriority> found;
  for (const auto& entry : fs::directory_iterator("/proc/self/task")) {
    std::ifstream file(entry.path() / "stat");
    std::string stat(std::istreambuf_iterator<char>(file), {});
    const std::size_t name_end = stat.rfind(')');
    if (name_end == std::string::npos) continue;  // it has ended
    std::istringstream fields(stat.substr(name_end + 2));
    std::string skipped;
    for (int field = 3; field < 19; ++field) fields >> skipped;
    ThreadPriority priority;
    fields >> priority.nice;
    const long io = ::syscall(SYS_ioprio_get, kWhoProcess, std::stoi(entry.path().filename()));
    priority.io_class = io < 0 ? -1 : io >> kClassShift;
    found.push_back(priority);
  }
  return found;
}

std::uint64_t EngineBudget(TestServer& server) {
  return server.engine().GetStats().memory.budget_bytes;
}

class PackTest : public testing::Test {
 protected:
  PackTest() { fs::create_directory(folder_ / "home"); }

  v1::PackRequest Request(const std::string& source, const std::string& output = "") const {
    v1::PackRequest request;
    request.set_source_path(source.empty() ? "" : folder_ / source);
    request.set_output_path(output.empty() ? "" : folder_ / output);
    return request;
  }

  struct Answer {
    std::vector<v1::PackResponse> messages;
    grpc::Status status;
  };
  static Answer Pack(const TestServer& server, const v1::PackRequest& request) {
    const auto stub = v1::ModelsService::NewStub(server.NewChannel());
    grpc::ClientContext context;
    const auto reader = stub->Pack(&context, request);
    Answer answer;
    for (v1::PackResponse message; reader->Read(&message);) answer.messages.push_back(message);
    answer.status = reader->Finish();
    return answer;
  }

  TempFolder folder_;
};

TEST_F(PackTest, ProgressAndThenTheReport) {
  const TestServer server;
  const Answer answer = Pack(server, Request("home/m.gguf"));
  ASSERT_TRUE(answer.status.ok()) << answer.status.error_message();
  ASSERT_FALSE(answer.messages.empty());
  const v1::PackReport& report = answer.messages.back().report();
  EXPECT_EQ(report.output_path(), fs::canonical(folder_ / "home").string() + "/m-pack.gguf");
  EXPECT_EQ(report.file_bytes(), 100u);
  for (std::size_t i = 0; i + 1 < answer.messages.size(); ++i) {
    ASSERT_TRUE(answer.messages[i].has_progress());
    EXPECT_EQ(answer.messages[i].progress().total(), 100u);
  }
}

TEST_F(PackTest, AJobWithATargetTellsItsPlanAndReport) {
  const TestServer server;
  v1::PackRequest request = Request("home/m.gguf");
  request.set_bits(4.5);
  const Answer answer = Pack(server, request);
  ASSERT_TRUE(answer.status.ok()) << answer.status.error_message();
  const v1::PackReport& report = answer.messages.back().report();
  EXPECT_EQ(report.method(), v1::PACK_METHOD_SENSITIVITY);
  EXPECT_EQ(report.probe_count(), 3u) << "the daemon's threads";
  EXPECT_EQ(report.quality().mean_kl(), 0.5);
  ASSERT_EQ(report.rows_size(), 2);
  EXPECT_EQ(report.rows(0).layer(), 3u);
  EXPECT_EQ(report.rows(0).types(0).type(), "Q4_K");
  EXPECT_FALSE(report.rows(1).has_layer());
  EXPECT_EQ(report.curve(0).file_bytes(), 80u);
  EXPECT_FALSE(report.has_expected_kl());
  // The first of a phase may be replaced by a later message, but never comes after one.
  int phase = 0;
  for (std::size_t i = 0; i + 1 < answer.messages.size(); ++i) {
    const v1::PackProgress& progress = answer.messages[i].progress();
    EXPECT_GE(progress.phase(), phase);
    phase = progress.phase();
    EXPECT_EQ(progress.has_planned_bits(), phase == v1::PACK_PHASE_PROBING);
  }
}

TEST_F(PackTest, ATargetTakesMemoryThatTheEngineGetsBack) {
  TestServer server;
  for (const auto& [wanted, expected] : std::vector<std::pair<std::uint64_t, std::uint64_t>>{
           {0, 4000}, {3000, 3000}, {9500, 4000}}) {
    v1::PackRequest request = Request("home/m.gguf");
    request.set_bits(4.5);
    request.set_memory_bytes(wanted);
    const Answer answer = Pack(server, request);
    ASSERT_TRUE(answer.status.ok()) << answer.status.error_message();
    EXPECT_EQ(answer.messages.back().report().calibration_tokens(), expected);
    EXPECT_EQ(EngineBudget(server), 10'000u);
  }
  v1::PackRequest request = Request("home/full.gguf");
  request.set_max_kl(0.1);
  EXPECT_EQ(Pack(server, request).status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(EngineBudget(server), 10'000u);
  request.set_memory_bytes(1500);
  const Answer small = Pack(server, request);
  EXPECT_EQ(small.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(small.status.error_message(), HasSubstr("memory_bytes: found 1.46 KiB"));
  request = Request("home/huge.gguf");
  request.set_size_bytes(50);
  const Answer large = Pack(server, request);
  EXPECT_EQ(large.status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(large.status.error_message(), HasSubstr("memory.budget"));
  EXPECT_EQ(EngineBudget(server), 10'000u);
}

TEST_F(PackTest, WhileItRunsTheBudgetIsSharedAndItsThreadsYield) {
  const ThreadPriority before = Priorities().front();
  TestServer server;
  const auto stub = v1::ModelsService::NewStub(server.NewChannel());
  const auto observe = v1::ObserveService::NewStub(server.NewChannel());
  v1::PackRequest request = Request("home/hang.gguf");
  request.set_max_ppl_increase(0.01);
  grpc::ClientContext context;
  const auto reader = stub->Pack(&context, request);
  v1::PackResponse message;
  while (message.progress().phase() != v1::PACK_PHASE_PROBING) ASSERT_TRUE(reader->Read(&message));
  EXPECT_EQ(message.progress().phase_number(), 2u);
  EXPECT_EQ(message.progress().phase_count(), 3u);
  EXPECT_EQ(EngineBudget(server), 6000u);
  v1::GetStatsResponse stats;
  grpc::ClientContext stats_context;
  ASSERT_TRUE(observe->GetStats(&stats_context, {}, &stats).ok());
  EXPECT_EQ(stats.pack_job().source_path(), request.source_path());
  EXPECT_EQ(stats.pack_job().progress().phase(), v1::PACK_PHASE_PROBING);
  EXPECT_EQ(stats.pack_job().progress().done(), 30u);

  const std::vector<ThreadPriority> during = Priorities();
  const auto yielding = std::ranges::count_if(during, [](const ThreadPriority& priority) {
    return priority.nice == 19 && priority.io_class == kIoClassIdle;
  });
  if (before.nice == 19 && before.io_class == kIoClassIdle) {
    EXPECT_EQ(yielding, std::ssize(during)) << "this test itself yields to others";
  } else {
    EXPECT_EQ(yielding, 2) << "the job's thread and the one that it started";
  }
  for (const ThreadPriority& priority : during)
    EXPECT_TRUE(priority.nice == before.nice || priority.io_class == kIoClassIdle);

  const auto resize = [&](std::uint64_t bytes, v1::ResizeResponse& response) {
    grpc::ClientContext resize_context;
    v1::ResizeRequest resize_request;
    resize_request.set_budget_bytes(bytes);
    return observe->Resize(&resize_context, resize_request, &response);
  };
  v1::ResizeResponse resized;
  ASSERT_TRUE(resize(9000, resized).ok());
  EXPECT_EQ(resized.plan().budget_bytes(), 5000u);
  EXPECT_THAT(resized.plan().explanation(), HasSubstr("pack job"));
  const grpc::Status refused = resize(4500, resized);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(refused.error_message(), HasSubstr("pack job"));
  EXPECT_EQ(EngineBudget(server), 5000u);

  context.TryCancel();
  while (reader->Read(&message)) {
  }
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
  EXPECT_TRUE(WaitUntil([&] { return EngineBudget(server) == 9000; }));
}

TEST_F(PackTest, ATargetWaitsForTheDaemonsModel) {
  const TestServer server({.engine = {}, .loaded = false});
  v1::PackRequest request = Request("home/m.gguf");
  EXPECT_TRUE(Pack(server, request).status.ok()) << "a copy does not";
  request.set_bits(4);
  const Answer answer = Pack(server, request);
  EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(answer.status.error_message(), HasSubstr("loading"));
}

TEST_F(PackTest, ErrorsAreTheEngines) {
  const TestServer server;
  const Answer answer = Pack(server, Request("home/full.gguf"));
  EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(answer.status.error_message(), HasSubstr("7 free"));
  v1::PackRequest request = Request("home/m.gguf");
  request.set_bits(99);
  EXPECT_THAT(Pack(server, request).status.error_message(), HasSubstr("bits: found 99"));
}

TEST_F(PackTest, OneAtATimeAndCancelledWithItsClient) {
  const TestServer server;
  const auto stub = v1::ModelsService::NewStub(server.NewChannel());
  grpc::ClientContext context;
  const auto reader = stub->Pack(&context, Request("home/hang.gguf"));
  v1::PackResponse message;
  ASSERT_TRUE(reader->Read(&message));
  EXPECT_EQ(message.progress().phase(), v1::PACK_PHASE_COPYING);
  EXPECT_EQ(message.progress().resumed(), 10u);

  const Answer second = Pack(server, Request("home/m.gguf"));
  EXPECT_EQ(second.status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(second.status.error_message(), HasSubstr("hang-pack.gguf"));

  context.TryCancel();
  while (reader->Read(&message)) {
  }
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
  EXPECT_TRUE(WaitUntil([&] { return Pack(server, Request("home/m.gguf")).status.ok(); }));
}

TEST_F(PackTest, AServerThatStopsEndsTheJob) {
  auto server = std::make_unique<TestServer>();
  const auto stub = v1::ModelsService::NewStub(server->NewChannel());
  grpc::ClientContext context;
  const auto reader = stub->Pack(&context, Request("home/hang.gguf"));
  v1::PackResponse message;
  ASSERT_TRUE(reader->Read(&message));
  server.reset();
  while (reader->Read(&message)) {
  }
  EXPECT_FALSE(reader->Finish().ok());
}

}  // namespace
}  // namespace edgemoe
