// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/template/values/value.h"

namespace edgemoe::jinja {

// What stands in the brackets of a call.
struct Arguments {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> named;
};

// Arguments in the order of a callee's parameters.
class BoundArguments {
 public:
  // INVALID_ARGUMENT for too many or unknown ones; `callee` is for the message.
  static Result<BoundArguments> Bind(std::string_view callee, const Arguments& arguments,
                                     std::initializer_list<std::string_view> parameters);

  bool Has(std::size_t index) const { return values_[index].has_value(); }
  // Undefined when absent.
  Value Get(std::size_t index) const;
  // These refuse a value of another type. Nothing given, none and undefined are `absent`.
  Result<std::string> Text(std::size_t index, std::string_view absent) const;
  Result<std::int64_t> Integer(std::size_t index, std::int64_t absent) const;
  bool Flag(std::size_t index, bool absent) const;
  // Refuses when the argument is absent.
  Status Require(std::size_t index) const;

 private:
  bool IsAbsent(std::size_t index) const;
  Status WrongType(std::size_t index, std::string_view wanted) const;

  std::string callee_;
  std::vector<std::string_view> parameters_;
  std::vector<std::optional<Value>> values_;
};

}  // namespace edgemoe::jinja
