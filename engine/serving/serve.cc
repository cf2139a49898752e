// SPDX-License-Identifier: Apache-2.0
//
// What clients call on an engine that runs.
#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "engine/base/accepted.h"
#include "engine/base/system/usable_memory.h"
#include "engine/serving/loaded_engine.h"
#include "engine/tokenizer/utf8_stream.h"

namespace edgemoe {
namespace {

class EncodedText final : public TextTokens {
 public:
  EncodedText(const Tokenizer& tokenizer, std::string text)
      : tokenizer_(tokenizer), text_(std::move(text)) {}

  Status Start(const TokenizeOptions& options) {
    EDGEMOE_ASSIGN_OR_RETURN(encoding_,
                             tokenizer_.Start(text_, {.add_special = options.add_special,
                                                      .parse_special = options.parse_special}));
    return OkStatus();
  }

  Result<std::vector<TokenPiece>> Next(std::size_t count_max) override {
    std::vector<Piece> pieces;
    EDGEMOE_FAIL_IF_ERROR(encoding_->Next(count_max, pieces));
    std::vector<TokenPiece> tokens;
    tokens.reserve(pieces.size());
    for (const Piece& piece : pieces)
      tokens.push_back({.token = piece.token,
                        .bytes = std::string(tokenizer_.TokenBytes(piece.token)),
                        .byte_begin = piece.byte_begin,
                        .byte_end = piece.byte_end});
    return tokens;
  }

 private:
  const Tokenizer& tokenizer_;
  const std::string text_;
  std::optional<Encoding> encoding_;
};

}  // namespace

// None where the answer stays one text.
Result<std::optional<AnswerSplit>> LoadedEngine::SplitOf(const GenerateRequest& request) const {
  // What may open an answer: a header or a mark, not what comes before it.
  constexpr std::size_t kPromptEndBytes = 4096;
  const auto* prompt = std::get_if<std::string>(&request.prompt);
  const AnswerFormat& format = chat_->format();
  if (!request.answer || prompt == nullptr || !format.has_parts()) return std::nullopt;
  AnswerSplit split;
  split.format = format;
  for (const ToolDefinition& tool : request.answer->tools)
    split.tools.push_back(DescribeAnswerTool(tool.name, tool.parameters));
  split.prompt_end = prompt->substr(prompt->size() - std::min(prompt->size(), kPromptEndBytes));
  if (!request.answer->reasoning_tokens_max || format.reasoning_end_text.empty()) return split;
  split.reasoning_tokens_max = request.answer->reasoning_tokens_max;
  EDGEMOE_ASSIGN_OR_FAIL(
      const std::vector<Piece> end,
      tokenizer_->Encode(format.reasoning_end_text, {.add_special = false, .parse_special = true}));
  for (const Piece& piece : end) split.reasoning_end.push_back(piece.token);
  return split;
}

Result<RequestId> LoadedEngine::Generate(GenerateRequest request, std::unique_ptr<EventSink> sink) {
  EDGEMOE_ASSIGN_OR_FAIL(std::optional<AnswerSplit> split, SplitOf(request));
  Result<CheckedRequest> plan = checker_->Check(std::move(request));
  if (plan) plan->split = std::move(split);
  return Submit(std::move(plan), std::move(sink));
}

Result<RequestId> LoadedEngine::Score(ScoreRequest request, std::unique_ptr<EventSink> sink) {
  return Submit(checker_->Check(std::move(request)), std::move(sink));
}

Result<RequestId> LoadedEngine::Embed(EmbedRequest request, std::unique_ptr<EventSink> sink) {
  return Submit(checker_->Check(std::move(request)), std::move(sink));
}

Result<RequestId> LoadedEngine::Submit(Result<CheckedRequest> plan,
                                       std::unique_ptr<EventSink> sink) {
  if (!plan) return Failure(std::move(plan).error());
  EDGEMOE_FAIL_IF_ERROR(availability());
  return queue_.Submit(
      std::make_unique<Session>(*std::move(plan), std::move(sink), *text_, clock_.NowNs()));
}

Result<std::unique_ptr<TextTokens>> LoadedEngine::Tokenize(std::string text,
                                                           const TokenizeOptions& options) const {
  auto tokens = std::make_unique<EncodedText>(*tokenizer_, std::move(text));
  EDGEMOE_FAIL_IF_ERROR(tokens->Start(options));
  return tokens;
}

Result<std::string> LoadedEngine::Detokenize(std::span<const TokenId> tokens,
                                             const DetokenizeOptions& options) const {
  std::uint64_t bytes_count = 0;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (!tokenizer_->Contains(tokens[i]))
      return Failure(InvalidField("tokens[" + std::to_string(i) + "]", ShowValue(tokens[i].value),
                                  AcceptedRange(0, tokenizer_->size() - 1)));
    bytes_count += tokenizer_->TokenBytes(tokens[i]).size();
  }
  if (bytes_count > kDetokenizedBytesMax)
    return Failure(InvalidField("tokens", "ids of " + ShowValue(bytes_count) + " bytes of text",
                                AcceptedAtMost(kDetokenizedBytesMax)));
  EDGEMOE_ASSIGN_OR_FAIL(const std::string bytes,
                         tokenizer_->Decode(tokens, {.render_special = options.render_special,
                                                     .from_start = options.from_start}));
  Utf8Stream stream;
  std::string text = stream.Push(bytes);
  text += stream.Flush();
  return text;
}

