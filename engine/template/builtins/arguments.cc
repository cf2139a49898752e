// SPDX-License-Identifier: Apache-2.0
#include "engine/template/builtins/arguments.h"

#include <algorithm>

namespace edgemoe::jinja {

Result<BoundArguments> BoundArguments::Bind(std::string_view callee, const Arguments& arguments,
                                            std::initializer_list<std::string_view> parameters) {
  BoundArguments bound;
  bound.callee_ = callee;
  bound.parameters_ = parameters;
  bound.values_.resize(parameters.size());
  if (arguments.positional.size() > parameters.size()) {
    return Failure(InvalidArgumentError(
        bound.callee_ + ": " + std::to_string(arguments.positional.size()) +
        " arguments: at most " + std::to_string(parameters.size()) + " are accepted"));
  }
  std::copy(arguments.positional.begin(), arguments.positional.end(), bound.values_.begin());
  for (const auto& [name, value] : arguments.named) {
    const auto found = std::find(parameters.begin(), parameters.end(), name);
    if (found == parameters.end()) {
      return Failure(InvalidArgumentError(bound.callee_ + ": no argument is called \"" +
                                          name.substr(0, 64) + "\""));
    }
    bound.values_[static_cast<std::size_t>(found - parameters.begin())] = value;
  }
  return bound;
}

Value BoundArguments::Get(std::size_t index) const {
  return Has(index) ? *values_[index] : Value::MakeUndefined(std::string(parameters_[index]));
}

Result<std::string> BoundArguments::Text(std::size_t index, std::string_view absent) const {
  if (IsAbsent(index)) return std::string(absent);
  const std::string* text = values_[index]->string();
  if (text == nullptr) return Failure(WrongType(index, "a string"));
  return *text;
}

Result<std::int64_t> BoundArguments::Integer(std::size_t index, std::int64_t absent) const {
  if (IsAbsent(index)) return absent;
  const auto integer = values_[index]->integer();
  if (!integer) return Failure(WrongType(index, "an integer"));
  return *integer;
}

bool BoundArguments::Flag(std::size_t index, bool absent) const {
  return IsAbsent(index) ? absent : IsTrue(*values_[index]);
}

Status BoundArguments::Require(std::size_t index) const {
  if (Has(index)) return OkStatus();
  return InvalidArgumentError(callee_ + ": argument \"" + std::string(parameters_[index]) +
                              "\" is missing");
}

bool BoundArguments::IsAbsent(std::size_t index) const {
  return !Has(index) || values_[index]->is_none() || values_[index]->is_undefined();
}

Status BoundArguments::WrongType(std::size_t index, std::string_view wanted) const {
  return InvalidArgumentError(callee_ + ": \"" + std::string(parameters_[index]) + "\" is " +
                              values_[index]->Describe() + ", not " + std::string(wanted));
}

}  // namespace edgemoe::jinja
