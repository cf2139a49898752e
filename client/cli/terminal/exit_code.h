// SPDX-License-Identifier: Apache-2.0
//
// What the process tells its caller. The numbers follow sysexits.h; `edgemoe --help` lists them.
#pragma once

#include "client/status.h"

namespace edgemoe::cli {

enum class ExitCode : int {
  kOk = 0,
  kDoesNotFit = 1,     // `plan`, `resize`, `models show`: what was asked for does not fit
  kProblemFound = 2,   // `doctor`
  kUsage = 64,         // the command line
  kBadInput = 65,      // INVALID_ARGUMENT, OUT_OF_RANGE, FAILED_PRECONDITION, UNIMPLEMENTED
  kNoInput = 66,       // a file that cannot be read
  kNotFound = 68,      // NOT_FOUND: no such model or request
  kUnavailable = 69,   // no daemon, or it is loading or stopping
  kInternal = 70,      // INTERNAL, UNKNOWN
  kCannotCreate = 73,  // ALREADY_EXISTS: an output that is there already
  kIo = 74,            // DATA_LOSS, or the answer could not be written
  kTryAgain = 75,      // RESOURCE_EXHAUSTED, DEADLINE_EXCEEDED, or aborted by somebody else
  kNoPermission = 77,
  kInterrupted = 130,  // Ctrl-C
};

constexpr const char* kExitCodesHelp =
    "Exit codes: 0 done; 1 plan, resize, models show: does not fit; 2 doctor: found a problem;\n"
    "64 command line; 65 bad input; 66 unreadable file;\n"
    "68 no such model or request; 69 daemon not available; 70 internal error; 73 the output\n"
    "exists already; 74 storage or output failed; 75 try again later (queue full, deadline, "
    "aborted); 77 no permission; 130 Ctrl-C.";

ExitCode ExitCodeOf(client::StatusCode code);

}  // namespace edgemoe::cli
