// SPDX-License-Identifier: Apache-2.0
#include "engine/model/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "engine/base/accepted.h"
#include "engine/base/check.h"

namespace edgemoe {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kBiasMax = 1000;  // as the API promises

// NaN is outside every range.
Status CheckNumber(const char* field, double value, const SamplingRange& range) {
  const bool inside =
      (range.least_open ? value > range.least : value >= range.least) && value <= range.most;
  if (inside) return OkStatus();
  return InvalidField("sampling." + std::string(field), ShowValue(value),
                      range.least_open ? AcceptedAbove(range.least, range.most)
                                       : AcceptedRange(range.least, range.most));
}

Status CheckLogitBias(const std::vector<LogitBias>& biases, std::uint32_t vocabulary_size) {
  constexpr const char* kField = "sampling.logit_bias";
  if (biases.size() > kLogitBiasMax) {
    return InvalidField(kField, ShowValue(biases.size()) + " entries",
                        AcceptedAtMost(kLogitBiasMax));
  }
  for (const LogitBias& bias : biases) {
    if (bias.token.value < 0 || static_cast<std::uint32_t>(bias.token.value) >= vocabulary_size) {
      return InvalidField(kField, "token " + ShowValue(bias.token.value),
                          AcceptedRange(0, vocabulary_size - 1));
    }
    const bool in_range = bias.bias >= -kBiasMax && bias.bias <= kBiasMax;
    if (!in_range && bias.bias != -kInfinity) {  // NaN is outside, too
      return InvalidField(
          kField, "bias " + ShowValue(bias.bias) + " for token " + ShowValue(bias.token.value),
          AcceptedRange(-kBiasMax, kBiasMax) + " and -infinity");
    }
  }
  return OkStatus();
}

// exp(logit - max), where infinities are not subtracted from each other.
double RelativeWeight(float logit, float max) {
  return logit == max ? 1.0 : std::exp(static_cast<double>(logit) - max);
}

// The greatest logit that is a number, or NaN when there is none.
float MaxOf(std::span<const float> logits) {
  float max = std::numeric_limits<float>::quiet_NaN();
  for (const float logit : logits) {
    if (!(logit <= max) && !std::isnan(logit)) max = logit;
  }
  return max;
}

// log of the sum of exp(logit), the number that turns logits into log-probabilities.
double LogSumExp(std::span<const float> logits, float max) {
  double sum = 0;
  for (const float logit : logits) {
    if (!std::isnan(logit)) sum += RelativeWeight(logit, max);
  }
  return static_cast<double>(max) + std::log(sum);
}

float LogProbabilityOf(float logit, double log_sum) {
  if (std::isnan(logit)) return -kInfinity;
  if (logit == kInfinity) return 0;
  return static_cast<float>(static_cast<double>(logit) - log_sum);
}

}  // namespace

Status ValidateSampling(const SamplingParameters& p, std::uint32_t vocabulary_size) {
  EDGEMOE_RETURN_IF_ERROR(CheckNumber("temperature", p.temperature, kTemperatureRange));
  EDGEMOE_RETURN_IF_ERROR(CheckNumber("top_p", p.top_p, kTopPRange));
  EDGEMOE_RETURN_IF_ERROR(CheckNumber("min_p", p.min_p, kMinPRange));
  EDGEMOE_RETURN_IF_ERROR(
      CheckNumber("repetition_penalty", p.repetition_penalty, kRepetitionPenaltyRange));
  EDGEMOE_RETURN_IF_ERROR(
      CheckNumber("presence_penalty", p.presence_penalty, kOccurrencePenaltyRange));
  EDGEMOE_RETURN_IF_ERROR(
      CheckNumber("frequency_penalty", p.frequency_penalty, kOccurrencePenaltyRange));
  if (p.penalty_last_n > kPenaltyLastNMax) {
    return InvalidField("sampling.penalty_last_n", ShowValue(p.penalty_last_n),
                        AcceptedRange(0, kPenaltyLastNMax));
  }
  return CheckLogitBias(p.logit_bias, vocabulary_size);
}

Sampler::Sampler(SamplingParameters parameters, std::uint32_t vocabulary_size)
    : parameters_(std::move(parameters)), random_(parameters_.seed) {
  EDGEMOE_CHECK(ValidateSampling(parameters_, vocabulary_size).ok(), "unchecked parameters");
  penalizes_ = parameters_.penalty_last_n > 0 &&
               (parameters_.repetition_penalty != 1.0F || parameters_.presence_penalty != 0.0F ||
                parameters_.frequency_penalty != 0.0F);
  adjusted_.resize(vocabulary_size);
  candidates_.reserve(vocabulary_size);
  if (penalizes_) {
    recent_.reserve(parameters_.penalty_last_n);
    recent_counts_.resize(vocabulary_size);
  }
}

void Sampler::Observe(TokenId token) {
  if (!penalizes_) return;
  EDGEMOE_CHECK(static_cast<std::size_t>(token.value) < recent_counts_.size(),
                "token outside the vocabulary");
  if (recent_.size() < parameters_.penalty_last_n) {
    recent_.push_back(token.value);
  } else {
    --recent_counts_[static_cast<std::size_t>(recent_[recent_next_])];
    recent_[recent_next_] = token.value;
    recent_next_ = (recent_next_ + 1) % recent_.size();
  }
  ++recent_counts_[static_cast<std::size_t>(token.value)];
}

