// SPDX-License-Identifier: Apache-2.0
#include "client/cli/terminal/input.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <utility>

#include "client/cli/terminal/terminal.h"

namespace edgemoe::cli {
namespace {

using client::StatusCode;

tl::unexpected<client::Status> Error(StatusCode code, std::string message) {
  return tl::unexpected(client::Status{code, std::move(message)});
}

client::Result<std::string> ReadAll(std::FILE* file, const std::string& name) {
  std::string text;
  char buffer[1 << 16];
  for (;;) {
    const std::size_t count = std::fread(buffer, 1, sizeof(buffer), file);
    text.append(buffer, count);
    if (text.size() > kInputBytesMax)
      return Error(StatusCode::kInvalidArgument, name + ": longer than " +
                                                     std::to_string(kInputBytesMax >> 20) +
                                                     " MiB, the most that is accepted");
    if (count < sizeof(buffer)) break;
  }
  if (std::ferror(file) != 0)
    return Error(StatusCode::kNotFound, "cannot read " + name + ": " + std::strerror(errno));
  return text;
}

}  // namespace

client::Result<std::string> ReadStandardInput() {
  if (::isatty(STDIN_FILENO) == 1)
    std::fputs("edgemoe: reading the text from the terminal; Ctrl-D ends it\n", stderr);
  return ReadAll(stdin, "standard input");
}

client::Result<std::string> ReadText(const TextSource& source) {
  if (source.text) return *source.text;
  if (source.file.empty() || source.file == "-") return ReadStandardInput();
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(source.file.c_str(), "rb"),
                                                             &std::fclose);
  if (file == nullptr)
    return Error(errno == EACCES ? StatusCode::kPermissionDenied : StatusCode::kNotFound,
                 "cannot open " + source.file + ": " + std::strerror(errno));
  return ReadAll(file.get(), source.file);
}

ExitCode FailInput(const client::Status& status, bool json) {
  ReportError(status, json);
  return status.code == StatusCode::kInvalidArgument ? ExitCode::kBadInput : ExitCode::kNoInput;
}

}  // namespace edgemoe::cli
