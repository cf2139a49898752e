// SPDX-License-Identifier: Apache-2.0
//
// What the filters share, and where each group of them is listed.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/template/builtins/builtins.h"

namespace edgemoe::jinja {

constexpr std::int64_t kIndentMax = 64;  // spaces a level

struct FilterCall {
  std::string_view name;
  const Value& value;
  const Arguments& arguments;
  Budget& budget;

  Result<BoundArguments> Bind(std::initializer_list<std::string_view> parameters) const {
    return BoundArguments::Bind(name, arguments, parameters);
  }
};

struct Filter {
  std::string_view name;
  Result<Value> (*apply)(const FilterCall&);
};
std::span<const Filter> TextFilters();      // from one text to another
std::span<const Filter> NumberFilters();    // to numbers
std::span<const Filter> SequenceFilters();  // parts of lists, in their order
std::span<const Filter> OrderFilters();     // what compares items with each other

// As text; a text stays as it is.
Result<Value> Text(const FilterCall& call);
Result<Json> MakeList(const std::vector<Value>& items, Budget& budget);
Result<Value> ListOf(const std::vector<Value>& items, Budget& budget);
// The item itself, or the attribute that `bound[index]` names. Spends what comparing it costs.
Result<Value> KeyOf(const Value& item, const BoundArguments& bound, std::size_t index,
                    Budget& budget);

}  // namespace edgemoe::jinja
