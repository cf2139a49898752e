// SPDX-License-Identifier: Apache-2.0
#include "engine/template/text/unicode.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <span>

#include "engine/base/utf8.h"

namespace edgemoe::jinja {

namespace {

struct Range {
  std::uint32_t first;
  std::uint32_t last;
};

// Every `step`th character from `first` to `last` moves by `distance`.
struct Run {
  std::uint32_t first;
  std::uint32_t last;
  std::uint32_t step;
  std::int32_t distance;
};

// A character that becomes two or three.
struct Expansion {
  std::uint32_t from;
  std::uint32_t to[3];  // 0: none
};

#include "engine/template/text/unicode_tables.inc"

// The last entry that starts at or before `c`; null for none.
template <class Entry>
const Entry* LastBefore(std::span<const Entry> table, char32_t c) {
  const auto next =
      std::upper_bound(table.begin(), table.end(), c,
                       [](char32_t wanted, const Entry& entry) { return wanted < entry.first; });
  return next == table.begin() ? nullptr : &*std::prev(next);
}

bool IsIn(std::span<const Range> ranges, char32_t c) {
  const Range* found = LastBefore(ranges, c);
  return found != nullptr && c <= found->last;
}

// False when `c` stays what it is.
bool AppendMapped(std::span<const Run> runs, std::span<const Expansion> expansions, char32_t c,
                  std::string& out) {
  const auto expansion =
      std::lower_bound(expansions.begin(), expansions.end(), c,
                       [](const Expansion& entry, char32_t wanted) { return entry.from < wanted; });
  if (expansion != expansions.end() && expansion->from == c) {
    for (const std::uint32_t to : expansion->to) {
      if (to != 0) AppendUtf8(to, out);
    }
    return true;
  }
  // Runs with a step of 2 may lie in each other.
  const auto end =
      std::upper_bound(runs.begin(), runs.end(), c,
                       [](char32_t wanted, const Run& run) { return wanted < run.first; });
  for (auto run = end; run != runs.begin() && end - run < 4;) {
    --run;
    if (c <= run->last && (c - run->first) % run->step == 0) {
      AppendUtf8(static_cast<char32_t>(static_cast<std::int64_t>(c) + run->distance), out);
      return true;
    }
  }
  return false;
}

}  // namespace

bool IsAlphabetic(char32_t c) { return IsIn(kAlphabetic, c); }
bool IsDigit(char32_t c) { return IsIn(kDigit, c); }
bool IsNumeric(char32_t c) { return IsIn(kNumeric, c); }
bool IsPrintable(char32_t c) { return IsIn(kPrintable, c); }
bool IsUppercase(char32_t c) { return IsIn(kUppercase, c); }
bool IsLowercase(char32_t c) { return IsIn(kLowercase, c); }
bool IsCased(char32_t c) { return IsUppercase(c) || IsLowercase(c) || IsIn(kTitlecase, c); }
bool IsCaseIgnorable(char32_t c) { return IsIn(kCaseIgnorable, c); }

void AppendUpper(char32_t c, std::string& out) {
  if (!AppendMapped(kUpper, kUpperLong, c, out)) AppendUtf8(c, out);
}
void AppendLower(char32_t c, std::string& out) {
  if (!AppendMapped(kLower, kLowerLong, c, out)) AppendUtf8(c, out);
}
void AppendTitle(char32_t c, std::string& out) {
  if (!AppendMapped(kTitle, kTitleLong, c, out)) AppendUpper(c, out);
}

}  // namespace edgemoe::jinja
