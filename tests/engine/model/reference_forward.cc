// SPDX-License-Identifier: Apache-2.0
#include "tests/engine/model/reference_forward.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/quant/half.h"
#include "engine/quant/quantize.h"

namespace edgemoe {
namespace {

using Vector = std::vector<double>;

struct Tensor {
  std::size_t columns = 0;
  std::vector<float> values;

  // Rows [first, first + count) times x.
  Vector Multiply(const Vector& x, std::size_t first, std::size_t count) const {
    Vector y(count);
    for (std::size_t r = 0; r < count; ++r) {
      for (std::size_t c = 0; c < columns; ++c) y[r] += values[(first + r) * columns + c] * x[c];
    }
    return y;
  }
  Vector Multiply(const Vector& x) const { return Multiply(x, 0, values.size() / columns); }
};

class Reference {
 public:
  Reference(const LoadedModel& model, std::span<const std::byte> file)
      : config_(model.config()), files_(model.files()), file_(file) {}

  std::vector<double> Run(std::span<const TokenId> tokens,
                          std::vector<ReferenceActivations>* activations) {
    std::vector<Vector> xs;
    activations->assign(tokens.size(), {});
    for (ReferenceActivations& token : *activations) token.layers.resize(config_.layer_count());
    const Tensor embedding = Get("token_embd.weight");
    for (const TokenId token : tokens) {
      const auto begin =
          embedding.values.begin() + token.value * static_cast<std::ptrdiff_t>(config_.width);
      xs.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(config_.width));
    }
    for (std::uint32_t layer = 0; layer < config_.layer_count(); ++layer) {
      layer_ = layer;
      prefix_ = "blk." + std::to_string(layer) + ".";
      std::vector<ReferenceActivations::Layer*> seen;
      for (ReferenceActivations& token : *activations) seen.push_back(&token.layers[layer]);
      Attention(&xs, seen);
      for (std::size_t t = 0; t < xs.size(); ++t) {
        if (Layer().experts) {
          Experts(&xs[t], seen[t]);
        } else {
          Dense(&xs[t], seen[t]);
        }
      }
    }
    const Tensor norm = Get("output_norm.weight");
    const Tensor output =
        files_.FindTensor("output.weight") != nullptr ? Get("output.weight") : embedding;
    std::vector<double> logits;
    for (std::size_t t = 0; t < xs.size(); ++t) {
      (*activations)[t].output = RmsNorm(xs[t], norm);
      const Vector row = output.Multiply((*activations)[t].output);
      logits.insert(logits.end(), row.begin(), row.end());
    }
    return logits;
  }

 private:
  Tensor Get(const std::string& name) const {
    const GgufTensor& tensor = *files_.FindTensor(name);
    Tensor out;
    out.columns = tensor.columns();
    out.values.resize(tensor.columns() * tensor.rows());
    DequantizeRow(tensor.type, file_.data() + tensor.offset, out.values.size(), out.values.data());
    return out;
  }
  const LayerConfig& Layer() const { return config_.layers[layer_]; }
  Tensor GetOfLayer(const std::string& name) const { return Get(prefix_ + name + ".weight"); }
  // The norm before the feed-forward; gpt-oss has another name for it.
  Tensor FeedForwardNorm() const {
    const std::string usual = prefix_ + "ffn_norm.weight";
    return Get(files_.FindTensor(usual) != nullptr ? usual
                                                   : prefix_ + "post_attention_norm.weight");
  }
  // Adds row `row` of a bias, where the file has it.
  void AddBias(const std::string& name, std::size_t row, Vector* y) const {
    if (files_.FindTensor(prefix_ + name + ".bias") == nullptr) return;
    const Tensor bias = Get(prefix_ + name + ".bias");
    for (std::size_t i = 0; i < y->size(); ++i) (*y)[i] += bias.values[row * y->size() + i];
  }

  Vector RmsNorm(const Vector& x, const Tensor& weight) const {
    const double squares = std::inner_product(x.begin(), x.end(), x.begin(), 0.0);
    const double scale =
        1.0 / std::sqrt(squares / static_cast<double>(x.size()) + config_.rms_epsilon);
    Vector y(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) y[i] = x[i] * scale * weight.values[i];
    return y;
  }

  // YaRN as the paper has it: which share of pair i keeps its own frequency.
  static double KeptShare(const RopeConfig& rope, std::size_t i) {
    const double pi = 3.14159265358979323846;
    const auto pair = [&](double turns) {
      return rope.dimension_count * std::log(rope.original_context_length / (turns * 2 * pi)) /
             (2 * std::log(static_cast<double>(rope.base)));
    };
    const double begin = std::max(0.0, std::floor(pair(static_cast<double>(rope.beta_fast))));
    const double end =
        std::min(rope.dimension_count - 1.0, std::ceil(pair(static_cast<double>(rope.beta_slow))));
    const double place = (static_cast<double>(i) - begin) / std::max(0.001, end - begin);
    return 1 - std::min(1.0, std::max(0.0, place));
  }

