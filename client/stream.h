// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "client/status.h"

namespace edgemoe::client {

// Where a stream's messages come from; made by Client alone.
template <class Message>
class MessageSource {
 public:
  virtual ~MessageSource() = default;
  virtual bool Read(Message& message) = 0;
  virtual void Cancel() = 0;
  virtual Status Finish() = 0;
};

// The answer to one request, message by message. Destroying a stream that has not ended cancels the
// request. One thread reads; Cancel may come from any thread while the stream lives and has not
// been moved.
template <class Message>
class Stream {
 public:
  explicit Stream(std::unique_ptr<MessageSource<Message>> source) : source_(std::move(source)) {}
  // A request that failed before it was sent.
  explicit Stream(Status failure) : status_(std::move(failure)), ended_(true) {}
  Stream(Stream&&) noexcept = default;
  Stream& operator=(Stream&&) = delete;
  ~Stream() {
    if (source_ == nullptr || ended_) return;
    source_->Cancel();
    (void)Finish();
  }

  // Waits for the next message. False at the end, for whatever reason: see Finish.
  bool Next(Message& message) {
    if (ended_) return false;
    if (source_->Read(message)) return true;
    End();
    return false;
  }

  // Skips what is left and tells how the request ended; CANCELLED after Cancel.
  Status Finish() {
    for (Message skipped; Next(skipped);) {
    }
    return status_;
  }

  // Next and Finish in one: `take` sees each message and may return false to cancel the rest.
  Status ForEach(const std::function<bool(const Message&)>& take) {
    for (Message message; Next(message);)
      if (!take(message)) Cancel();
    return status_;
  }

  void Cancel() {
    if (source_ != nullptr) source_->Cancel();
  }

 private:
  void End() {
    ended_ = true;
    status_ = source_->Finish();
  }

  std::unique_ptr<MessageSource<Message>> source_;
  Status status_;
  bool ended_ = false;
};

}  // namespace edgemoe::client
