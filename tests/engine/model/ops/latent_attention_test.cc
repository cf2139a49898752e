// SPDX-License-Identifier: Apache-2.0
//
// Latent attention against the formulas of its paper (DeepSeek-V2, arXiv 2405.04434, section 2.1)
// in double precision, where each head has keys and values of its own; and what a model's rows may
// not depend on.
#include "engine/model/ops/latent_attention.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <map>
#include <optional>

#include "engine/base/random.h"
#include "engine/kernels/dispatch.h"
#include "engine/model/ops/residual_stream.h"
#include "engine/quant/half.h"
#include "tests/golden/fixtures.h"
#include "tests/support/models/loaded_model.h"

namespace edgemoe {
namespace {

using Row = std::vector<double>;
using Matrix = std::vector<Row>;

constexpr std::uint32_t kWidth = 24;
constexpr std::uint32_t kPositions = 40;  // more than a block
constexpr float kEpsilon = 0.01F;

ModelConfig ConfigWith(bool query_latent, bool joined) {
  LatentAttentionConfig attention;
  attention.head_count = 3;
  attention.query_latent_size = query_latent ? 14 : 0;
  attention.latent_size = 20;
  attention.unrotated_size = 10;
  attention.value_size = 7;
  attention.joined_up = joined;
  attention.rope.dimension_count = 6;
  attention.rope.pairing = RopePairing::kNeighbours;
  attention.rope.base = 100;
  ModelConfig config;
  config.width = kWidth;
  config.vocabulary_size = 8;
  config.context_length = 64;
  config.rms_epsilon = kEpsilon;
  LayerConfig layer;
  layer.mixer = attention;
  config.layers.push_back(layer);
  return config;
}

Matrix RandomMatrix(std::size_t rows, std::size_t columns, Random& random) {
  Matrix matrix(rows, Row(columns));
  const double reach = std::sqrt(6.0 / static_cast<double>(columns));
  for (Row& row : matrix)
    for (double& x : row)
      x = static_cast<double>(static_cast<float>(reach * (2 * random.NextUnit() - 1)));
  return matrix;
}

Matrix Transposed(const Matrix& matrix) {
  Matrix out(matrix[0].size(), Row(matrix.size()));
  for (std::size_t r = 0; r < matrix.size(); ++r)
    for (std::size_t c = 0; c < matrix[r].size(); ++c) out[c][r] = matrix[r][c];
  return out;
}

// The paper's matrices: down and up for queries, keys and values; up ones a head.
struct Paper {
  Matrix query_down;                     // empty where queries have no latent
  std::vector<Matrix> query_up;          // [unrotated + rotated, latent, or width]
  Matrix key_value_down;                 // [latent + rotated, width]
  std::vector<Matrix> key_up, value_up;  // [unrotated, latent], [value, latent]
  Matrix output;                         // [width, heads * value]
  Row norm, query_norm, key_value_norm;
};

Paper RandomPaper(const LatentAttentionConfig& config) {
  Random random(5);
  Paper paper;
  const std::size_t query_columns =
      config.query_latent_size > 0 ? config.query_latent_size : kWidth;
  if (config.query_latent_size > 0)
    paper.query_down = RandomMatrix(config.query_latent_size, kWidth, random);
  paper.key_value_down = RandomMatrix(config.key_size(), kWidth, random);
  for (std::uint32_t head = 0; head < config.head_count; ++head) {
    paper.query_up.push_back(RandomMatrix(config.query_size(), query_columns, random));
    paper.key_up.push_back(RandomMatrix(config.unrotated_size, config.latent_size, random));
    paper.value_up.push_back(RandomMatrix(config.value_size, config.latent_size, random));
  }
  paper.output = RandomMatrix(kWidth, config.values_size(), random);
  paper.norm = RandomMatrix(1, kWidth, random)[0];
  paper.query_norm = RandomMatrix(1, query_columns, random)[0];
  paper.key_value_norm = RandomMatrix(1, config.latent_size, random)[0];
  return paper;
}

Row Times(const Matrix& matrix, const Row& x) {
  Row y;
  for (const Row& row : matrix) {
    double sum = 0;
    for (std::size_t c = 0; c < row.size(); ++c) sum += row[c] * x[c];
    y.push_back(sum);
  }
  return y;
}

Row Normed(Row x, const Row& weight) {
  double squares = 0;
  for (const double value : x) squares += value * value;
  const double length =
      std::sqrt(squares / static_cast<double>(x.size()) + static_cast<double>(kEpsilon));
  for (std::size_t i = 0; i < x.size(); ++i) x[i] *= weight[i] / length;
  return x;
}

// Rotates the elements from `begin` on, neighbours together.
void Rotate(const RopeConfig& rope, std::size_t begin, std::uint32_t position, Row& x) {
  for (std::uint32_t i = 0; i < rope.dimension_count; i += 2) {
    const double angle =
        position * std::pow(static_cast<double>(rope.base), -1.0 * i / rope.dimension_count);
    const double a = x[begin + i];
    const double b = x[begin + i + 1];
    x[begin + i] = a * std::cos(angle) - b * std::sin(angle);
    x[begin + i + 1] = a * std::sin(angle) + b * std::cos(angle);
  }
}

// As a sequence keeps it.
double Kept(double x) {
  return static_cast<double>(HalfToFloat(FloatToHalf(static_cast<float>(x))));
}

double Dot(const Row& a, const Row& b, std::size_t b_begin) {
  double sum = 0;
  for (std::size_t i = 0; b_begin + i < b.size() && i < a.size(); ++i) sum += a[i] * b[b_begin + i];
  return sum;
}

// What the layer adds to each x.
Matrix Reference(const LatentAttentionConfig& config, const Paper& paper, const Matrix& inputs) {
  Matrix latents, keys, results;
  for (std::uint32_t position = 0; position < inputs.size(); ++position) {
    const Row x = Normed(inputs[position], paper.norm);
    const Row down = Times(paper.key_value_down, x);
    const auto split = down.begin() + config.latent_size;
    Row latent = Normed({down.begin(), split}, paper.key_value_norm);
    Row key(split, down.end());
    Rotate(config.rope, 0, position, key);
    for (Row* row : {&latent, &key})
      for (double& value : *row) value = Kept(value);
    latents.push_back(latent);
    keys.push_back(key);

    Row heads;
    for (std::uint32_t head = 0; head < config.head_count; ++head) {
      Row query = Times(
          paper.query_up[head],
          config.query_latent_size == 0 ? x : Normed(Times(paper.query_down, x), paper.query_norm));
      Rotate(config.rope, config.unrotated_size, position, query);
      Row weights;
      double sum = 0;
      for (std::uint32_t p = 0; p <= position; ++p) {
        const double score = Dot(Times(paper.key_up[head], latents[p]), query, 0) +
                             Dot(keys[p], query, config.unrotated_size);
        weights.push_back(std::exp(score / std::sqrt(config.query_size())));
        sum += weights.back();
      }
      Row value(config.value_size, 0.0);
      for (std::uint32_t p = 0; p <= position; ++p) {
        const Row own = Times(paper.value_up[head], latents[p]);
        for (std::size_t i = 0; i < value.size(); ++i) value[i] += weights[p] / sum * own[i];
      }
      heads.insert(heads.end(), value.begin(), value.end());
    }
    results.push_back(Times(paper.output, heads));
  }
  return results;
}

// The paper's matrices as the tensors of a layer.
class LayerTensorsOf {
 public:
  LayerTensorsOf(const LatentAttentionConfig& config, const Paper& paper) {
    Matrix queries, keys, values, joined;
    const auto append = [](const Matrix& from, Matrix& to) {
      to.insert(to.end(), from.begin(), from.end());
    };
    for (std::uint32_t head = 0; head < config.head_count; ++head) {
      append(paper.query_up[head], queries);
      append(Transposed(paper.key_up[head]), keys);
      append(paper.value_up[head], values);
      append(paper.key_up[head], joined);
      append(paper.value_up[head], joined);
    }
    Add(TensorRole::kAttentionNorm, {paper.norm});
    if (config.query_latent_size > 0) {
      Add(TensorRole::kQueryDown, paper.query_down);
      Add(TensorRole::kQueryDownNorm, {paper.query_norm});
    }
    Add(config.query_latent_size > 0 ? TensorRole::kQueryUp : TensorRole::kQuery, queries);
    Add(TensorRole::kKeyValueDown, paper.key_value_down);
    Add(TensorRole::kKeyValueDownNorm, {paper.key_value_norm});
    if (config.joined_up) {
      Add(TensorRole::kKeyValueUp, joined);
    } else {
      Add(TensorRole::kKeyUp, keys);
      Add(TensorRole::kValueUp, values);
    }
    Add(TensorRole::kAttentionOutput, paper.output);
  }
  const LayerWeights& weights() const { return weights_; }

