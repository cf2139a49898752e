// SPDX-License-Identifier: Apache-2.0
#include "engine/model/ops/router.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "engine/base/check.h"

namespace edgemoe {
namespace {

// llama.cpp's bound, the least normal binary16: keeps a sum of underflows from dividing by 0.
constexpr float kWeightSumMin = 0x1.0p-14F;

bool Better(float a, float b) { return !std::isnan(a) && (std::isnan(b) || a > b); }

// What experts are chosen by.
float SelectionScore(std::span<const float> scores, const float* bias, std::uint32_t expert) {
  return bias == nullptr ? scores[expert] : scores[expert] + bias[expert];
}

// Bit g: the experts of group g are looked at.
std::uint64_t GroupsUsed(const ExpertsConfig& config, const float* bias,
                         std::span<const float> scores) {
  if (config.group_count <= 1) return ~std::uint64_t{0};
  const std::size_t size = scores.size() / config.group_count;
  std::array<ExpertChoice, kExpertGroupCountMax> best;
  for (std::uint32_t group = 0; group < config.group_count; ++group) {
    float first = -std::numeric_limits<float>::infinity();
    float second = first;
    for (std::size_t i = 0; i < size; ++i) {
      const float score =
          SelectionScore(scores, bias, static_cast<std::uint32_t>(group * size + i));
      if (score > first) {
        second = std::exchange(first, score);
      } else if (score > second) {
        second = score;
      }
    }
    best[group] = {group, first + second};
  }
  const std::span<ExpertChoice> groups(best.data(), config.group_count);
  std::ranges::stable_sort(groups, [](const ExpertChoice& a, const ExpertChoice& b) {
    return Better(a.weight, b.weight);
  });
  std::uint64_t used = 0;
  for (const ExpertChoice& group : groups.first(config.group_used_count))
    used |= std::uint64_t{1} << group.expert;
  return used;
}

// The best, best first.
void ChooseBest(const ExpertsConfig& config, const float* bias, std::span<const float> scores,
                std::span<ExpertChoice> chosen) {
  const std::uint64_t groups = GroupsUsed(config, bias, scores);
  const std::size_t group_size = scores.size() / config.group_count;
  std::size_t count = 0;  // chosen[0, count) is sorted
  for (std::uint32_t expert = 0; expert < scores.size(); ++expert) {
    if (config.group_count > 1 && (groups >> (expert / group_size) & 1) == 0) continue;
    const float score = SelectionScore(scores, bias, expert);
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

void ChooseExperts(const ExpertsConfig& config, const KernelTable& kernels,
                   const RouterVectors& vectors, std::span<float> logits,
                   std::span<ExpertChoice> chosen) {
  EDGEMOE_DCHECK(chosen.size() <= logits.size(), "more experts wanted than there are");
  if (config.logit_scale != 1.0F)
    for (float& logit : logits) logit *= config.logit_scale;
  if (vectors.logit_bias != nullptr)
    kernels.add_scaled(vectors.logit_bias, 1.0F, logits.size(), logits.data());
  if (config.gating == ExpertGating::kSoftmax) kernels.softmax(logits.data(), logits.size());
  if (config.gating == ExpertGating::kSigmoid)
    for (float& logit : logits) logit = 1.0F / (1.0F + std::exp(-logit));
  ChooseBest(config, vectors.selection_bias, logits, chosen);
  if (vectors.selection_bias != nullptr)
    for (ExpertChoice& choice : chosen) choice.weight = logits[choice.expert];
  if (config.gating == ExpertGating::kSoftmaxOfChosen) SoftmaxOver(chosen);
  if (config.normalise) Normalise(chosen);
  if (config.weights_scale != 1.0F)
    for (ExpertChoice& choice : chosen) choice.weight *= config.weights_scale;
  if (vectors.weight_scale != nullptr)
    for (ExpertChoice& choice : chosen) choice.weight *= vectors.weight_scale[choice.expert];
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
