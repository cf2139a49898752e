// SPDX-License-Identifier: Apache-2.0
//
// XXH3 with seed 0, as xxhsum computes it. Finds damage, not malice. Several GB/s.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace edgemoe {

// XXH3-64 of bytes that come piece by piece: the same value however they are cut. No allocation.
// Thread-compatible.
class Checksum64 {
 public:
  Checksum64();
  void Update(std::span<const std::byte> bytes);
  // Of all bytes so far.
  std::uint64_t value() const;

 private:
  alignas(64) std::array<std::byte, 576> state_;  // XXH3_state_t
};

std::uint64_t Checksum64Of(std::span<const std::byte> bytes);

// XXH3-128 in the same way: 32 lower-case hexadecimal digits, the high half first.
class Digest128 {
 public:
  Digest128();
  void Update(std::span<const std::byte> bytes);
  std::string text() const;

 private:
  alignas(64) std::array<std::byte, 576> state_;  // XXH3_state_t
};

std::string Digest128Of(std::span<const std::byte> bytes);

// For messages and metadata: 16 lower-case hexadecimal digits.
std::string ChecksumText(std::uint64_t checksum);

}  // namespace edgemoe
