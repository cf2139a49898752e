// SPDX-License-Identifier: Apache-2.0
//
// What `edgemoe doctor` has to say of one thing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace edgemoe::cli {

enum class FindingLevel : std::uint8_t {
  kOk,
  kNote,     // worth knowing, also what could not be found out; nothing is lost
  kWarning,  // costs speed, room or safety
  kProblem,  // something does not work, or does harm
};

struct Finding {
  std::string check;  // what was looked at: "io_uring"
  FindingLevel level = FindingLevel::kOk;
  std::string found;  // and what it means
  std::string mend;   // commands and edits of files, one a line; empty: nothing is to be done
};

using Findings = std::vector<Finding>;

}  // namespace edgemoe::cli
