// SPDX-License-Identifier: Apache-2.0
#include "engine/model/ops/router.h"

#include <algorithm>
#include <cmath>

#include "engine/base/check.h"

namespace edgemoe {
namespace {

// llama.cpp's bound, the least normal binary16: keeps a sum of underflows from dividing by 0.
constexpr float kWeightSumMin = 0x1.0p-14F;

bool Better(float a, float b) { return !std::isnan(a) && (std::isnan(b) || a > b); }

// The best scores, best first.
void ChooseBest(std::span<const float> scores, std::span<ExpertChoice> chosen) {
  std::size_t count = 0;  // chosen[0, count) is sorted
  for (std::uint32_t expert = 0; expert < scores.size(); ++expert) {
    const float score = scores[expert];
    if (count == chosen.size() && !Better(score, chosen[count - 1].weight)) continue;
    if (count < chosen.size()) ++count;
    std::size_t place = count - 1;
    for (; place > 0 && Better(score, chosen[place - 1].weight); --place) {
      chosen[place] = chosen[place - 1];
    }
    chosen[place] = {expert, score};
  }
}

void SoftmaxOver(std::span<ExpertChoice> chosen) {
  const float largest = chosen.front().weight;
  double sum = 0;
  for (ExpertChoice& choice : chosen) {
    choice.weight = std::exp(choice.weight - largest);
    sum += static_cast<double>(choice.weight);
  }
  for (ExpertChoice& choice : chosen) {
    choice.weight = static_cast<float>(static_cast<double>(choice.weight) / sum);
  }
}

void Normalise(std::span<ExpertChoice> chosen) {
  float sum = 0;
  for (const ExpertChoice& choice : chosen) sum += choice.weight;
  if (sum < kWeightSumMin) sum = kWeightSumMin;
  for (ExpertChoice& choice : chosen) choice.weight /= sum;
}

}  // namespace

void ChooseExperts(const ExpertsConfig& config, const KernelTable& kernels, const float* bias,
                   std::span<float> logits, std::span<ExpertChoice> chosen) {
  EDGEMOE_DCHECK(chosen.size() <= logits.size(), "more experts wanted than there are");
  if (bias != nullptr) kernels.add_scaled(bias, 1.0F, logits.size(), logits.data());
  if (config.gating == ExpertGating::kSoftmax) kernels.softmax(logits.data(), logits.size());
  ChooseBest(logits, chosen);
  if (config.gating == ExpertGating::kSoftmaxOfChosen) SoftmaxOver(chosen);
  if (config.normalise) Normalise(chosen);
  if (config.weights_scale != 1.0F)
    for (ExpertChoice& choice : chosen) choice.weight *= config.weights_scale;
}

ExpertUses::ExpertUses(std::uint32_t rows_max, std::uint32_t top_k, std::uint32_t expert_count)
    : top_k_(top_k),
      choices_(std::size_t{rows_max} * top_k),
      uses_(choices_.size()),
      rows_(choices_.size()),
      weights_(choices_.size()),
      begins_(std::size_t{expert_count} + 1),
      next_(expert_count) {
  experts_.reserve(expert_count);
}

std::span<ExpertChoice> ExpertUses::ChoicesOf(std::size_t row) {
  return std::span(choices_).subspan(row * top_k_, top_k_);
}

void ExpertUses::Group(std::size_t row_count) {
  const std::size_t use_count = row_count * top_k_;
  std::ranges::fill(begins_, 0U);
  for (std::size_t i = 0; i < use_count; ++i) ++begins_[choices_[i].expert + 1];
  experts_.clear();
  for (std::uint32_t expert = 0; expert < next_.size(); ++expert) {
    if (begins_[expert + 1] > 0) experts_.push_back(ExpertIndex{expert});
    begins_[expert + 1] += begins_[expert];
    next_[expert] = begins_[expert];
  }
  for (std::size_t i = 0; i < use_count; ++i) {
    const std::uint32_t use = next_[choices_[i].expert]++;
    uses_[i] = use;
    rows_[use] = static_cast<std::uint32_t>(i / top_k_);
    weights_[use] = choices_[i].weight;
  }
}

std::span<const std::uint32_t> ExpertUses::rows_of(ExpertIndex expert) const {
  const std::size_t begin = begins_[expert.value];
  return std::span(rows_).subspan(begin, begins_[expert.value + 1] - begin);
}

std::span<const float> ExpertUses::weights_of(ExpertIndex expert) const {
  const std::size_t begin = begins_[expert.value];
  return std::span(weights_).subspan(begin, begins_[expert.value + 1] - begin);
}

}  // namespace edgemoe
