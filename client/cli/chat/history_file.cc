// SPDX-License-Identifier: Apache-2.0
#include "client/cli/chat/history_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <span>
#include <sstream>
#include <system_error>
#include <utility>

#include "client/cli/terminal/input.h"
#include "client/cli/terminal/local_status.h"
#include "engine/base/system/unique_fd.h"
#include "engine/base/system/whole_file.h"

namespace edgemoe::cli {
namespace {

std::string Variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

std::string HistoryPath() {
  if (const char* const path = std::getenv("EDGEMOE_HISTORY"); path != nullptr) return path;
  constexpr const char* kName = "/edgemoe/chat_history";
  // The XDG base directory specification has a path that is not absolute ignored.
  if (const std::string state = Variable("XDG_STATE_HOME"); state.starts_with('/'))
    return state + kName;
  const std::string home = Variable("HOME");
  return home.starts_with('/') ? home + "/.local/state" + kName : "";
}

HistoryFile::HistoryFile(std::string path, std::size_t lines_max)
    : path_(std::move(path)), lines_max_(lines_max) {}

std::vector<std::string> HistoryFile::Load() {
  std::vector<std::string> lines;
  if (path_.empty()) return lines;
  const auto text = ReadText({.text = {}, .file = path_});
  if (!text) return lines;
  std::istringstream stream(*text);
  for (std::string line; std::getline(stream, line);) lines.push_back(std::move(line));
  line_count_ = lines.size();
  if (lines.size() > lines_max_)
    lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(lines_max_));
  if (!lines.empty()) last_ = lines.back();
  return lines;
}

bool HistoryFile::Keeps(const std::string& line) const {
  return !line.empty() && line.front() != ' ' && line.size() <= kLineBytesMax && line != last_;
}

client::Status HistoryFile::Append(const std::string& line) {
  last_ = line;
  if (path_.empty()) return {};
  client::Status status = Write(line);
  if (status.ok() && ++line_count_ >= 2 * lines_max_) status = Shorten();
  if (!status.ok()) path_.clear();
  return status;
}

client::Status HistoryFile::Write(const std::string& line) const {
  const std::filesystem::path folder = std::filesystem::path(path_).parent_path();
  std::error_code error;
  std::filesystem::create_directories(folder.parent_path(), error);
  ::mkdir(folder.c_str(), 0700);  // what is wrong with it, opening the file tells
  const UniqueFd fd(::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
  if (!fd.valid())
    return {client::StatusCode::kUnknown, "cannot open " + path_ + ": " + std::strerror(errno)};
  const std::string text = line + "\n";
  return ToClient(AppendAll(fd.get(), std::as_bytes(std::span(text)), path_));
}

client::Status HistoryFile::Shorten() {
  const std::vector<std::string> lines = Load();
  if (line_count_ < 2 * lines_max_) return {};  // another conversation has shortened it
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  line_count_ = lines.size();
  return ToClient(WriteWholeFile(path_, text, {.mode = 0600}));
}

}  // namespace edgemoe::cli
