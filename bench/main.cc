// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <variant>

#include "bench/commands.h"

namespace edgemoe::bench {
namespace {

// The numbers of sysexits.h, as the client gives them.
int ExitCodeOf(StatusCode code) {
  switch (code) {
    case StatusCode::kInvalidArgument:
    case StatusCode::kOutOfRange:
    case StatusCode::kFailedPrecondition:
    case StatusCode::kUnimplemented: return 65;
    case StatusCode::kNotFound: return 66;
    case StatusCode::kDataLoss: return 74;
    case StatusCode::kResourceExhausted: return 75;
    case StatusCode::kPermissionDenied: return 77;
    default: return 70;
  }
}

int Main(int argc, char** argv) {
  auto parsed = ParseCommandLine(argc, argv);
  if (const int* code = std::get_if<int>(&parsed)) return *code;
  const auto& settings = std::get<Settings>(parsed);
  const Result<Report> report =
      std::visit([&](const auto& command) { return Run(command, settings); }, settings.command);
  const Status status = report ? Write(*report, settings) : report.error();
  if (status.ok()) return 0;
  std::fprintf(stderr, "edgemoe-bench: %s\n", status.ToString().c_str());
  return ExitCodeOf(status.code());
}

}  // namespace
}  // namespace edgemoe::bench

int main(int argc, char** argv) { return edgemoe::bench::Main(argc, argv); }
