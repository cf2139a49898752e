// SPDX-License-Identifier: Apache-2.0
//
// The model's file is touched, copied anew, replaced and damaged under a daemon that serves it.
#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/credentials.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <future>

#include "tests/e2e/answers.h"
#include "tests/support/changed_file.h"
#include "tests/support/daemon_process.h"
#include "tests/support/models/tiny_model.h"

namespace edgemoe {
namespace {

using client::StatusCode;
using testing::HasSubstr;

class E2eFilesTest : public testing::Test {
 protected:
  E2eFilesTest() { EXPECT_TRUE(WriteTinyModel(path_, {}).ok()); }

  // With so little memory that experts are read again and again.
  void Start() {
    std::vector<std::string> flags = {"--model", path_, "--context-tokens", "128"};
    std::uint64_t floor = 0;
    {
      DaemonProcess first(socket_, flags);
      ASSERT_TRUE(first.WaitReady()) << first.log();
      const auto stats = first.Connect().GetStats();
      ASSERT_TRUE(stats);
      floor = stats->memory().expert_floor_bytes();
      ASSERT_EQ(first.Stop(), 0);
    }
    flags.insert(flags.end(), {"--expert-budget", std::to_string(floor)});
    daemon_.emplace(socket_, flags);
    ASSERT_TRUE(daemon_->WaitReady()) << daemon_->log();
  }

  void WaitUntilLearnt() {
    ASSERT_TRUE(daemon_->process().WaitForErrors("every expert has been read once"))
        << daemon_->log();
  }

  ReceivedAnswer Ask(const std::string& prompt = "abc") {
    return Receive(daemon_->Connect().Complete(Greedy(prompt, 12)));
  }

  // grpc.health.v1 by hand: SERVING is 1 in field 1.
  bool Serving() {
    grpc::GenericStub stub(
        grpc::CreateChannel("unix:" + socket_, grpc::InsecureChannelCredentials()));
    grpc::ClientContext context;
    grpc::ByteBuffer request;
    grpc::ByteBuffer response;
    const grpc::Slice empty;
    request = grpc::ByteBuffer(&empty, 1);
    std::promise<grpc::Status> done;
    stub.UnaryCall(&context, "/grpc.health.v1.Health/Check", {}, &request, &response,
                   [&](grpc::Status result) { done.set_value(std::move(result)); });
    const grpc::Status status = done.get_future().get();
    EXPECT_TRUE(status.ok()) << status.error_message();
    grpc::Slice answer;
    (void)response.DumpToSingleSlice(&answer);
    return std::string(reinterpret_cast<const char*>(answer.begin()), answer.size()) == "\x08\x01";
  }

  v1::Model Model() {
    const auto list = daemon_->Connect().ListModels();
    return list && list->models_size() > 0 ? list->models(0) : v1::Model();
  }

  // While a file is written in place, the model may be unavailable; the daemon may have seen the
  // file half written and say so only later.
  void ExpectServed(const ReceivedAnswer& expected) {
    ReceivedAnswer answer;
    ASSERT_TRUE(WaitUntil([&] {
      answer = Ask();
      return answer.status.code != StatusCode::kUnavailable;
    })) << daemon_->log();
    EXPECT_TRUE(answer.status.ok()) << answer.status.ToString();
    EXPECT_EQ(answer.tokens, expected.tokens);
    EXPECT_TRUE(WaitUntil([this] {
      return Model().state() == v1::MODEL_STATE_LOADED && Serving();
    })) << daemon_->log();
  }

  // Until the model is unavailable, requests fail or are answered right. It may become available
  // again between a file seen half written and the first expert that is not what it should be.
  void ExpectUnavailable(const ReceivedAnswer& expected) {
    ASSERT_TRUE(WaitUntil([&] {
      const ReceivedAnswer answer = Ask();
      if (answer.status.ok()) {
        EXPECT_EQ(answer.tokens, expected.tokens);
      }
      if (answer.status.code != StatusCode::kUnavailable || Serving()) return false;
      const v1::Model model = Model();
      return model.state() == v1::MODEL_STATE_BROKEN &&
             model.error().find(path_) != std::string::npos;
    })) << daemon_->log();
    EXPECT_THAT(daemon_->log(), HasSubstr("the model is unavailable: "));
  }

