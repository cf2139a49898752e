// SPDX-License-Identifier: Apache-2.0
#include "client/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <thread>

#include "tests/client/fake_daemon.h"
#include "tests/support/child_process.h"

namespace edgemoe::client {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class ClientTest : public testing::Test {
 protected:
  Client Connect() {
    auto client = Client::Connect(socket_);
    EXPECT_TRUE(client) << client.error().ToString();
    return std::move(*client);
  }

  static v1::CompleteRequest Prompt(const std::string& text) {
    v1::CompleteRequest request;
    request.set_prompt(text);
    return request;
  }

  TempFolder folder_;
  std::string socket_ = folder_ / "d.sock";
  FakeDaemon daemon_{"unix:" + socket_};
};

TEST_F(ClientTest, StreamsAnAnswer) {
  Client client = Connect();
  CompleteStream stream = client.Complete(Prompt("one two three"));
  std::string text;
  bool started = false;
  v1::FinishReason reason = v1::FINISH_REASON_UNSPECIFIED;
  for (v1::CompleteResponse message; stream.Next(message);) {
    started = started || message.has_started();
    text += message.chunk().text();
    if (message.has_finished()) reason = message.finished().reason();
  }
  EXPECT_TRUE(stream.Finish().ok());
  EXPECT_TRUE(started);
  EXPECT_EQ(text, "one two three");
  EXPECT_EQ(reason, v1::FINISH_REASON_STOP_TOKEN);
}

TEST_F(ClientTest, ForEachStopsWhenTheCallerHasEnough) {
  Client client = Connect();
  int chunks = 0;
  const Status status =
      client.Complete(Prompt("hang")).ForEach([&](const v1::CompleteResponse& message) {
        return !message.has_chunk() || ++chunks == 0;
      });
  EXPECT_EQ(status.code, StatusCode::kCancelled);
  EXPECT_EQ(chunks, 1);
  EXPECT_TRUE(daemon_.WaitCancelled());
}

TEST_F(ClientTest, CancelsFromAnotherThread) {
  Client client = Connect();
  CompleteStream stream = client.Complete(Prompt("hang"));
  v1::CompleteResponse message;
  ASSERT_TRUE(stream.Next(message));
  std::thread other([&] { stream.Cancel(); });
  EXPECT_EQ(stream.Finish().code, StatusCode::kCancelled);
  other.join();
}

TEST_F(ClientTest, AStreamThatIsDestroyedCancelsItsRequest) {
  Client client = Connect();
  {
    CompleteStream stream = client.Complete(Prompt("hang"));
    v1::CompleteResponse message;
    ASSERT_TRUE(stream.Next(message));
  }
  EXPECT_TRUE(daemon_.WaitCancelled());
}

TEST_F(ClientTest, AStreamOutlivesMovesOfItsClient) {
  Client client = Connect();
  CompleteStream stream = client.Complete(Prompt("a b"));
  const Client moved = std::move(client);
  EXPECT_TRUE(stream.Finish().ok());
}

TEST_F(ClientTest, TellsCodesMessagesAndRetryDelays) {
  Client client = Connect();
  const Status full = client.Complete(Prompt("full")).Finish();
  EXPECT_EQ(full.code, StatusCode::kResourceExhausted);
  EXPECT_EQ(full.retry_delay_ms, 1500u);
  EXPECT_EQ(full.reason, "QUEUE_FULL");
  EXPECT_EQ(full.field, "");
  const Status lost = client.Complete(Prompt("data-loss")).Finish();
  EXPECT_EQ(lost.ToString(), "DATA_LOSS: expert 3 of layer 2 could not be read");
  EXPECT_FALSE(lost.retry_delay_ms);
  const auto model = client.GetModel("other");
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().code, StatusCode::kNotFound);
  EXPECT_TRUE(client.Abort("0007").ok());
  EXPECT_EQ(client.Abort("0008").code, StatusCode::kNotFound);
}

