// SPDX-License-Identifier: Apache-2.0
#include "client/cli/doctor/facts/machine.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <sstream>
#include <system_error>
#include <utility>

#include "engine/base/system/unique_fd.h"

namespace edgemoe::cli {

namespace fs = std::filesystem;

Machine::Machine(std::string root, SystemAnswers answers, SystemCalls calls)
    : root_(std::move(root)), answers_(std::move(answers)), calls_(std::move(calls)) {}

bool Machine::Exists(const std::string& path) const {
  std::error_code error;
  return fs::exists(Under(path), error);
}

std::optional<std::string> Machine::Text(const std::string& path) const {
  // Without O_NONBLOCK, opening a FIFO would wait for its writer for ever.
  const UniqueFd fd(::open(Under(path).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status = {};
  if (!fd.valid() || ::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode))
    return std::nullopt;
  std::string text(kTextBytesMax, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t count = ::read(fd.get(), text.data() + size, text.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return std::nullopt;
    if (count == 0) break;
    size += static_cast<std::size_t>(count);
  }
  text.resize(size);
  return text;
}

std::string Machine::Line(const std::string& path) const {
  std::string text = Text(path).value_or("");
  text.resize(std::min({text.find('\n'), text.find('\0'), text.size(), kLineBytesMax}));
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
    text.pop_back();
  return text;
}

std::optional<std::int64_t> Machine::Number(const std::string& path) const {
  return ParseNumber(Line(path));
}

std::vector<std::string> Machine::Names(const std::string& folder) const {
  std::vector<std::string> names;
  std::error_code error;
  fs::directory_iterator entry(Under(folder), error);
  while (!error && entry != fs::directory_iterator() && names.size() < kNamesMax) {
    names.push_back(entry->path().filename().string());
    entry.increment(error);
  }
  std::ranges::sort(names);
  return names;
}

std::optional<std::string> Machine::RealPath(const std::string& path) const {
  std::error_code error;
  const std::string real = fs::canonical(Under(path), error).string();
  if (error) return std::nullopt;
  if (root_.empty()) return real;
  const std::string root = fs::canonical(root_, error).string();
  if (error || !real.starts_with(root + "/")) return std::nullopt;
  return real.substr(root.size());
}

std::optional<std::int64_t> ParseNumber(std::string_view text, int base) {
  std::int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number, base);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return number;
}

std::vector<std::string> WordsIn(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

std::vector<std::string> LinesIn(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

}  // namespace edgemoe::cli
