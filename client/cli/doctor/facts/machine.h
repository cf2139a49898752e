// SPDX-License-Identifier: Apache-2.0
//
// The machine as the checks see it: its files under /proc, /sys and /etc, and what the system
// answers to calls. Nothing that it says is believed to be well-formed.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "client/cli/terminal/interrupts.h"
#include "client/cli/tools/child_program.h"
#include "engine/base/system/cpu_features.h"

namespace edgemoe::cli {

// Of this process and the kernel under it.
struct SystemAnswers {
  int io_uring_error = 0;  // errno of io_uring_setup; 0: it works
  std::size_t page_bytes = 4096;
  std::optional<std::uint64_t> memlock_bytes;  // RLIMIT_MEMLOCK; nothing: no limit
  std::string architecture = "x86_64";         // as uname tells it
  CpuFeatures features;
  std::string user = "root";
  bool is_root = true;
  std::vector<std::uint64_t> group_ids;
};

SystemAnswers AskSystem();

// Of a file or folder, or the nearest folder above it that is there.
struct StorageAnswers {
  std::uint64_t free_bytes = 0;  // for users other than root
  std::uint64_t total_bytes = 0;
  std::optional<bool>
      direct;  // whether files can be read with O_DIRECT; nothing: could not be tried
};

struct SystemCalls {
  // Its errors are part of the output. `edgemoed` is looked for beside this program first.
  std::function<client::Result<ProgramEnd>(
      const std::vector<std::string>& command,
      const std::vector<std::pair<std::string, std::string>>& environment)>
      run;
  std::function<std::optional<StorageAnswers>(const std::string& path)> look_at_storage;

  // `interrupts` outlives it. A program may take kProgramTimeMax.
  static SystemCalls Real(Interrupts& interrupts);
};
constexpr std::chrono::seconds kProgramTimeMax{20};

class Machine {
 public:
  static constexpr std::size_t kTextBytesMax = std::size_t{1} << 18;
  static constexpr std::size_t kLineBytesMax = 256;
  static constexpr std::size_t kNamesMax = 1024;

  // `root` stands before each path; empty: this machine.
  Machine(std::string root, SystemAnswers answers, SystemCalls calls);

  const SystemAnswers& answers() const { return answers_; }
  const SystemCalls& calls() const { return calls_; }
  // `path` with the root before it, for functions that open files themselves.
  std::string Under(const std::string& path) const { return root_ + path; }

  bool Exists(const std::string& path) const;
  // At most kTextBytesMax of a regular file; nothing: it cannot be read.
  std::optional<std::string> Text(const std::string& path) const;
  // The first line, up to a NUL byte, at most kLineBytesMax, without blanks at its end; empty:
  // none.
  std::string Line(const std::string& path) const;
  // A line that is a whole number.
  std::optional<std::int64_t> Number(const std::string& path) const;
  // In a folder, sorted, at most kNamesMax; none: it cannot be read.
  std::vector<std::string> Names(const std::string& folder) const;
  // With all links followed, without the root; nothing: it does not exist, its links go round in
  // circles or lead out of the root.
  std::optional<std::string> RealPath(const std::string& path) const;

 private:
  std::string root_;
  SystemAnswers answers_;
  SystemCalls calls_;
};

// All of `text` as a number.
std::optional<std::int64_t> ParseNumber(std::string_view text, int base = 10);
// The words between blanks.
std::vector<std::string> WordsIn(const std::string& text);
std::vector<std::string> LinesIn(const std::string& text);

}  // namespace edgemoe::cli