 private:
  void Add(TensorRole role, const Matrix& matrix) {
    std::vector<float>& floats = storage_[role];
    for (const Row& row : matrix)
      for (const double x : row) floats.push_back(static_cast<float>(x));
    const std::size_t columns = matrix[0].size();
    weights_.Set(role, {TensorType::kF32, reinterpret_cast<const std::byte*>(floats.data()),
                        static_cast<std::uint32_t>(matrix.size()),
                        static_cast<std::uint32_t>(columns), columns * sizeof(float)});
  }

  std::map<TensorRole, std::vector<float>> storage_;
  LayerWeights weights_;
};

struct Form {
  bool query_latent;
  bool joined;
};

class LatentAttentionForms : public testing::TestWithParam<Form> {};

TEST_P(LatentAttentionForms, AddsWhatThePaperSays) {
  const ModelConfig config = ConfigWith(GetParam().query_latent, GetParam().joined);
  const auto& attention = *config.layers[0].mixer_as<LatentAttentionConfig>();
  const Paper paper = RandomPaper(attention);
  Random random(6);
  const Matrix inputs = RandomMatrix(kPositions, kWidth, random);
  const Matrix expected = Reference(attention, paper, inputs);

  const LayerTensorsOf tensors(attention, paper);
  ComputePool pool(2);
  auto workspace = Workspace::Create(config, {kPositions, 1, pool.thread_count()});
  ASSERT_TRUE(workspace);
  auto state = StatePool::Create(
      StateShapeOf(config), {.token_capacity = 64, .context_tokens = 64, .rows_max = kPositions});
  ASSERT_TRUE(state);
  SequenceState sequence(*state);
  ASSERT_TRUE(sequence.Prepare(0, kPositions).ok());
  std::vector<BatchRow> rows;
  for (std::uint32_t p = 0; p < kPositions; ++p) {
    rows.push_back({.sequence = &sequence, .position = p, .token = TokenId{}});
    for (std::uint32_t c = 0; c < kWidth; ++c)
      workspace->x[p * kWidth + c] = static_cast<float>(inputs[p][c]);
  }
  std::vector<RowResult> results(kPositions);
  ActiveRows active(kPositions);
  active.Start(rows, results);
  RopeTables rope(config, {}, kPositions, workspace->rope);
  rope.SetPositions(rows);
  const OpContext context = {config, *AvailableKernels().front(), pool, *workspace, kPositions};
  NormRows(context, workspace->x, tensors.weights().floats(TensorRole::kAttentionNorm), kPositions,
           workspace->normed);
  LatentAttention(context, rope).Run(LayerIndex{0}, tensors.weights(), active);

  double most = 0;
  for (std::uint32_t p = 0; p < kPositions; ++p)
    for (std::uint32_t c = 0; c < kWidth; ++c) {
      const auto added = static_cast<double>(workspace->delta[p * kWidth + c]);
      // A value that lies between two halves may be kept as the other one.
      ASSERT_NEAR(added, expected[p][c], 2e-3) << p << ", " << c;
      most = std::max(most, std::abs(expected[p][c]));
    }
  EXPECT_GT(most, 1);
}

INSTANTIATE_TEST_SUITE_P(All, LatentAttentionForms,
                         testing::Values(Form{false, false}, Form{true, false}, Form{false, true},
                                         Form{true, true}));

// DeepSeek-V2-Lite: softmax_scale of modeling_deepseek.py is 192^-0.5 * (0.1 * 0.707 * ln 40 +
// 1)^2.
TEST(ScoreScale, HasTheLengthOfYarn) {
  LatentAttentionConfig config;
  config.unrotated_size = 128;
  config.rope.dimension_count = 64;
  EXPECT_FLOAT_EQ(ScoreScale(config), static_cast<float>(1 / std::sqrt(192.0)));
  config.rope.scaling = RopeScaling::kYarn;
  config.rope.factor = 40;
  config.log_multiplier = 0.0707F;
  const double length = 0.1 * 0.707 * std::log(40.0) + 1;
  EXPECT_FLOAT_EQ(ScoreScale(config), static_cast<float>(length * length / std::sqrt(192.0)));
  config.log_multiplier = 0;
  const double usual = 0.1 * std::log(40.0) + 1;
  EXPECT_FLOAT_EQ(ScoreScale(config), static_cast<float>(usual * usual / std::sqrt(192.0)));
}

// ---- In a model: rows do not depend on the batch, and states can be taken along ----

bool SameBits(std::span<const float> a, std::span<const float> b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

class LatentModel : public testing::TestWithParam<const char*> {
 protected:
  std::unique_ptr<LoadedModel> Load(const LoadedModel::Options& options) const {
    auto model = LoadedModel::Load(file_, options);
    EXPECT_TRUE(model) << model.error().ToString();
    return std::move(*model);
  }
  std::vector<float> RunWhole(const LoadedModel::Options& options) const {
    const auto model = Load(options);
    SequenceState sequence(model->state());
    return *model->Run(sequence, 0, tokens_);
  }

  const std::vector<std::byte> file_ = RandomModelBytes(FindFixture(GetParam())->model);
  const std::vector<TokenId> tokens_ = [] {
    Random random(9);
    std::vector<TokenId> tokens(kPositions);
    for (TokenId& token : tokens) token.value = static_cast<std::int32_t>(random.NextBelow(256));
    return tokens;
  }();
};

TEST_P(LatentModel, ChunksAndThreadsGiveTheSameBits) {
  const std::vector<float> whole = RunWhole({});
  for (const std::uint32_t chunk : {1U, 5U, 9U})
    for (const std::size_t threads : {1U, 3U})
      EXPECT_TRUE(SameBits(whole, RunWhole({.rows_max = chunk, .thread_count = threads})))
          << chunk << ", " << threads;
}

TEST_P(LatentModel, GoesOnBehindASnapshot) {
  const auto model = Load({});
  const std::vector<float> whole = RunWhole({});
  for (const std::uint32_t at : {1U, 32U, 37U}) {
    std::vector<std::byte> snapshot(SequenceState::SnapshotBytes(model->state().shape(), at));
    {
      SequenceState sequence(model->state());
      ASSERT_TRUE(model->Run(sequence, 0, std::span(tokens_).first(at)));
      sequence.Snapshot(at, snapshot);
    }
    SequenceState other(model->state());
    ASSERT_TRUE(other.Restore(at, snapshot).ok());
    const auto rest = model->Run(other, at, std::span(tokens_).subspan(at));
    ASSERT_TRUE(rest);
    EXPECT_TRUE(SameBits(std::span(whole).subspan(std::size_t{at} * kTinyVocabularySize), *rest))
        << at;
  }
}

// One key for all heads, and no values beside it.
TEST_P(LatentModel, KeepsOnlyLatents) {
  const auto model = Load({});
  const auto& latent = *model->config().layers[0].mixer_as<LatentAttentionConfig>();
  for (const LayerState& layer : model->state().shape().layers) {
    EXPECT_EQ(layer.key_size, latent.latent_size + latent.rope.dimension_count);
    EXPECT_EQ(layer.value_size, 0U);
  }
}

INSTANTIATE_TEST_SUITE_P(Fixtures, LatentModel,
                         testing::Values("deepseek2-sigmoid", "deepseek2-yarn-Q4_K",
                                         "deepseek2-joined-Q8_0"),
                         [](const auto& fixture) {
                           std::string name = fixture.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace edgemoe
