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
    for (ReferenceActivations& token : *activations) token.layers.resize(config_.layer_count);
    const Tensor embedding = Get("token_embd.weight");
    for (const TokenId token : tokens) {
      const auto begin =
          embedding.values.begin() + token.value * static_cast<std::ptrdiff_t>(config_.width);
      xs.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(config_.width));
    }
    for (std::uint32_t layer = 0; layer < config_.layer_count; ++layer) {
      prefix_ = "blk." + std::to_string(layer) + ".";
      std::vector<ReferenceActivations::Layer*> seen;
      for (ReferenceActivations& token : *activations) seen.push_back(&token.layers[layer]);
      Attention(&xs, seen);
      for (std::size_t t = 0; t < xs.size(); ++t) Experts(&xs[t], seen[t]);
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
  Tensor GetOfLayer(const std::string& name) const { return Get(prefix_ + name + ".weight"); }

  Vector RmsNorm(const Vector& x, const Tensor& weight) const {
    const double squares = std::inner_product(x.begin(), x.end(), x.begin(), 0.0);
    const double scale =
        1.0 / std::sqrt(squares / static_cast<double>(x.size()) + config_.rms_epsilon);
    Vector y(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) y[i] = x[i] * scale * weight.values[i];
    return y;
  }

  // Head h of `heads`, normed and rotated to `position`.
  Vector Head(const Vector& heads, std::size_t h, const Tensor& norm, std::size_t position) const {
    const std::size_t size = config_.head_size;
    const auto begin = heads.begin() + static_cast<std::ptrdiff_t>(h * size);
    Vector head = RmsNorm(Vector(begin, begin + static_cast<std::ptrdiff_t>(size)), norm);
    for (std::size_t i = 0; i < size / 2; ++i) {
      const double angle = static_cast<double>(position) *
                           std::pow(static_cast<double>(config_.rope_base),
                                    -2.0 * static_cast<double>(i) / static_cast<double>(size));
      const double a = head[i];
      const double b = head[i + size / 2];
      head[i] = a * std::cos(angle) - b * std::sin(angle);
      head[i + size / 2] = a * std::sin(angle) + b * std::cos(angle);
    }
    return head;
  }

  static double Rounded(double x) { return HalfToFloat(FloatToHalf(static_cast<float>(x))); }

  void Attention(std::vector<Vector>* xs,
                 const std::vector<ReferenceActivations::Layer*>& seen) const {
    const std::size_t size = config_.head_size;
    const std::size_t group = config_.head_count / config_.kv_head_count;
    const Tensor norm = GetOfLayer("attn_norm");
    const Tensor q_norm = GetOfLayer("attn_q_norm");
    const Tensor k_norm = GetOfLayer("attn_k_norm");
    const Tensor wq = GetOfLayer("attn_q");
    const Tensor wk = GetOfLayer("attn_k");
    const Tensor wv = GetOfLayer("attn_v");
    const Tensor wo = GetOfLayer("attn_output");
    std::vector<Vector> keys;
    std::vector<Vector> values;
    for (std::size_t t = 0; t < xs->size(); ++t) {
      const Vector normed = RmsNorm((*xs)[t], norm);
      seen[t]->attention = normed;
      const Vector k = wk.Multiply(normed);
      Vector rotated;
      for (std::size_t h = 0; h < config_.kv_head_count; ++h) {
        for (const double x : Head(k, h, k_norm, t)) rotated.push_back(Rounded(x));
      }
      keys.push_back(rotated);
      values.push_back(wv.Multiply(normed));
      for (double& x : values.back()) x = Rounded(x);

      const Vector q = wq.Multiply(normed);
      Vector attended(config_.head_count * size);
      for (std::size_t h = 0; h < config_.head_count; ++h) {
        const Vector head = Head(q, h, q_norm, t);
        const std::size_t kv_begin = h / group * size;
        Vector scores(t + 1);
        for (std::size_t s = 0; s <= t; ++s) {
          for (std::size_t d = 0; d < size; ++d) scores[s] += head[d] * keys[s][kv_begin + d];
          scores[s] /= std::sqrt(static_cast<double>(size));
        }
        Softmax(&scores);
        for (std::size_t s = 0; s <= t; ++s) {
          for (std::size_t d = 0; d < size; ++d) {
            attended[h * size + d] += scores[s] * values[s][kv_begin + d];
          }
        }
      }
      seen[t]->attention_output = attended;
      const Vector delta = wo.Multiply(attended);
      for (std::size_t i = 0; i < delta.size(); ++i) (*xs)[t][i] += delta[i];
    }
  }

  void Experts(Vector* x, ReferenceActivations::Layer* seen) const {
    const std::size_t hidden = config_.expert_width;
    const Vector normed = RmsNorm(*x, GetOfLayer("ffn_norm"));
    seen->ffn = normed;
    Vector probabilities = GetOfLayer("ffn_gate_inp").Multiply(normed);
    Softmax(&probabilities);
    std::vector<std::size_t> order(probabilities.size());
    std::iota(order.begin(), order.end(), 0U);
    std::ranges::stable_sort(
        order, [&](std::size_t a, std::size_t b) { return probabilities[a] > probabilities[b]; });
    order.resize(config_.expert_used_count);
    double sum = 0;
    for (const std::size_t e : order) sum += probabilities[e];

    const Tensor gate_stack = GetOfLayer("ffn_gate_exps");
    const Tensor up_stack = GetOfLayer("ffn_up_exps");
    const Tensor down_stack = GetOfLayer("ffn_down_exps");
    for (const std::size_t e : order) {
      Vector gate = gate_stack.Multiply(normed, e * hidden, hidden);
      const Vector up = up_stack.Multiply(normed, e * hidden, hidden);
      seen->uses.push_back({e, probabilities[e] / sum, gate, up});
      for (std::size_t i = 0; i < hidden; ++i) gate[i] = gate[i] / (1 + std::exp(-gate[i])) * up[i];
      const Vector out = down_stack.Multiply(gate, e * config_.width, config_.width);
      for (std::size_t i = 0; i < out.size(); ++i) (*x)[i] += probabilities[e] / sum * out[i];
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
  std::string prefix_;
};

}  // namespace

std::vector<double> ReferenceLogits(const LoadedModel& model, std::span<const std::byte> file,
                                    std::span<const TokenId> tokens,
                                    std::vector<ReferenceActivations>* activations) {
  std::vector<ReferenceActivations> unwanted;
  return Reference(model, file).Run(tokens, activations != nullptr ? activations : &unwanted);
}

}  // namespace edgemoe