  TempFolder folder_;
  std::string socket_ = folder_ / "d.sock";
  std::string path_ = folder_ / "model.gguf";
  std::optional<DaemonProcess> daemon_;
};

TEST_F(E2eFilesTest, ATouchAndTheSameBytesChangeNothing) {
  Start();
  const ReceivedAnswer expected = Ask();
  ASSERT_TRUE(expected.status.ok()) << expected.status.ToString();
  WaitUntilLearnt();
  Touch(path_);
  ExpectServed(expected);
  const std::string bytes = ReadAll(path_);
  for (const Rewrite how : {Rewrite::kByRename, Rewrite::kInPlace}) {
    RewriteFile(path_, bytes, how);
    ExpectServed(expected);
  }
  EXPECT_EQ(daemon_->Stop(), 0);
}

TEST_F(E2eFilesTest, OtherBytesUnderTheOldTimeAreRefusedUntilTheFileIsBack) {
  Start();
  const ReceivedAnswer expected = Ask();
  ASSERT_TRUE(expected.status.ok()) << expected.status.ToString();
  WaitUntilLearnt();
  const std::string bytes = ReadAll(path_);
  const std::string other = folder_ / "other.gguf";
  ASSERT_TRUE(WriteTinyModel(other, {.seed = 2}).ok());
  const struct stat before = StatOf(path_);
  RewriteFile(path_, ReadAll(other), Rewrite::kInPlace);
  SetModified(path_, before.st_mtim);
  ExpectUnavailable(expected);
  RewriteFile(path_, bytes, Rewrite::kByRename);
  ExpectServed(expected);
  EXPECT_EQ(daemon_->Stop(), 0);
}

TEST_F(E2eFilesTest, AFileThatIsGoneIsUnavailableUntilItIsBack) {
  Start();
  const ReceivedAnswer expected = Ask();
  WaitUntilLearnt();
  std::filesystem::rename(path_, path_ + ".away");
  ExpectUnavailable(expected);
  std::filesystem::rename(path_ + ".away", path_);
  ExpectServed(expected);
}

TEST_F(E2eFilesTest, ByteOfAPackThatFlipsAfterItWasReadIsSeen) {
  const std::string pack = folder_ / "model-pack.gguf";
  {
    DaemonProcess packer(socket_, {"--model", path_, "--context-tokens", "128"});
    ASSERT_TRUE(packer.WaitReady()) << packer.log();
    ChildProcess process({EDGEMOE_PROGRAM, "--socket", socket_, "pack", path_, "-o", pack});
    ASSERT_EQ(process.Wait(kJobPatience), 0) << process.errors();
    ASSERT_EQ(packer.Stop(), 0);
  }
  path_ = pack;
  Start();
  std::vector<ReceivedAnswer> expected;
  for (char prompt = 'a'; prompt < 'y'; ++prompt) expected.push_back(Ask(std::string(1, prompt)));
  // Of the last expert of the last layer.
  const std::string bytes = ReadAll(path_);
  const std::uint64_t place = bytes.size() - 4096 + 7;
  WriteByte(path_, place, static_cast<char>(bytes[place] ^ 4));
  int failed = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const ReceivedAnswer answer = Ask(std::string(1, static_cast<char>('a' + i)));
    if (answer.status.ok()) {
      EXPECT_EQ(answer.tokens, expected[i].tokens);
      continue;
    }
    ++failed;
    EXPECT_EQ(answer.status.code, StatusCode::kDataLoss);
    EXPECT_THAT(answer.status.message, HasSubstr("expert 7 of layer 1"));
  }
  EXPECT_GT(failed, 0);
  EXPECT_TRUE(Serving()) << "one expert is damaged, the others are not";
  WriteByte(path_, place, bytes[place]);
  for (std::size_t i = 0; i < expected.size(); ++i)
    EXPECT_EQ(Ask(std::string(1, static_cast<char>('a' + i))).tokens, expected[i].tokens);
}

}  // namespace
}  // namespace edgemoe
