// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "engine/template/builtins/filters.h"
#include "engine/template/text/text.h"
#include "engine/template/text/word_wrap.h"
#include "engine/template/values/operators.h"
#include "engine/template/values/percent_format.h"

namespace edgemoe::jinja {

namespace {

using Bound = BoundArguments;

// Of filters that Python's own type of text does not let have anything else.
Result<Value> StringOnly(const FilterCall& call) {
  if (call.value.is_string()) return call.value;
  return Failure(InvalidArgumentError(call.value.Describe() + " is not a text"));
}

// Filters that call the text method of the same name on the value as text.
Result<Value> TextMethod(const FilterCall& call) {
  EDGEMOE_ASSIGN_OR_FAIL(const Value text, Text(call));
  if (call.name != "replace") {
    return CallMethod(text, call.name == "trim" ? "strip" : call.name, call.arguments, call.budget);
  }
  return CallMethod(Value(*text.string()), call.name, call.arguments, call.budget);
}

// Knows other words than the method of the same name.
Result<Value> Title(const FilterCall& call) {
  EDGEMOE_ASSIGN_OR_FAIL([[maybe_unused]] const Bound bound, call.Bind({}));
  EDGEMOE_ASSIGN_OR_FAIL(const Value text, Text(call));
  EDGEMOE_FAIL_IF_ERROR(call.budget.Spend(text.string()->size()));
  return Value(ToTitleWords(*text.string()));
}

// At least `width` characters; 80 as Jinja has it.
Result<Value> Center(const FilterCall& call) {
  EDGEMOE_ASSIGN_OR_FAIL(const Bound bound, call.Bind({"width"}));
  EDGEMOE_ASSIGN_OR_FAIL(const Value text, Text(call));
  EDGEMOE_ASSIGN_OR_FAIL(const std::int64_t width, bound.Integer(0, 80));
  const auto wanted = static_cast<std::size_t>(std::max<std::int64_t>(width, 0));
  EDGEMOE_FAIL_IF_ERROR(call.budget.Spend(text.string()->size() + wanted));
  return SameText(text, Widen(*text.string(), wanted, " ", Side::kBoth));
}

Result<Value> WordCount(const FilterCall& call) {
  EDGEMOE_ASSIGN_OR_FAIL([[maybe_unused]] const Bound bound, call.Bind({}));
  EDGEMOE_ASSIGN_OR_FAIL(const Value text, Text(call));
  EDGEMOE_FAIL_IF_ERROR(call.budget.Spend(text.string()->size()));
  return Value(CountWords(*text.string()));
}

// Longer texts end at a space, or at any character with `killwords`, before `end`.
Result<Value> Truncate(const FilterCall& call) {
  EDGEMOE_ASSIGN_OR_FAIL(const Bound bound, call.Bind({"length", "killwords", "end", "leeway"}));
  EDGEMOE_ASSIGN_OR_FAIL(const std::int64_t length, bound.Integer(0, 255));
  EDGEMOE_ASSIGN_OR_FAIL(const std::string end, bound.Text(2, "..."));
  EDGEMOE_ASSIGN_OR_FAIL(const std::int64_t leeway, bound.Integer(3, 5));
  const auto end_length = static_cast<std::int64_t>(CountCharacters(end));
  if (length < end_length || leeway < 0) {
    return Failure(InvalidArgumentError("truncate: length " + std::to_string(length) +
                                        " is below that of the end, or leeway is negative"));
  }
  // What has another length and is short enough stays what it is.
  if (!call.value.is_string()) {
    EDGEMOE_ASSIGN_OR_FAIL(const std::size_t count, LengthOf(call.value));
    if (static_cast<std::int64_t>(count) - length <= leeway) return call.value;
  }
  EDGEMOE_ASSIGN_OR_FAIL(const Value value, StringOnly(call));
  const std::string& text = *value.string();
  EDGEMOE_FAIL_IF_ERROR(call.budget.Spend(text.size() * sizeof(std::size_t) + end.size()));
  const std::vector<std::size_t> offsets = CharacterOffsets(text);
  const auto count = static_cast<std::int64_t>(offsets.size()) - 1;
  if (count <= length || count - length <= leeway) return value;
  std::string kept = text.substr(0, offsets[static_cast<std::size_t>(length - end_length)]);
  const std::size_t space = kept.rfind(' ');
  if (!bound.Flag(1, false) && space != std::string::npos) kept.resize(space);
  if (!value.is_safe()) return Value(std::move(kept += end));
  return Value::MakeSafe(std::move(kept += EscapeHtml(end)));
}

Result<Value> Escape(const FilterCall& call) {
  EDGEMOE_ASSIGN_OR_FAIL([[maybe_unused]] const Bound bound, call.Bind({}));
  EDGEMOE_ASSIGN_OR_FAIL(const Value text, Text(call));
  if (text.is_safe() && call.name != "forceescape") return text;
  EDGEMOE_FAIL_IF_ERROR(call.budget.Spend(text.string()->size() * kEscapedMax));
  return Value::MakeSafe(EscapeHtml(*text.string()));
}

Result<Value> IndentFilter(const FilterCall& call) {
  EDGEMOE_ASSIGN_OR_FAIL(const Bound bound, call.Bind({"width", "first", "blank"}));
  EDGEMOE_ASSIGN_OR_FAIL(const Value text, StringOnly(call));
  std::string indentation;
  if (bound.Get(0).is_string()) {
    indentation = *bound.Get(0).string();
  } else {
    EDGEMOE_ASSIGN_OR_FAIL(const std::int64_t width, bound.Integer(0, 4));
    indentation.assign(static_cast<std::size_t>(std::clamp<std::int64_t>(width, 0, kIndentMax)),
                       ' ');
  }
  EDGEMOE_FAIL_IF_ERROR(call.budget.Spend(text.string()->size() * sizeof(std::string_view)));
  const std::size_t lines = SplitLines(*text.string(), false).size() + 1;
  EDGEMOE_FAIL_IF_ERROR(call.budget.Spend(text.string()->size() + lines * indentation.size()));
  return SameText(text,
                  Indent(*text.string(), indentation, bound.Flag(1, false), bound.Flag(2, false)));
}

// Every line of the value is wrapped by itself.
Result<Value> WordWrap(const FilterCall& call) {
  EDGEMOE_ASSIGN_OR_FAIL(const Bound bound, call.Bind({"width", "break_long_words", "wrapstring",
                                                       "break_on_hyphens"}));
  EDGEMOE_ASSIGN_OR_FAIL(const Value text, StringOnly(call));
  EDGEMOE_ASSIGN_OR_FAIL(const std::int64_t width, bound.Integer(0, 79));
  EDGEMOE_ASSIGN_OR_FAIL(const std::string between, bound.Text(2, "\n"));
  EDGEMOE_FAIL_IF_ERROR(call.budget.Spend(text.string()->size() * kWrapBytesPerByte));
  const std::vector<std::string_view> lines = SplitLines(*text.string(), false);
  if (width < 1 && !lines.empty()) {
    return Failure(InvalidArgumentError("wordwrap: found width " + std::to_string(width) +
                                        "; accepted: at least 1"));
  }
  const WrapOptions options = {.width = static_cast<std::size_t>(std::max<std::int64_t>(width, 1)),
                               .breaks_long_words = bound.Flag(1, true),
                               .breaks_at_hyphens = bound.Flag(3, true)};
  std::string out;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::vector<std::string_view> parts = WrapWords(lines[i], options);
    EDGEMOE_FAIL_IF_ERROR(call.budget.Spend((parts.size() + 1) * between.size()));
    if (i > 0) out += between;
    for (std::size_t j = 0; j < parts.size(); ++j) {
      if (j > 0) out += between;
      out += parts[j];
    }
  }
  return Value(std::move(out));
}

// printf's conversions in the value, filled with the arguments.
Result<Value> Format(const FilterCall& call) {
  EDGEMOE_ASSIGN_OR_FAIL(const Value text, Text(call));
  const Arguments& given = call.arguments;
  if (!given.positional.empty() && !given.named.empty()) {
    return Failure(InvalidArgumentError("format: values by place and by name at the same time"));
  }
  if (given.named.empty()) {
    EDGEMOE_ASSIGN_OR_FAIL(const Value values,
                           MakeList(given.positional, call.budget, List::Kind::kTuple));
    return FormatWith(text, values, call.budget);
  }
  EDGEMOE_ASSIGN_OR_FAIL(const Value values,
                         MakeDictionary({given.named.begin(), given.named.end()}, call.budget));
  return FormatWith(text, values, call.budget);
}

}  // namespace

std::span<const Filter> TextFilters() {
  static constexpr Filter kFilters[] = {
      {"capitalize", TextMethod}, {"center", Center},       {"e", Escape},
      {"escape", Escape},         {"forceescape", Escape},  {"format", Format},
      {"indent", IndentFilter},   {"lower", TextMethod},    {"replace", TextMethod},
      {"title", Title},           {"trim", TextMethod},     {"truncate", Truncate},
      {"upper", TextMethod},      {"wordcount", WordCount}, {"wordwrap", WordWrap},
  };
  return kFilters;
}

}  // namespace edgemoe::jinja
