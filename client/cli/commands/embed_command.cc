// SPDX-License-Identifier: Apache-2.0
//
// embed: texts in batches of as many as a request may have, and a JSON object a line for each.
#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "client/cli/commands/commands.h"
#include "client/cli/json.h"
#include "client/cli/terminal/input.h"

namespace edgemoe::cli {
namespace {

constexpr std::size_t kTextsMax = 256;              // of a request
constexpr std::size_t kRequestBytesMax = 1u << 20;  // of several texts; one text may have more

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

// One request, whose first text is number `first` of all.
client::Status Embed(Session& session, const v1::EmbedRequest& request, std::size_t first,
                     bool* interrupted) {
  for (;;) {
    client::EmbedStream stream = session.client().Embed(request);
    const InterruptWatch watch(session.interrupts(), [&stream] { stream.Cancel(); });
    client::Status status = stream.ForEach([&](const v1::EmbedResponse& message) {
      if (!message.has_embedding()) return true;
      v1::Embedding embedding = message.embedding();
      embedding.set_index(static_cast<std::uint32_t>(first + embedding.index()));
      return WriteOut(ToJson(embedding) + "\n");
    });
    *interrupted = watch.interrupted();
    if (status.ok() || *interrupted || !session.WaitToRetry(status)) return status;
  }
}

}  // namespace

ExitCode Run(const CommonOptions& options, EmbedCommand command) {
  std::vector<std::string> texts = std::move(command.texts);
  if (texts.empty()) {
    const auto input = ReadStandardInput();
    if (!input) return FailInput(input.error(), options.json);
    texts = Lines(*input);
  }
  Session session(options);
  if (const client::Status status = session.Connect(); !status.ok()) return session.Fail(status);
  std::size_t first = 0;
  do {
    command.request.clear_texts();
    std::size_t end = first;
    for (std::size_t bytes = 0; end < texts.size() && end - first < kTextsMax; ++end) {
      bytes += texts[end].size();
      if (bytes > kRequestBytesMax && end > first) break;
      command.request.add_texts(std::move(texts[end]));
    }
    bool interrupted = false;
    const client::Status status = Embed(session, command.request, first, &interrupted);
    if (interrupted) return session.Interrupted();
    if (!status.ok()) return session.Fail(status);
    first = end;
  } while (first < texts.size());
  return ExitCode::kOk;
}

}  // namespace edgemoe::cli
