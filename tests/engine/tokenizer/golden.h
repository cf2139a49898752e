// SPDX-License-Identifier: Apache-2.0
//
// What the golden tests of the tokenizer share: the recorded texts, and hashes of ids.
#pragma once

#include <array>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "engine/tokenizer/tokenizer.h"

namespace edgemoe {

// The groups of texts in pre_tokenizer_golden.json, in the order of the hashes.
inline constexpr const char* kTextGroups[] = {"written", "mixed", "scripts", "plain"};

inline nlohmann::json ReadGolden(const std::string& name) {
  std::ifstream file(std::string(EDGEMOE_SOURCE_DIR) + "/tests/engine/tokenizer/" + name);
  return nlohmann::json::parse(file);
}

// FNV-1a over the ids, each as 4 bytes, lowest first.
inline std::uint64_t HashIds(std::span<const Piece> pieces) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const Piece& piece : pieces) {
    for (int shift = 0; shift < 32; shift += 8) {
      hash ^= static_cast<std::uint32_t>(piece.token.value) >> shift & 0xFF;
      hash *= 0x100000001b3ULL;
    }
  }
  return hash;
}

// The lower half of it, as the recorders write it.
inline std::string ShortHash(std::span<const Piece> pieces) {
  std::array<char, 9> text{};
  std::snprintf(text.data(), text.size(), "%08x", static_cast<unsigned>(HashIds(pieces)));
  return text.data();
}

}  // namespace edgemoe