  // Head h of `heads`, normed where the layer norms heads, and rotated to `position`.
  Vector Head(const Vector& heads, std::size_t h, const std::string& norm,
              std::size_t position) const {
    const AttentionConfig& attention = Layer().attention();
    const std::size_t size = attention.head_size;
    const auto begin = heads.begin() + static_cast<std::ptrdiff_t>(h * size);
    Vector head(begin, begin + static_cast<std::ptrdiff_t>(size));
    if (attention.qk_norm == QkNorm::kHead) head = RmsNorm(head, GetOfLayer(norm));
    const RopeConfig& rope = attention.rope;
    const std::size_t half = rope.dimension_count / 2;
    const double factor = static_cast<double>(rope.factor);
    const bool yarn = rope.scaling == RopeScaling::kYarn;
    const double length = yarn ? 1 + 0.1 * std::log(factor) : 1;
    for (std::size_t i = 0; i < half; ++i) {
      const double own = std::pow(static_cast<double>(rope.base),
                                  -static_cast<double>(i) / static_cast<double>(half));
      const double kept = yarn ? KeptShare(rope, i) : 0;
      const double angle = static_cast<double>(position) * (kept * own + (1 - kept) * own / factor);
      const double a = head[i];
      const double b = head[i + half];
      head[i] = length * (a * std::cos(angle) - b * std::sin(angle));
      head[i + half] = length * (a * std::sin(angle) + b * std::cos(angle));
    }
    return head;
  }

  // A row of q, k or v, with what is done to all heads together.
  Vector Projected(const std::string& name, const Vector& normed) const {
    Vector row = GetOfLayer(name).Multiply(normed);
    AddBias(name, 0, &row);
    if (Layer().attention().qk_norm == QkNorm::kRow && name != "attn_v")
      row = RmsNorm(row, GetOfLayer(name + "_norm"));
    return row;
  }

  static double Rounded(double x) { return HalfToFloat(FloatToHalf(static_cast<float>(x))); }

  void Attention(std::vector<Vector>* xs,
                 const std::vector<ReferenceActivations::Layer*>& seen) const {
    const AttentionConfig& attention = Layer().attention();
    const Tensor norm = GetOfLayer("attn_norm");
    const Tensor output = GetOfLayer("attn_output");
    std::vector<Vector> keys;
    std::vector<Vector> values;
    for (std::size_t t = 0; t < xs->size(); ++t) {
      const Vector normed = RmsNorm((*xs)[t], norm);
      seen[t]->attention = normed;
      const Vector k = Projected("attn_k", normed);
      keys.emplace_back();
      for (std::size_t h = 0; h < attention.kv_head_count; ++h)
        for (const double x : Head(k, h, "attn_k_norm", t)) keys.back().push_back(Rounded(x));
      values.push_back(Projected("attn_v", normed));
      for (double& x : values.back()) x = Rounded(x);

      seen[t]->attention_output = Attended(Projected("attn_q", normed), t, keys, values);
      Vector delta = output.Multiply(seen[t]->attention_output);
      AddBias("attn_output", 0, &delta);
      for (std::size_t i = 0; i < delta.size(); ++i) (*xs)[t][i] += delta[i];
    }
  }

  // What the heads of position t make of the positions that they see.
  Vector Attended(const Vector& q, std::size_t t, const std::vector<Vector>& keys,
                  const std::vector<Vector>& values) const {
    const AttentionConfig& attention = Layer().attention();
    const std::size_t size = attention.head_size;
    const std::size_t group = attention.head_count / attention.kv_head_count;
    const std::size_t seen_max = attention.window == 0 ? t + 1 : attention.window;
    const std::size_t first = t + 1 > seen_max ? t + 1 - seen_max : 0;
    Vector attended(attention.q_size());
    for (std::size_t h = 0; h < attention.head_count; ++h) {
      const Vector head = Head(q, h, "attn_q_norm", t);
      const std::size_t kv_begin = h / group * size;
      Vector scores;
      for (std::size_t s = first; s <= t; ++s) {
        double score = 0;
        for (std::size_t d = 0; d < size; ++d) score += head[d] * keys[s][kv_begin + d];
        scores.push_back(score / std::sqrt(static_cast<double>(size)));
      }
      if (attention.sinks) scores.push_back(GetOfLayer("attn_sinks").values[h]);
      Softmax(&scores);
      for (std::size_t s = first; s <= t; ++s)
        for (std::size_t d = 0; d < size; ++d)
          attended[h * size + d] += scores[s - first] * values[s][kv_begin + d];
    }
    return attended;
  }

