// SPDX-License-Identifier: Apache-2.0
#include "engine/stream/pipeline/expert_pipeline.h"

#include <algorithm>
#include <utility>

#include "engine/base/check.h"

namespace edgemoe {
namespace {

constexpr std::uint32_t kNone = 0xffffffff;

}  // namespace

ExpertPipeline::ExpertPipeline(const ExpertLayout& layout, BlockReader* reader, ExpertCache* cache,
                               const Clock* clock, const ExpertPipelineOptions& options)
    : layout_(layout),
      cache_(cache),
      clock_(clock),
      options_(options),
      guesses_per_row_(2 * options.near_guesses_per_row),
      wants_(layout.experts_per_layer),
      want_of_(layout.experts_per_layer, kNone),
      read_bytes_(layout.experts_per_layer),
      guess_choices_(kGuessRowsMax * guesses_per_row_),
      guess_rows_(kGuessRowsMax),
      ahead_(cache, clock, layout.experts_per_layer),
      loader_(layout, reader, cache, options.loader) {
  EDGEMOE_CHECK(guesses_per_row_ <= kGuessesPerRowMax, "too many guesses");
  pending_.reserve(wants_.size());
  ready_.reserve(wants_.size());
}

ExpertPipeline::~ExpertPipeline() {
  EDGEMOE_CHECK(unreleased_count_ == 0, "destroyed with experts in use");
  Abandon();
  Quiesce();
}

void ExpertPipeline::BeginStep() {
  if (observer_ != nullptr) observer_->OnStep();
  ahead_.BeginStep();
  step_rows_ = 0;
  step_misses_ = 0;
  step_bytes_ = loader_.bytes_read();
}

void ExpertPipeline::Begin(ExpertLayerIndex layer, std::span<const RoutedRow> rows,
                           std::span<const ExpertIndex> experts) {
  EDGEMOE_CHECK(AllGiven() && unreleased_count_ == 0, "the previous layer is not finished");
  EDGEMOE_CHECK(layer.value < layout_.layer_count, "no such layer");
  EDGEMOE_CHECK(experts.size() <= wants_.size(), "more experts than the layer has");
  Reap(/*wait=*/false);
  if (observer_ != nullptr) Show(layer, rows);
  cache_->OnRouted(layer, rows);
  layer_ = layer;
  wants_count_ = static_cast<std::uint32_t>(experts.size());
  given_count_ = 0;
  pending_.clear();
  ready_.clear();
  ready_next_ = 0;
  for (std::uint32_t want = 0; want < wants_count_; ++want) {
    wants_[want].expert = experts[want];
    AddWant(want, layer);
  }
  ahead_.Settle(layer, experts);
  loader_.CancelReadAhead();
  Pump();
  LookAtRows(layer, rows);
}

void ExpertPipeline::Show(ExpertLayerIndex layer, std::span<const RoutedRow> rows) {
  for (std::uint32_t expert = 0; expert < layout_.experts_per_layer; ++expert) {
    const ExpertKey key{layer, ExpertIndex{expert}};
    read_bytes_[expert] =
        cache_->state(key) == ExpertState::kResident ? 0 : SlotBytesFor(layout_.of(key));
  }
  observer_->OnRouted(layer, rows, read_bytes_);
}

void ExpertPipeline::LookAtRows(ExpertLayerIndex layer, std::span<const RoutedRow> rows) {
  const bool decodes = !rows.empty() && rows.size() <= kGuessRowsMax &&
                       std::all_of(rows.begin(), rows.end(), [](const RoutedRow& row) {
                         return row.phase == RoutingPhase::kDecode;
                       });
  step_rows_ = decodes ? static_cast<std::uint32_t>(rows.size()) : 0;
  Predictor* const predictor = options_.predictor;
  if (predictor == nullptr || cache_->HoldsAll()) return;
  for (const RoutedRow& row : rows) predictor->Observe(layer, row);
  if (!decodes || !ahead_.on()) return;
  const ExpertLayerIndex next{(layer.value + 1) % layout_.layer_count};
  if (options_.look_ahead == LookAhead::kPredictor ||
      (options_.look_ahead == LookAhead::kRouter && next.value == 0))
    GuessByPredictor(next, rows);
}

void ExpertPipeline::GuessByPredictor(ExpertLayerIndex next, std::span<const RoutedRow> rows) {
  const std::size_t per_row = guesses_per_row_;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::span room(guess_choices_.data() + i * per_row, per_row);
    guess_rows_[i] = rows[i];
    guess_rows_[i].choices = room.first(options_.predictor->Guess(next, rows[i], room));
  }
  ahead_.SetGuesses(next, std::span(guess_rows_).first(rows.size()), options_.near_guesses_per_row);
  Pump();
}

