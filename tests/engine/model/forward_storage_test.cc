// SPDX-License-Identifier: Apache-2.0
//
// The forward pass over the real pipeline of experts: the same bits as from memory with any slab
// and reader, and no allocation.
#include <gtest/gtest.h>

#include <cstring>

#include "engine/cache/lru_policy.h"
#include "engine/io/reader_factory.h"
#include "engine/kernels/dispatch.h"
#include "engine/stream/pipeline/expert_pipeline.h"
#include "engine/stream/pipeline/slots.h"
#include "tests/support/allocation_counter.h"
#include "tests/support/models/loaded_model.h"
#include "tests/support/models/tiny_model.h"
#include "tests/support/test_file.h"

namespace edgemoe {
namespace {

constexpr std::uint32_t kRowsMax = 16;

TinyModelOptions StoredModel() {
  TinyModelOptions options;
  options.layer_count = 3;
  options.expert_count = 16;
  options.expert_used_count = 4;
  return options;
}

std::vector<TokenId> RandomTokens(std::size_t count) {
  Random random(3);
  std::vector<TokenId> tokens(count);
  for (TokenId& token : tokens) {
    token.value = static_cast<std::int32_t>(random.NextBelow(kTinyVocabularySize));
  }
  return tokens;
}

// A model whose experts come from a file, through a slab of a part of all experts' bytes.
struct StoredForward {
  StoredForward(const TestFile& file, const char* backend, std::uint64_t slab_percent,
                std::size_t thread_count)
      : model(*LoadedModel::Load(file.bytes(), {})),
        classes(*SlotClassesOf(model->layout().experts, model->config().expert_used_count)),
        slab(*SlotSlab::Create(
            classes, std::max(SlabBytesMin(classes), SlabBytesMax(classes) * slab_percent / 100))),
        cache(classes, &slab, LruPolicy::Make),
        pool(thread_count) {
    files.push_back(*StorageFile::Open(file.path()));
    reader = std::move(OpenReader(files, {.backend = backend, .depth = 8})->reader);
    pipeline.emplace(model->layout().experts, reader.get(), &cache, &clock);
    forward = *Forward::Create(model->config(),
                               {.weights = model->weights(),
                                .kernels = *AvailableKernels().front(),
                                .pool = pool,
                                .experts = *pipeline},
                               {.rows_max = kRowsMax, .logit_rows_max = kRowsMax});
  }

  std::unique_ptr<LoadedModel> model;
  SlotClasses classes;
  SlotSlab slab;
  ExpertCache cache;
  ComputePool pool;
  SteadyClock clock;
  std::vector<StorageFile> files;
  std::unique_ptr<BlockReader> reader;
  std::optional<ExpertPipeline> pipeline;
  std::unique_ptr<Forward> forward;
};

class ForwardStorage : public testing::TestWithParam<const char*> {};

TEST_P(ForwardStorage, AnySlabGivesTheSameBitsAsMemory) {
  const TestFile file(TinyModelBytes(StoredModel()));
  const std::vector<TokenId> tokens = RandomTokens(40);
  auto resident = LoadedModel::Load(file.bytes(), {});
  ASSERT_TRUE(resident);
  SequenceState sequence((*resident)->state());
  const std::vector<float> expected = *(*resident)->Run(sequence, 0, tokens);

  for (const std::uint64_t slab_percent : {0U, 25U, 50U, 100U}) {
    for (const std::size_t threads : {1U, 2U}) {
      for (const std::uint32_t chunk : {1U, kRowsMax}) {
        StoredForward stored(file, GetParam(), slab_percent, threads);
        SequenceState streamed(stored.model->state());
        const auto found =
            RunTokens(*stored.forward, stored.model->config(), chunk, streamed, 0, tokens);
        ASSERT_TRUE(found) << found.error().ToString();
        ASSERT_EQ(found->size(), expected.size());
        EXPECT_EQ(std::memcmp(found->data(), expected.data(), expected.size() * sizeof(float)), 0)
            << slab_percent << " %, " << threads << " threads, chunks of " << chunk;
        EXPECT_GT(stored.pipeline->account().bytes_read, 0U);
        EXPECT_EQ(stored.cache.counters().evictions > 0, slab_percent < 100);
      }
    }
  }
}

TEST_P(ForwardStorage, RowsArePaidForInFull) {
  const TestFile file(TinyModelBytes(StoredModel()));
  const std::vector<TokenId> tokens = RandomTokens(kRowsMax);
  StoredForward stored(file, GetParam(), 25, 1);
  SequenceState sequence(stored.model->state());
  ASSERT_TRUE(sequence.Prepare(0, kRowsMax).ok());
  std::vector<BatchRow> rows;
  for (std::uint32_t p = 0; p < kRowsMax; ++p) {
    rows.push_back({&sequence, p, tokens[p], false, nullptr});
  }
  std::vector<RowResult> results(rows.size());
  stored.forward->Run(rows, results);
  ExpertIoAccount sum;
  for (const RowResult& result : results) {
    EXPECT_EQ(result.io.experts_used, 3U * 4);
    EXPECT_LE(result.io.hits, 3U * 4);
    sum.bytes_read += result.io.bytes_read;
    sum.wait_ns += result.io.wait_ns;
  }
  EXPECT_EQ(sum.bytes_read, stored.pipeline->account().bytes_read);
  EXPECT_EQ(sum.wait_ns, stored.pipeline->account().wait_ns);
}

TEST_P(ForwardStorage, RunAllocatesNothing) {
  const TestFile file(TinyModelBytes(StoredModel()));
  const std::vector<TokenId> tokens = RandomTokens(8);
  StoredForward stored(file, GetParam(), 25, 2);
  SequenceState sequence(stored.model->state());
  ASSERT_TRUE(sequence.Prepare(0, 64).ok());
  std::vector<BatchRow> rows(8);
  std::vector<RowResult> results(8);
  const std::uint64_t before = AllocationCount();
  for (std::uint32_t step = 0; step < 5; ++step) {
    for (std::uint32_t i = 0; i < 8; ++i) {
      rows[i] = {&sequence, step * 8 + i, tokens[i], i % 2 == 0, nullptr};
    }
    stored.forward->Run(rows, results);
  }
  EXPECT_EQ(AllocationCount(), before);
  EXPECT_TRUE(results[7].status.ok());
  EXPECT_GT(before, 0U);
}

INSTANTIATE_TEST_SUITE_P(Readers, ForwardStorage, testing::Values("pread", "auto"));

}  // namespace
}  // namespace edgemoe
