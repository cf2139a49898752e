// SPDX-License-Identifier: Apache-2.0
#include "client/cli/terminal/terminal.h"

#include <unistd.h>

#include <cstdio>
#include <utility>

#include "client/cli/json.h"

namespace edgemoe::cli {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
constexpr const char* kNoModelAdvice =
    "\n`edgemoe setup` chooses a model for this machine; `edgemoe pull NAME` downloads one.";

}  // namespace

StatusLine::StatusLine() : enabled_(::isatty(STDERR_FILENO) == 1) {}

void StatusLine::Show(std::string_view text) {
  if (!enabled_) return;
  const std::string safe = WithoutControls(text);
  std::fprintf(stderr, "\r\033[K%s", safe.c_str());
  std::fflush(stderr);
  shown_ = true;
}

void StatusLine::Clear() {
  if (!shown_) return;
  std::fputs("\r\033[K", stderr);
  std::fflush(stderr);
  shown_ = false;
}

std::string WithoutControls(std::string_view text) {
  std::string safe;
  safe.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    // U+0080 to U+009F are controls too; in UTF-8 they are C2 80 to C2 9F.
    const bool is_c1 =
        byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (is_c1) {
      safe += kReplacement;
      ++i;
    } else if ((byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7F) {
      safe += kReplacement;
    } else {
      safe += text[i];
    }
  }
  return safe;
}

bool OutputIsTerminal() {
  static const bool terminal = ::isatty(STDOUT_FILENO) == 1;
  return terminal;
}

bool WriteDim(std::string_view text) {
  if (!OutputIsTerminal() || text.empty()) return true;
  const std::string bytes = "\033[2m" + WithoutControls(text) + "\033[22m";
  return std::fwrite(bytes.data(), 1, bytes.size(), stdout) == bytes.size() &&
         std::fflush(stdout) == 0;
}

bool WriteOut(std::string_view text) {
  const bool terminal = OutputIsTerminal();
  const std::string safe = terminal ? WithoutControls(text) : std::string();
  const std::string_view bytes = terminal ? std::string_view(safe) : text;
  return std::fwrite(bytes.data(), 1, bytes.size(), stdout) == bytes.size() &&
         std::fflush(stdout) == 0;
}

ExitCode Write(std::string_view text) {
  if (WriteOut(text)) return ExitCode::kOk;
  std::perror("edgemoe: cannot write to stdout");
  return ExitCode::kIo;
}

ExitCode WriteLine(std::string text) { return Write(std::move(text) + "\n"); }

ExitCode ReportError(const client::Status& status, bool json) {
  if (json) {
    WriteOut(ErrorJson(status) + "\n");
    return ExitCodeOf(status.code);
  }
  std::string text = "edgemoe: " + status.ToString();
  if (status.retry_delay_ms)
    text += " (try again in " + std::to_string((*status.retry_delay_ms + 999) / 1000) + " s)";
  if (status.reason == "NO_MODEL") text += kNoModelAdvice;
  std::fprintf(stderr, "%s\n", WithoutControls(text).c_str());
  return ExitCodeOf(status.code);
}

}  // namespace edgemoe::cli
