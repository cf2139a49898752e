// SPDX-License-Identifier: Apache-2.0
//
// Fails where it is asked to, so that a runner or a sanitizer that has stopped checking is seen:
// EDGEMOE_CANARY names the fault. `./dev` runs it so before the other tests, and goes on only if it
// failed.
#include <gtest/gtest.h>

#include <climits>
#include <cstdlib>
#include <string>
#include <thread>

namespace edgemoe {
namespace {

std::string Asked() {
  const char* fault = std::getenv("EDGEMOE_CANARY");
  return fault == nullptr ? "" : fault;
}

// AddressSanitizer's.
void ReadBehindTheEnd() {
  const std::size_t size = Asked().size();
  const volatile char* bytes = new char[size];
  static_cast<void>(bytes[size]);
  delete[] bytes;
}

// UndefinedBehaviorSanitizer's.
void Overflow() {
  volatile int most = INT_MAX;
  most = most + 1;
}

// ThreadSanitizer's.
void Race() {
  int shared = 0;
  std::thread other([&] { ++shared; });
  ++shared;
  other.join();
  EXPECT_GT(shared, 0);
}

TEST(CanaryTest, FailsWhenAsked) {
  const std::string fault = Asked();
  if (fault == "address") ReadBehindTheEnd();
  if (fault == "undefined") Overflow();
  if (fault == "thread") Race();
  EXPECT_NE(fault, "test");
}

}  // namespace
}  // namespace edgemoe
