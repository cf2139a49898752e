// SPDX-License-Identifier: Apache-2.0
//
// The answer of InferenceService.Tokenize: the tokens of a text, some at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "edgemoe/v1/inference.pb.h"
#include "engine/base/mutex.h"
#include "engine/engine.h"
#include "server/calls/streams/single_writer.h"
#include "server/models/engine_slot.h"
#include "server/threads/worker_pool.h"

namespace edgemoe {

// Bounded: the next message is made, on a worker, when the one before it has been written. A client
// that takes none for the stall timeout is ended.
class TokenStream final : public SingleWriter {
 public:
  static constexpr std::size_t kTokensMax = 4096;  // of one message

  // Both outlive the stream.
  TokenStream(StreamThread& thread, WorkerPool& workers, std::uint32_t stall_timeout_ms)
      : SingleWriter(thread), workers_(workers), stall_timeout_ms_(stall_timeout_ms) {}

  // Makes the first message, which may be empty, and opens the stream; or refuses the call. Once,
  // on a worker.
  void Start(EngineLease engine, std::unique_ptr<TextTokens> tokens);

 private:
  Turn Next() override EXCLUDES(mutex_);
  void Abandon() override {}

  // On a worker; one at a time.
  void MakeNext() EXCLUDES(mutex_);
  void PostNext() EXCLUDES(mutex_);

  WorkerPool& workers_;
  const std::uint32_t stall_timeout_ms_;
  // Of whoever makes the next message; at the end, Next's.
  EngineLease engine_;
  std::unique_ptr<TextTokens> tokens_;  // until the last was taken; gone before the engine

  Mutex mutex_;
  bool works_ GUARDED_BY(mutex_) = false;  // the next message is being made
  std::unique_ptr<v1::TokenizeResponse> ready_ GUARDED_BY(mutex_);
  std::optional<Status> end_ GUARDED_BY(mutex_);  // after what is ready
};

}  // namespace edgemoe