std::uint32_t ExpertPipeline::guesses_wanted(ExpertLayerIndex next) const {
  const bool wanted = options_.look_ahead == LookAhead::kRouter && step_rows_ > 0 &&
                      next.value == layer_.value + 1 && ahead_.on();
  return wanted ? guesses_per_row_ : 0;
}

void ExpertPipeline::Guess(ExpertLayerIndex next, std::span<const RoutedRow> guesses) {
  EDGEMOE_CHECK(next.value < layout_.layer_count, "no such layer");
  ahead_.SetGuesses(next, guesses, options_.near_guesses_per_row);
  Advance();
}

void ExpertPipeline::Advance() {
  Reap(/*wait=*/false);
  Pump();
}

void ExpertPipeline::AddWant(std::uint32_t index, ExpertLayerIndex layer) {
  Want& want = wants_[index];
  const ExpertKey key{layer, want.expert};
  EDGEMOE_CHECK(
      want.expert.value < layout_.experts_per_layer && cache_->ClassOf(key) != kNoSlotClass,
      "no such expert");
  want.pin = cache_->TryPin(key);
  if (want.pin) {
    ++account_.hits;
    want.state = WantState::kReady;
    ready_.push_back(index);
    return;
  }
  ++step_misses_;
  if (cache_->state(key) == ExpertState::kLoading) {
    EDGEMOE_CHECK(want_of_[want.expert.value] == kNone, "the same expert asked for twice");
    loader_.Promote(key);
    want_of_[want.expert.value] = index;
    ++loading_count_;
    want.state = WantState::kLoading;
  } else {
    want.state = WantState::kPending;
    pending_.push_back(index);
  }
}

std::size_t ExpertPipeline::NextReady(std::span<ReadyExpert> ready) {
  EDGEMOE_CHECK(!ready.empty(), "no room for an expert");
  if (AllGiven()) {
    if (layer_.value + 1 == layout_.layer_count && step_rows_ > 0) {
      ahead_.EndStep(step_rows_, step_misses_ > 0 || loader_.bytes_read() != step_bytes_);
      step_rows_ = 0;
    }
    return 0;
  }
  Advance();
  if (ready_next_ == ready_.size()) {
    const std::uint64_t begin_ns = clock_->NowNs();
    do {
      EDGEMOE_CHECK(!loader_.idle(), "every slot is pinned: release before asking for more");
      Reap(/*wait=*/true);
      Pump();
    } while (ready_next_ == ready_.size());
    account_.wait_ns += clock_->NowNs() - begin_ns;
  }
  std::size_t count = 0;
  while (count < ready.size() && ready_next_ < ready_.size())
    Give(ready_[ready_next_++], ready[count++]);
  return count;
}

void ExpertPipeline::Give(std::uint32_t index, ReadyExpert& ready) {
  Want& want = wants_[index];
  const ExpertExtents& extents = layout_.of({layer_, want.expert});
  const std::byte* slot = want.pin ? want.pin.bytes().data() : nullptr;
  ready.expert = want.expert;
  ready.pin = index;
  ready.status = std::move(want.status);
  want.status = OkStatus();
  const ExpertReads plan = LayOutReads(extents);
  for (std::size_t role = 0; role < kExpertRoleCount; ++role) {
    ready.matrices[role] = slot == nullptr ? nullptr : slot + plan.matrix_offsets[role];
    ready.types[role] = extents[role].type;
  }
  want.state = WantState::kGiven;
  ++given_count_;
  ++unreleased_count_;
  if (slot != nullptr) ++account_.experts_used;
}

void ExpertPipeline::Release(std::span<const ReadyExpert> ready) {
  for (const ReadyExpert& expert : ready) {
    EDGEMOE_CHECK(expert.pin < wants_count_, "not an expert of this layer");
    Want& want = wants_[expert.pin];
    EDGEMOE_CHECK(want.state == WantState::kGiven && want.expert == expert.expert,
                  "released twice, or never given");
    const bool drop = !options_.keep_experts && want.pin;
    want.pin.Reset();
    if (drop) cache_->Drop({layer_, want.expert});
    want.state = WantState::kReleased;
    --unreleased_count_;
  }
  Advance();
}

void ExpertPipeline::Abandon() {
  for (std::uint32_t index = 0; index < wants_count_; ++index) {
    Want& want = wants_[index];
    if (want.state == WantState::kGiven || want.state == WantState::kReleased) continue;
    want.pin.Reset();
    want.status = OkStatus();
    want.state = WantState::kReleased;
  }
  std::fill(want_of_.begin(), want_of_.end(), kNone);
  loading_count_ = 0;
  pending_.clear();
  ready_.clear();
  ready_next_ = 0;
  given_count_ = wants_count_;
  step_rows_ = 0;
}

