// SPDX-License-Identifier: Apache-2.0
//
// score: a text that is longer than the context is scored window by window, each on its own.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <utility>

#include "client/cli/commands/commands.h"
#include "client/cli/json.h"
#include "client/cli/terminal/input.h"

namespace edgemoe::cli {
namespace {

struct Total {
  double logprob_sum = 0;
  std::uint64_t scored_tokens = 0;
  std::uint32_t windows = 0;

  double Perplexity() const {
    return scored_tokens == 0 ? 0 : std::exp(-logprob_sum / static_cast<double>(scored_tokens));
  }
};

class Scorer {
 public:
  Scorer(Session& session, v1::ScoreRequest request)
      : session_(session), request_(std::move(request)) {}

  // Scores `ids` in windows of `window` tokens; a last one of a single token has nothing to score.
  client::Status Run(const std::vector<std::int32_t>& ids, std::size_t window) {
    for (std::size_t begin = 0; begin < ids.size(); begin += window) {
      const std::size_t end = std::min(begin + window, ids.size());
      if (end - begin < 2 && begin > 0) break;
      auto* tokens = request_.mutable_tokens()->mutable_ids();
      tokens->Clear();
      tokens->Add(ids.begin() + static_cast<std::ptrdiff_t>(begin),
                  ids.begin() + static_cast<std::ptrdiff_t>(end));
      session_.status_line().Show("scored " + std::to_string(begin) + " of " +
                                  std::to_string(ids.size()) + " tokens");
      if (client::Status status = RunWindow(); !status.ok()) return status;
    }
    session_.status_line().Clear();
    return client::Status();
  }

  const Total& total() const { return total_; }
  bool interrupted() const { return interrupted_; }

 private:
  client::Status RunWindow() {
    client::ScoreStream stream = session_.client().Score(request_);
    const InterruptWatch watch(session_.interrupts(), [&stream] { stream.Cancel(); });
    const bool lists_tokens = session_.options().json && request_.top_logprobs() > 0;
    const client::Status status = stream.ForEach([&](const v1::ScoreResponse& message) {
      if (message.has_finished()) {
        total_.logprob_sum += message.finished().logprob_sum();
        total_.scored_tokens += message.finished().scored_tokens();
        ++total_.windows;
      }
      return !(lists_tokens && message.has_scored()) || WriteOut(ToJson(message) + "\n");
    });
    interrupted_ = watch.interrupted();
    return status;
  }

  Session& session_;
  v1::ScoreRequest request_;
  Total total_;
  bool interrupted_ = false;
};

ExitCode WriteTotal(const Total& total, bool json) {
  if (json)
    return WriteLine(nlohmann::ordered_json{
        {"perplexity", total.Perplexity()},
        {"logprobSum", total.logprob_sum},
        {"scoredTokens", total.scored_tokens},
        {"windows",
         total.windows}}.dump());
  char text[160];
  std::snprintf(text, sizeof(text), "perplexity %.4f over %llu tokens in %u window%s",
                total.Perplexity(), static_cast<unsigned long long>(total.scored_tokens),
                total.windows, total.windows == 1 ? "" : "s");
  return WriteLine(text);
}

}  // namespace

ExitCode Run(const CommonOptions& options, ScoreCommand command) {
  auto text = ReadText(command.text);
  if (!text) return FailInput(text.error(), options.json);
  Session session(options);
  if (const client::Status status = session.Connect(); !status.ok()) return session.Fail(status);

  const auto model =
      session.Retry([&] { return session.client().GetModel(command.request.model()); });
  if (!model) return session.Fail(model.error());
  v1::TokenizeRequest tokenize;
  tokenize.set_model(command.request.model());
  tokenize.set_text(std::move(*text));
  const auto tokens = session.client().Tokenize(tokenize);
  if (!tokens) return session.Fail(tokens.error());
  std::vector<std::int32_t> ids;
  for (const v1::Token& token : tokens->tokens()) ids.push_back(token.id());

  Scorer scorer(session, std::move(command.request));
  const std::uint32_t window =
      command.window_tokens > 0 ? command.window_tokens : model->context_tokens();
  const client::Status status = scorer.Run(ids, std::max<std::uint32_t>(window, 2));
  if (scorer.interrupted()) return session.Interrupted();
  if (!status.ok()) return session.Fail(status);
  return WriteTotal(scorer.total(), options.json);
}

}  // namespace edgemoe::cli
