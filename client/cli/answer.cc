// SPDX-License-Identifier: Apache-2.0
#include "client/cli/answer.h"

#include <cstdio>
#include <optional>
#include <utility>

#include "client/cli/json.h"
#include "client/cli/terminal/size_text.h"

namespace edgemoe::cli {
namespace {

constexpr std::uint32_t kProgressPromptTokens = 64;  // shorter prompts show no progress

std::string ProgressText(const v1::GenerateResponse& message) {
  if (message.has_started() && message.started().queue_position() > 0)
    return "waiting: " + std::to_string(message.started().queue_position()) +
           " requests before this one";
  const std::uint32_t total = message.progress().prompt_tokens();
  if (message.has_progress() && total >= kProgressPromptTokens)
    return "reading the prompt: " + std::to_string(message.progress().processed_tokens()) + " of " +
           std::to_string(total) + " tokens";
  return {};
}

std::string AccountText(const v1::Finished& finished) {
  const v1::Timings& timings = finished.timings();
  const v1::IoAccount& io = finished.io();
  const auto tokens = finished.usage().completion_tokens();
  const double hit_rate = io.experts_used() == 0 ? 0
                                                 : 100 * static_cast<double>(io.expert_hits()) /
                                                       static_cast<double>(io.experts_used());
  const auto all_tokens = finished.usage().prompt_tokens() + tokens;
  const std::string read =
      SizeText(all_tokens == 0 ? 0 : static_cast<double>(io.bytes_read()) / all_tokens);
  // The first token came with the prompt: one token alone has no speed.
  char speed[48] = "";
  if (tokens > 1)
    std::snprintf(speed, sizeof(speed), "s at %.1f tok/s", timings.decode_tokens_per_second());
  else if (tokens == 0)
    std::snprintf(speed, sizeof(speed), "s");
  char text[320];
  std::snprintf(text, sizeof(text),
                "[%u token%s; prompt of %u at %.1f tok/s; queued %.0f ms; experts: "
                "%.1f %% hits, %s read per token, %.0f ms waited for storage; %s]\n",
                tokens, speed, finished.usage().prompt_tokens(), timings.prompt_tokens_per_second(),
                timings.queue_ms(), hit_rate, read.c_str(), io.wait_ms(),
                v1::FinishReason_Name(finished.reason()).c_str());
  return text;
}

// One attempt. Nothing when the daemon refused it because it is loading.
class AnswerWriter {
 public:
  explicit AnswerWriter(Session& session) : session_(session) {}

  // False when the answer cannot be written any more.
  bool Take(const v1::GenerateResponse& message, Answer& answer) {
    received_ = true;
    if (message.has_finished()) {
      answer.reason = message.finished().reason();
      account_ = AccountText(message.finished());
    }
    answer.text += message.chunk().text();
    if (session_.options().json) return Write(ToJson(message) + "\n");
    if (const std::string progress = ProgressText(message); !progress.empty())
      session_.status_line().Show(progress);
    if (message.chunk().text().empty()) return true;
    session_.status_line().Clear();
    return Write(message.chunk().text());
  }

  void End(const Answer& answer) {
    session_.status_line().Clear();
    if (session_.options().json) return;
    if (!answer.text.empty() && !answer.text.ends_with('\n')) Write("\n");
    if (session_.options().verbose) std::fputs(account_.c_str(), stderr);
  }

  bool received() const { return received_; }
  bool write_failed() const { return write_failed_; }

 private:
  bool Write(const std::string& text) {
    if (!WriteOut(text)) write_failed_ = true;
    return !write_failed_;
  }

  Session& session_;
  std::string account_;
  bool received_ = false;
  bool write_failed_ = false;
};

}  // namespace

Answer RunAnswer(Session& session, const std::function<client::GenerateStream()>& open) {
  for (;;) {
    Answer answer;
    AnswerWriter writer(session);
    {
      client::GenerateStream stream = open();
      const InterruptWatch watch(session.interrupts(), [&stream] { stream.Cancel(); });
      answer.status = stream.ForEach(
          [&](const v1::GenerateResponse& message) { return writer.Take(message, answer); });
      answer.interrupted = watch.interrupted();
    }
    if (!answer.interrupted && !writer.received() && session.WaitToRetry(answer.status)) continue;
    answer.interrupted = answer.interrupted || session.interrupted();
    writer.End(answer);
    if (writer.write_failed())
      answer.status = {client::StatusCode::kDataLoss, "the answer could not be written to stdout",
                       std::nullopt};
    return answer;
  }
}

ExitCode FinishAnswer(const Session& session, const Answer& answer) {
  if (answer.interrupted) return session.Interrupted();
  return answer.status.ok() ? ExitCode::kOk : session.Fail(answer.status);
}

}  // namespace edgemoe::cli
