// SPDX-License-Identifier: Apache-2.0
#include "engine/template/evaluation/scope.h"

namespace edgemoe::jinja {

const Value* Scope::Find(std::string_view name, std::size_t& looked_at) const {
  for (const Scope* scope = this; scope != nullptr; scope = scope->parent) {
    looked_at += scope->variables.size();
    for (const auto& [key, value] : scope->variables) {
      if (key == name) return &value;
    }
  }
  return nullptr;
}

void Scope::Store(std::string_view name, Value value) {
  for (auto& [key, held] : variables) {
    if (key == name) {
      held = std::move(value);
      return;
    }
  }
  variables.emplace_back(name, std::move(value));
}

void Scopes::Enter(Scope* parent) {
  entered_.push_back(std::make_unique<Scope>());
  entered_.back()->parent = parent;
}

void Scopes::Leave() {
  if (entered_.back()->is_kept) left_.push_back(std::move(entered_.back()));
  entered_.pop_back();
}

Result<Scope*> Scopes::Keep(Budget& budget) {
  for (Scope* scope = &current(); scope != nullptr && !scope->is_kept; scope = scope->parent) {
    EDGEMOE_FAIL_IF_ERROR(budget.Spend(sizeof(Scope) + scope->variables.size() * sizeof(Value)));
    scope->is_kept = true;
  }
  return &current();
}

}  // namespace edgemoe::jinja
