// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/base/ids.h"

namespace edgemoe {

// What the scheduler must know of a vocabulary. Immutable; thread-safe. REQUIRES of all calls: the
// token is in [0, size()).
class TokenText {
 public:
  virtual ~TokenText() = default;
  virtual std::uint32_t size() const = 0;
  // May be part of a character; empty for a control token. Valid for the vocabulary's life.
  virtual std::string_view Bytes(TokenId token) const = 0;
  // The same, but a control token's name in place of nothing.
  virtual std::string_view Name(TokenId token) const = 0;
  virtual bool EndsGeneration(TokenId token) const = 0;
};

}  // namespace edgemoe
