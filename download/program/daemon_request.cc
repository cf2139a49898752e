// SPDX-License-Identifier: Apache-2.0
#include "download/program/daemon_request.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <thread>

#include "download/model_headers.h"
#include "download/program/gguf_header.h"
#include "download/protocol/pull_lines.h"
#include "download/pull.h"
#include "engine/base/accepted.h"
#include "engine/base/check.h"
#include "engine/base/system/errno_status.h"
#include "engine/base/system/unique_fd.h"
#include "engine/base/system/whole_file.h"

namespace edgemoe {
namespace {

// The first line of `input`.
Result<std::string> ReadLine(int input) {
  LineReader lines;
  std::array<char, 4096> buffer = {};
  while (true) {
    if (std::optional<std::string> line = lines.Next()) return *std::move(line);
    const ssize_t count = ::read(input, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Failure(ErrnoStatus(errno, "read the request"));
    if (count == 0) return Failure(InvalidArgumentError("the request ended before its first line"));
    EDGEMOE_FAIL_IF_ERROR(lines.Add({buffer.data(), static_cast<std::size_t>(count)}));
  }
}

// Sets a flag when the other side has gone.
class HangUpWatch {
 public:
  HangUpWatch(int input, std::atomic<bool>& gone)
      : input_(input), gone_(gone), stop_(::eventfd(0, EFD_CLOEXEC)) {
    EDGEMOE_CHECK(stop_.valid(), "a descriptor for a thread");
    thread_ = std::thread([this] { Run(); });
  }
  ~HangUpWatch() {
    const std::uint64_t one = 1;
    (void)!::write(stop_.get(), &one, sizeof(one));
    thread_.join();
  }
  HangUpWatch(const HangUpWatch&) = delete;
  HangUpWatch& operator=(const HangUpWatch&) = delete;

 private:
  void Run() {
    std::array<char, 256> ignored = {};
    while (true) {
      std::array<pollfd, 2> wanted = {pollfd{input_, POLLIN, 0}, pollfd{stop_.get(), POLLIN, 0}};
      if (::poll(wanted.data(), wanted.size(), -1) < 0 && errno != EINTR) return;
      if (wanted[1].revents != 0) return;
      if (wanted[0].revents == 0) continue;
      const ssize_t count = ::read(input_, ignored.data(), ignored.size());
      if (count > 0 || (count < 0 && errno == EINTR)) continue;
      gone_ = true;
      return;
    }
  }

  const int input_;
  std::atomic<bool>& gone_;
  const UniqueFd stop_;
  std::thread thread_;
};

Result<PullOptions> ToOptions(const PullRequest& request, const Hub& own_hub) {
  if (!request.directory.starts_with('/'))
    return Failure(InvalidField("directory", ShowValue(request.directory), "an absolute path"));
  PullOptions options{.model = request.model, .directory = request.directory};
  // A token belongs to the hub that it was given with.
  options.hub = own_hub;
  if (!request.hub_endpoint.empty() || !request.hub_token.empty()) {
    EDGEMOE_ASSIGN_OR_FAIL(
        options.hub, MakeHub(request.hub_endpoint.empty() ? own_hub.origin : request.hub_endpoint,
                             request.hub_token));
    if (request.hub_token.empty() && options.hub.origin == own_hub.origin)
      options.hub.token = own_hub.token;
  }
  options.reserve_bytes = request.reserve_bytes;
  options.http.bytes_per_second_max = request.bytes_per_second_max;
  options.http.allow_private_redirects = request.allow_private_redirects;
  return options;
}

}  // namespace

Status ServePull(int input, int output, const Hub& own_hub, std::atomic<bool>& cancelled) {
  const auto answer = [output, &cancelled](const PullAnswer& message) {
    const std::string line = EncodePullAnswer(message);
    if (!AppendAll(output, std::as_bytes(std::span(line)), "the answer").ok()) cancelled = true;
  };
  const auto serve = [&]() -> Result<PullReport> {
    EDGEMOE_ASSIGN_OR_FAIL(const std::string line, ReadLine(input));
    EDGEMOE_ASSIGN_OR_FAIL(const PullRequest request, DecodePullRequest(line));
    EDGEMOE_ASSIGN_OR_FAIL(PullOptions options, ToOptions(request, own_hub));
    options.http.cancelled = &cancelled;
    options.progress = answer;
    const HangUpWatch watch(input, cancelled);
    if (request.headers_only) return FetchModelHeaders(options, CheckGgufHeader, answer);
    return Pull(options);
  };
  const Result<PullReport> report = serve();
  answer(report ? PullAnswer(*report) : PullAnswer(report.error()));
  return report ? OkStatus() : report.error();
}

}  // namespace edgemoe
