// SPDX-License-Identifier: Apache-2.0
//
// edgemoe-download: downloads one model into a folder; by itself, or for the daemon, which does not
// reach the network.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>

#include "download/program/daemon_request.h"
#include "download/pull.h"
#include "engine/base/byte_size.h"
#include "engine/gguf/gguf_reader.h"

namespace edgemoe {
namespace {

std::atomic<bool> cancelled = false;

void OnSignal(int) { cancelled = true; }

std::string FromEnvironment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

// The numbers of sysexits.h, as the other programs give them.
int ExitCodeOf(StatusCode code) {
  switch (code) {
    case StatusCode::kOk: return 0;
    case StatusCode::kInvalidArgument: return 64;
    case StatusCode::kNotFound: return 66;
    case StatusCode::kUnavailable: return 69;
    case StatusCode::kAlreadyExists: return 73;
    case StatusCode::kDataLoss: return 74;
    case StatusCode::kResourceExhausted:
    case StatusCode::kFailedPrecondition:
    case StatusCode::kCancelled: return 75;
    case StatusCode::kPermissionDenied:
    case StatusCode::kUnauthenticated: return 77;
    default: return 70;
  }
}

Result<Hub> OwnHub() {
  return MakeHub(FromEnvironment("HF_ENDPOINT"), FromEnvironment("HF_TOKEN"));
}

Status Serve() {
  EDGEMOE_ASSIGN_OR_RETURN(const Hub hub, OwnHub());
  return ServePull(STDIN_FILENO, STDOUT_FILENO, hub, cancelled);
}

// As the parser says it.
Result<bool> HasGgufHeader(std::span<const std::byte> bytes, std::uint64_t file_bytes) {
  const Result<GgufFile> file = ParseGguf(bytes, file_bytes);
  if (file) return true;
  if (file.error().code() == StatusCode::kOutOfRange) return false;
  return Failure(file.error());
}

void Print(const PullProgress& progress) {
  const char* const doing = progress.is_checking ? "checking" : "downloading";
  std::fprintf(stderr, "\r\033[K%s %s (%u of %u): %s of %s, %s/s", doing,
               progress.file_name.c_str(), progress.file_number, progress.file_count,
               FormatByteSize(progress.done_bytes).c_str(),
               FormatByteSize(progress.total_bytes).c_str(),
               FormatByteSize(static_cast<std::uint64_t>(progress.bytes_per_second)).c_str());
  if (progress.seconds_left) std::fprintf(stderr, ", %.0f s left", *progress.seconds_left);
}

Status Run(PullOptions options, const std::string& rate, const std::string& reserve) {
  if (!rate.empty()) {
    const Result<std::uint64_t> bytes = ParseByteSize(rate);
    if (!bytes) return bytes.error().InField("--rate-limit");
    options.http.bytes_per_second_max = *bytes;
  }
  const Result<std::uint64_t> reserve_bytes = ParseByteSize(reserve);
  if (!reserve_bytes) return reserve_bytes.error().InField("--reserve");
  options.reserve_bytes = *reserve_bytes;
  EDGEMOE_ASSIGN_OR_RETURN(options.hub, OwnHub());
  options.http.cancelled = &cancelled;
  const bool is_terminal = ::isatty(STDERR_FILENO) == 1;
  if (is_terminal) options.progress = Print;
  const Result<PullReport> report = Pull(options);
  if (is_terminal) std::fprintf(stderr, "\r\033[K");
  if (!report) return report.error();
  std::printf(
      "%s: %s%s%s\n", report->paths.front().c_str(), FormatByteSize(report->bytes).c_str(),
      report->was_there ? ", was there already" : "",
      report->is_verified || options.header_check ? "" : ", without a SHA-256 to check it by");
  return OkStatus();
}

int Main(int argc, char** argv) {
  CLI::App app("Downloads a model into a folder; goes on where an earlier download ended.");
  PullOptions options;
  std::string rate;
  std::string reserve = "1GiB";
  app.add_option("model", options.model, "hf.co/ORG/REPO[:QUANT] or a URL");
  app.add_option("--directory", options.directory, "where it goes");
  bool serves = false;
  app.add_flag("--serve", serves,
               "instead of these: one request of edgemoed on standard input, answered on standard "
               "output");
  app.add_option("--rate-limit", rate, "bytes a second at most, as 10MiB");
  app.add_option("--reserve", reserve, "what stays free on the disk")->capture_default_str();
  bool headers_only = false;
  app.add_flag("--headers", headers_only,
               "the headers alone, in files of the whole length that take little space: enough for "
               "a memory plan");
  app.add_flag("--allow-private-redirects", options.http.allow_private_redirects,
               "follow redirects to addresses that are not public");
  app.set_version_flag("--version", "edgemoe-download " EDGEMOE_VERSION);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 64;
  }
  if (serves == !options.model.empty() || serves == !options.directory.empty()) {
    std::fputs("edgemoe-download: expected a model and --directory, or --serve alone\n", stderr);
    return 64;
  }
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) std::signal(signal, OnSignal);
  std::signal(SIGPIPE, SIG_IGN);
  if (headers_only) options.header_check = HasGgufHeader;
  const Status status = serves ? Serve() : Run(std::move(options), rate, reserve);
  if (!status.ok()) std::fprintf(stderr, "edgemoe-download: %s\n", status.message().c_str());
  return ExitCodeOf(status.code());
}

}  // namespace
}  // namespace edgemoe

int main(int argc, char** argv) { return edgemoe::Main(argc, argv); }
