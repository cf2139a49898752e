// SPDX-License-Identifier: Apache-2.0
//
// A daemon without a model, in the test's own process: it writes the words of the prompt back.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "edgemoe/v1/inference.pb.h"
#include "edgemoe/v1/models.pb.h"

namespace edgemoe {

// Prompts (in Chat: the last message) with a meaning of their own:
//   "hang"       started and one chunk "…", then nothing until the call is cancelled
//   "data-loss"  one chunk, then DATA_LOSS
//   "full"       RESOURCE_EXHAUSTED with a retry delay of 1,500 ms
//   "escape"     a chunk with a terminal's control sequence
//   "too long"   INVALID_ARGUMENT, as what is longer than the context
//   "no model"   FAILED_PRECONDITION, as where no model is loaded
//   "long"       queue position 3 and progress before the answer
// A pack's source named "refused.gguf" is OUT_OF_RANGE. One with a target has two layers, or as
// many as its name says ("60.gguf"). A token is a byte of the text; the context has 8 tokens; each
// scored token has a log-probability of -1, a text's vector is its length. The request "0007" runs.
// A plan fits from 1,000 bytes on. The repository "hf.co/a/none" is not there, "hf.co/a/large" does
// not fit, all others have one model; "other" names none.
class FakeDaemon {
 public:
  // `address` as gRPC takes it; with TCP port 0 the kernel chooses one.
  explicit FakeDaemon(const std::string& address);
  ~FakeDaemon();

  int port() const { return port_; }

  // What health checks say; true at first.
  void SetServing(bool serving);

  struct State {
    // So many of the next calls are refused because the model is loading.
    std::atomic<int> loading_calls = 0;
    // Where it is not 0: the bytes of a chat's messages, taken for tokens, that are served.
    std::atomic<std::uint32_t> chat_context = 0;
    std::atomic<int> chat_count = 0;
    std::mutex mutex;
    std::condition_variable changed;
    int cancelled_count = 0;  // of calls that hung
    v1::CompleteRequest last_complete;
    v1::ChatRequest last_chat;
    v1::ScoreRequest last_score;
    v1::EmbedRequest last_embed;
    v1::ApplyTemplateRequest last_template;
    v1::PackRequest last_pack;
  };
  State& state() { return state_; }

  v1::CompleteRequest last_complete();
  v1::ChatRequest last_chat();
  v1::EmbedRequest last_embed();
  v1::PackRequest last_pack();

  // Waits until a call that hung was cancelled, or until the last chat has so many messages and
  // this is the last one's text; false after kPatience.
  bool WaitCancelled();
  bool WaitChat(int messages, const std::string& text);

 private:
  struct Server;
  State state_;
  int port_ = 0;
  std::unique_ptr<Server> server_;
};

}  // namespace edgemoe
