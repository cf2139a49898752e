// SPDX-License-Identifier: Apache-2.0
//
// The lines that were typed in earlier conversations.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "client/status.h"

namespace edgemoe::cli {

// $EDGEMOE_HISTORY, where an empty one means none; else edgemoe/chat_history in $XDG_STATE_HOME or
// ~/.local/state. Empty: no history is kept.
std::string HistoryPath();

// A file with one line for each line typed, for its owner's eyes: mode 0600, in a folder of mode
// 0700, where they were not there before. Lines of several conversations at once are all kept, but
// for those that one adds while another shortens the file.
class HistoryFile {
 public:
  static constexpr std::size_t kLineBytesMax = 4096;

  // `path` empty: keeps nothing. The file grows to 2 * `lines_max` lines, and is then shortened to
  // the last `lines_max`.
  HistoryFile(std::string path, std::size_t lines_max);

  // The last `lines_max` lines; none where the file is not there or cannot be read.
  std::vector<std::string> Load();

  // Whether a line is worth keeping: it is not empty, begins with no space, is not longer than
  // kLineBytesMax and is not the one before once more.
  bool Keeps(const std::string& line) const;

  // Adds a line that is worth keeping. Errors name the file; after one nothing is written any more.
  client::Status Append(const std::string& line);

 private:
  client::Status Write(const std::string& line) const;
  client::Status Shorten();

  std::string path_;
  std::size_t lines_max_;
  std::size_t line_count_ = 0;  // in the file, as far as is known
  std::string last_;
};

}  // namespace edgemoe::cli
