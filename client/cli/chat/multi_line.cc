// SPDX-License-Identifier: Apache-2.0
#include "client/cli/chat/multi_line.h"

#include <string_view>

namespace edgemoe::cli {
namespace {

constexpr std::string_view kQuote = "\"\"\"";

// Two backslashes are two backslashes.
bool GoesOn(std::string_view line) {
  const std::size_t last = line.find_last_not_of('\\');
  const std::size_t count = line.size() - (last == std::string_view::npos ? 0 : last + 1);
  return count % 2 == 1;
}

}  // namespace

MultiLine::State MultiLine::Take(const std::string& line) {
  std::string_view rest = line;
  if (!open_) {
    Clear();
    quoted_ = rest.starts_with(kQuote);
    if (quoted_) rest.remove_prefix(kQuote.size());
  }
  const bool goes_on = quoted_ ? !rest.ends_with(kQuote) : GoesOn(rest);
  if (quoted_ && !goes_on) rest.remove_suffix(kQuote.size());
  if (!quoted_ && goes_on) rest.remove_suffix(1);
  Append(rest, /*is_edge=*/!open_ || !goes_on);
  open_ = goes_on;
  if (open_) return State::kMore;
  return too_long_ ? State::kTooLong : State::kWhole;
}

void MultiLine::Append(std::string_view line, bool is_edge) {
  // What stands beside the quotes is a line only where there is anything.
  if (quoted_ && is_edge && line.empty()) return;
  too_long_ = too_long_ || text_.size() + line.size() >= kBytesMax;
  if (too_long_) return text_.clear();
  if (lines_++ > 0) text_ += '\n';
  text_ += line;
}

void MultiLine::Clear() {
  text_.clear();
  lines_ = 0;
  too_long_ = false;
  open_ = false;
  quoted_ = false;
}

}  // namespace edgemoe::cli
