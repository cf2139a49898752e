// SPDX-License-Identifier: Apache-2.0
//
// What expressions of a template evaluate to.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "engine/base/result.h"
#include "engine/template/render_options.h"

namespace edgemoe::jinja {

using Json = nlohmann::ordered_json;

constexpr std::uint32_t kDataDepthMax = 100;  // lists and dictionaries in each other

struct Dictionary;
struct List;
struct LoopState;
struct Namespace;
struct Scope;
struct Statement;
struct BoundMethod;

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
  std::shared_ptr<const std::string> name;
};

// A {% macro %} or the body of a {% call %}, and the variables that it sees.
struct Macro {
  const Statement* statement = nullptr;
  Scope* scope = nullptr;
};

// A text that was escaped, or that the template calls safe: Python's Markup. What "+" joins to it
// or what goes into it is escaped.
struct SafeText {
  std::shared_ptr<const std::string> text;
};

// Cheap to copy: texts, lists and dictionaries are shared. Texts never change; lists and
// dictionaries only by their methods, and only while no other one holds them (List::is_held).
// Namespaces and macros belong to the rendering and must not be used after it.
class Value {
 public:
  enum class Type : std::uint8_t {
    kUndefined,
    kNone,
    kBoolean,
    kInteger,
    kUnsigned,  // above the signed range; only from the input
    kFloat,
    kText,
    kList,
    kDictionary,
    kNamespace,
    kLoop,
    kMacro,
    kFunction,
    kMethod,
  };

  Value() = default;
  Value(std::nullptr_t) : held_(nullptr) {}  // NOLINT: implicit
  Value(bool flag) : held_(flag) {}          // NOLINT: implicit
  Value(const void*) = delete;               // which would be a bool
  Value(double number) : held_(number) {}    // NOLINT: implicit
  Value(std::string text)                    // NOLINT: implicit
      : Value(std::make_shared<const std::string>(std::move(text))) {}
  Value(std::shared_ptr<const std::string> text) : held_(std::move(text)) {}  // NOLINT: implicit
  Value(SafeText text) : held_(std::move(text)) {}                            // NOLINT: implicit
  Value(std::shared_ptr<List> list) : held_(std::move(list)) {}               // NOLINT: implicit
  Value(std::shared_ptr<Dictionary> keys) : held_(std::move(keys)) {}         // NOLINT: implicit
  Value(std::shared_ptr<const BoundMethod> method)                            // NOLINT: implicit
      : held_(std::move(method)) {}
  Value(Namespace* fields) : held_(fields) {}                         // NOLINT: implicit
  Value(std::shared_ptr<LoopState> loop) : held_(std::move(loop)) {}  // NOLINT: implicit
  Value(Macro macro) : held_(macro) {}                                // NOLINT: implicit
  Value(Function function) : held_(function) {}                       // NOLINT: implicit
  template <std::integral T>
  Value(T number) {  // NOLINT: implicit
    if (std::in_range<std::int64_t>(number)) {
      held_ = static_cast<std::int64_t>(number);
    } else {
      held_ = static_cast<std::uint64_t>(number);
    }
  }

  static Value MakeUndefined(std::string name);
  static Value MakeSafe(std::string text);

  Type type() const { return is_safe() ? Type::kText : static_cast<Type>(held_.index()); }
  bool is_undefined() const { return type() == Type::kUndefined; }
  bool is_none() const { return type() == Type::kNone; }
  bool is_boolean() const { return type() == Type::kBoolean; }
  bool is_string() const { return type() == Type::kText; }
  bool is_safe() const { return std::holds_alternative<SafeText>(held_); }  // a text
  bool is_float() const { return type() == Type::kFloat; }
  bool is_integer() const { return type() == Type::kInteger || type() == Type::kUnsigned; }
  bool is_callable() const;

  // Null when this is something else.
  const std::string* string() const;
  const List* list() const;
  const Dictionary* dictionary() const;
  // For the methods that change them.
  List* changeable_list() const;
  Dictionary* changeable_dictionary() const;
  Namespace* fields() const;
  LoopState* loop() const;
  const Macro* macro() const { return std::get_if<Macro>(&held_); }
  const Function* function() const { return std::get_if<Function>(&held_); }
  const BoundMethod* method() const;
  // Booleans are numbers, too, as in Python.
  std::optional<std::int64_t> integer() const;         // in the signed range
  std::optional<std::uint64_t> large_integer() const;  // above it
  std::optional<double> number() const;

  // For messages: "a string", "an undefined value (\"name\")".
  std::string Describe() const;

