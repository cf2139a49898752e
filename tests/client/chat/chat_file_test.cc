// SPDX-License-Identifier: Apache-2.0
#include "client/cli/chat/chat_file.h"

#include <gmock/gmock.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "client/cli/chat/turns.h"
#include "tests/support/child_process.h"

namespace edgemoe::cli {
namespace {

namespace fs = std::filesystem;
using client::StatusCode;
using testing::AllOf;
using testing::HasSubstr;

v1::ChatRequest Chat() {
  v1::ChatRequest request;
  AddMessage(request, "system", "be brief");
  AddMessage(request, "user", "caf\xC3\xA9?");
  AddMessage(request, "assistant", "");
  v1::ToolCall& call = *request.mutable_messages(2)->add_tool_calls();
  call.set_id("c1");
  call.set_name("look");
  call.set_arguments(R"({"q": "there"})");
  request.mutable_messages(2)->set_reasoning("Hm.");
  AddMessage(request, "tool", "seen");
  request.mutable_messages(3)->set_tool_call_id("c1");
  AddMessage(request, "assistant", "Yes.");
  request.mutable_sampling()->set_temperature(0.5F);
  request.mutable_sampling()->set_seed(18446744073709551615ULL);
  request.mutable_reasoning()->set_enabled(false);
  (*request.mutable_template_variables())["x"] = "1";
  return request;
}

class ChatFileTest : public testing::Test {
 protected:
  // The error of a file with that text.
  std::string Refusal(const std::string& text) {
    std::ofstream(path_) << text;
    const auto loaded = LoadChat(path_);
    if (loaded) return "(loaded)";
    EXPECT_EQ(loaded.error().code, StatusCode::kInvalidArgument);
    EXPECT_THAT(loaded.error().message, HasSubstr(path_ + ": is no saved conversation: "));
    return loaded.error().message;
  }

  TempFolder folder_;
  std::string path_ = folder_ / "chat.json";
};

TEST_F(ChatFileTest, AllOfItComesBack) {
  ASSERT_TRUE(SaveChat(Chat(), path_, /*replaces=*/false).ok());
  EXPECT_EQ(fs::status(path_).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  const auto loaded = LoadChat(path_);
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(*loaded, Chat()));
}

TEST_F(ChatFileTest, AFileIsReplacedOnlyWhereThatIsMeant) {
  std::ofstream(path_) << "mine";
  const client::Status refused = SaveChat(Chat(), path_, /*replaces=*/false);
  EXPECT_EQ(refused.code, StatusCode::kAlreadyExists);
  EXPECT_EQ(refused.message, path_ + ": is there already");
  std::ifstream file(path_);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), "mine");
  EXPECT_TRUE(SaveChat(Chat(), path_, /*replaces=*/true).ok());
  EXPECT_TRUE(LoadChat(path_));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_.path()), fs::directory_iterator()), 1);
  EXPECT_EQ(SaveChat(Chat(), folder_ / "none/x", false).code, StatusCode::kNotFound);
}

TEST_F(ChatFileTest, BrokenFilesAreRefusedByWhatIsWrong) {
  EXPECT_EQ(LoadChat(folder_ / "none").error().code, StatusCode::kNotFound);
  Refusal("");
  Refusal("{");
  Refusal("[1]");
  Refusal("no JSON");
  EXPECT_THAT(Refusal("{}"), HasSubstr("messages: found none; accepted: one or more"));
  EXPECT_THAT(Refusal(R"({"mesages": []})"), HasSubstr("mesages"));
  Refusal(std::string(100'000, '['));
  const auto messages = [&](const std::string& text) {
    return Refusal("{\"messages\": [" + text + "]}");
  };
  EXPECT_THAT(messages(R"({"role": "robot"})"),
              HasSubstr("messages[0].role: found \"robot\"; accepted: system, user, assistant"));
  EXPECT_THAT(messages(R"({"role": "user"}, {"role": "system"})"),
              HasSubstr("messages[1].role: found \"system\""));
  EXPECT_THAT(messages(R"({"role": "system"}, {"role": "tool"})"),
              AllOf(HasSubstr("messages[1].role: found \"tool\""), HasSubstr("user in the first")));
  EXPECT_THAT(messages(R"({"role": "user", "content": [{"image": {}}]})"),
              HasSubstr("messages[0].content[0]: found an image; accepted: text"));
  EXPECT_THAT(messages(R"({"role": "user", "content": [{}]})"), HasSubstr("found nothing"));
  EXPECT_EQ(messages(R"({"role": "user", "content": [{"text": "Hi"}]})"), "(loaded)");
  Refusal("{\"messages\": [{\"role\": \"user\", \"content\": [{\"text\": \"caf\xE9\"}]}]}");
  std::string many;
  for (int i = 0; i < 4097; ++i) many += (i > 0 ? "," : "") + std::string(R"({"role": "user"})");
  EXPECT_THAT(messages(many), HasSubstr("messages: found 4097; accepted: at most 4096"));
}

}  // namespace
}  // namespace edgemoe::cli
