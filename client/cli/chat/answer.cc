// SPDX-License-Identifier: Apache-2.0
#include "client/cli/chat/answer.h"

#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "client/cli/enum_text.h"
#include "client/cli/json.h"
#include "client/cli/terminal/size_text.h"

namespace edgemoe::cli {
namespace {

constexpr std::uint32_t kProgressPromptTokens = 64;  // shorter prompts show no progress

template <class Message>
std::string ProgressText(const Message& message) {
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
                1e3 * timings.queue_seconds(), hit_rate, read.c_str(), 1e3 * io.wait_seconds(),
                EnumText(finished.reason()).c_str());
  return text;
}

// A line of JSON. A chunk has those parts of an answer that it brings, and its text.
template <class Message>
std::string LineOf(const Message& message) {
  std::string line = ToJson(message);
  if (!message.has_chunk()) return line;
  auto parsed = nlohmann::ordered_json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!parsed.contains("chunk")) return line;
  nlohmann::ordered_json& chunk = parsed["chunk"];
  for (const char* const part : {"logprobs", "reasoning", "toolCalls", "notParsed"}) {
    const auto value = chunk.find(part);
    if (value != chunk.end() && (value->empty() || *value == "")) chunk.erase(part);
  }
  return parsed.dump();
}

// One attempt. Nothing when the daemon refused it because it is loading.
class AnswerWriter {
 public:
  explicit AnswerWriter(Session& session) : session_(session) {}

  // False when the answer cannot be written any more.
  template <class Message>
  bool Take(const Message& message, Answer& answer) {
    received_ = true;
    TellId(message.started().request_id());
    if (message.has_finished()) {
      answer.reason = message.finished().reason();
      account_ = AccountText(message.finished());
    }
    answer.text += message.chunk().text();
    TakeParts(message.chunk(), answer);
    if (session_.options().json) return Write(LineOf(message) + "\n");
    if (const std::string progress = ProgressText(message); !progress.empty())
      session_.status_line().Show(progress);
    if (!ShowReasoning(message.chunk())) return false;
    ShowCalls(message.chunk(), answer);
    if (message.chunk().text().empty()) return true;
    session_.status_line().Clear();
    if (std::exchange(dim_, false) && !WriteDim("\n\n")) return !(write_failed_ = true);
    return Write(message.chunk().text());
  }

  void End(const Answer& answer) {
    session_.status_line().Clear();
    if (session_.options().json) return;
    if (std::exchange(dim_, false)) Write("\n");
    if (!answer.text.empty() && !answer.text.ends_with('\n')) Write("\n");
    if (session_.options().verbose) std::fputs(account_.c_str(), stderr);
  }

  bool received() const { return received_; }
  bool write_failed() const { return write_failed_; }

 private:
  void TakeParts(const v1::Chunk& chunk, Answer& answer) {
    answer.reasoning += chunk.reasoning();
    for (const v1::ToolCallDelta& delta : chunk.tool_calls()) {
      v1::ToolCall& call = calls_[delta.index()];
      if (!delta.name().empty()) call.set_name(delta.name());
      if (!delta.id().empty()) call.set_id(delta.id());
      *call.mutable_arguments() += delta.arguments();
      if (delta.finished()) answer.tool_calls.push_back(call);
    }
  }
  bool ShowReasoning(const v1::Chunk& chunk) {
    if (chunk.reasoning().empty()) return true;
    if (session_.folds_reasoning()) {
      reasoning_tokens_ += chunk.tokens_size();
      session_.status_line().Show("thinking: " + std::to_string(reasoning_tokens_) + " tokens");
      return true;
    }
    session_.status_line().Clear();
    dim_ = OutputIsTerminal();
    if (!WriteDim(chunk.reasoning())) write_failed_ = true;
    return !write_failed_;
  }
  void ShowCalls(const v1::Chunk& chunk, const Answer& answer) {
    for (const v1::NotParsed& none : chunk.not_parsed()) {
      session_.status_line().Clear();
      std::fprintf(stderr, "[no call: %s]\n", WithoutControls(none.reason()).c_str());
    }
    for (; calls_shown_ < answer.tool_calls.size(); ++calls_shown_) {
      const v1::ToolCall& call = answer.tool_calls[calls_shown_];
      session_.status_line().Clear();
      const std::string line = "[calls " + call.name() + " " + call.arguments() + "]";
      std::fprintf(stderr, "%s\n", WithoutControls(line).c_str());
    }
  }

  // By which `edgemoe abort` ends it.
  void TellId(const std::string& id) {
    if (id.empty() || id_told_ || !session_.options().verbose || session_.options().json) return;
    id_told_ = true;
    session_.status_line().Clear();
    std::fprintf(stderr, "[request %s]\n", id.c_str());
  }
  bool Write(const std::string& text) {
    if (!WriteOut(text)) write_failed_ = true;
    return !write_failed_;
  }

  Session& session_;
  std::string account_;
  std::map<std::uint32_t, v1::ToolCall> calls_;  // by index, as far as they have come
  std::size_t calls_shown_ = 0;
  int reasoning_tokens_ = 0;
  bool dim_ = false;  // the last that was written
  bool id_told_ = false;
  bool received_ = false;
  bool write_failed_ = false;
};

template <class Message>
Answer RunAny(Session& session, const std::function<client::Stream<Message>()>& open,
              const std::function<void()>& accepted) {
  for (;;) {
    Answer answer;
    AnswerWriter writer(session);
    {
      client::Stream<Message> stream = open();
      const InterruptWatch watch(session.interrupts(), [&stream] { stream.Cancel(); });
      answer.status = stream.ForEach([&](const Message& message) {
        if (!writer.received()) accepted();
        return writer.Take(message, answer);
      });
      answer.interrupted = watch.interrupted();
    }
    if (!answer.interrupted && !writer.received() && session.WaitToRetry(answer.status)) continue;
    answer.interrupted = answer.interrupted || session.interrupted();
    writer.End(answer);
    if (writer.write_failed())
      answer.status = {client::StatusCode::kDataLoss, "the answer could not be written to stdout"};
    return answer;
  }
}

}  // namespace

Answer RunAnswer(Session& session, const std::function<client::CompleteStream()>& open) {
  return RunAny(session, open, [] {});
}

Answer RunAnswer(Session& session, const std::function<client::ChatStream()>& open,
                 const std::function<void()>& accepted) {
  return RunAny(session, open, accepted);
}

ExitCode FinishAnswer(const Session& session, const Answer& answer) {
  if (answer.interrupted) return session.Interrupted();
  return answer.status.ok() ? ExitCode::kOk : session.Fail(answer.status);
}

}  // namespace edgemoe::cli
