// SPDX-License-Identifier: Apache-2.0
//
// What a peer sees of a server that ends: a client of HTTP/2 (RFC 9113) by hand, since gRPC's own
// does not show frames.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include "edgemoe/v1/inference.pb.h"
#include "tests/server/server_fixture.h"

namespace edgemoe {
namespace {

constexpr char kData = 0;
constexpr char kHeaders = 1;
constexpr char kSettings = 4;
constexpr char kPing = 6;
constexpr char kGoAway = 7;
constexpr char kAck = 1;
constexpr char kEndStream = 1;
constexpr char kEndHeaders = 4;
constexpr std::size_t kFrameHeaderBytes = 9;

struct Frame {
  char type = kData;
  char flags = 0;
  std::string payload{};
};

class RawClient {
 public:
  explicit RawClient(UniqueFd socket) : socket_(std::move(socket)) {
    Send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    SendFrame({.type = kSettings}, 0);
  }

  void Call(const std::string& path, const std::string& message) {
    std::string headers;
    for (const auto& [name, value] :
         std::vector<std::pair<std::string, std::string>>{{":method", "POST"},
                                                          {":scheme", "http"},
                                                          {":path", path},
                                                          {":authority", "localhost"},
                                                          {"content-type", "application/grpc"},
                                                          {"te", "trailers"}})
      // RFC 7541, 6.2.2: a literal that is not indexed.
      headers += std::string(1, '\0') + static_cast<char>(name.size()) + name +
                 static_cast<char>(value.size()) + value;
    SendFrame({.type = kHeaders, .flags = kEndHeaders, .payload = headers}, 1);
    SendFrame({.type = kData,
               .flags = kEndStream,
               .payload = std::string(4, '\0') + static_cast<char>(message.size()) + message},
              1);
  }

  // Everything until the server closes; its pings are answered.
  std::vector<Frame> ReadToEnd() {
    std::vector<Frame> frames;
    for (std::string head; !(head = Receive(kFrameHeaderBytes)).empty();) {
      std::size_t size = 0;
      for (std::size_t i = 0; i < 3; ++i) size = size << 8 | static_cast<unsigned char>(head[i]);
      Frame frame{.type = head[3], .flags = head[4], .payload = Receive(size)};
      if (frame.type == kPing && frame.flags != kAck)
        SendFrame({.type = kPing, .flags = kAck, .payload = frame.payload}, 0);
      frames.push_back(std::move(frame));
    }
    return frames;
  }

 private:
  void Send(const std::string& bytes) const {
    EXPECT_EQ(::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()))
        << "the server has closed before its peer was done";
  }
  void SendFrame(const Frame& frame, char stream) const {
    const std::size_t size = frame.payload.size();
    Send({static_cast<char>(size >> 16), static_cast<char>(size >> 8), static_cast<char>(size),
          frame.type, frame.flags, 0, 0, 0, stream});
    if (size != 0) Send(frame.payload);
  }
  std::string Receive(std::size_t size) const {
    std::string bytes(size, '\0');
    const ssize_t got = ::recv(socket_.get(), bytes.data(), size, MSG_WAITALL);
    bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return bytes;
  }

  const UniqueFd socket_;
};

TEST(ShutdownTest, ThePeerIsToldToGoAfterTheAnswersEnd) {
  TestServer server;
  RawClient client(server.Connect());
  v1::CompleteRequest request;
  request.set_prompt("hang");
  client.Call("/edgemoe.v1.InferenceService/Complete", request.SerializeAsString());
  ASSERT_TRUE(server.engine().WaitActive(1));

  std::thread ending([&] { server.server().Shutdown(kPatience); });
  EXPECT_FALSE(server.engine().Drain(0));  // the answer ends
  const std::vector<Frame> frames = client.ReadToEnd();
  ending.join();

  const auto trailers = std::ranges::find_if(frames, [](const Frame& frame) {
    return frame.type == kHeaders && (frame.flags & kEndStream) != 0;
  });
  ASSERT_NE(trailers, frames.end());
  EXPECT_THAT(trailers->payload, ::testing::HasSubstr("grpc-status"));
  EXPECT_EQ(std::ranges::find(frames.begin(), trailers, kGoAway, &Frame::type), trailers)
      << "beside the answer, and not after it";
  EXPECT_NE(std::ranges::find(trailers, frames.end(), kPing, &Frame::type), frames.end())
      << "the server waits for the peer's word";
}

}  // namespace
}  // namespace edgemoe
