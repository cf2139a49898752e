// SPDX-License-Identifier: Apache-2.0
#include "client/cli/terminal/exit_code.h"

namespace edgemoe::cli {

ExitCode ExitCodeOf(client::StatusCode code) {
  using client::StatusCode;
  switch (code) {
    case StatusCode::kOk: return ExitCode::kOk;
    case StatusCode::kInvalidArgument:
    case StatusCode::kOutOfRange:
    case StatusCode::kFailedPrecondition:
    case StatusCode::kUnimplemented: return ExitCode::kBadInput;
    case StatusCode::kNotFound: return ExitCode::kNotFound;
    case StatusCode::kAlreadyExists: return ExitCode::kCannotCreate;
    case StatusCode::kUnavailable: return ExitCode::kUnavailable;
    case StatusCode::kDataLoss: return ExitCode::kIo;
    case StatusCode::kResourceExhausted:
    case StatusCode::kDeadlineExceeded:
    case StatusCode::kAborted:
    case StatusCode::kCancelled: return ExitCode::kTryAgain;
    case StatusCode::kPermissionDenied:
    case StatusCode::kUnauthenticated: return ExitCode::kNoPermission;
    case StatusCode::kUnknown:
    case StatusCode::kInternal: break;
  }
  return ExitCode::kInternal;
}

}  // namespace edgemoe::cli
