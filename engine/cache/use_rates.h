// SPDX-License-Identifier: Apache-2.0
//
// How often each expert is used of late: by each session that runs, and by all over a longer time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/cache/eviction_policy.h"
#include "engine/cache/routing_echo.h"

namespace edgemoe {

// An expert's rate is the share of tokens that use it, as a fading mean: for each session the sum
// of a part that fades at once (it holds what the last token used) and one that fades slowly. The
// sum over sessions is how many uses the next token of each will make of it. Rates move when their
// layer runs, not with time; so a layer that is still to come is judged by what it last did.
//
//   - Each decoded token of a session moves that session's rates of the layer. Rates of sessions
//     that are not in the batch fade along with those that are, so what a stopped session leaves
//     disappears.
//   - A prompt's tokens count little: they lift the slow part alone, and never above
//     kPromptRateMax, so that however long a prompt is, what decoding uses regularly stays.
//   - A slot's next request starts with nothing of the former one.
//   - Where the text resembles earlier text, what followed then is expected again: see RoutingEcho.
//   - The common rate is slower still and survives requests: what a new session starts from.
//
// Rates are integers in units of 1 / kOne, so that what was added is exactly what is taken away.
// No allocation after construction. Cost: OnLayer and OnUse O(experts_per_layer) for each session.
class UseRates {
 public:
  static constexpr std::uint32_t kOne = 1U << 20;

  explicit UseRates(const PolicyShape& shape);

  void OnLayer(ExpertLayerIndex layer);
  void OnUse(const ExpertUse& use);
  // All uses of the layer have been told: compares them with those of earlier tokens (see
  // RoutingEcho). May be called once or more before the next layer; OnLayer does it if nobody has.
  void Settle();

  // [layer_count, experts_per_layer]: the sum over sessions and an eighth of the common rate; at
  // most kOne for each session, and one more.
  std::span<const std::uint32_t> rates() const { return rates_; }
  // Changes whenever a rate of the layer has changed.
  std::uint64_t version(ExpertLayerIndex layer) const { return versions_[layer.value]; }

 private:
  struct Session {
    RequestId request{};              // 0: the slot was never used
    std::uint64_t used_fade = 0;      // the last pass of decoding in which it took part
    bool live = false;                // may have rates above 0
    std::vector<std::uint32_t> fast;  // [layer_count, experts_per_layer]
    std::vector<std::uint32_t> slow;
    std::vector<std::uint32_t> echo;
    std::vector<std::uint32_t> chosen;  // what it decodes with in this layer; [experts_per_layer]
  };

  Session& JoinedSession(const ExpertUse& use);
  void Fade();
  void Listen(Session& session, SessionSlot slot);
  void Forget(Session& session);
  std::size_t IndexOf(ExpertKey key) const {
    return std::size_t{key.layer.value} * experts_per_layer_ + key.expert.value;
  }

  std::uint32_t experts_per_layer_;
  // The rates of a session that took no part for this many fades have faded to nothing.
  std::uint64_t idle_fades_max_;
  ExpertLayerIndex layer_{};
  std::uint64_t fades_ = 0;            // layers that ran with a decoded token among their rows
  bool unsettled_ = false;             // sessions chose, and Settle has not run since
  bool faded_ = false;                 // fades_ counts the layer that runs now
  std::vector<Session> sessions_;      // [sessions_max]
  std::vector<std::uint32_t> common_;  // [layer_count, experts_per_layer]
  std::vector<std::uint32_t> rates_;
  std::vector<std::uint64_t> versions_;  // [layer_count]
  RoutingEcho echo_;
};

}  // namespace edgemoe
