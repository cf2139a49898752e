// SPDX-License-Identifier: Apache-2.0
//
// trace: records what the routers of a live daemon choose, and replays such a file through caches.
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "client/cli/commands/commands.h"
#include "client/cli/tools/child_program.h"

namespace edgemoe::cli {
namespace {

ExitCode FailFile(const Session& session, const std::string& path) {
  using client::StatusCode;
  const int error = errno;
  if (error == EEXIST)
    return session.Fail(
        {StatusCode::kAlreadyExists, "--output: " + path + ": is there already; choose another"});
  const bool denied = error == EACCES || error == EPERM || error == EROFS;
  const StatusCode code = denied            ? StatusCode::kPermissionDenied
                          : error == ENOENT ? StatusCode::kNotFound
                                            : StatusCode::kDataLoss;
  return session.Fail({code, "--output: " + path + ": " + std::generic_category().message(error)});
}

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

}  // namespace

ExitCode Run(const CommonOptions& options, const TraceRecordCommand& command) {
  Session session(options);
  if (const client::Status status = session.Connect(); !status.ok()) return session.Fail(status);
  const bool to_stdout = command.output == "-";
  std::unique_ptr<std::FILE, CloseFile> file(to_stdout ? nullptr
                                                       : std::fopen(command.output.c_str(), "wx"));
  if (!to_stdout && file == nullptr) return FailFile(session, command.output);
  std::FILE* const out = to_stdout ? stdout : file.get();

  client::TraceStream stream = session.client().RecordTrace(command.request);
  const InterruptWatch watch(session.interrupts(), [&stream] { stream.Cancel(); });
  std::uint64_t steps = 0;
  std::uint64_t dropped = 0;
  bool wrote = true;
  const client::Status status = stream.ForEach([&](const v1::RecordTraceResponse& message) {
    const std::string& text = message.text();
    // What has come is in the file, in whole lines, however the recording ends.
    wrote = std::fwrite(text.data(), 1, text.size(), out) == text.size() && std::fflush(out) == 0;
    steps = message.steps();
    dropped = message.steps_dropped();
    if (!to_stdout) session.status_line().Show(std::to_string(steps) + " steps; Ctrl-C ends");
    return wrote;
  });
  session.status_line().Clear();
  if (!wrote) return FailFile(session, command.output);
  // Ctrl-C is the way to end a recording without limits.
  if (!status.ok() && !watch.interrupted()) return session.Fail(status);
  std::fprintf(stderr, "%llu steps recorded, %llu dropped\n",
               static_cast<unsigned long long>(steps), static_cast<unsigned long long>(dropped));
  return ExitCode::kOk;
}

ExitCode Run(const CommonOptions& options, const TraceReplayCommand& command) {
  const std::string name = "edgemoe-bench";
  std::vector<std::string> words = {name, "replay"};
  words.insert(words.end(), command.arguments.begin(), command.arguments.end());
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  // Beside this program where both are installed; in the neighbour folder of a build tree.
  for (const char* const folder : {"", "../bench/"}) {
    const std::string program = OwnDirectory() + folder + name;
    ::execv(program.c_str(), arguments.data());
  }
  ::execvp(name.c_str(), arguments.data());
  const std::string why = std::generic_category().message(errno);
  return Session(options).Fail({client::StatusCode::kNotFound,
                                "edgemoe-bench, which replays traces, cannot be run: " + why +
                                    "; it is looked for beside edgemoe, in ../bench/ from there, "
                                    "and in the PATH"});
}

}  // namespace edgemoe::cli
