// SPDX-License-Identifier: Apache-2.0
#include "server/calls/streams/token_stream.h"

#include <utility>
#include <vector>

namespace edgemoe {

void TokenStream::Start(EngineLease engine, std::unique_ptr<TextTokens> tokens) {
  engine_ = std::move(engine);
  tokens_ = std::move(tokens);
  MakeNext();
  Open();
}

void TokenStream::MakeNext() {
  auto message = std::make_unique<v1::TokenizeResponse>();
  std::optional<Status> end;
  Result<std::vector<TokenPiece>> pieces = tokens_->Next(kTokensMax);
  if (pieces) {
    for (TokenPiece& piece : *pieces) {
      v1::Token& token = *message->add_tokens();
      token.set_id(piece.token.value);
      token.set_bytes(std::move(piece.bytes));
      token.set_byte_begin(piece.byte_begin);
      token.set_byte_end(piece.byte_end);
    }
    if (pieces->size() < kTokensMax) end = OkStatus();
  } else {
    end = pieces.error();
    message.reset();
  }
  if (end) tokens_.reset();
  const MutexLock lock(mutex_);
  ready_ = std::move(message);
  end_ = std::move(end);
  works_ = false;
}

void TokenStream::PostNext() {
  const auto self = std::static_pointer_cast<TokenStream>(shared_from_this());
  const bool posted = workers_.TryPostLarge([self] {
    self->MakeNext();
    self->Wake();
  });
  if (posted) return;
  {
    const MutexLock lock(mutex_);
    works_ = false;
    end_ = ResourceExhaustedError("too many calls wait for an answer; try again later")
               .WithReason(Reason::kTooManyCalls);
  }
  Wake();
}

SingleWriter::Turn TokenStream::Next() {
  const bool gone = client_has_gone();
  std::unique_ptr<v1::TokenizeResponse> message;
  std::optional<Status> end;
  {
    const MutexLock lock(mutex_);
    if (works_) return {};
    message = std::move(ready_);
    end = gone ? CancelledError("the client has gone") : end_;
    works_ = message == nullptr && !end;
  }
  if (message != nullptr && !gone) {
    CancelAfter(stall_timeout_ms_);
    return {.message = std::move(message)};
  }
  if (!end) {
    PostNext();
    return {};
  }
  tokens_.reset();
  engine_.reset();
  return {.end = *end};
}

}  // namespace edgemoe
