// SPDX-License-Identifier: Apache-2.0
//
// Three daemons behind a proxy, with the files of packaging/proxy: where a conversation goes, and
// what becomes of its streams when a daemon is killed and another one drains.
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "edgemoe/v1/inference.grpc.pb.h"
#include "tests/e2e/answers.h"
#include "tests/support/daemon_process.h"

namespace edgemoe {
namespace {

constexpr int kNames = 3;
constexpr std::array<const char*, kNames> kName = {"a", "b", "c"};
// So many sessions are tried until each daemon has some: that one has none is less likely than a
// broken machine.
constexpr int kSessionsMax = 300;
constexpr std::size_t kStreamsEach = 2;
// A token takes tenths of a second: an answer of hundreds is cut by what the test does.
const std::vector<std::string> kSlow = {"--expert-budget", "6MiB", "--io-faults", "slow:ms=20"};
constexpr std::uint32_t kCutTokens = 450;
constexpr std::uint32_t kWholeTokens = 24;

std::string ReadText(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

// An answer that is being read, by way of the proxy.
struct Reading {
  grpc::ClientContext context;
  std::unique_ptr<grpc::ClientReader<v1::CompleteResponse>> reader;
  std::string model;  // whose daemon answers
  std::uint32_t tokens = 0;

  // Until the first text; false when the call ends before.
  bool Begin() {
    for (v1::CompleteResponse message; tokens == 0 && reader->Read(&message);) Take(message);
    return tokens != 0;
  }
  grpc::Status End() {
    for (v1::CompleteResponse message; reader->Read(&message);) Take(message);
    return reader->Finish();
  }

 private:
  void Take(const v1::CompleteResponse& message) {
    if (message.has_started()) model = message.started().model();
    tokens += static_cast<std::uint32_t>(message.chunk().tokens_size());
  }
};

struct ProxyKind {
  const char* name;
  const char* program;
  const char* file;      // of packaging/proxy
  int finishing_signal;  // streams may end; new connections are refused
  grpc::StatusCode cut;  // what gRPC makes of a stream whose daemon dies
};

class E2eProxyTest : public testing::TestWithParam<ProxyKind> {
 protected:
  void SetUp() override {
    if (::access(GetParam().program, X_OK) != 0)
      GTEST_SKIP() << "SKIPPED: there is no " << GetParam().program << " here";
    for (std::size_t i = 0; i < kNames; ++i) StartDaemon(i);
    for (const auto& daemon : daemons_) ASSERT_TRUE(daemon->WaitReady()) << daemon->log();
    StartProxy();
    stub_ = v1::InferenceService::NewStub(
        grpc::CreateChannel("unix:" + front_, grpc::InsecureChannelCredentials()));
  }

  void TearDown() override {
    if (!proxy_) return;
    proxy_->Signal(SIGTERM);  // nginx ends its workers
    (void)proxy_->Wait();
    if (HasFailure()) std::fprintf(stderr, "%s", proxy_->errors().c_str());
  }

  std::string SocketOf(std::size_t i) const { return folder_ / (std::string(kName[i]) + ".sock"); }

  void StartDaemon(std::size_t i) {
    std::vector<std::string> flags = kSlow;
    flags.insert(flags.end(), {"--model-name", kName[i], "--threads", "1", "--sessions-max", "8",
                               "--drain-timeout-ms", "600000"});
    daemons_[i] = std::make_unique<DaemonProcess>(SocketOf(i), flags);
  }

  // The example with this folder's paths; what it needs around it.
  void StartProxy() {
    std::string text =
        ReadText(EDGEMOE_SOURCE_DIR "/packaging/proxy/" + std::string(GetParam().file));
    for (std::size_t i = 0; i < kNames; ++i)
      text =
          Replaced(text, "/run/edgemoe-" + std::string(kName[i]) + "/edgemoed.sock", SocketOf(i));
    text = Replaced(text, "/run/edgemoe/edgemoed.sock", front_);
    ASSERT_EQ(text.find("/run/edgemoe"), std::string::npos) << text;
    const std::string file = folder_ / GetParam().file;
    std::vector<std::string> command;
    if (GetParam().name == std::string("nginx")) {
      std::ofstream main(folder_ / "main.conf");
      main << "daemon off; error_log stderr; pid " << folder_ / "pid"
           << ";\n"
           << (::geteuid() == 0 ? "user root;\n" : "") << "events {}\nhttp { access_log off;\n";
      for (const char* kind : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"})
        main << kind << "_temp_path " << folder_ / kind << ";\n";
      main << "include " << file << "; }\n";
      command = {GetParam().program, "-p", folder_.path(),       "-e",
                 "stderr",           "-c", folder_ / "main.conf"};
    } else {
      // This machine need not have the users that Debian's package makes.
      for (const char* line : {"  user haproxy\n", "  group haproxy\n", " group edgemoe"})
        text = Replaced(text, line, "");
      command = {GetParam().program, "-db", "-f", file};
    }
    std::ofstream(file) << text;
    proxy_.emplace(command);
    ASSERT_TRUE(WaitUntil([&] { return client::Client::Connect(front_).has_value(); }))
        << proxy_->errors();
  }

  std::unique_ptr<Reading> Ask(const std::string& session, std::uint32_t tokens) {
    auto reading = std::make_unique<Reading>();
    if (!session.empty()) reading->context.AddMetadata("x-edgemoe-session", session);
    reading->reader = stub_->Complete(&reading->context, Greedy("Once upon a time", tokens));
    return reading;
  }

  // Whose daemon answers a short request of the session; empty, with a failure, when none does.
  std::string DaemonOf(const std::string& session) {
    const auto reading = Ask(session, 1);
    const grpc::Status status = reading->End();
    EXPECT_TRUE(status.ok()) << status.error_code() << " " << status.error_message();
    return status.ok() ? reading->model : "";
  }

  // By daemon, sessions that go to it.
  std::map<std::string, std::vector<std::string>> FindSessions() {
    std::map<std::string, std::vector<std::string>> found;
    for (int i = 0; i < kSessionsMax && !HasFailure(); ++i) {
      const std::string session = "conversation " + std::to_string(i);
      std::vector<std::string>& sessions = found[DaemonOf(session)];
      if (sessions.size() < kStreamsEach) sessions.push_back(session);
      std::size_t full = 0;
      for (const char* name : kName) full += found[name].size() == kStreamsEach ? 1 : 0;
      if (full == kNames) break;
    }
    return found;
  }

  TempFolder folder_;
  const std::string front_ = folder_ / "front.sock";
  std::array<std::unique_ptr<DaemonProcess>, kNames> daemons_;
  std::optional<ChildProcess> proxy_;
  std::unique_ptr<v1::InferenceService::Stub> stub_;
};

TEST_P(E2eProxyTest, OneIsKilledAndOneDrainsUnderLoad) {
  auto sessions = FindSessions();
  for (const char* name : kName) ASSERT_EQ(sessions[name].size(), kStreamsEach) << name;
  EXPECT_NE(DaemonOf(""), "") << "a request without a session";

  std::map<std::string, std::vector<std::unique_ptr<Reading>>> readings;
  for (const char* name : kName) {
    const std::uint32_t tokens = name == kName[0] ? kCutTokens : kWholeTokens;
    for (const std::string& session : sessions[name])
      readings[name].push_back(Ask(session, tokens));
  }
  for (const char* name : kName) {
    for (const auto& reading : readings[name]) {
      ASSERT_TRUE(reading->Begin());
      EXPECT_EQ(reading->model, name) << "a conversation stays where its cache is";
    }
  }

  daemons_[0]->process().Signal(SIGKILL);
  EXPECT_EQ(daemons_[0]->process().Wait(), 128 + SIGKILL);
  daemons_[1]->process().Signal(SIGTERM);
  ASSERT_TRUE(daemons_[1]->process().WaitForErrors("stopping: ")) << daemons_[1]->log();

  // Nothing that begins now is lost, and clients need not try again.
  for (const char* name : kName)
    for (const std::string& session : sessions[name]) EXPECT_EQ(DaemonOf(session), kName[2]);

  for (const auto& reading : readings[kName[0]]) {
    const grpc::Status status = reading->End();
    EXPECT_EQ(status.error_code(), GetParam().cut)
        << status.error_code() << " " << status.error_message();
    EXPECT_LT(reading->tokens, kCutTokens);
  }
  for (const char* name : {kName[1], kName[2]}) {
    for (const auto& reading : readings[name]) {
      const grpc::Status status = reading->End();
      EXPECT_TRUE(status.ok()) << status.error_code() << " " << status.error_message();
      EXPECT_EQ(reading->tokens, kWholeTokens);
    }
  }
  EXPECT_EQ(daemons_[1]->process().Wait(), 0) << daemons_[1]->log();

  // A daemon that is back gets its conversations back.
  StartDaemon(0);
  ASSERT_TRUE(daemons_[0]->WaitReady()) << daemons_[0]->log();
  EXPECT_TRUE(WaitUntil([&] { return DaemonOf(sessions[kName[0]][0]) == kName[0]; }));
}

TEST_P(E2eProxyTest, AProxyThatIsToldToFinishCutsNoStream) {
  auto reading = Ask("", kWholeTokens);
  ASSERT_TRUE(reading->Begin());
  proxy_->Signal(GetParam().finishing_signal);
  const grpc::Status status = reading->End();
  EXPECT_TRUE(status.ok()) << status.error_code() << " " << status.error_message();
  EXPECT_EQ(reading->tokens, kWholeTokens);
  reading.reset();
  stub_.reset();  // and with it the connection
  EXPECT_EQ(proxy_->Wait(), 0);
}

TEST_P(E2eProxyTest, WithoutADaemonTheAnswerIsUnavailable) {
  for (const auto& daemon : daemons_) EXPECT_EQ(daemon->Stop(), 0) << daemon->log();
  const grpc::Status status = Ask("", 1)->End();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE) << status.error_message();
}

TEST_P(E2eProxyTest, TheClientLibrarySaysThatACutStreamIsWorthTryingAgain) {
  for (const std::size_t i : {1U, 2U}) EXPECT_EQ(daemons_[i]->Stop(), 0) << daemons_[i]->log();
  auto client = client::Client::Connect(front_);
  ASSERT_TRUE(client) << client.error().ToString();
  client::CompleteStream stream = client->Complete(Greedy("Once upon a time", kCutTokens));
  v1::CompleteResponse message;
  while (!message.has_chunk()) ASSERT_TRUE(stream.Next(message));
  daemons_[0]->process().Signal(SIGKILL);
  const ReceivedAnswer rest = Receive(std::move(stream));
  EXPECT_EQ(rest.status.code, client::StatusCode::kUnavailable) << rest.status.ToString();
}

INSTANTIATE_TEST_SUITE_P(Proxies, E2eProxyTest,
                         testing::Values(ProxyKind{"nginx", "/usr/sbin/nginx", "nginx.conf",
                                                   SIGQUIT, grpc::StatusCode::INTERNAL},
                                         ProxyKind{"haproxy", "/usr/sbin/haproxy", "haproxy.cfg",
                                                   SIGUSR1, grpc::StatusCode::UNKNOWN}),
                         [](const auto& kind) { return std::string(kind.param.name); });

}  // namespace
}  // namespace edgemoe
