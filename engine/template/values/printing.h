// SPDX-License-Identifier: Apache-2.0
//
// Values as text. Both spend what they read before they write; INVALID_ARGUMENT beyond the budget,
// and for what cannot be written.
#pragma once

#include <string>

#include "engine/base/result.h"
#include "engine/template/values/value.h"

namespace edgemoe::jinja {

// What {{ value }} writes: Python's str().
Result<std::string> ToText(const Value& value, Budget& budget);
// Python's repr(), which is how lists print what they hold.
Result<std::string> ToRepr(const Value& value, Budget& budget);

// Python's json.dumps with ensure_ascii off; `indent` below 0 is one line.
struct JsonFormat {
  int indent = -1;
  bool sort_keys = false;
  bool ascii_only = false;
  std::string item_separator = ", ";
  std::string key_separator = ": ";
};
Result<std::string> ToJsonText(const Value& value, const JsonFormat& format, Budget& budget);

}  // namespace edgemoe::jinja