void ExpertPipeline::Quiesce() {
  EDGEMOE_CHECK(AllGiven() && unreleased_count_ == 0, "experts are in use");
  ahead_.Clear();
  loader_.CancelReadAhead();
  while (!loader_.idle()) {
    loader_.Issue();
    Reap(/*wait=*/true);
  }
  Reap(/*wait=*/false);
}

bool ExpertPipeline::Warm(std::span<const ExpertKey>& keys) {
  EDGEMOE_CHECK(AllGiven() && unreleased_count_ == 0, "experts are in use");
  Reap(/*wait=*/false);
  loader_.Issue();
  while (!keys.empty() && loader_.CanStart(LoadUrgency::kReadAhead)) {
    const ExpertKey key = keys.front();
    keys = keys.subspan(1);
    if (cache_->state(key) == ExpertState::kAbsent && cache_->HasFreeSlot(key) &&
        loader_.TryStart(key, LoadUrgency::kReadAhead))
      loader_.Issue();
  }
  if (!loader_.idle()) Reap(/*wait=*/true);
  return !keys.empty() || !loader_.idle();
}

Status ExpertPipeline::Probe(ExpertKey key) {
  Quiesce();
  if (cache_->state(key) == ExpertState::kResident) cache_->Drop(key);
  const bool started = loader_.TryStart(key, LoadUrgency::kDemand);
  EDGEMOE_CHECK(started, "nothing is pinned, and no slot can be had");
  Status status;
  while (!loader_.idle()) {
    loader_.Issue();
    loader_.Reap(/*wait=*/true);
    for (EndedLoad ended; loader_.TakeEnded(ended);) status = std::move(ended.status);
  }
  account_.bytes_read = loader_.bytes_read();
  return status;
}

void ExpertPipeline::Pump() {
  loader_.Issue();
  StartPending();
  if (pending_.empty() && loading_count_ == 0) StartReadAhead();
  loader_.Issue();
}

void ExpertPipeline::StartPending() {
  static_assert(kSlotClassCountMax <= 32);
  std::uint32_t exhausted_classes = 0;  // a bit for each: no slot to be had
  std::size_t kept = 0;
  for (const std::uint32_t want : pending_) {
    const std::uint32_t class_bit = 1u << cache_->ClassOf({layer_, wants_[want].expert});
    const bool reader_full = !loader_.CanStart(LoadUrgency::kDemand);
    if (reader_full || (exhausted_classes & class_bit) != 0 || !TryStartDemand(want)) {
      if (!reader_full) exhausted_classes |= class_bit;
      pending_[kept++] = want;
    }
  }
  pending_.resize(kept);
}

bool ExpertPipeline::TryStartDemand(std::uint32_t index) {
  Want& want = wants_[index];
  const ExpertKey key{layer_, want.expert};
  if (!loader_.TryStart(key, LoadUrgency::kDemand) &&
      !(ahead_.LetGo() && loader_.TryStart(key, LoadUrgency::kDemand)))
    return false;
  want.state = WantState::kLoading;
  want_of_[want.expert.value] = index;
  ++loading_count_;
  return true;
}

void ExpertPipeline::StartReadAhead() {
  while (loader_.CanStart(LoadUrgency::kReadAhead)) {
    const std::optional<ExpertKey> key = ahead_.NextAbsent();
    if (!key || !loader_.TryStart(*key, LoadUrgency::kReadAhead)) return;
    ahead_.OnStarted(*key, SlotBytesFor(layout_.of(*key)));
  }
}

void ExpertPipeline::Reap(bool wait) {
  loader_.Reap(wait);
  EndedLoad ended;
  while (loader_.TakeEnded(ended)) OnEnded(ended);
  account_.bytes_read = loader_.bytes_read();
}

void ExpertPipeline::OnEnded(EndedLoad& ended) {
  if (ended.began_as_guess) ahead_.OnLanded(ended);
  const std::uint32_t index = ended.key.layer == layer_ ? want_of_[ended.key.expert.value] : kNone;
  if (index == kNone) return;
  want_of_[ended.key.expert.value] = kNone;
  --loading_count_;
  Want& want = wants_[index];
  want.pin = std::move(ended.pin);
  want.status = std::move(ended.status);
  want.state = WantState::kReady;
  ready_.push_back(index);
}

}  // namespace edgemoe
