// SPDX-License-Identifier: Apache-2.0
//
// A client of the engine in a test's own thread: hears a request's events and can wait for its end.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/mutex.h"
#include "engine/engine.h"

namespace edgemoe {

struct Answer {
  std::vector<StartedEvent> started;
  std::vector<PromptProgressEvent> progress;
  std::string text;
  std::vector<AnswerEvent> parts;
  std::vector<TokenId> tokens;
  std::vector<SampledToken> logprobs;
  std::vector<EmbeddingEvent> embeddings;
  std::vector<FinishedEvent> finished;

  FinishReason reason() const { return finished.at(0).reason; }
  const Status& status() const { return finished.at(0).status; }
};

// Thread-safe.
class Listener {
 public:
  // Waits for the end, however long it takes.
  Answer Wait() {
    MutexLock lock(mutex_);
    while (answer_.finished.empty()) changed_.Wait(mutex_);
    return answer_;
  }
  void SetCanTake(bool can_take) {
    MutexLock lock(mutex_);
    can_take_ = can_take;
  }
  // Called on the engine's thread after each chunk. Set before the request is submitted.
  std::function<void(RequestId)> on_chunk;

  static std::unique_ptr<EventSink> SinkFor(std::shared_ptr<Listener> listener) {
    return std::make_unique<Sink>(std::move(listener));
  }

 private:
  class Sink final : public EventSink {
   public:
    explicit Sink(std::shared_ptr<Listener> listener) : listener_(std::move(listener)) {}
    void OnStarted(const StartedEvent& event) override {
      listener_->Note([&](Answer& answer) { answer.started.push_back(event); });
      id_ = event.request;
    }
    void OnPromptProgress(const PromptProgressEvent& event) override {
      listener_->Note([&](Answer& answer) { answer.progress.push_back(event); });
    }
    void OnChunk(ChunkEvent event) override {
      listener_->Note([&](Answer& answer) {
        answer.text += event.text;
        answer.parts.insert(answer.parts.end(), event.parts.begin(), event.parts.end());
        for (const TokenId token : event.tokens) answer.tokens.push_back(token);
        for (SampledToken& logprob : event.logprobs) answer.logprobs.push_back(std::move(logprob));
      });
      if (listener_->on_chunk) listener_->on_chunk(id_);
    }
    void OnEmbedding(EmbeddingEvent event) override {
      listener_->Note([&](Answer& answer) { answer.embeddings.push_back(std::move(event)); });
    }
    void OnFinished(FinishedEvent event) override {
      listener_->Note([&](Answer& answer) {
        answer.text += event.text;
        answer.parts.insert(answer.parts.end(), event.parts.begin(), event.parts.end());
        answer.finished.push_back(std::move(event));
      });
    }
    bool CanTake() const override {
      MutexLock lock(listener_->mutex_);
      return listener_->can_take_;
    }

   private:
    std::shared_ptr<Listener> listener_;
    RequestId id_;
  };

  template <class Function>
  void Note(Function&& function) {
    MutexLock lock(mutex_);
    function(answer_);
    changed_.NotifyAll();
  }

  Mutex mutex_;
  CondVar changed_;
  Answer answer_ GUARDED_BY(mutex_);
  bool can_take_ GUARDED_BY(mutex_) = true;
};

inline GenerateRequest Greedy(std::string prompt, std::optional<std::uint32_t> max_tokens) {
  GenerateRequest request;
  request.prompt = std::move(prompt);
  request.sampling.temperature = 0;
  request.stop.max_tokens = max_tokens;
  return request;
}

// Null when the engine refuses; the status tells why.
inline std::shared_ptr<Listener> Submit(Engine& engine, GenerateRequest request,
                                        Status* status = nullptr) {
  auto listener = std::make_shared<Listener>();
  const Result<RequestId> id = engine.Generate(std::move(request), Listener::SinkFor(listener));
  if (status != nullptr) *status = id ? OkStatus() : id.error();
  return id ? listener : nullptr;
}

}  // namespace edgemoe
