// SPDX-License-Identifier: Apache-2.0
//
// A model as data: what all layers share, and for each layer what it is made of. Filled from a
// file's metadata by engine/model/arch/NAME.cc; the forward pass reads it and asks nobody for the
// architecture's name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "engine/base/ids.h"

namespace edgemoe {

// Bounds of what a file may say.
constexpr std::uint32_t kLayerCountMax = 1024;
constexpr std::uint32_t kWidthMax = 1u << 17;  // of the model, of an expert, of a dense layer
constexpr std::uint32_t kHeadCountMax = 1024;
constexpr std::uint32_t kHeadSizeMax = 1024;
constexpr std::uint32_t kExpertCountMax = 1024;
constexpr std::uint32_t kExpertUsedCountMax = 64;
constexpr std::uint32_t kVocabularySizeMax = 1u << 22;
constexpr std::uint32_t kContextLengthMax = 1u << 24;
constexpr std::uint32_t kConvolutionWidthMax = 64;
constexpr std::uint32_t kExpertGroupCountMax = 64;
constexpr std::uint32_t kStateSizeMax = 1024;
constexpr std::uint32_t kLatentSizeMax = 1u << 14;

enum class RopeScaling : std::uint8_t { kNone, kLinear, kYarn, kLongRope };

// Which element of a head turns together with element i of its first half.
enum class RopePairing : std::uint8_t {
  kHalves,      // i + dimension_count / 2; llama.cpp calls it NEOX
  kNeighbours,  // pairs (2 i, 2 i + 1); llama.cpp calls it NORM
};

// Rotary positions.
struct RopeConfig {
  std::uint32_t dimension_count =
      0;  // even; the first so many elements of a head are rotated; 0: none
  RopePairing pairing = RopePairing::kHalves;
  float base = 10000;  // pair i turns by position * base^(-2 i / dimension_count)
  RopeScaling scaling = RopeScaling::kNone;
  // Of all kinds but kNone: positions are divided by it. At least 1.
  float factor = 1;
  // Of kYarn (arXiv 2309.00071): pairs that turn more than beta_fast times within the original
  // context keep their angle, those below beta_slow are divided, between them it is mixed.
  // Of kLongRope (LongRoPE, arXiv 2402.13753): pair i's frequency is divided by factor i of two
  // lists, one for contexts up to the original one, one for longer ones.
  std::uint32_t original_context_length = 0;
  float beta_fast = 32;
  float beta_slow = 1;
  float extrapolation = 1;  // how much of that mixing is done: 0 is kLinear
  // Where the file has them, pair i's frequency is divided by factor i. Only with it may the
  // scaling be kLongRope.
  bool factors = false;
  float attention_factor = 1;  // times 1 + growth * ln(factor): the length of rotated heads
  double growth = 0.1;

  bool operator==(const RopeConfig&) const = default;
};

enum class QkNorm : std::uint8_t {
  kNone,
  kHead,  // RMS norm of each head of q and k, weights [head_size]
  kRow,   // of all heads of a row together, weights [heads * head_size]
};

// Grouped-query attention.
struct AttentionConfig {
  std::uint32_t head_count = 0;
  std::uint32_t kv_head_count = 0;  // divides head_count
  std::uint32_t head_size = 0;      // even
  std::uint32_t window = 0;         // positions that a row sees, its own included; 0: all
  QkNorm qk_norm = QkNorm::kNone;
  bool biases = false;  // of q, k and v
  bool output_bias = false;
  // The query matrix gives 2 * head_size values a head: q, and a gate whose sigmoid the head's
  // output is multiplied by.
  bool output_gate = false;
  bool sinks = false;       // a logit a head that takes part in the softmax and has no value
  bool value_norm = false;  // RMS norm of each head of v, without weights
  float score_scale = 0;    // of q times k; 0: 1 / sqrt(head_size)
  RopeConfig rope;

