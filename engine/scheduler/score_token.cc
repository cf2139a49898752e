// SPDX-License-Identifier: Apache-2.0
#include "engine/scheduler/score_token.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace edgemoe {
namespace {

// The `count` largest, best first: an insertion into a short sorted list, as counts are at most 20.
std::vector<TokenLogprob> LargestLogits(std::span<const float> logits, std::size_t count) {
  std::vector<TokenLogprob> best;
  best.reserve(count + 1);
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (best.size() == count && !(logits[i] > best.back().logprob)) continue;
    const auto place = std::upper_bound(
        best.begin(), best.end(), logits[i],
        [](float logit, const TokenLogprob& other) { return logit > other.logprob; });
    best.insert(place, {TokenId{static_cast<std::int32_t>(i)}, logits[i]});
    if (best.size() > count) best.pop_back();
  }
  return best;
}

}  // namespace

Result<SampledToken> ScoreToken(std::span<const float> logits, TokenId token,
                                std::uint32_t top_count) {
  const auto nan_at =
      std::find_if(logits.begin(), logits.end(), [](float logit) { return std::isnan(logit); });
  SampledToken scored;
  scored.token = token;
  scored.logprob = nan_at == logits.end() ? LogProbability(logits, token) : 0.0F;
  if (nan_at != logits.end() || std::isnan(scored.logprob)) {
    return Failure(InternalError("the model's output for token " + std::to_string(token.value) +
                                 " is not a number; the weights may be damaged"));
  }
  if (top_count == 0) return scored;

  scored.top = LargestLogits(logits, top_count);
  const float largest = scored.top.front().logprob;
  const float log_sum = largest - LogProbability(logits, scored.top.front().token);
  for (TokenLogprob& alternative : scored.top) alternative.logprob -= log_sum;
  return scored;
}

}  // namespace edgemoe
