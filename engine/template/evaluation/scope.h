// SPDX-License-Identifier: Apache-2.0
//
// The variables of a rendering: each loop, macro and block of its own has a scope, which sees those
// around it in the template. Confined to one rendering.
#pragma once

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/result.h"
#include "engine/template/values/value.h"

namespace edgemoe::jinja {

struct Scope {
  Scope* parent = nullptr;  // where names are looked for next
  bool is_kept = false;
  // Names belong to the template or are literals.
  std::vector<std::pair<std::string_view, Value>> variables{};

  // Here and in all parents; null where there is none. Adds how many variables it looked at.
  const Value* Find(std::string_view name, std::size_t& looked_at) const;
  void Store(std::string_view name, Value value);
};

class Scopes {
 public:
  Scopes() { Enter(nullptr); }

  Scope& current() { return *entered_.back(); }
  void Enter(Scope* parent);
  void Leave();
  // The current scope, which stays alive until the end with all that it sees: a macro is made in
  // it.
  Result<Scope*> Keep(Budget& budget);

 private:
  std::vector<std::unique_ptr<Scope>> entered_;
  std::vector<std::unique_ptr<Scope>> left_;  // kept ones
};

}  // namespace edgemoe::jinja