  std::uint32_t q_size() const { return head_count * head_size; }
  // Rows of the query matrix.
  std::uint32_t q_rows() const { return (output_gate ? 2 : 1) * q_size(); }
  std::uint32_t kv_size() const { return kv_head_count * head_size; }
};

// Gated short convolution (LFM2): b, c and x of [width] are one projection; y[t] = out(c[t] *
// sum over i of kernel[i] * (b * x)[t - taps + 1 + i]), all but the projections element by element.
struct ShortConvolutionConfig {
  std::uint32_t taps = 0;  // positions that an output sees, its own included; at least 2
};

// Mamba-2, a selective state space (arXiv 2405.21060). One projection gives z [inner], x [inner],
// b and c [groups, state_size] and dt [heads]; x, b and c are each convolved with their past, with
// a bias and SiLU. Head h, of head_size elements of x, keeps S [head_size, state_size]: with
// d = softplus(dt + bias), S = exp(d * A) S + d x b^T and y = S c + D x, where b and c are those of
// group h / (heads / groups). RMS norm, group by group, of silu(z) * y is projected back.
struct Mamba2Config {
  std::uint32_t taps = 0;  // positions that a convolution sees, its own included; at least 2
  std::uint32_t head_count = 0;
  std::uint32_t head_size = 0;
  std::uint32_t state_size = 0;
  std::uint32_t group_count = 0;  // divides head_count

  std::uint32_t inner_size() const { return head_count * head_size; }
  // What is convolved: x, then b, then c.
  std::uint32_t channels() const { return inner_size() + 2 * group_count * state_size; }
  // What the projection gives: z, the channels, dt.
  std::uint32_t in_size() const { return inner_size() + channels() + head_count; }
};

// Multi-head latent attention (DeepSeek-V2, arXiv 2405.04434, section 2.1). A position keeps one
// latent [latent_size], from which all heads have their keys and values, and beside it one rotated
// key [rope.dimension_count] for all heads. Each head's key matrix is multiplied into its query and
// its value matrix into what it has attended to, so that scores and sums are over latents.
struct LatentAttentionConfig {
  std::uint32_t head_count = 0;
  std::uint32_t query_latent_size = 0;  // queries come from a latent of this size; 0: from x
  std::uint32_t latent_size = 0;
  std::uint32_t unrotated_size = 0;  // of a head's query, beside rope.dimension_count
  std::uint32_t value_size = 0;      // of a head
  // Keys and values of all heads are one matrix in the file, each head's keys before its values.
  bool joined_up = false;
  // Of YaRN: scores are multiplied by (1 + this * ln(factor))^2; 0: what rope.growth makes of it.
  float log_multiplier = 0;
  RopeConfig rope;  // its growth is 0 where there is a log_multiplier

  std::uint32_t query_size() const { return unrotated_size + rope.dimension_count; }  // of a head
  std::uint32_t queries_size() const { return head_count * query_size(); }
  std::uint32_t key_size() const { return latent_size + rope.dimension_count; }
  std::uint32_t values_size() const { return head_count * value_size; }
};

// Which key head value head h has.
enum class KeySharing : std::uint8_t {
  kBlocks,  // h / (value_head_count / key_head_count)
  kTiles,   // h % key_head_count
};

// Gated delta rule (arXiv 2412.06464). Queries, keys and values of [channels] are one projection, a
// causal convolution of each channel and SiLU; queries and keys are divided by their length. A
// value head has a state S [head_size of keys, head_size of values]; with its key k, query q and
// value v, a decay a in (0, 1) and a rate b in (0, 1) of the position:
//   S = a S;  S = S + k (b (v - S^T k))^T;  output = S^T q / sqrt(head_size)
// Each head's output is RMS-normed and multiplied by the SiLU of a gate.
struct DeltaNetConfig {
  std::uint32_t key_head_count = 0;
  std::uint32_t value_head_count = 0;  // a multiple of key_head_count
  std::uint32_t head_size = 0;         // of queries, keys and values
  std::uint32_t taps = 0;  // positions that the convolution sees, its own included; at least 2
  KeySharing key_sharing = KeySharing::kBlocks;
  // One matrix gives what rates and decays come from: for each key head the rates of its value
  // heads, then their decays.
  bool joined_rates = false;

