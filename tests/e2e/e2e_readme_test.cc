// SPDX-License-Identifier: Apache-2.0
//
// README's lines for clients other than ours, as they stand but for the socket's path.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/daemon_process.h"

namespace edgemoe {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

const std::string kSource = EDGEMOE_SOURCE_DIR;
constexpr std::string_view kReadmeSocket = "/run/edgemoe/edgemoed.sock";

// The fenced blocks of README between two headings; with "```python", the word and a line break are
// the block's beginning.
std::vector<std::string> Blocks(const std::string& heading) {
  std::ifstream file(kSource + "/README.md");
  std::stringstream text;
  text << file.rdbuf();
  std::string part = text.str();
  part = part.substr(part.find("## " + heading));
  part = part.substr(0, part.find("\n## "));
  std::vector<std::string> blocks;
  constexpr std::string_view kFence = "\n```";
  while (true) {
    const std::size_t begin = part.find(kFence);
    if (begin == std::string::npos) return blocks;
    part = part.substr(begin + kFence.size());
    const std::size_t end = part.find(kFence);
    blocks.push_back(part.substr(0, end + 1));
    part = part.substr(end + kFence.size());
  }
}

// buf, as ./dev installs it.
std::string FindBuf() {
  std::error_code none;
  for (const auto& entry :
       fs::directory_iterator(kSource + "/.ci/npm/node_modules/@bufbuild", none)) {
    const fs::path program = entry.path() / "bin" / "buf";
    if (entry.path().filename().string().starts_with("buf-linux-") && fs::exists(program))
      return program;
  }
  return "";
}

class E2eReadmeTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<TempFolder>();
    daemon_ = std::make_unique<DaemonProcess>(*folder_ / "d.sock", std::vector<std::string>{});
    ASSERT_TRUE(daemon_->WaitReady()) << daemon_->log();
    fs::create_directory(*folder_ / "bin");
    fs::create_symlink(kSource + "/tests/e2e/grpcurl_by_buf.sh", *folder_ / "bin/grpcurl");
    fs::create_symlink(kSource + "/proto", *folder_ / "proto");
  }
  static void TearDownTestSuite() {
    daemon_.reset();
    folder_.reset();
  }

  // What bash makes of the lines, in a folder where proto/ is.
  std::string Run(std::string lines, const std::string& reflect = "grpc-v1") {
    for (std::size_t at = 0; (at = lines.find(kReadmeSocket, at)) != std::string::npos;)
      lines.replace(at, kReadmeSocket.size(), daemon_->socket());
    lines = "set -eu\ncd " + folder_->path() + "\n" + lines;
    ChildProcess bash({"/bin/bash", "-c", lines},
                      {.input = {},
                       .environment = {{"PATH", *folder_ / "bin:/usr/bin:/bin"},
                                       {"BUF", FindBuf()},
                                       {"REFLECT", reflect},
                                       {"HOME", folder_->path()}}});
    EXPECT_EQ(bash.Wait(), 0) << bash.errors() << bash.output();
    return bash.output();
  }

  static inline std::unique_ptr<TempFolder> folder_;
  static inline std::unique_ptr<DaemonProcess> daemon_;
  const std::vector<std::string> blocks_ = Blocks("gRPC without our client");
};

TEST_F(E2eReadmeTest, GrpcurlChatsListsAndObserves) {
  if (FindBuf().empty())
    GTEST_SKIP()
        << "there is no buf, which stands in for grpcurl: ./dev test installs it where npm is";
  ASSERT_EQ(blocks_.size(), 5U) << "README has been rearranged: this test follows";
  const std::string answer = Run(blocks_[0]);
  const std::regex key("\"\\w+\":");
  const std::sregex_iterator shown(blocks_[1].begin(), blocks_[1].end(), key);
  EXPECT_GT(std::distance(shown, std::sregex_iterator()), 20);
  for (auto name = shown; name != std::sregex_iterator(); ++name)
    EXPECT_THAT(answer, HasSubstr(name->str())) << "README shows it";
  EXPECT_THAT(answer, HasSubstr("FINISH_REASON_STOP_TOKEN"));
  EXPECT_THAT(Run(blocks_[0], "grpc-v1alpha"), HasSubstr("FINISH_REASON_STOP_TOKEN"));
  const std::string observed = Run(blocks_[2]);
  for (const char* const service : {"edgemoe.v1.InferenceService", "edgemoe.v1.ModelsService",
                                    "edgemoe.v1.ObserveService", "grpc.health.v1.Health"})
    EXPECT_THAT(observed, HasSubstr(service));
  EXPECT_THAT(observed, HasSubstr("\"hitRate\""));
}

TEST_F(E2eReadmeTest, AnErrorShowsItsDetailsInBufCurl) {
  if (FindBuf().empty())
    GTEST_SKIP()
        << "there is no buf, which stands in for grpcurl: ./dev test installs it where npm is";
  const std::string error =
      Run("! grpcurl -plaintext -unix -d '{\"prompt\": \"a\", \"sampling\": {\"topP\": 2}}' " +
          std::string(kReadmeSocket) + " edgemoe.v1.InferenceService/Complete 2>&1");
  EXPECT_THAT(error, HasSubstr("invalid_argument"));
  EXPECT_THAT(error, HasSubstr("sampling.top_p"));
  EXPECT_THAT(error, HasSubstr("google.rpc.BadRequest"));
}

TEST_F(E2eReadmeTest, PythonReadsTheStream) {
  ChildProcess has_grpc({"/usr/bin/python3", "-c", "import grpc, google.protobuf"});
  if (has_grpc.Wait() != 0)
    GTEST_SKIP() << "Debian's python3-grpcio and python3-protobuf are not installed";
  ASSERT_EQ(blocks_.size(), 5U) << "README has been rearranged: this test follows";
  ASSERT_TRUE(blocks_[4].starts_with("python\n"));
  Run(blocks_[3]);
  const std::string text = Run("python3 <<'END'\n" + blocks_[4].substr(7) + "END\n");
  EXPECT_GT(text.size(), 40U) << text;
}

}  // namespace
}  // namespace edgemoe
