// SPDX-License-Identifier: Apache-2.0
//
// What followed the last time that routers chose as they do now.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/base/routing.h"
#include "engine/cache/eviction_policy.h"

namespace edgemoe {

// Keeps which experts the last kTokensMax decoded tokens chose, of all sessions. While a session's
// token passes the layers, each kept token is compared with it: by the share of chosen experts in
// common, as a mean that forgets over some layers and goes on from token to token along both
// sequences. A layer's echo is what those tokens chose there that came after the most similar ones:
// for text that resembles earlier text, what the session's next token will choose.
//
// Confined to one thread; no allocation after construction. Cost of a session's layer: a few passes
// over kTokensMax figures, experts_per_layer * kTokensMax / 64 words.
class RoutingEcho {
 public:
  static constexpr std::uint32_t kTokensMax = 256;
  static constexpr std::uint32_t kSimilarMax = 16;

  explicit RoutingEcho(const PolicyShape& shape);

  // The session's token has chosen `experts` of the layer. A layer index that does not rise begins
  // the session's next token; another request begins a new sequence.
  void OnChosen(SessionSlot session, RequestId request, ExpertLayerIndex layer,
                std::span<const std::uint32_t> experts);

  // How likely the session's next token chooses each expert of the layer that was told of last, as
  // shares of `one`; 0 everywhere when nothing is known. [experts_per_layer]
  void Echo(SessionSlot session, std::uint32_t one, std::span<std::uint32_t> echo);

 private:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};
  static constexpr std::size_t kWords = kTokensMax / 64;
  using TokenSet = std::array<std::uint64_t, kWords>;

  struct Link {
    std::uint32_t before = kNone;  // tokens of the same sequence
    std::uint32_t after = kNone;
  };
  struct Session {
    RequestId request{};          // 0: none
    std::uint32_t token = kNone;  // that is on its way; kNone also when it was overwritten
    ExpertLayerIndex layer{};     // that it passed last
    std::array<float, kTokensMax> similarity{};  // of each kept token to it, from 0 to 1
  };
  struct Similar {
    float similarity;
    std::uint32_t token;
  };

  void BeginToken(Session& session);
  void Overwrite(std::uint32_t token);
  std::size_t FindSimilar(const Session& session);
  std::span<TokenSet> ChoosersOf(ExpertLayerIndex layer) {
    return std::span(choosers_).subspan(std::size_t{layer.value} * experts_per_layer_,
                                        experts_per_layer_);
  }

  std::uint32_t experts_per_layer_;
  std::uint32_t next_token_ = 0;             // to be overwritten
  std::array<Link, kTokensMax> links_;       // of the kept tokens
  std::vector<TokenSet> choosers_;           // [layer_count, experts_per_layer]; who chose it
  std::vector<Session> sessions_;            // [sessions_max]
  std::array<Similar, kTokensMax> similar_;  // FindSimilar's own
};

}  // namespace edgemoe