Result<std::string> LoadedEngine::ApplyTemplate(std::span<const ChatMessage> messages,
                                                const ChatTemplateOptions& options) const {
  return chat_->Render(messages, options);
}

void LoadedEngine::PublishStreamStats() {
  MutexLock lock(mutex_);
  stream_stats_.account = experts_->account();
  stream_stats_.read_errors = reader_->counters().errors;
  stream_stats_.waits = meter_->meter();
  if (stack_ == nullptr) return;
  stream_stats_.cache = stack_->cache().counters();
  stream_stats_.read_ahead = stack_->pipeline().read_ahead();
}

EngineStats LoadedEngine::GetStats() const {
  StreamStats stream;
  {
    MutexLock lock(mutex_);
    stream = stream_stats_;
  }
  const StepCounters& steps = loop_->counters();
  const auto read = [](const auto& counter) { return counter.load(std::memory_order_relaxed); };
  EngineStats stats;
  stats.uptime_ns = clock_.NowNs() - opened_ns_;
  stats.sessions_running = read(steps.sessions_running);
  const std::uint32_t live = queue_.live_count();
  stats.sessions_queued = live - std::min(live, stats.sessions_running);
  stats.requests_finished = read(steps.requests_finished);
  stats.requests_failed = read(steps.requests_failed);
  stats.requests_refused = queue_.refused_count();
  stats.prompt_tokens = read(steps.prompt_tokens);
  stats.completion_tokens = read(steps.completion_tokens);
  stats.steps = read(steps.steps);
  stats.expert_uses = stream.account.experts_used;
  stats.expert_hits = stream.account.hits;
  stats.expert_evictions = stream.cache.evictions;
  stats.expert_bytes_read = stream.account.bytes_read;
  stats.expert_read_errors = stream.read_errors;
  stats.storage_wait_ns = stream.account.wait_ns;
  stats.storage_wait_bytes = stream.waits.bytes;
  stats.storage_wait_meter_ns = stream.waits.ns;
  stats.storage_model_bytes_per_second = storage_profile_.bytes_per_second;
  stats.compute_ns = read(steps.run_ns) - std::min(read(steps.run_ns), stream.account.wait_ns);
  stats.read_ahead = stream.read_ahead;
  stats.experts_resident = stream.cache.resident_count;
  stats.experts_total = layout_.experts.extents.size();
  stats.expert_resident_bytes = stream.cache.resident_bytes;
  stats.state_blocks_used = read(steps.state_blocks_used);
  stats.state_blocks_total = state_->block_count();
  stats.requests_preempted = read(steps.requests_preempted);
  stats.memory = plan_;
  stats.expert_slab_bytes = plan_.expert_bytes;
  if (memory_) {
    LiveMemory::State memory = memory_->state();
    stats.memory = std::move(memory.plan);
    stats.expert_slab_bytes = memory.slab_bytes;
  }
  stats.io_backend = io_backend_;
  stats.io_note = IoNote();
  stats.kernels = kernels_->name;
  stats.eviction_policy = options_.eviction_policy;
  stats.predictor = options_.predictor;
  stats.threads = static_cast<std::uint32_t>(limits_.thread_count);
  return stats;
}

std::string LoadedEngine::IoNote() const {
  std::string note = io_note_;
  const std::string buffers = memory_ ? memory_->state().buffers_note : "";
  if (!note.empty() && !buffers.empty()) note += "; ";
  return note + buffers;
}

Result<MemoryPlan> LoadedEngine::Resize(std::uint64_t budget_bytes) {
  if (!memory_)
    return Failure(FailedPreconditionError(
        "mode: " +
        FoundAndAccepted(ShowValue(options_.mode), "\"edgemoe\" for an engine to be resized")));
  const std::uint64_t usable_bytes = UsableMemoryBytes();
  Result<MemoryPlan> plan;
  EDGEMOE_FAIL_IF_ERROR(queue_.RunBetweenSteps([&] {
    plan = memory_->Resize(budget_bytes, usable_bytes);
    PublishStreamStats();
  }));
  if (plan) Log(LogLevel::kInfo, "resized: " + plan->explanation);
  return plan;
}

bool LoadedEngine::Drain(std::uint32_t timeout_ms) {
  queue_.Close();
  if (queue_.WaitUntilQuiet(std::chrono::milliseconds(timeout_ms))) return true;
  queue_.CancelAll();
  // A cancelled request ends within one layer.
  while (!queue_.WaitUntilQuiet(std::chrono::seconds(1))) {
  }
  return false;
}

}  // namespace edgemoe
