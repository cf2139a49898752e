// SPDX-License-Identifier: Apache-2.0
#include "server/process/exit_codes.h"

namespace edgemoe {

ExitCode ExitCodeForOpenFailure(const Status& status, bool is_option) {
  if (is_option && status.code() != StatusCode::kResourceExhausted) return ExitCode::kConfig;
  switch (status.code()) {
    case StatusCode::kOk: return ExitCode::kOk;
    case StatusCode::kNotFound:
    case StatusCode::kPermissionDenied:
    case StatusCode::kUnavailable: return ExitCode::kModelUnreadable;
    case StatusCode::kInvalidArgument:
    case StatusCode::kUnimplemented:
    case StatusCode::kOutOfRange:
    case StatusCode::kFailedPrecondition:
    case StatusCode::kDataLoss: return ExitCode::kModelDamaged;
    case StatusCode::kResourceExhausted: return ExitCode::kBudgetTooSmall;
    case StatusCode::kCancelled:
    case StatusCode::kUnknown:
    case StatusCode::kDeadlineExceeded:
    case StatusCode::kAlreadyExists:
    case StatusCode::kAborted:
    case StatusCode::kInternal:
    case StatusCode::kUnauthenticated: return ExitCode::kInternal;
  }
  return ExitCode::kInternal;
}

ExitCode ExitCodeForListenFailure(const Status& status) {
  if (status.code() == StatusCode::kAlreadyExists) return ExitCode::kAlreadyRunning;
  if (status.code() == StatusCode::kInvalidArgument) return ExitCode::kConfig;
  return ExitCode::kCannotListen;
}

}  // namespace edgemoe
