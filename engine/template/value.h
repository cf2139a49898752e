// SPDX-License-Identifier: Apache-2.0
//
// What expressions of a template evaluate to: JSON for all data, and the few things that JSON has
// no word for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "engine/base/result.h"
#include "engine/template/render_options.h"
#include "engine/template/syntax.h"

namespace edgemoe::jinja {

constexpr std::uint32_t kJsonDepthMax = 100;

struct Namespace;
struct LoopState;

enum class Function : std::uint8_t {
  kRange,
  kNamespace,
  kDictionary,
  kRaiseException,
  kStrftimeNow,
};

// A name that stands for nothing. It prints as nothing, is false and iterates as empty; anything
// else done with it is an error that names it.
struct Undefined {
  std::string name;
};

// Cheap to copy: data is shared, and never changes once made.
class Value {
 public:
  Value() : held_(Undefined{}) {}
  Value(Json json) : held_(std::make_shared<const Json>(std::move(json))) {}  // NOLINT: implicit
  Value(std::shared_ptr<const Json> json) : held_(std::move(json)) {}         // NOLINT: implicit
  Value(std::shared_ptr<Namespace> fields) : held_(std::move(fields)) {}      // NOLINT: implicit
  Value(std::shared_ptr<const LoopState> loop) : held_(std::move(loop)) {}    // NOLINT: implicit
  Value(const Statement* macro) : held_(macro) {}                             // NOLINT: implicit
  Value(Function function) : held_(function) {}                               // NOLINT: implicit

  static Value MakeUndefined(std::string name);
  // Data that outlives the rendering.
  static Value Borrow(const Json& json);
  // A part of `whole`'s data, which it keeps alive.
  static Value Part(const Value& whole, const Json& part);

  bool is_undefined() const { return std::holds_alternative<Undefined>(held_); }
  bool is_callable() const;
  // Null when this is not data.
  const Json* json() const;
  const std::string* string() const;  // null when not a string
  Namespace* fields() const;
  const LoopState* loop() const;
  const Statement* macro() const;
  const Function* function() const { return std::get_if<Function>(&held_); }

  bool is_string() const { return string() != nullptr; }
  bool is_none() const { return json() != nullptr && json()->is_null(); }

  // For messages: "a string", "an undefined value (\"name\")".
  std::string Describe() const;

 private:
  std::variant<Undefined, std::shared_ptr<const Json>, std::shared_ptr<Namespace>,
               std::shared_ptr<const LoopState>, const Statement*, Function>
      held_;
};

// The one thing that a template can change: {% set ns.found = true %}. Never holds a namespace.
struct Namespace {
  std::vector<std::pair<std::string, Value>> fields;
  Value* Find(std::string_view name);
};

// The "loop" of a for; one for each loop, advanced by it.
struct LoopState {
  std::vector<Value> items;
  std::size_t index = 0;
  std::size_t depth = 1;                 // loops in loops
  mutable std::vector<Value> changed{};  // what loop.changed() was last asked about
  mutable bool asked_changed = false;
};

// What a rendering may use up; beyond it INVALID_ARGUMENT. Thread-compatible.
class Budget {
 public:
  explicit Budget(const RenderLimits& limits) : limits_(limits) {}

  Status Step();
  Status Spend(std::size_t bytes);
  // Spends what `json` holds, and refuses nesting beyond kJsonDepthMax.
  Status SpendFor(const Json& json);

 private:
  RenderLimits limits_;
  std::uint64_t steps_ = 0;
  std::uint64_t bytes_ = 0;
};

// The length that JSON data has to a template: characters, items or keys.
Result<std::size_t> LengthOf(const Value& value);
bool IsTrue(const Value& value);
// As Python's ==: 1, 1.0 and true are equal, keys have no order.
bool AreEqual(const Value& a, const Value& b);
bool AreEqual(const Json& a, const Json& b);
// Numbers with numbers and texts with texts; INVALID_ARGUMENT for anything else. -1, 0 or 1.
Result<int> Compare(const Value& a, const Value& b);
// What {{ value }} writes: Python's str().
Result<std::string> ToText(const Value& value);
// Python's json.dumps with ensure_ascii off; `indent` below 0 is one line.
struct JsonFormat {
  int indent = -1;
  bool sort_keys = false;
  bool ascii_only = false;
  std::string item_separator = ", ";
  std::string key_separator = ": ";
};
std::string ToJsonText(const Json& json, const JsonFormat& format);
// Items of a list, keys of a dictionary, characters of a text; nothing for undefined.
Result<std::vector<Value>> ItemsOf(const Value& value, Budget& budget);
// As JSON, for keeping inside lists and dictionaries; undefined becomes none.
Result<Json> ToJson(const Value& value);

}  // namespace edgemoe::jinja
