// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <utility>

#include "bench/commands.h"
#include "bench/measure.h"
#include "bench/statistics.h"
#include "bench/text_table.h"
#include "engine/base/byte_size.h"
#include "engine/describe.h"

namespace edgemoe::bench {
namespace {

// The settings' prompt, again and again, as so many tokens.
Result<std::vector<TokenId>> LongPrompt(const PrefillCommand& command,
                                        const Configuration& configuration) {
  EDGEMOE_ASSIGN_OR_FAIL(const std::unique_ptr<Engine> engine, Engine::Open(configuration.options));
  EDGEMOE_ASSIGN_OR_FAIL(const std::unique_ptr<TextTokens> tokens,
                         engine->Tokenize(command.run.prompt + ". ", {}));
  EDGEMOE_ASSIGN_OR_FAIL(const std::vector<TokenPiece> pieces, tokens->Next(command.prompt_tokens));
  if (pieces.empty()) return Failure(InvalidArgumentError("--prompt: has no tokens"));
  std::vector<TokenId> prompt;
  while (prompt.size() < command.prompt_tokens)
    prompt.push_back(pieces[prompt.size() % pieces.size()].token);
  return prompt;
}

}  // namespace

Result<Report> Run(const PrefillCommand& command, const Settings& settings) {
  std::vector<Configuration> configurations;
  RunSettings run = command.run;
  run.engine.context_tokens = std::max(run.engine.context_tokens, command.prompt_tokens + 1);
  std::vector<std::string> notes;
  for (const std::uint32_t chunk : command.chunks) {
    run.engine.prefill_chunk_tokens = chunk;
    EDGEMOE_ASSIGN_OR_FAIL(Configurations made, MakeConfigurations(run));
    notes = std::move(made.notes);
    for (Configuration& configuration : made.list)
      configurations.push_back(std::move(configuration));
  }
  if (configurations.empty())
    return Failure(InvalidArgumentError("--chunks, --mode: nothing is left to be measured"));
  GenerationPlan plan;
  plan.tokens = 1;
  EDGEMOE_ASSIGN_OR_FAIL(plan.prompt, LongPrompt(command, configurations.front()));
  EDGEMOE_ASSIGN_OR_FAIL(const std::vector<Measured> measured,
                         MeasureInTurn(configurations, plan, run.warmup_tokens, run.runs));

  Report report{"", NewJson("prefill", settings)};
  EDGEMOE_ASSIGN_OR_FAIL(const ModelDescription model, DescribeModel(run.models.front()));
  report.json["model"] = ToJson(model);
  report.json["prompt_tokens"] = command.prompt_tokens;
  report.json["same_tokens"] = AllAlike(measured);
  report.json["notes"] = notes;
  report.json["results"] = Json::array();
  TextTable table({"file", "mode", "storage", "policy", "predictor", "chunk", "prompt tok/s",
                   "first s", "hits %", "read/token", "wait %"});
  for (const Measured& one : measured) {
    std::vector<double> speeds;
    std::vector<double> firsts;
    PhaseCost sum;
    for (const GenerationSample& sample : one.samples) {
      speeds.push_back(Ratio(sample.prompt_tokens, sample.first_token_s));
      firsts.push_back(sample.first_token_s);
      sum.wall_s += sample.prompt.wall_s;
      sum.wait_s += sample.prompt.wait_s;
      sum.expert_uses += sample.prompt.expert_uses;
      sum.expert_hits += sample.prompt.expert_hits;
      sum.bytes_read += sample.prompt.bytes_read;
    }
    const double hit_rate =
        Ratio(static_cast<double>(sum.expert_hits), static_cast<double>(sum.expert_uses));
    const double bytes_per_token =
        Ratio(static_cast<double>(sum.bytes_read),
              static_cast<double>(command.prompt_tokens) * static_cast<double>(one.samples.size()));
    const double wait_share = Ratio(sum.wait_s, sum.wall_s);
    Json result = ToJson(one.configuration);
    result["prefill_chunk_tokens"] = one.configuration.options.prefill_chunk_tokens;
    result["prompt_tok_per_s"] = Median(speeds);
    result["time_to_first_token_s"] = Median(firsts);
    result["hit_rate"] = hit_rate;
    result["bytes_per_token"] = bytes_per_token;
    result["storage_wait_share"] = wait_share;
    report.json["results"].push_back(std::move(result));
    const EngineOptions& options = one.configuration.options;
    const bool caches = options.mode == "edgemoe";
    table.Add({FileName(options.model_path), options.mode, options.storage_profile,
               caches ? options.eviction_policy : "-", caches ? options.predictor : "-",
               std::to_string(options.prefill_chunk_tokens), Fixed(Median(speeds), 1),
               Fixed(Median(firsts), 3), Fixed(100 * hit_rate, 1),
               FormatByteSize(static_cast<std::uint64_t>(std::llround(bytes_per_token))),
               Fixed(100 * wait_share, 0)});
  }
  report.text = table.Text();
  for (const std::string& note : notes) report.text += "note: " + note + "\n";
  return report;
}

}  // namespace edgemoe::bench