  double Joined(double gate, double up) const {
    return ReferenceJoined(Layer().activation, gate, up);
  }

  void Dense(Vector* x, ReferenceActivations::Layer* seen) const {
    seen->ffn = RmsNorm(*x, FeedForwardNorm());
    Vector hidden = GetOfLayer("ffn_gate").Multiply(seen->ffn);
    const Vector up = GetOfLayer("ffn_up").Multiply(seen->ffn);
    for (std::size_t i = 0; i < hidden.size(); ++i) hidden[i] = Joined(hidden[i], up[i]);
    const Vector out = GetOfLayer("ffn_down").Multiply(hidden);
    for (std::size_t i = 0; i < out.size(); ++i) (*x)[i] += out[i];
  }

  // The router's choice: expert and weight, best first.
  std::vector<std::pair<std::size_t, double>> Routed(const Vector& normed) const {
    const ExpertsConfig& experts = *Layer().experts;
    Vector scores = GetOfLayer("ffn_gate_inp").Multiply(normed);
    AddBias("ffn_gate_inp", 0, &scores);
    if (experts.gating == ExpertGating::kSoftmax) Softmax(&scores);
    std::vector<std::size_t> order(scores.size());
    std::iota(order.begin(), order.end(), 0U);
    std::ranges::stable_sort(order,
                             [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
    order.resize(config_.expert_used_count);
    Vector weights;
    for (const std::size_t e : order) weights.push_back(scores[e]);
    if (experts.gating == ExpertGating::kSoftmaxOfChosen) Softmax(&weights);
    const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
    std::vector<std::pair<std::size_t, double>> routed;
    for (std::size_t i = 0; i < order.size(); ++i)
      routed.emplace_back(order[i], weights[i] / (experts.normalise ? sum : 1) *
                                        static_cast<double>(experts.weights_scale));
    return routed;
  }

  void Experts(Vector* x, ReferenceActivations::Layer* seen) const {
    const std::size_t hidden = config_.expert_width;
    const Vector normed = RmsNorm(*x, FeedForwardNorm());
    seen->ffn = normed;
    const Tensor gate_stack = GetOfLayer("ffn_gate_exps");
    const Tensor up_stack = GetOfLayer("ffn_up_exps");
    const Tensor down_stack = GetOfLayer("ffn_down_exps");
    for (const auto& [e, weight] : Routed(normed)) {
      Vector gate = gate_stack.Multiply(normed, e * hidden, hidden);
      Vector up = up_stack.Multiply(normed, e * hidden, hidden);
      AddBias("ffn_gate_exps", e, &gate);
      AddBias("ffn_up_exps", e, &up);
      seen->uses.push_back({e, weight, gate, up});
      for (std::size_t i = 0; i < hidden; ++i) gate[i] = Joined(gate[i], up[i]);
      Vector out = down_stack.Multiply(gate, e * config_.width, config_.width);
      AddBias("ffn_down_exps", e, &out);
      for (std::size_t i = 0; i < out.size(); ++i) (*x)[i] += weight * out[i];
    }
  }

  static void Softmax(Vector* x) {
    const double max = *std::ranges::max_element(*x);
    double sum = 0;
    for (double& v : *x) sum += v = std::exp(v - max);
    for (double& v : *x) v /= sum;
  }

  const ModelConfig& config_;
  const GgufSet& files_;
  std::span<const std::byte> file_;
  std::uint32_t layer_ = 0;
  std::string prefix_;
};

}  // namespace

double ReferenceJoined(Activation activation, double gate, double up) {
  switch (activation) {
    case Activation::kSwiglu: return gate / (1 + std::exp(-gate)) * up;
    case Activation::kGeglu: {
      const double bent = std::sqrt(2 / std::acos(-1.0)) * (gate + 0.044715 * gate * gate * gate);
      return 0.5 * gate * (1 + std::tanh(bent)) * up;
    }
    case Activation::kClampedSwiglu: break;
  }
  const double g = std::min(gate, 7.0);
  return g / (1 + std::exp(-1.702 * g)) * (std::clamp(up, -7.0, 7.0) + 1);
}

std::vector<double> ReferenceLogits(const LoadedModel& model, std::span<const std::byte> file,
                                    std::span<const TokenId> tokens,
                                    std::vector<ReferenceActivations>* activations) {
  std::vector<ReferenceActivations> unwanted;
  return Reference(model, file).Run(tokens, activations != nullptr ? activations : &unwanted);
}

}  // namespace edgemoe
