// SPDX-License-Identifier: Apache-2.0
//
// Compares teacher-forced log-probabilities with those that llama.cpp saved:
//
//   llama-perplexity -m MODEL.gguf -f TEXT -c 512 --chunks 8 --kl-divergence-base SAVED.kld
//   kl_against_llama MODEL.gguf SAVED.kld [KERNELS]
//
// prints the mean and the greatest KL divergence from llama.cpp's distribution to ours over the
// second half of each chunk, how often the most likely token is the same, and our perplexity there,
// to be held against llama-perplexity's "Final estimate". The file holds n_ctx, n_vocab, n_chunk,
// all tokens, and for each position a scale, a least log-probability and 16-bit steps above it.
// What is 16 nats below the best is cut off there, at step 0, and left out here.
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <thread>

#include "engine/io/mapped_file.h"
#include "engine/kernels/dispatch.h"
#include "engine/model/sampler.h"
#include "tests/support/models/loaded_model.h"

namespace edgemoe {
namespace {

constexpr char kMagic[] = "_logits_";

class Recording {
 public:
  explicit Recording(std::span<const std::byte> bytes) : bytes_(bytes) {
    char magic[sizeof(kMagic) - 1];
    Take(magic, sizeof(magic));
    valid_ = std::memcmp(magic, kMagic, sizeof(magic)) == 0;
    Take(&context, sizeof(context));
    Take(&vocabulary, sizeof(vocabulary));
    Take(&chunk_count, sizeof(chunk_count));
    if (!valid_ || context < 4 || chunk_count < 1 || vocabulary < 1) return;
    std::vector<std::int32_t> ids(std::size_t(context) * std::size_t(chunk_count));
    Take(ids.data(), ids.size() * sizeof(ids[0]));
    for (const std::int32_t id : ids) tokens.push_back(TokenId{id});
  }
  bool valid() const { return valid_; }

  // The log-probabilities of the next position.
  void TakeRow(std::vector<float>* row) {
    const auto count = static_cast<std::size_t>(vocabulary);
    float scale = 0;
    float least = 0;
    Take(&scale, sizeof(scale));
    Take(&least, sizeof(least));
    steps_.resize((count + 1) / 2 * 2);
    Take(steps_.data(), steps_.size() * sizeof(steps_[0]));
    row->resize(count);
    for (std::size_t i = 0; i < count; ++i) {
      (*row)[i] = steps_[i] == 0 ? -INFINITY : least + scale * steps_[i];
    }
  }

  std::int32_t context = 0;
  std::int32_t vocabulary = 0;
  std::int32_t chunk_count = 0;
  std::vector<TokenId> tokens;  // [chunk_count, context]

 private:
  void Take(void* out, std::size_t bytes) {
    if (bytes > bytes_.size()) {
      valid_ = false;
      std::memset(out, 0, bytes);
      return;
    }
    std::memcpy(out, bytes_.data(), bytes);
    bytes_ = bytes_.subspan(bytes);
  }

  std::span<const std::byte> bytes_;
  bool valid_ = false;
  std::vector<std::uint16_t> steps_;
};

struct Totals {
  double kl = 0;
  double kl_max = 0;
  double negative_log = 0;
  std::size_t same_best = 0;
  std::size_t positions = 0;
};

void AddPosition(const std::vector<float>& theirs, std::span<const float> logits, TokenId next,
                 Totals* totals) {
  // LogProbability minus the logit is the same number for every token.
  const double shift = static_cast<double>(LogProbability(logits, TokenId{0})) - logits[0];
  double kl = 0;
  std::size_t best_theirs = 0;
  std::size_t best_ours = 0;
  for (std::size_t i = 0; i < theirs.size(); ++i) {
    if (!std::isinf(theirs[i])) {
      kl += std::exp(double{theirs[i]}) * (theirs[i] - (logits[i] + shift));
    }
    if (theirs[i] > theirs[best_theirs]) best_theirs = i;
    if (logits[i] > logits[best_ours]) best_ours = i;
  }
  totals->kl += kl;
  totals->kl_max = std::max(totals->kl_max, kl);
  totals->negative_log -= logits[static_cast<std::size_t>(next.value)] + shift;
  totals->same_best += best_theirs == best_ours ? 1 : 0;
  ++totals->positions;
}

int Run(const char* model_path, const char* recording_path, const char* kernels_name) {
  auto model_file = MappedFile::Open(model_path);
  auto recording_file = MappedFile::Open(recording_path);
  auto kernels = SelectKernels(kernels_name);
  if (!model_file || !recording_file || !kernels) {
    std::fprintf(stderr, "cannot open the model, the recording or the kernels\n");
    return 1;
  }
  Recording recording(recording_file->bytes());
  const LoadedModel::Options options = {
      .thread_count = std::max(1U, std::thread::hardware_concurrency()), .kernels = *kernels};
  auto model = LoadedModel::Load(model_file->bytes(), options);
  if (!model || !recording.valid() ||
      (*model)->config().vocabulary_size != static_cast<std::uint32_t>(recording.vocabulary)) {
    std::fprintf(stderr, "the model or the recording is not one: %s\n",
                 model ? "they do not belong together" : model.error().ToString().c_str());
    return 1;
  }

  const auto context = static_cast<std::size_t>(recording.context);
  const auto vocabulary = static_cast<std::size_t>(recording.vocabulary);
  Totals totals;
  std::vector<float> theirs;
  for (std::int32_t chunk = 0; chunk < recording.chunk_count; ++chunk) {
    const auto tokens =
        std::span(recording.tokens).subspan(static_cast<std::size_t>(chunk) * context, context);
    SequenceState sequence((*model)->state());
    auto logits = (*model)->Run(sequence, 0, tokens);
    if (!logits) {
      std::fprintf(stderr, "%s\n", logits.error().ToString().c_str());
      return 1;
    }
    for (std::size_t position = context / 2; position + 1 < context; ++position) {
      recording.TakeRow(&theirs);
      AddPosition(theirs, std::span(*logits).subspan(position * vocabulary, vocabulary),
                  tokens[position + 1], &totals);
    }
  }
  if (!recording.valid()) {
    std::fprintf(stderr, "the recording ends early\n");
    return 1;
  }
  const auto positions = static_cast<double>(totals.positions);
  std::printf(
      "%zu positions: mean KL %.3e, greatest KL %.3e, same best token %.2f %%, "
      "our perplexity %.4f\n",
      totals.positions, totals.kl / positions, totals.kl_max,
      100.0 * static_cast<double>(totals.same_best) / positions,
      std::exp(totals.negative_log / positions));
  return 0;
}

}  // namespace
}  // namespace edgemoe

int main(int argc, char** argv) {
  if (argc < 3 || argc > 4) {
    std::fprintf(stderr, "usage: kl_against_llama MODEL.gguf SAVED.kld [KERNELS]\n");
    return 2;
  }
  return edgemoe::Run(argv[1], argv[2], argc == 4 ? argv[3] : "auto");
}
