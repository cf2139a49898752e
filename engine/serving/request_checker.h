// SPDX-License-Identifier: Apache-2.0
//
// Checks what clients ask for and turns it into what the scheduler runs.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/base/result.h"
#include "engine/engine.h"
#include "engine/scheduler/session.h"
#include "engine/tokenizer/tokenizer.h"

namespace edgemoe {

// Immutable; thread-safe. Errors are INVALID_ARGUMENT and name the field as in the API
// ("stopping.sequences[2]"), the value found and what would be accepted.
class RequestChecker {
 public:
  // `tokenizer` outlives the checker. `pooling`: of texts to embed, where the request says none.
  RequestChecker(const Tokenizer& tokenizer, std::uint32_t context_tokens, Pooling pooling);

  Result<CheckedRequest> Check(GenerateRequest request) const;
  Result<CheckedRequest> Check(ScoreRequest request) const;
  Result<CheckedRequest> Check(EmbedRequest request) const;

 private:
  using Input = std::variant<std::string, std::vector<TokenId>>;
  // `least`: tokens that there must be.
  Result<std::vector<TokenId>> CheckInput(Input input, const char* text_field,
                                          const char* tokens_field, std::size_t least) const;
  Result<std::vector<TokenId>> Encode(const std::string& text, const char* field,
                                      std::size_t least) const;
  Status CheckCount(const char* field, std::size_t count, std::size_t least) const;
  Status CheckTokens(std::span<const TokenId> tokens, const char* field) const;
  Status CheckStop(const StopParameters& stop) const;

  const Tokenizer& tokenizer_;
  const std::uint32_t context_tokens_;
  const Pooling pooling_;
  // A text of more bytes than this has more tokens than the context: refused before it is
  // tokenised.
  std::uint64_t text_bytes_max_ = 0;
};

}  // namespace edgemoe
