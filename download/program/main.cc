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
#include <string>

#include "download/model_headers.h"
#include "download/program/daemon_request.h"
#include "download/program/gguf_header.h"
#include "download/pull.h"
#include "engine/base/byte_size.h"

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

void Print(const PullProgress& progress) {
  const char* const doing = progress.is_checking ? "checking" : "downloading";
  std::fprintf(stderr, "\r\033[K%s %s (%u of %u): %s of %s, %s/s", doing,
               progress.file_name.c_str(), progress.file_number, progress.file_count,
               FormatByteSize(progress.done_bytes).c_str(),
               FormatByteSize(progress.total_bytes).c_str(),
               FormatByteSize(static_cast<std::uint64_t>(progress.bytes_per_second)).c_str());
  if (progress.seconds_left) std::fprintf(stderr, ", %.0f s left", *progress.seconds_left);
}

void Print(const PullHeader& header) {
  std::printf("%s: %s, %s\n", header.pull_name.c_str(), FormatByteSize(header.bytes).c_str(),
              header.problem.ok() ? header.path.c_str() : header.problem.message().c_str());
}

Status RunHeaders(const PullOptions& options) {
  const Result<PullReport> report =
      FetchModelHeaders(options, CheckGgufHeader, [](const PullHeader& header) { Print(header); });
  return report ? OkStatus() : report.error();
}

Status RunPull(PullOptions options) {
  const bool is_terminal = ::isatty(STDERR_FILENO) == 1;
  if (is_terminal) options.progress = [](const PullProgress& progress) { Print(progress); };
  const Result<PullReport> report = Pull(options);
  if (is_terminal) std::fprintf(stderr, "\r\033[K");
  if (!report) return report.error();
  std::printf("%s: %s%s%s\n", report->paths.front().c_str(), FormatByteSize(report->bytes).c_str(),
              report->was_there ? ", was there already" : "",
              report->was_there || report->is_verified ? "" : ", without a SHA-256 to check it by");
  return OkStatus();
}

// What the command line says beside the options that are as they are used.
struct Words {
  std::string rate;
  std::string reserve = "1GiB";
  bool headers_only = false;
};

Status Run(PullOptions options, const Words& words) {
  if (!words.rate.empty()) {
    const Result<std::uint64_t> bytes = ParseByteSize(words.rate);
    if (!bytes) return bytes.error().InField("--rate-limit");
    options.http.bytes_per_second_max = *bytes;
  }
  const Result<std::uint64_t> reserve_bytes = ParseByteSize(words.reserve);
  if (!reserve_bytes) return reserve_bytes.error().InField("--reserve");
  options.reserve_bytes = *reserve_bytes;
  EDGEMOE_ASSIGN_OR_RETURN(options.hub, OwnHub());
  options.http.cancelled = &cancelled;
  return words.headers_only ? RunHeaders(options) : RunPull(std::move(options));
}

int Main(int argc, char** argv) {
  CLI::App app("Downloads a model into a folder; goes on where an earlier download ended.");
  PullOptions options;
  Words words;
  app.add_option("model", options.model, "hf.co/ORG/REPO[:QUANT] or a URL");
  app.add_option("--directory", options.directory, "where it goes");
  bool serves = false;
  app.add_flag("--serve", serves,
               "instead of these: one request of edgemoed on standard input, answered on standard "
               "output");
  app.add_option("--rate-limit", words.rate, "bytes a second at most, as 10MiB");
  app.add_option("--reserve", words.reserve, "what stays free on the disk")->capture_default_str();
  app.add_flag("--headers", words.headers_only,
               "the headers alone, of all quants where none is named, each in a folder of its own: "
               "files of the whole length that take little space, enough for a memory plan");
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
  const Status status = serves ? Serve() : Run(std::move(options), words);
  if (!status.ok()) std::fprintf(stderr, "edgemoe-download: %s\n", status.message().c_str());
  return ExitCodeOf(status.code());
}

}  // namespace
}  // namespace edgemoe

int main(int argc, char** argv) { return edgemoe::Main(argc, argv); }
