// SPDX-License-Identifier: Apache-2.0
#include "engine/base/checksum.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstdio>
#include <new>

namespace edgemoe {
namespace {

static_assert(sizeof(XXH3_state_t) <= 576 && alignof(XXH3_state_t) <= 64);

XXH3_state_t* State(std::array<std::byte, 576>& bytes) {
  return std::launder(reinterpret_cast<XXH3_state_t*>(bytes.data()));
}

const XXH3_state_t* State(const std::array<std::byte, 576>& bytes) {
  return std::launder(reinterpret_cast<const XXH3_state_t*>(bytes.data()));
}

std::string DigestText(const XXH128_hash_t& digest) {
  return ChecksumText(digest.high64) + ChecksumText(digest.low64);
}

}  // namespace

Checksum64::Checksum64() { XXH3_64bits_reset(new (state_.data()) XXH3_state_t); }

void Checksum64::Update(std::span<const std::byte> bytes) {
  XXH3_64bits_update(State(state_), bytes.data(), bytes.size());
}

std::uint64_t Checksum64::value() const { return XXH3_64bits_digest(State(state_)); }

Digest128::Digest128() { XXH3_128bits_reset(new (state_.data()) XXH3_state_t); }

void Digest128::Update(std::span<const std::byte> bytes) {
  XXH3_128bits_update(State(state_), bytes.data(), bytes.size());
}

std::string Digest128::text() const { return DigestText(XXH3_128bits_digest(State(state_))); }

std::uint64_t Checksum64Of(std::span<const std::byte> bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

std::string Digest128Of(std::span<const std::byte> bytes) {
  return DigestText(XXH3_128bits(bytes.data(), bytes.size()));
}

std::string ChecksumText(std::uint64_t checksum) {
  char text[17];
  std::snprintf(text, sizeof(text), "%016llx", static_cast<unsigned long long>(checksum));
  return text;
}

}  // namespace edgemoe