TEST_F(ClientTest, NamesTheFieldThatIsNotUtf8) {
  Client client = Connect();
  const Status prompt = client.Complete(Prompt("caf\xE9 au lait")).Finish();
  EXPECT_EQ(prompt.code, StatusCode::kInvalidArgument);
  EXPECT_THAT(prompt.message, StartsWith("prompt: "));
  EXPECT_THAT(prompt.message, HasSubstr("byte 3"));

  v1::ChatRequest chat;
  chat.add_messages()->add_content()->set_text("good");
  chat.add_messages()->add_content()->set_text("\xED\xA0\x80");  // a surrogate
  EXPECT_THAT(client.Chat(chat).Finish().message, StartsWith("messages[1].content[0].text: "));

  v1::TokenizeRequest tokenize;
  for (const char* bad : {"\xC0\x80", "\xF4\x90\x80\x80", "\xE2\x82", "\x80"}) {
    tokenize.set_text(bad);
    const auto tokens = client.Tokenize(tokenize);
    ASSERT_FALSE(tokens) << bad;
    EXPECT_THAT(tokens.error().message, HasSubstr("text: ")) << bad;
  }
  tokenize.set_text("\xF0\x9F\x98\x80\xE2\x82\xAC\xC3\xA9");
  EXPECT_TRUE(client.Tokenize(tokenize));
}

TEST_F(ClientTest, CallsThatDoNotStream) {
  Client client = Connect();
  v1::TokenizeRequest tokenize;
  tokenize.set_text("Hi");
  const auto tokens = client.Tokenize(tokenize);
  ASSERT_TRUE(tokens);
  EXPECT_EQ(tokens->tokens_size(), 2);
  v1::DetokenizeRequest detokenize;
  detokenize.add_tokens(72);
  EXPECT_EQ(client.Detokenize(detokenize)->text(), "H");
  EXPECT_EQ(client.ListModels()->models_size(), 2);
  EXPECT_TRUE(client.Plan(v1::PlanRequest())->plan().fits());
  EXPECT_EQ(client.GetStats()->model(), "fake");
}

TEST_F(ClientTest, TcpNeedsNoSocketFile) {
  const FakeDaemon daemon("127.0.0.1:0");
  ASSERT_GT(daemon.port(), 0);
  EXPECT_TRUE(Client::Connect("127.0.0.1:" + std::to_string(daemon.port())));
}

TEST_F(ClientTest, SaysWhyNobodyAnswers) {
  const auto missing = Client::Connect(folder_ / "none.sock");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, StatusCode::kUnavailable);
  EXPECT_THAT(missing.error().message, HasSubstr("there is no socket"));

  const std::string stale = folder_ / "stale.sock";
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, stale.c_str());
  ASSERT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  ::close(fd);
  const auto nobody = Client::Connect(stale);
  ASSERT_FALSE(nobody);
  EXPECT_THAT(nobody.error().message, HasSubstr("no daemon listens"));
}

TEST(AddressTest, Forms) {
  EXPECT_EQ(*ParseAddress("unix:/a/b"), "unix:/a/b");
  EXPECT_EQ(*ParseAddress("/a/b"), "unix:/a/b");
  EXPECT_EQ(*ParseAddress("./b"), "unix:./b");
  EXPECT_EQ(*ParseAddress("localhost:50051"), "localhost:50051");
  EXPECT_EQ(*ParseAddress("[::1]:50051"), "[::1]:50051");
  for (const std::string bad : {"unix:", "localhost", "localhost:", "localhost:0",
                                "localhost:65536", "localhost:5x", ":5", "http://localhost:1"}) {
    const auto parsed = ParseAddress(bad);
    ASSERT_FALSE(parsed) << bad;
    EXPECT_EQ(parsed.error().code, StatusCode::kInvalidArgument);
    EXPECT_THAT(parsed.error().message, HasSubstr(bad));
  }
  EXPECT_FALSE(ParseAddress("/" + std::string(200, 'x')));
}

TEST(AddressTest, DefaultSocket) {
  const TempFolder folder;
  ::unsetenv("EDGEMOE_SOCKET");
  ::setenv("XDG_RUNTIME_DIR", folder.path().c_str(), 1);
  EXPECT_EQ(DefaultSocketPath(), "/run/edgemoe/edgemoed.sock");
  ASSERT_EQ(::mkdir((folder / "edgemoe").c_str(), 0700), 0);
  std::ofstream(folder / "edgemoe/edgemoed.sock") << "";
  EXPECT_EQ(DefaultSocketPath(), folder / "edgemoe/edgemoed.sock");
  ::setenv("EDGEMOE_SOCKET", "/elsewhere.sock", 1);
  EXPECT_EQ(DefaultSocketPath(), "/elsewhere.sock");
  ::unsetenv("EDGEMOE_SOCKET");
}

}  // namespace
}  // namespace edgemoe::client
