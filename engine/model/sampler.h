// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/base/ids.h"
#include "engine/base/random.h"
#include "engine/base/result.h"

namespace edgemoe {

struct LogitBias {
  TokenId token;
  float bias = 0;  // [-1000, 1000], added to the logit; or -infinity, which bans the token
};

// Defaults are llama-server's. Order: logit bias, penalties, top_k, top_p, min_p, temperature.
struct SamplingParameters {
  float temperature = 0.8F;  // [0, 100]; 0: greedy, the most likely token after bias and penalties
  std::uint32_t top_k = 40;  // 0: all
  float top_p = 0.95F;       // (0, 1]; 1: off
  float min_p = 0.05F;       // [0, 1]; 0: off
  float repetition_penalty = 1.0F;  // (0, 10]; 1: off
  float presence_penalty = 0.0F;    // [-2, 2]
  float frequency_penalty = 0.0F;   // [-2, 2]
  // Tokens looked back on, prompt included; 0: none; at most kPenaltyLastNMax.
  std::uint32_t penalty_last_n = 64;
  std::vector<LogitBias> logit_bias;  // at most kLogitBiasMax
  std::uint64_t seed = 0;
};
constexpr std::size_t kLogitBiasMax = 1024;
constexpr std::uint32_t kPenaltyLastNMax = 65536;

// What a parameter may be: [least, most], or (least, most] where the lower end is open.
struct SamplingRange {
  double least = 0;
  double most = 0;
  bool least_open = false;
};
constexpr SamplingRange kTemperatureRange = {0, 100};
constexpr SamplingRange kTopPRange = {0, 1, true};
constexpr SamplingRange kMinPRange = {0, 1};
constexpr SamplingRange kRepetitionPenaltyRange = {0, 10, true};
constexpr SamplingRange kOccurrencePenaltyRange = {-2, 2};  // presence and frequency
constexpr std::uint32_t kTopLogprobsMax = 20;

// INVALID_ARGUMENT names the field as in the API ("sampling.top_p"), the value and the range.
Status ValidateSampling(const SamplingParameters& parameters, std::uint32_t vocabulary_size);

struct TokenLogprob {
  TokenId token;
  // Natural logarithm, of the model's own distribution: before bias, penalties and temperature.
  float logprob = 0;
};

struct SampledToken {
  TokenId token;
  float logprob = 0;              // as TokenLogprob's; only when log-probabilities were asked for
  std::vector<TokenLogprob> top;  // best first
};

// Draws one request's tokens. Same parameters, seed and logits give the same tokens on every
// machine of one kernel table. Thread-confined. Keeps working copies of [vocabulary], allocated
// once.
class Sampler {
 public:
  // REQUIRES: ValidateSampling(parameters, vocabulary_size) is OK.
  Sampler(SamplingParameters parameters, std::uint32_t vocabulary_size);

  // A token of the prompt, for the penalties to look at. Sample observes its own.
  void Observe(TokenId token);

  // `logits` [vocabulary]. top_logprob_count: alternatives wanted, or -1 for no log-probabilities.
  // INTERNAL naming the trouble when no logit is a number (NaN weights); NaNs beside numbers are
  // never chosen. INVALID_ARGUMENT when the biases ban every token.
  Result<SampledToken> Sample(std::span<const float> logits, int top_logprob_count);

 private:
  struct Candidate {
    std::int32_t token;
    float logit;
  };

  void Adjust(std::span<const float> logits);
  // Sorts candidates [sorted, count), given that [0, sorted) already are the best.
  void SortBest(std::size_t sorted, std::size_t count);
  void Filter(float max);
  TokenId Draw(float max);

  SamplingParameters parameters_;
  Random random_;
  bool penalizes_ = false;
  std::vector<float> adjusted_;              // [vocabulary], after bias and penalties
  std::vector<Candidate> candidates_;        // capacity vocabulary
  std::vector<std::int32_t> recent_;         // ring of penalty_last_n tokens
  std::vector<std::int32_t> recent_counts_;  // [vocabulary], of recent_
  std::size_t recent_next_ = 0;
};

// Log-probability of `token` under softmax(logits), and the `top_count` best. `logits`
// [vocabulary]; NaN counts as impossible. REQUIRES: token in the vocabulary.
SampledToken LogProbabilities(std::span<const float> logits, TokenId token,
                              std::uint32_t top_count);
float LogProbability(std::span<const float> logits, TokenId token);

}  // namespace edgemoe