 private:
  std::variant<Undefined, std::nullptr_t, bool, std::int64_t, std::uint64_t, double,
               std::shared_ptr<const std::string>, std::shared_ptr<List>,
               std::shared_ptr<Dictionary>, Namespace*, std::shared_ptr<LoopState>, Macro, Function,
               std::shared_ptr<const BoundMethod>, SafeText>
      held_;
};

// The size of what a list or dictionary holds, as if nothing in it were shared.
struct Extent {
  std::size_t bytes = 0;
  std::size_t lookups = 0;  // entries looked at when each key of each dictionary is looked up
  std::uint32_t depth = 0;  // levels of lists and dictionaries
};

// Made by MakeList() only.
struct List {
  // What Python has other types for: they differ in how they print and in what they are equal to.
  enum class Kind : std::uint8_t { kList, kTuple, kGroup, kKeys, kValues, kItems, kGenerator };
  std::vector<Value> items{};
  Kind kind = Kind::kList;
  Extent extent{};
  // Another list or dictionary holds it, whose extent would no longer be right if it changed.
  bool is_held = false;
  std::size_t taken_count = 0;  // kGenerator: items that were visited, and are never again

  // A group is a tuple (grouper, list) whose parts have these names.
  bool is_tuple() const { return kind == Kind::kTuple || kind == Kind::kGroup; }
  // Views and generators: no elements that an index names, not what JSON can say.
  bool is_view() const { return kind > Kind::kGroup; }
};

// value.name of a method, not yet called.
struct BoundMethod {
  Value owner;
  std::string name;
};

// Not lists, dictionaries and tuples with one of these.
bool CanBeKey(const Value& value);

// Made by MakeDictionary() only.
struct Dictionary {
  std::vector<std::pair<Value, Value>> entries{};
  Extent extent{};
  bool is_held = false;

  // Null when there is none. Cost grows with the number of entries.
  const Value* FindText(std::string_view key) const;
  const Value* Find(const Value& key) const;
};

// What a template can assign to: {% set ns.found = true %}.
struct Namespace {
  std::vector<std::pair<std::string, Value>> fields;
  Value* Find(std::string_view name);
};

// The "loop" of a for; one for each loop, advanced by it.
struct LoopState {
  std::vector<Value> items;
  std::size_t index = 0;
  std::size_t depth = 1;                 // of a recursive loop in itself
  const Statement* statement = nullptr;  // of a recursive loop, which can be called
  Scope* scope = nullptr;                // where that stands
  // What loop.changed() was last asked about. It may hold this loop, so that it must be empty when
  // the loop is over.
  std::optional<std::vector<Value>> changed{};
  bool is_over = false;
};

// What a rendering may use up, beyond which there is INVALID_ARGUMENT; and its namespaces, which
// can hold themselves and so live until its end. Thread-compatible.
class Budget {
 public:
  explicit Budget(const RenderLimits& limits) : limits_(limits) {}

  Status Step();
  Status Spend(std::size_t bytes);
  // Spends what `value` holds; and what comparing it with another value takes.
  Status SpendFor(const Value& value);
  Status SpendForComparing(const Value& value);
  Status SpendForLookup(const Dictionary& dictionary, const Value& key);

  Result<Namespace*> MakeNamespace();

 private:
  RenderLimits limits_;
  std::uint64_t steps_ = 0;
  std::uint64_t bytes_ = 0;
  std::vector<std::unique_ptr<Namespace>> namespaces_;
};

// These spend the memory that the new list or dictionary itself takes, and refuse one nested more
// than kDataDepthMax levels. Of entries with equal keys the last counts, at the place of the first.
Result<Value> MakeList(std::vector<Value> items, Budget& budget,
                       List::Kind kind = List::Kind::kList);
Result<Value> MakeDictionary(std::vector<std::pair<Value, Value>> entries, Budget& budget);
// Replaces what they hold. INVALID_ARGUMENT where another list or dictionary holds them.
Status ChangeList(List& list, std::vector<Value> items, Budget& budget);
Status ChangeDictionary(Dictionary& dictionary, std::vector<std::pair<Value, Value>> entries,
                        Budget& budget);
// Cheaper than ChangeList(): time grows with the new item only.
Status AppendToList(List& list, Value item, Budget& budget);
// Texts are not copied: `json` must outlive the rendering.
Result<Value> FromJson(const Json& json, Budget& budget);

// The length that data has to a template: characters, items or keys.
Result<std::size_t> LengthOf(const Value& value);
bool IsTrue(const Value& value);
// Items of a list, keys of a dictionary, characters of a text; nothing for undefined. Takes what a
// generator has.
Result<std::vector<Value>> ItemsOf(const Value& value, Budget& budget);

}  // namespace edgemoe::jinja
