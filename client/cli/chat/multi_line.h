// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace edgemoe::cli {

// Joins typed lines to a text: `"""` at the beginning of a line begins one that the next `"""` at
// the end of a line ends; elsewhere a backslash at the end of a line takes the next line in, too.
class MultiLine {
 public:
  enum class State {
    kWhole,    // text() is a whole text
    kMore,     // another line is wanted
    kTooLong,  // the text that ends here had more than kBytesMax: it is forgotten
  };
  static constexpr std::size_t kBytesMax = std::size_t{1} << 20;

  State Take(const std::string& line);
  // Forgets the lines that have come.
  void Clear();

  // Whether another line is wanted.
  bool open() const { return open_; }
  const std::string& text() const { return text_; }
  // Whether the text stood between `"""`, where nothing in it is a command.
  bool quoted() const { return quoted_; }

 private:
  void Append(std::string_view line, bool is_edge);

  std::string text_;
  std::size_t lines_ = 0;
  bool too_long_ = false;
  bool open_ = false;
  bool quoted_ = false;
};

}  // namespace edgemoe::cli
