// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace edgemoe {

// Bytes of memory that this process may use: the machine's, or the smallest limit among the control
// groups (v2 and v1) that it is in, ancestors included. What cannot be read does not count; 0 when
// nothing can be read. The roots are a seam for tests.
std::uint64_t UsableMemoryBytes(const std::string& proc_root = "/proc",
                                const std::string& cgroup_root = "/sys/fs/cgroup");

}  // namespace edgemoe