  std::uint32_t key_size() const { return key_head_count * head_size; }
  std::uint32_t value_size() const { return value_head_count * head_size; }
  std::uint32_t channels() const { return 2 * key_size() + value_size(); }
  std::uint32_t values_per_key() const { return value_head_count / key_head_count; }
};

// What joins a position with those before it.
using Mixer = std::variant<AttentionConfig, ShortConvolutionConfig, Mamba2Config,
                           LatentAttentionConfig, DeltaNetConfig>;

// How gate and up become the input of down.
enum class Activation : std::uint8_t {
  kSwiglu,  // silu(gate) * up
  // gpt-oss: with g = min(gate, 7) and u = up in [-7, 7]: g * sigmoid(1.702 g) * (u + 1)
  kClampedSwiglu,
  kGeglu,  // gelu(gate) * up, GELU in its tanh form
};

enum class ExpertGating : std::uint8_t {
  kSoftmax,          // over all experts; the best are chosen
  kSoftmaxOfChosen,  // the best logits are chosen, the softmax is over these alone
  kSigmoid,          // of each expert by itself; the best are chosen
};

// A mixture of experts; counts and widths are the model's.
struct ExpertsConfig {
  ExpertLayerIndex index{};  // among the layers that have experts
  ExpertGating gating = ExpertGating::kSoftmax;
  bool selection_bias = false;  // [expert_count], added for choosing only
  // Experts are in groups of equal size, of which the best are looked at: those whose two best
  // experts have the largest sum. 1: no groups.
  std::uint32_t group_count = 1;
  std::uint32_t group_used_count = 1;
  bool normalise = false;    // the chosen weights are divided by their sum
  float weights_scale = 1;   // then multiplied by this
  float logit_scale = 1;     // of the router's logits
  bool router_bias = false;  // [expert_count]
  bool biases = false;       // of each expert's gate, up and down
};

struct LayerConfig {
  Mixer mixer;
  std::optional<ExpertsConfig> experts;
  Activation activation = Activation::kSwiglu;  // of all feed-forwards of the layer
  // Of the dense feed-forward: gate, up [dense_width, width]. Where there are experts, too, it
  // stands beside them (shared experts), or is not there: 0.
  std::uint32_t dense_width = 0;
  bool dense_gate = false;  // beside experts: its output is multiplied by the sigmoid of gate * x
  // Router, experts and the dense feed-forward beside them norm x each by weights of its own, and
  // what the experts and what the dense one give is normed before it is added up.
  bool branch_norms = false;

  // Of what attention of any kind gives to its output matrix; 0 for another mixer.
  std::uint32_t attended_size() const;
  // Null for another mixer.
  template <class Config>
  const Config* mixer_as() const {
    return std::get_if<Config>(&mixer);
  }
  // REQUIRES: the mixer is attention.
  const AttentionConfig& attention() const { return std::get<AttentionConfig>(mixer); }
  AttentionConfig& attention() { return std::get<AttentionConfig>(mixer); }
};

// Checked: every field is in a sane range, so that sizes derived from them cannot overflow.
struct ModelConfig {
  std::string architecture;  // "qwen3moe"
  std::string name;          // general.name, or empty
  std::uint32_t width = 0;   // embedding length
  std::uint32_t vocabulary_size = 0;
  std::uint32_t context_length = 0;  // tokens it was trained for
  float rms_epsilon = 0;
  float embedding_scale = 1;  // of the embedding's rows
  float residual_scale = 1;   // of what each mixer and feed-forward adds
  float logit_scale = 1;      // of the logits
  // Then a logit l becomes softcap * tanh(l / softcap); 0: it stays.
  float logit_softcap = 0;
  // Never written: their logits are minus infinity.
  std::vector<TokenId> suppressed_tokens{};
  // The same in all layers that have experts; 0 where none has.
  std::uint32_t expert_count = 0;
  std::uint32_t expert_used_count = 0;  // top-k, at most expert_count
  std::uint32_t expert_width = 0;       // expert feed-forward length
  std::vector<LayerConfig> layers;      // not empty
  // Blocks that a file has behind its layers for predicting several tokens at once: not run, and
  // their tensors are not loaded.
  std::uint32_t prediction_layer_count = 0;

  std::uint32_t layer_count() const { return static_cast<std::uint32_t>(layers.size()); }
  std::uint32_t expert_layer_count() const;
  // The model's layer of each expert layer: [expert_layer_count].
  std::vector<LayerIndex> expert_layers() const;

  // The most that any layer needs, for buffers that all layers share; 0 where none needs it.
  std::uint32_t attended_size_max() const;
  std::uint32_t q_rows_max() const;
  std::uint32_t kv_size_max() const;
  std::uint32_t head_count_max() const;
  std::uint32_t query_latent_size_max() const;
  bool has_convolution() const;
  std::uint32_t mamba_in_size_max() const;
  std::uint32_t mamba_inner_size_max() const;
  // The largest channels() + value_size(), value_size() and value_head_count of delta nets.
  std::uint32_t delta_in_size_max() const;
  std::uint32_t delta_value_size_max() const;
  std::uint32_t delta_value_head_count_max() const;
  std::uint32_t dense_width_max() const;
  bool has_branch_norms() const;
  // Pairs of a head that the file's factors of RoPE's frequencies are for; 0: no layer has such.
  std::uint32_t rope_factor_count() const;
};

}  // namespace edgemoe
