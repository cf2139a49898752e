// SPDX-License-Identifier: Apache-2.0
#include "engine/template/values/value.h"

#include <algorithm>
#include <limits>

#include "engine/base/utf8.h"
#include "engine/template/text/text.h"
#include "engine/template/values/comparison.h"

namespace edgemoe::jinja {

namespace {

// What any value costs beside its text.
constexpr std::size_t kValueBytes = 16;

std::size_t AddUp(std::size_t a, std::size_t b) {
  return a > std::numeric_limits<std::size_t>::max() - b ? std::numeric_limits<std::size_t>::max()
                                                         : a + b;
}

Extent ExtentOf(const Value& value) {
  if (const std::string* text = value.string()) return {.bytes = kValueBytes + text->size()};
  if (const List* list = value.list()) return list->extent;
  if (const Dictionary* dictionary = value.dictionary()) return dictionary->extent;
  return {.bytes = kValueBytes};
}

void AddPart(const Value& part, Extent& whole) {
  if (List* list = part.changeable_list()) list->is_held = true;
  if (Dictionary* dictionary = part.changeable_dictionary()) dictionary->is_held = true;
  const Extent extent = ExtentOf(part);
  whole.bytes = AddUp(whole.bytes, extent.bytes);
  whole.lookups = AddUp(whole.lookups, extent.lookups);
  whole.depth = std::max(whole.depth, extent.depth + 1);
}

Status CheckDepth(const Extent& extent) {
  if (extent.depth <= kDataDepthMax) return OkStatus();
  return InvalidArgumentError("data nested more than " + std::to_string(kDataDepthMax) +
                              " levels deep");
}

Extent ExtentOf(const std::vector<Value>& items) {
  Extent extent = {.bytes = kValueBytes, .depth = 1};
  for (const Value& item : items) AddPart(item, extent);
  return extent;
}

Extent ExtentOf(const std::vector<std::pair<Value, Value>>& entries) {
  Extent extent = {.bytes = kValueBytes, .depth = 1};
  for (const auto& [key, value] : entries) {
    AddPart(key, extent);
    AddPart(value, extent);
  }
  extent.lookups = AddUp(extent.lookups, entries.size() * entries.size());
  return extent;
}

// Entries with the same key become one.
Result<std::vector<std::pair<Value, Value>>> WithoutDoubles(
    std::vector<std::pair<Value, Value>> entries, Budget& budget) {
  Dictionary made;
  for (auto& entry : entries) {
    Value& key = entry.first;
    if (!CanBeKey(key)) {
      return Failure(
          InvalidArgumentError("a dictionary's key is " + key.Describe() +
                               ": accepted are texts, numbers, none and tuples of them"));
    }
    EDGEMOE_FAIL_IF_ERROR(budget.SpendForLookup(made, key));
    const auto found =
        std::find_if(made.entries.begin(), made.entries.end(),
                     [&key](const auto& other) { return AreEqual(other.first, key); });
    if (found == made.entries.end()) {
      made.entries.push_back(std::move(entry));
    } else {
      found->second = std::move(entry.second);
    }
  }
  return std::move(made.entries);
}

Status CheckChangeable(bool is_held) {
  if (!is_held) return OkStatus();
  return InvalidArgumentError(
      "a list or dictionary inside another one cannot be changed; one that only a variable or a "
      "namespace holds can");
}

Result<Value> FinishDictionary(Dictionary made) {
  made.extent = ExtentOf(made.entries);
  EDGEMOE_FAIL_IF_ERROR(CheckDepth(made.extent));
  return Value(std::make_shared<Dictionary>(std::move(made)));
}

Result<Value> FromJson(const Json& json, std::uint32_t depth_left, Budget& budget);

Result<Value> FromStructure(const Json& json, std::uint32_t depth_left, Budget& budget) {
  if (depth_left == 0) return Failure(CheckDepth({.depth = kDataDepthMax + 1}));
  if (json.is_array()) {
    std::vector<Value> items;
    items.reserve(json.size());
    for (const Json& part : json) {
      EDGEMOE_ASSIGN_OR_FAIL(Value item, FromJson(part, depth_left - 1, budget));
      items.push_back(std::move(item));
    }
    return MakeList(std::move(items), budget);
  }
  Dictionary made;
  made.entries.reserve(json.size());
  for (auto it = json.begin(); it != json.end(); ++it) {
    EDGEMOE_FAIL_IF_ERROR(budget.Spend(kValueBytes + it.key().size()));
    EDGEMOE_ASSIGN_OR_FAIL(Value value, FromJson(*it, depth_left - 1, budget));
    made.entries.emplace_back(Value(it.key()), std::move(value));
  }
  return FinishDictionary(std::move(made));
}

Result<Value> FromJson(const Json& json, std::uint32_t depth_left, Budget& budget) {
  EDGEMOE_FAIL_IF_ERROR(budget.Spend(kValueBytes));
  switch (json.type()) {
    case Json::value_t::null: return Value(nullptr);
    case Json::value_t::boolean: return Value(json.get<bool>());
    case Json::value_t::number_integer: return Value(json.get<std::int64_t>());
    case Json::value_t::number_unsigned: return Value(json.get<std::uint64_t>());
    case Json::value_t::number_float: return Value(json.get<double>());
    case Json::value_t::string: {
      const auto& text = json.get_ref<const std::string&>();
      EDGEMOE_FAIL_IF_ERROR(budget.Spend(text.size()));
      // Owned by the input.
      return Value(std::shared_ptr<const std::string>(std::shared_ptr<const void>(), &text));
    }
    case Json::value_t::array:
    case Json::value_t::object: return FromStructure(json, depth_left, budget);
    default: return Failure(InvalidArgumentError("data that no JSON text can say"));
  }
}

}  // namespace

Value Value::MakeUndefined(std::string name) {
  Value value;
  value.held_ = Undefined{std::make_shared<const std::string>(std::move(name))};
  return value;
}

Value Value::MakeSafe(std::string text) {
  return Value(SafeText{std::make_shared<const std::string>(std::move(text))});
}

bool Value::is_callable() const {
  return macro() != nullptr || function() != nullptr || method() != nullptr ||
         (loop() != nullptr && loop()->statement != nullptr);
}

const std::string* Value::string() const {
  if (const auto* safe = std::get_if<SafeText>(&held_)) return safe->text.get();
  const auto* held = std::get_if<std::shared_ptr<const std::string>>(&held_);
  return held == nullptr ? nullptr : held->get();
}

const List* Value::list() const { return changeable_list(); }
const Dictionary* Value::dictionary() const { return changeable_dictionary(); }

List* Value::changeable_list() const {
  const auto* held = std::get_if<std::shared_ptr<List>>(&held_);
  return held == nullptr ? nullptr : held->get();
}

Dictionary* Value::changeable_dictionary() const {
  const auto* held = std::get_if<std::shared_ptr<Dictionary>>(&held_);
  return held == nullptr ? nullptr : held->get();
}

const BoundMethod* Value::method() const {
  const auto* held = std::get_if<std::shared_ptr<const BoundMethod>>(&held_);
  return held == nullptr ? nullptr : held->get();
}

Namespace* Value::fields() const {
  const auto* held = std::get_if<Namespace*>(&held_);
  return held == nullptr ? nullptr : *held;
}

LoopState* Value::loop() const {
  const auto* held = std::get_if<std::shared_ptr<LoopState>>(&held_);
  return held == nullptr ? nullptr : held->get();
}

std::optional<std::int64_t> Value::integer() const {
  if (const auto* flag = std::get_if<bool>(&held_)) return *flag ? 1 : 0;
  if (const auto* number = std::get_if<std::int64_t>(&held_)) return *number;
  return std::nullopt;
}

std::optional<std::uint64_t> Value::large_integer() const {
  const auto* number = std::get_if<std::uint64_t>(&held_);
  return number == nullptr ? std::nullopt : std::optional(*number);
}

std::optional<double> Value::number() const {
  if (const auto small = integer()) return static_cast<double>(*small);
  if (const auto large = large_integer()) return static_cast<double>(*large);
  if (const auto* number = std::get_if<double>(&held_)) return *number;
  return std::nullopt;
}

std::string Value::Describe() const {
  switch (type()) {
    case Type::kUndefined: {
      const auto& name = std::get<Undefined>(held_).name;
      return "an undefined value (\"" + (name == nullptr ? "" : name->substr(0, 64)) + "\")";
    }
    case Type::kNone: return "none";
    case Type::kBoolean: return "a boolean";
    case Type::kInteger:
    case Type::kUnsigned:
    case Type::kFloat: return "a number";
    case Type::kText: return "a string";
    case Type::kList:
      return list()->is_tuple() ? "a tuple" : list()->is_view() ? "a view" : "a list";
    case Type::kDictionary: return "a dictionary";
    case Type::kNamespace: return "a namespace";
    case Type::kLoop: return "a loop";
    case Type::kMethod: return "a method";
    case Type::kMacro:
    case Type::kFunction: break;
  }
  return "a function";
}

bool CanBeKey(const Value& value) {
  if (value.list() == nullptr) return value.dictionary() == nullptr;
  return value.list()->is_tuple() &&
         std::all_of(value.list()->items.begin(), value.list()->items.end(), CanBeKey);
}

const Value* Dictionary::FindText(std::string_view key) const {
  for (const auto& [held, value] : entries) {
    if (held.is_string() && *held.string() == key) return &value;
  }
  return nullptr;
}

const Value* Dictionary::Find(const Value& key) const {
  if (key.is_string()) return FindText(*key.string());
  for (const auto& [held, value] : entries) {
    if (AreEqual(held, key)) return &value;
  }
  return nullptr;
}

Value* Namespace::Find(std::string_view name) {
  for (auto& [key, value] : fields) {
    if (key == name) return &value;
  }
  return nullptr;
}

Status Budget::Step() {
  if (++steps_ <= limits_.steps_max) return OkStatus();
  return InvalidArgumentError("rendering takes more than " + std::to_string(limits_.steps_max) +
                              " steps");
}

Status Budget::Spend(std::size_t bytes) {
  bytes_ = AddUp(bytes_, bytes);
  if (bytes_ <= limits_.handled_bytes_max) return OkStatus();
  return InvalidArgumentError("rendering handles more than " +
                              std::to_string(limits_.handled_bytes_max) +
                              " bytes of text and data");
}

Status Budget::SpendFor(const Value& value) { return Spend(ExtentOf(value).bytes); }

Status Budget::SpendForComparing(const Value& value) {
  const Extent extent = ExtentOf(value);
  return Spend(AddUp(extent.bytes, extent.lookups));
}

Status Budget::SpendForLookup(const Dictionary& dictionary, const Value& key) {
  return Spend(dictionary.entries.size() * (1 + ExtentOf(key).bytes / 32));
}

Result<Namespace*> Budget::MakeNamespace() {
  EDGEMOE_FAIL_IF_ERROR(Spend(sizeof(Namespace)));
  return namespaces_.emplace_back(std::make_unique<Namespace>()).get();
}

Result<Value> MakeList(std::vector<Value> items, Budget& budget, List::Kind kind) {
  EDGEMOE_FAIL_IF_ERROR(budget.Spend(kValueBytes + items.size() * sizeof(Value)));
  List made{.items = std::move(items), .kind = kind};
  made.extent = ExtentOf(made.items);
  EDGEMOE_FAIL_IF_ERROR(CheckDepth(made.extent));
  return Value(std::make_shared<List>(std::move(made)));
}

Result<Value> MakeDictionary(std::vector<std::pair<Value, Value>> entries, Budget& budget) {
  EDGEMOE_FAIL_IF_ERROR(budget.Spend(kValueBytes + entries.size() * 2 * sizeof(Value)));
  EDGEMOE_ASSIGN_OR_FAIL(entries, WithoutDoubles(std::move(entries), budget));
  return FinishDictionary({.entries = std::move(entries)});
}

// What is put into a list is held from then on, also where it is the list itself: this is looked at
// last, so that nothing can come to hold itself.
Status ChangeList(List& list, std::vector<Value> items, Budget& budget) {
  EDGEMOE_RETURN_IF_ERROR(budget.Spend(kValueBytes + items.size() * sizeof(Value)));
  const Extent extent = ExtentOf(items);
  EDGEMOE_RETURN_IF_ERROR(CheckDepth(extent));
  EDGEMOE_RETURN_IF_ERROR(CheckChangeable(list.is_held));
  list.items = std::move(items);
  list.extent = extent;
  return OkStatus();
}

Status ChangeDictionary(Dictionary& dictionary, std::vector<std::pair<Value, Value>> entries,
                        Budget& budget) {
  EDGEMOE_RETURN_IF_ERROR(budget.Spend(kValueBytes + entries.size() * 2 * sizeof(Value)));
  EDGEMOE_ASSIGN_OR_RETURN(entries, WithoutDoubles(std::move(entries), budget));
  const Extent extent = ExtentOf(entries);
  EDGEMOE_RETURN_IF_ERROR(CheckDepth(extent));
  EDGEMOE_RETURN_IF_ERROR(CheckChangeable(dictionary.is_held));
  dictionary.entries = std::move(entries);
  dictionary.extent = extent;
  return OkStatus();
}

Status AppendToList(List& list, Value item, Budget& budget) {
  EDGEMOE_RETURN_IF_ERROR(budget.Spend(2 * sizeof(Value)));
  Extent extent = list.extent;
  AddPart(item, extent);
  EDGEMOE_RETURN_IF_ERROR(CheckDepth(extent));
  EDGEMOE_RETURN_IF_ERROR(CheckChangeable(list.is_held));
  list.items.push_back(std::move(item));
  list.extent = extent;
  return OkStatus();
}

Result<Value> FromJson(const Json& json, Budget& budget) {
  return FromJson(json, kDataDepthMax, budget);
}

Result<std::size_t> LengthOf(const Value& value) {
  if (value.is_undefined()) return 0;
  if (const std::string* text = value.string()) return CountCharacters(*text);
  if (value.list() != nullptr && value.list()->kind != List::Kind::kGenerator) {
    return value.list()->items.size();
  }
  if (value.dictionary() != nullptr) return value.dictionary()->entries.size();
  if (value.loop() != nullptr) return value.loop()->items.size();
  return Failure(InvalidArgumentError(value.Describe() + " has no length"));
}

bool IsTrue(const Value& value) {
  if (const auto number = value.number()) return *number != 0;
  switch (value.type()) {
    case Value::Type::kUndefined:
    case Value::Type::kNone: return false;
    case Value::Type::kText: return !value.string()->empty();
    case Value::Type::kList:
      return value.list()->kind == List::Kind::kGenerator || !value.list()->items.empty();
    case Value::Type::kDictionary: return !value.dictionary()->entries.empty();
    default: return true;
  }
}

Result<std::vector<Value>> ItemsOf(const Value& value, Budget& budget) {
  if (value.is_undefined()) return std::vector<Value>();
  if (const std::string* text = value.string()) {
    EDGEMOE_FAIL_IF_ERROR(budget.Spend(text->size() * sizeof(Value)));
    std::vector<Value> items;
    for (std::size_t at = 0; at < text->size();) {
      const std::uint32_t bytes = DecodeUtf8(*text, at).bytes;
      items.emplace_back(text->substr(at, bytes));
      at += bytes;
    }
    return items;
  }
  List* const list = value.changeable_list();
  if (list != nullptr && list->kind == List::Kind::kGenerator) {
    const auto first =
        static_cast<std::ptrdiff_t>(std::exchange(list->taken_count, list->items.size()));
    EDGEMOE_FAIL_IF_ERROR(budget.Spend(list->items.size() * sizeof(Value)));
    return std::vector<Value>(list->items.begin() + first, list->items.end());
  }
  if (list != nullptr || value.loop() != nullptr) {
    const std::vector<Value>& items = list != nullptr ? list->items : value.loop()->items;
    EDGEMOE_FAIL_IF_ERROR(budget.Spend(items.size() * sizeof(Value)));
    return items;
  }
  if (value.dictionary() == nullptr) {
    return Failure(InvalidArgumentError(value.Describe() + " cannot be iterated"));
  }
  EDGEMOE_FAIL_IF_ERROR(budget.Spend(value.dictionary()->entries.size() * sizeof(Value)));
  std::vector<Value> keys;
  keys.reserve(value.dictionary()->entries.size());
  for (const auto& [key, held] : value.dictionary()->entries) keys.push_back(key);
  return keys;
}

}  // namespace edgemoe::jinja