// Bias, then penalties, as llama.cpp applies them: a positive logit is divided by the repetition
// penalty, another one multiplied.
void Sampler::Adjust(std::span<const float> logits) {
  std::ranges::copy(logits, adjusted_.begin());
  for (const LogitBias& bias : parameters_.logit_bias) {
    adjusted_[static_cast<std::size_t>(bias.token.value)] += bias.bias;
  }
  // A count is negated while its token has its penalty already, and restored below.
  for (const std::int32_t token : recent_) {
    std::int32_t& count = recent_counts_[static_cast<std::size_t>(token)];
    if (count < 0) continue;
    float& logit = adjusted_[static_cast<std::size_t>(token)];
    logit = logit <= 0 ? logit * parameters_.repetition_penalty
                       : logit / parameters_.repetition_penalty;
    logit -=
        static_cast<float>(count) * parameters_.frequency_penalty + parameters_.presence_penalty;
    count = -count;
  }
  for (const std::int32_t token : recent_) {
    std::int32_t& count = recent_counts_[static_cast<std::size_t>(token)];
    count = std::abs(count);
  }
}

void Sampler::SortBest(std::size_t sorted, std::size_t count) {
  const auto better = [](const Candidate& a, const Candidate& b) {
    return a.logit > b.logit || (a.logit == b.logit && a.token < b.token);
  };
  const auto begin = candidates_.begin();
  std::partial_sort(begin + static_cast<std::ptrdiff_t>(sorted),
                    begin + static_cast<std::ptrdiff_t>(count), candidates_.end(), better);
}

// Leaves the candidates that top_k, top_p and min_p allow, best first where that matters.
void Sampler::Filter(float max) {
  if (parameters_.top_k > 0 && parameters_.top_k < candidates_.size()) {
    SortBest(0, parameters_.top_k);
    candidates_.resize(parameters_.top_k);
  }
  if (parameters_.top_p < 1.0F) {
    double total = 0;
    for (const Candidate& c : candidates_) total += RelativeWeight(c.logit, max);
    // Sorted piece by piece, for the wanted mass is nearly always in the first few.
    double mass = 0;
    std::size_t kept = 0;
    for (std::size_t sorted = 0; kept < candidates_.size();) {
      if (kept == sorted) {
        const std::size_t next = std::min(candidates_.size(), sorted * 4 + 64);
        SortBest(sorted, next);
        sorted = next;
      }
      mass += RelativeWeight(candidates_[kept++].logit, max);
      if (mass >= parameters_.top_p * total) break;
    }
    candidates_.resize(kept);
  }
  if (parameters_.min_p > 0.0F) {
    std::erase_if(candidates_, [&](const Candidate& c) {
      return RelativeWeight(c.logit, max) < parameters_.min_p;
    });
  }
}

TokenId Sampler::Draw(float max) {
  const auto weight_of = [&](const Candidate& candidate) {
    if (candidate.logit == max) return 1.0;
    return std::exp((static_cast<double>(candidate.logit) - max) / parameters_.temperature);
  };
  double total = 0;
  for (const Candidate& candidate : candidates_) total += weight_of(candidate);
  double left = random_.NextUnit() * total;
  for (const Candidate& candidate : candidates_) {
    left -= weight_of(candidate);
    if (left < 0) return TokenId{candidate.token};
  }
  // Rounding ate the last crumb of the mass: the best candidate is always among those left.
  return TokenId{std::ranges::max_element(candidates_, {}, &Candidate::logit)->token};
}

Result<SampledToken> Sampler::Sample(std::span<const float> logits, int top_logprob_count) {
  EDGEMOE_CHECK(logits.size() == adjusted_.size(), "logits of another vocabulary");
  const float own_max = MaxOf(logits);
  if (std::isnan(own_max)) {
    return Failure(
        InternalError("sampling: found no logit that is a number; the model's weights or"
                      " its activations are NaN"));
  }
  Adjust(logits);
  const float max = MaxOf(adjusted_);
  if (std::isnan(max) || max == -kInfinity) {
    return Failure(
        InvalidField("sampling.logit_bias", "every token banned", "biases that leave one"));
  }
  SampledToken sampled;
  if (parameters_.temperature == 0.0F) {
    sampled.token.value =
        static_cast<std::int32_t>(std::ranges::find(adjusted_, max) - adjusted_.begin());
  } else {
    candidates_.clear();
    for (std::size_t token = 0; token < adjusted_.size(); ++token) {
      if (adjusted_[token] > -kInfinity) {  // false for NaN
        candidates_.push_back({static_cast<std::int32_t>(token), adjusted_[token]});
      }
    }
    Filter(max);
    sampled.token = Draw(max);
  }
  Observe(sampled.token);
  if (top_logprob_count >= 0) {
    const auto own =
        LogProbabilities(logits, sampled.token, static_cast<std::uint32_t>(top_logprob_count));
    sampled.logprob = own.logprob;
    sampled.top = own.top;
  }
  return sampled;
}

SampledToken LogProbabilities(std::span<const float> logits, TokenId token,
                              std::uint32_t top_count) {
  const double log_sum = LogSumExp(logits, MaxOf(logits));
  SampledToken scored;
  scored.token = token;
  scored.logprob = LogProbabilityOf(logits[static_cast<std::size_t>(token.value)], log_sum);
  // A short sorted list: one comparison for nearly every token.
  scored.top.reserve(top_count + 1);
  for (std::size_t i = 0; i < logits.size() && top_count > 0; ++i) {
    const float logprob = LogProbabilityOf(logits[i], log_sum);
    if (scored.top.size() == top_count && !(logprob > scored.top.back().logprob)) continue;
    const auto place = std::ranges::find_if(
        scored.top, [&](const TokenLogprob& other) { return logprob > other.logprob; });
    scored.top.insert(place, {TokenId{static_cast<std::int32_t>(i)}, logprob});
    if (scored.top.size() > top_count) scored.top.pop_back();
  }
  return scored;
}

float LogProbability(std::span<const float> logits, TokenId token) {
  return LogProbabilities(logits, token, 0).logprob;
}

}  // namespace edgemoe
