// SPDX-License-Identifier: Apache-2.0
//
// Models.Pack over a real socket; the engine's part writes nothing.
#include <gmock/gmock.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "edgemoe/v1/models.grpc.pb.h"
#include "server/pack_request.h"
#include "tests/server/server_fixture.h"

namespace edgemoe {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

class PackTest : public testing::Test {
 protected:
  PackTest() {
    for (const char* folder : {"models", "models/deep", "home", "elsewhere"})
      fs::create_directory(folder_ / folder);
    fs::create_symlink(folder_ / "elsewhere", folder_ / "home/link");
  }

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
    const auto stub = v1::Models::NewStub(server.NewChannel());
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
    EXPECT_EQ(answer.messages[i].progress().bytes_total(), 100u);
  }
}

TEST_F(PackTest, ErrorsAreTheEngines) {
  const TestServer server;
  const Answer answer = Pack(server, Request("home/full.gguf"));
  EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(answer.status.error_message(), HasSubstr("7 free"));
}

TEST_F(PackTest, OneAtATimeAndCancelledWithItsClient) {
  const TestServer server;
  const auto stub = v1::Models::NewStub(server.NewChannel());
  grpc::ClientContext context;
  const auto reader = stub->Pack(&context, Request("home/hang.gguf"));
  v1::PackResponse message;
  ASSERT_TRUE(reader->Read(&message));
  EXPECT_EQ(message.progress().phase(), v1::COPYING);
  EXPECT_EQ(message.progress().bytes_resumed(), 10u);

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
  const auto stub = v1::Models::NewStub(server->NewChannel());
  grpc::ClientContext context;
  const auto reader = stub->Pack(&context, Request("home/hang.gguf"));
  v1::PackResponse message;
  ASSERT_TRUE(reader->Read(&message));
  server.reset();
  while (reader->Read(&message)) {
  }
  EXPECT_FALSE(reader->Finish().ok());
}

TEST_F(PackTest, WritesOnlyWhereModelsLie) {
  const std::string models = folder_ / "models";
  for (const char* allowed :
       {"home/x.gguf", "home/./x.gguf", "models/x.gguf", "models/deep/x.gguf"}) {
    const auto options = ToPackOptions(Request("home/m.gguf", allowed), models);
    ASSERT_TRUE(options) << options.error().ToString();
    EXPECT_EQ(fs::path(options->output_path).filename(), "x.gguf");
  }
  for (const char* refused : {"elsewhere/x.gguf", "home/../elsewhere/x.gguf", "home/link/x.gguf",
                              "models/../x.gguf", "x.gguf"}) {
    const auto options = ToPackOptions(Request("home/m.gguf", refused), models);
    ASSERT_FALSE(options) << refused;
    EXPECT_EQ(options.error().code(), StatusCode::kPermissionDenied);
    EXPECT_THAT(options.error().message(), HasSubstr("output_path"));
    EXPECT_THAT(options.error().message(), HasSubstr(models));
  }
  EXPECT_FALSE(ToPackOptions(Request("home/m.gguf", "models/x.gguf"), ""));
}

TEST_F(PackTest, PathsAreAbsoluteAndOfGgufFiles) {
  v1::PackRequest request;
  for (const char* path : {"", "m.gguf", "./m.gguf"}) {
    request.set_source_path(path);
    const auto options = ToPackOptions(request, "");
    ASSERT_FALSE(options) << path;
    EXPECT_EQ(options.error().code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(options.error().message(), HasSubstr("source_path"));
  }
  for (const char* output : {"home/x", "home/x.gguf.sh", "home/.gguf", "home/"}) {
    const auto options = ToPackOptions(Request("home/m.gguf", output), "");
    ASSERT_FALSE(options) << output;
    EXPECT_EQ(options.error().code(), StatusCode::kInvalidArgument);
  }
  request = Request("home/m.gguf");
  request.mutable_output_path()->assign(folder_ / "home/a").append(1, '\0').append(".gguf");
  EXPECT_EQ(ToPackOptions(request, "").error().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(ToPackOptions(Request("nowhere/m.gguf"), "").error().code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace edgemoe
