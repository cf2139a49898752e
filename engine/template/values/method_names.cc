// SPDX-License-Identifier: Apache-2.0
#include "engine/template/values/method_names.h"

#include <algorithm>
#include <iterator>

namespace edgemoe::jinja {

namespace {

constexpr std::string_view kText[] = {
    "capitalize",   "casefold",    "center",    "count",      "encode",       "endswith",
    "expandtabs",   "find",        "format",    "format_map", "index",        "isalnum",
    "isalpha",      "isascii",     "isdecimal", "isdigit",    "isidentifier", "islower",
    "isnumeric",    "isprintable", "isspace",   "istitle",    "isupper",      "join",
    "ljust",        "lower",       "lstrip",    "maketrans",  "partition",    "removeprefix",
    "removesuffix", "replace",     "rfind",     "rindex",     "rjust",        "rpartition",
    "rsplit",       "rstrip",      "split",     "splitlines", "startswith",   "strip",
    "swapcase",     "title",       "translate", "upper",      "zfill",
};
constexpr std::string_view kDictionary[] = {"clear",      "copy",   "fromkeys", "get",
                                            "items",      "keys",   "pop",      "popitem",
                                            "setdefault", "update", "values"};
constexpr std::string_view kList[] = {"append", "clear", "copy",   "count",   "extend", "index",
                                      "insert", "pop",   "remove", "reverse", "sort"};
constexpr std::string_view kTuple[] = {"count", "index"};
constexpr std::string_view kLoop[] = {"changed", "cycle"};

template <class Names>
bool IsIn(const Names& names, std::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

}  // namespace

bool HasMethod(const Value& value, std::string_view name) {
  if (value.is_string()) return IsIn(kText, name);
  if (value.dictionary() != nullptr) return IsIn(kDictionary, name);
  if (value.loop() != nullptr) return IsIn(kLoop, name);
  if (value.list() == nullptr || value.list()->is_view()) return false;
  return value.list()->is_tuple() ? IsIn(kTuple, name) : IsIn(kList, name);
}

}  // namespace edgemoe::jinja
