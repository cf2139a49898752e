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

// A list that can be visited once, as filters that are generators in Jinja give it.
Result<Value> MakeGenerator(std::vector<Value> items, Budget& budget);
// As text; a text stays as it is.
Result<Value> Text(const FilterCall& call);
// The part that `attribute` names: an index, or names and numbers with dots between. The item
// itself when it is undefined or none. What is not there is `absent`, if that is given.
Result<Value> PartOf(const Value& item, const Value& attribute, const Value* absent,
                     Budget& budget);

}  // namespace edgemoe::jinja
