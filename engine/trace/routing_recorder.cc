// SPDX-License-Identifier: Apache-2.0
#include "engine/trace/routing_recorder.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "engine/base/check.h"

namespace edgemoe {
namespace {

// Eight integers of at most 20 digits, a weight, commas.
constexpr std::size_t kLineBytesMax = 256;
constexpr int kWeightDigits = 6;

// A line under construction.
class Line {
 public:
  void Add(std::uint64_t value, char end) {
    char* const limit = text_.data() + text_.size();
    Close(std::to_chars(text_.data() + size_, limit, value).ptr, end);
  }
  void AddWeight(float value) {
    char* const limit = text_.data() + text_.size();
    const float weight = std::clamp(value, 0.0F, 1.0F);
    Close(
        std::to_chars(text_.data() + size_, limit, weight, std::chars_format::fixed, kWeightDigits)
            .ptr,
        ',');
  }
  std::span<const char> text() const { return {text_.data(), size_}; }

 private:
  void Close(char* at, char end) {
    *at = end;
    size_ = static_cast<std::size_t>(at + 1 - text_.data());
  }

  std::array<char, kLineBytesMax> text_;
  std::size_t size_ = 0;
};

}  // namespace

RoutingRecorder::RoutingRecorder(const TraceDescription& description, std::size_t buffer_bytes,
                                 StepObserver observer)
    : header_(FormatTraceHeader(description)),
      observer_(std::move(observer)),
      ring_(buffer_bytes),
      named_(description.experts_per_layer) {}

void RoutingRecorder::OnRouted(ExpertLayerIndex layer, std::span<const RoutedRow> rows,
                               std::span<const std::uint64_t> read_bytes) {
  EDGEMOE_CHECK(read_bytes.size() == named_.size(), "one figure for each expert");
  if (!step_fits_) return;
  std::fill(named_.begin(), named_.end(), false);
  for (const RoutedRow& row : rows) {
    for (std::size_t slot = 0; slot < row.choices.size(); ++slot) {
      const ExpertChoice& choice = row.choices[slot];
      const std::uint64_t bytes = named_[choice.expert] ? 0 : read_bytes[choice.expert];
      named_[choice.expert] = true;
      Line line;
      line.Add(row.request.value, ',');
      line.Add(static_cast<std::uint64_t>(row.phase), ',');
      line.Add(row.position, ',');
      line.Add(layer.value, ',');
      line.Add(slot, ',');
      line.Add(choice.expert, ',');
      line.AddWeight(choice.weight);
      line.Add(bytes == 0 ? 1 : 0, ',');
      line.Add(bytes, '\n');
      Append(line.text());
    }
  }
}

std::string RoutingRecorder::Take() {
  const std::uint64_t begin = taken_.load(std::memory_order_relaxed);
  const std::uint64_t end = finished_.load(std::memory_order_acquire);
  std::string text;
  text.reserve(end - begin);
  for (std::uint64_t at = begin; at < end;) {
    const std::size_t from = at % ring_.size();
    const std::size_t count = std::min<std::uint64_t>(ring_.size() - from, end - at);
    text.append(ring_.data() + from, count);
    at += count;
  }
  taken_.store(end, std::memory_order_release);
  return text;
}

void RoutingRecorder::FinishStep() {
  const std::uint64_t finished = finished_.load(std::memory_order_relaxed);
  if (!step_fits_) {
    step_end_ = finished;
    step_fits_ = true;
    steps_dropped_.fetch_add(1, std::memory_order_relaxed);
  } else if (step_end_ != finished) {
    finished_.store(step_end_, std::memory_order_release);
    const std::uint64_t steps = steps_recorded_.fetch_add(1, std::memory_order_relaxed) + 1;
    if (observer_) observer_(steps);
  }
}

void RoutingRecorder::Append(std::span<const char> line) {
  if (!step_fits_) return;
  const std::uint64_t taken = taken_.load(std::memory_order_acquire);
  if (step_end_ + line.size() - taken > ring_.size()) {
    step_fits_ = false;
    return;
  }
  for (const char c : line) ring_[step_end_++ % ring_.size()] = c;
}

}  // namespace edgemoe
