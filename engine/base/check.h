// SPDX-License-Identifier: Apache-2.0
//
// CHECK: a broken invariant of our own code ends the process with a message. Never used on input,
// disks or peers: those are a Status. Always compiled in; DCHECK is for inner loops and only lives
// in debug builds.
#pragma once

namespace edgemoe::internal {
// Writes "file:line: CHECK failed: condition: message" to stderr and aborts.
[[noreturn]] void CheckFailed(const char* file, int line, const char* condition,
                              const char* message);
}  // namespace edgemoe::internal

#define EDGEMOE_CHECK(condition, message)                                        \
  do {                                                                           \
    if (!(condition)) [[unlikely]]                                               \
      ::edgemoe::internal::CheckFailed(__FILE__, __LINE__, #condition, message); \
  } while (false)

#ifdef NDEBUG
#define EDGEMOE_DCHECK(condition, message) \
  do {                                     \
    (void)sizeof(condition);               \
  } while (false)
#else
#define EDGEMOE_DCHECK(condition, message) EDGEMOE_CHECK(condition, message)
#endif
