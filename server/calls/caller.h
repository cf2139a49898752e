// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace edgemoe {

// Who makes a call, as a front end found out.
struct Caller {
  std::string peer;   // for people: "uid 1000, pid 4242", "ipv4:127.0.0.1:40112"
  std::string owner;  // whose requests it reaches: of one owner are those with the same text
  // May change memory, files and models, and reaches every request.
  bool is_administrator = false;
};

}  // namespace edgemoe
