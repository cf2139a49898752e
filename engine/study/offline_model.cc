// SPDX-License-Identifier: Apache-2.0
#include "engine/study/offline_model.h"

#include <algorithm>
#include <utility>

#include "engine/base/accepted.h"
#include "engine/base/byte_size.h"
#include "engine/base/check.h"
#include "engine/cache/slot_classes.h"
#include "engine/io/reader_factory.h"
#include "engine/kernels/dispatch.h"
#include "engine/load/model_parts.h"

namespace edgemoe {
namespace {

// Rows of logits that are in memory at once.
constexpr std::uint32_t kLogitRows = 32;
// Fewer rows save nothing that counts.
constexpr std::uint32_t kRowsMin = 16;
constexpr std::uint32_t kRowsMax = 4096;
constexpr std::size_t kThreadsMax = 64;
constexpr std::size_t kReadDepth = 32;

Status CheckOptions(const ModelHeader& header, const OfflineModelOptions& options) {
  EDGEMOE_RETURN_IF_ERROR(
      CheckRange("context_tokens", options.context_tokens, 1, header.config.context_length));
  EDGEMOE_RETURN_IF_ERROR(CheckRange("rows_max", options.rows_max, 1, kRowsMax));
  return CheckRange("threads", options.threads, 1, kThreadsMax);
}

ModelConfig ConfigFor(const ModelHeader& header, const OfflineModelOptions& options) {
  ModelConfig config = header.config;
  config.context_length = options.context_tokens;
  return config;
}

SlotClasses ClassesFor(const ModelHeader& header) {
  return WithLayerFloors(header.slot_classes, header.config.expert_used_count);
}

// One window at a time.
StateLimits StateLimitsFor(const ModelConfig& config, std::uint32_t rows_max) {
  return {.token_capacity = config.context_length,
          .sequences_max = 1,
          .context_tokens = config.context_length,
          .rows_max = rows_max};
}

// All but the experts.
OfflineMemory WithRows(const ModelHeader& header, const OfflineModelOptions& options,
                       std::uint32_t rows_max) {
  const ModelConfig config = ConfigFor(header, options);
  OfflineMemory memory;
  memory.dense_bytes = AlignUp(header.layout.dense_bytes, PageBytes());
  memory.state_bytes = AlignUp(
      StatePool::Bytes(StateShapeOf(config), StateLimitsFor(config, rows_max)), PageBytes());
  memory.workspace_bytes = AlignUp(
      Forward::WorkspaceBytes(config, rows_max, std::min(rows_max, kLogitRows), options.threads),
      PageBytes());
  memory.rows_max = rows_max;
  return memory;
}

}  // namespace

Result<OfflineMemory> PlanOfflineMemory(const ModelHeader& header,
                                        const OfflineModelOptions& options) {
  EDGEMOE_FAIL_IF_ERROR(CheckOptions(header, options));
  const SlotClasses classes = ClassesFor(header);
  const std::uint64_t experts_least = SlabBytesMin(classes);
  const std::uint64_t experts_most = SlabBytesMax(classes);
  // Windows are never longer than the context.
  const std::uint32_t rows_most = std::min(options.rows_max, options.context_tokens);
  const std::uint32_t rows_least = std::min(rows_most, kRowsMin);
  const auto find = [&](std::uint32_t rows_floor, std::uint64_t expert_bytes,
                        std::uint64_t memory_bytes) -> std::optional<OfflineMemory> {
    for (std::uint32_t rows = rows_most;; rows = std::max(rows / 2, rows_floor)) {
      OfflineMemory memory = WithRows(header, options, rows);
      if (memory.total_bytes() + expert_bytes <= memory_bytes) return memory;
      if (rows <= rows_floor) return std::nullopt;
    }
  };

  const std::uint64_t least_bytes =
      WithRows(header, options, rows_least).total_bytes() + experts_least;
  const std::uint64_t memory_bytes =
      options.memory_bytes != 0 ? options.memory_bytes
                                : WithRows(header, options, rows_most).total_bytes() + experts_most;
  std::optional<OfflineMemory> memory =
      find(std::min(rows_most, kRowsWorthSlots), experts_most, memory_bytes);
  if (!memory) memory = find(rows_least, experts_least, memory_bytes);
  if (!memory)
    return Failure(Status(StatusCode::kResourceExhausted, "memory_bytes",
                          "found " + FormatByteSize(memory_bytes) + " (" +
                              std::to_string(memory_bytes) + " bytes); the least that works is " +
                              FormatByteSize(least_bytes) + " (" + std::to_string(least_bytes) +
                              " bytes)")
                       .WithReason(Reason::kBudgetTooSmall));
  memory->expert_bytes = std::min(memory_bytes - memory->total_bytes(), experts_most);
  memory->holds_all_experts = memory->expert_bytes == experts_most;
  memory->least_bytes = least_bytes;
  return *memory;
}

Result<std::unique_ptr<OfflineModel>> OfflineModel::Open(const OfflineModelOptions& options) {
  EDGEMOE_ASSIGN_OR_FAIL(ModelHeader header, ReadModelHeader(options.path));
  std::unique_ptr<OfflineModel> model(new OfflineModel());
  EDGEMOE_ASSIGN_OR_FAIL(model->memory_, PlanOfflineMemory(header, options));
  model->config_ = ConfigFor(header, options);
  model->cancelled_ = options.cancelled;
  EDGEMOE_ASSIGN_OR_FAIL(model->tokenizer_, OpenTokenizer(header.files.metadata()));
  EDGEMOE_ASSIGN_OR_FAIL(model->files_, OpenModelFiles(header));
  const SlotClasses classes = ClassesFor(header);
  model->layout_ = std::move(header.layout);
  EDGEMOE_ASSIGN_OR_FAIL(model->weights_,
                         LoadDenseWeights(model->config_, model->layout_, model->files_, {}));
  EDGEMOE_FAIL_IF_ERROR(model->OpenStream(options, classes));
  EDGEMOE_FAIL_IF_ERROR(model->OpenForward(options));
  return model;
}

Status OfflineModel::OpenStream(const OfflineModelOptions& options, const SlotClasses& classes) {
  EDGEMOE_ASSIGN_OR_RETURN(OpenedReader opened, OpenReader(files_, {.backend = options.io_backend,
                                                                    .depth = kReadDepth}));
  reader_ = std::move(opened.reader);
  EDGEMOE_ASSIGN_OR_RETURN(
      stack_, ExpertStack::Open(
                  {.layout = layout_.experts, .files = files_, .reader = *reader_, .clock = clock_},
                  {.classes = classes, .slab_bytes = memory_.expert_bytes}));
  // Without fixed buffers reads cost a little more; nobody needs to know.
  static_cast<void>(reader_->SetFixedBuffers(stack_->slab().regions()));
  overlay_.emplace(layout_.experts.layer_count, layout_.experts.experts_per_layer);
  experts_.emplace(&stack_->pipeline(), &*overlay_);
  return OkStatus();
}

Status OfflineModel::OpenForward(const OfflineModelOptions& options) {
  EDGEMOE_ASSIGN_OR_RETURN(const KernelTable* kernels, SelectKernels(options.kernels));
  pool_.emplace(options.threads);
  EDGEMOE_ASSIGN_OR_RETURN(
      state_, StatePool::Create(StateShapeOf(config_), StateLimitsFor(config_, memory_.rows_max)));
  EDGEMOE_ASSIGN_OR_RETURN(
      forward_,
      Forward::Create(
          config_, {.weights = weights_, .kernels = *kernels, .pool = *pool_, .experts = *experts_},
          {.rows_max = memory_.rows_max,
           .logit_rows_max = std::min(memory_.rows_max, kLogitRows),
           .observer = options.observer,
           .logit_sink = [this](const BatchRow& row, std::span<const float> logits) {
             (*sink_)(row.position, logits);
           }}));
  rows_.reserve(memory_.rows_max);
  results_.reserve(memory_.rows_max);
  return OkStatus();
}

Status OfflineModel::RunWindow(std::span<const TokenId> tokens, std::size_t first_logits,
                               const PositionSink& sink) {
  EDGEMOE_RETURN_IF_ERROR(CheckWindow(tokens));
  SequenceState sequence(*state_);
  sink_ = &sink;
  Status status;
  for (std::size_t begin = 0; begin < tokens.size() && status.ok(); begin += memory_.rows_max) {
    const std::size_t end = std::min<std::size_t>(begin + memory_.rows_max, tokens.size());
    status = RunChunk(sequence, tokens, begin, end, first_logits);
  }
  sink_ = nullptr;
  return status;
}

Status OfflineModel::CheckWindow(std::span<const TokenId> tokens) const {
  EDGEMOE_RETURN_IF_ERROR(CheckRange("tokens", tokens.size(), 1, config_.context_length));
  const auto last = static_cast<std::int32_t>(config_.vocabulary_size - 1);
  for (const TokenId token : tokens)
    EDGEMOE_RETURN_IF_ERROR(CheckRange("tokens", token.value, 0, last));
  return OkStatus();
}

Status OfflineModel::RunChunk(SequenceState& sequence, std::span<const TokenId> tokens,
                              std::size_t begin, std::size_t end, std::size_t first_logits) {
  EDGEMOE_RETURN_IF_ERROR(
      sequence.Prepare(static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)));
  rows_.clear();
  for (std::size_t position = begin; position < end; ++position)
    rows_.push_back({.sequence = &sequence,
                     .position = static_cast<std::uint32_t>(position),
                     .token = tokens[position],
                     .wants_logits = position >= first_logits,
                     .cancelled = cancelled_,
                     .phase = RoutingPhase::kPrefill});
  results_.assign(rows_.size(), {});
  forward_->Run(rows_, results_);
  for (const RowResult& result : results_) EDGEMOE_RETURN_IF_ERROR(result.status);
  return OkStatus();
}

void OfflineModel::SetDense(std::size_t index, TensorType type, std::span<const std::byte> bytes) {
  EDGEMOE_CHECK(index < layout_.dense.size(), "no such dense tensor");
  const WeightsLayout::DenseTensor& tensor = layout_.dense[index];
  EDGEMOE_CHECK(TraitsOf(type).computable, "no kernel for this type");
  EDGEMOE_CHECK(bytes.size() == RowBytes(type, tensor.columns).value_or(0) * tensor.rows,
                "bytes of another shape");
  UseDenseMatrix(layout_, index, type, bytes.data(), &weights_);
  replaced_dense_.push_back(index);
}

void OfflineModel::ClearReplacements() {
  overlay_->Clear();
  for (const std::size_t index : replaced_dense_) {
    const WeightsLayout::DenseTensor& tensor = layout_.dense[index];
    UseDenseMatrix(layout_, index, tensor.type, weights_.memory.data() + tensor.memory_offset,
                   &weights_);
  }
  replaced_dense_.clear();
}

}  // namespace edgemoe
