// SPDX-License-Identifier: Apache-2.0
#include "engine/cache/use_rates.h"

#include <algorithm>

#include "engine/base/check.h"

namespace edgemoe {
namespace {

// The half-lives and shares that lose least on recorded traces: tests/engine/trace/replay_test.cc.
// A fade takes rate * k / 2^16, rounded up, so that it ends at 0.
struct Part {
  std::uint32_t fade;  // k, = 2^16 * (1 - 2^(-1 / half-life in tokens))
  std::uint32_t gain;  // of one use, = share * kOne * k / 2^16
};
constexpr Part kFast = {.fade = 32768, .gain = 104858};  // half-life 1, share 0.2
constexpr Part kSlow = {.fade = 1866, .gain = 23884};    // half-life 24, share 0.8
constexpr Part kCommon = {.fade = 89, .gain = 1424};     // half-life 512, share 1
constexpr std::uint32_t kCommonDivisor = 8;
constexpr std::uint32_t kEchoMax = UseRates::kOne * 2 / 5;  // of what all similar tokens chose next
// What a prompt lifts the slow part to at most: an expert that every twentieth token uses.
constexpr std::uint32_t kPromptRateMax = UseRates::kOne / 20;
constexpr std::uint64_t kIdleTokensMax = 512;

std::uint32_t Faded(std::uint32_t rate, std::uint32_t fade) {
  return rate - static_cast<std::uint32_t>((std::uint64_t{rate} * fade + 0xffff) >> 16);
}

// `rate` + `gain`, at most `most`; `rate` itself where that is above `most` already.
std::uint32_t Lifted(std::uint32_t rate, std::uint32_t gain, std::uint32_t most) {
  return std::max(rate, std::min(rate + gain, most));
}

}  // namespace

UseRates::UseRates(const PolicyShape& shape)
    : experts_per_layer_(shape.experts_per_layer),
      idle_fades_max_(kIdleTokensMax * shape.layer_count),
      sessions_(shape.sessions_max),
      common_(std::size_t{shape.layer_count} * shape.experts_per_layer),
      rates_(common_.size()),
      versions_(shape.layer_count),
      echo_(shape) {
  for (Session& session : sessions_) {
    session.fast.resize(common_.size());
    session.slow.resize(common_.size());
    session.echo.resize(common_.size());
    session.chosen.reserve(shape.experts_per_layer);
  }
}

void UseRates::OnLayer(ExpertLayerIndex layer) {
  Settle();
  layer_ = layer;
  faded_ = false;
}

void UseRates::OnUse(const ExpertUse& use) {
  EDGEMOE_CHECK(use.key.layer == layer_, "a use of a layer that does not run");
  ++versions_[layer_.value];
  const bool decode = use.phase == RoutingPhase::kDecode;
  if (decode && !faded_) Fade();
  Session& session = JoinedSession(use);
  const std::size_t index = IndexOf(use.key);
  std::uint32_t& fast = session.fast[index];
  std::uint32_t& slow = session.slow[index];
  std::uint32_t& common = common_[index];
  rates_[index] -= fast + slow + common / kCommonDivisor;
  if (decode) {
    fast = Lifted(fast, kFast.gain, kOne);
    slow = Lifted(slow, kSlow.gain, kOne);
    common = Lifted(common, kCommon.gain, kOne);
    unsettled_ = true;
    if (session.chosen.size() < experts_per_layer_) session.chosen.push_back(use.key.expert.value);
  } else {
    slow = Lifted(slow, kSlow.gain, kPromptRateMax);
    common = Lifted(common, kCommon.gain, kPromptRateMax);
  }
  rates_[index] += fast + slow + common / kCommonDivisor;
}

void UseRates::Settle() {
  if (!unsettled_) return;
  unsettled_ = false;
  for (std::uint32_t slot = 0; slot < sessions_.size(); ++slot)
    if (!sessions_[slot].chosen.empty()) Listen(sessions_[slot], SessionSlot{slot});
}

UseRates::Session& UseRates::JoinedSession(const ExpertUse& use) {
  EDGEMOE_CHECK(use.session.value < sessions_.size(), "more sessions than the cache was told of");
  Session& session = sessions_[use.session.value];
  if (session.request != use.request) {
    Forget(session);
    session.request = use.request;
  }
  session.live = true;
  session.used_fade = fades_;
  return session;
}

void UseRates::Fade() {
  faded_ = true;
  ++fades_;
  const std::size_t begin = IndexOf({layer_, ExpertIndex{0}});
  const std::size_t end = begin + experts_per_layer_;
  for (std::size_t i = begin; i < end; ++i) {
    common_[i] = Faded(common_[i], kCommon.fade);
    rates_[i] = common_[i] / kCommonDivisor;
  }
  for (Session& session : sessions_) {
    if (session.live && fades_ - session.used_fade > idle_fades_max_) Forget(session);
    if (!session.live) continue;
    for (std::size_t i = begin; i < end; ++i) {
      session.fast[i] = Faded(session.fast[i], kFast.fade);
      session.slow[i] = Faded(session.slow[i], kSlow.fade);
      session.echo[i] = Faded(session.echo[i], kFast.fade);
      rates_[i] += session.fast[i] + session.slow[i] + session.echo[i];
    }
  }
}

// The session has done with the layer that ran: takes over what its next token will probably choose
// there.
void UseRates::Listen(Session& session, SessionSlot slot) {
  ++versions_[layer_.value];
  echo_.OnChosen(slot, session.request, layer_, session.chosen);
  session.chosen.clear();
  const std::size_t begin = IndexOf({layer_, ExpertIndex{0}});
  const std::span<std::uint32_t> echo = std::span(session.echo).subspan(begin, experts_per_layer_);
  for (std::size_t i = 0; i < echo.size(); ++i) rates_[begin + i] -= echo[i];
  echo_.Echo(slot, kEchoMax, echo);
  for (std::size_t i = 0; i < echo.size(); ++i) rates_[begin + i] += echo[i];
}

void UseRates::Forget(Session& session) {
  session.chosen.clear();
  if (!session.live) return;
  session.live = false;
  for (std::uint64_t& version : versions_) ++version;
  for (std::size_t i = 0; i < rates_.size(); ++i) {
    rates_[i] -= session.fast[i] + session.slow[i] + session.echo[i];
    session.fast[i] = session.slow[i] = session.echo[i] = 0;
  }
}

}  // namespace edgemoe
