// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "bench/commands.h"
#include "bench/statistics.h"
#include "bench/text_table.h"
#include "engine/base/byte_size.h"
#include "engine/replay.h"

namespace edgemoe::bench {
namespace {

double Share(std::uint64_t part, std::uint64_t whole) {
  return Ratio(static_cast<double>(part), static_cast<double>(whole));
}

Json ToJson(const ReplayResult& row) {
  return {
      {"policy", row.policy},
      {"predictor", row.predictor},
      {"budget_bytes", row.budget_bytes},
      {"hit_rate", Share(row.decode_hits, row.decode_uses)},
      {"prefill_hit_rate", Share(row.prefill_hits, row.prefill_uses)},
      {"bytes_per_token", Share(row.decode_demand_bytes + row.prefetch_bytes, row.decode_tokens)},
      {"demand_bytes_per_token", Share(row.decode_demand_bytes, row.decode_tokens)},
      {"recall_at_k", Share(row.guessed_at_k, row.guess_uses)},
      {"recall_at_2k", Share(row.guessed_at_2k, row.guess_uses)},
      {"prefetch_waste", Share(row.prefetch_wasted_bytes, row.prefetch_bytes)},
      {"decode_tokens", row.decode_tokens},
      {"decode_uses", row.decode_uses},
      {"decode_hits", row.decode_hits},
      {"decode_prefetch_hits", row.decode_prefetch_hits},
      {"decode_demand_bytes", row.decode_demand_bytes},
      {"prefetch_bytes", row.prefetch_bytes},
      {"prefetch_wasted_bytes", row.prefetch_wasted_bytes},
      {"prefill_uses", row.prefill_uses},
      {"prefill_hits", row.prefill_hits}};
}

}  // namespace

Result<Report> Run(const ReplayCommand& command, const Settings& settings) {
  ReplayOptions options{.trace_path = command.trace,
                        .policies = command.policies,
                        .predictors = command.predictors,
                        .budgets_bytes = {}};
  if (options.policies.empty()) options.policies = {"lru", "lfu", "lfru", "edgemoe", "belady"};
  for (const std::string& text : command.budgets) {
    Result<std::uint64_t> bytes = ParseByteSize(text);
    if (!bytes) return Failure(bytes.error().InField("--budget"));
    options.budgets_bytes.push_back(*bytes);
  }
  EDGEMOE_ASSIGN_OR_FAIL(const std::vector<ReplayResult> rows, ReplayTrace(options));

  Report report{"", NewJson("replay", settings)};
  report.json["trace"] = command.trace;
  report.json["results"] = Json::array();
  TextTable table({"budget", "policy", "predictor", "hits %", "read/token", "recall@k %",
                   "recall@2k %", "wasted %"});
  for (const ReplayResult& row : rows) {
    report.json["results"].push_back(ToJson(row));
    const bool guesses = row.guess_uses > 0;
    const double bytes_per_token =
        Share(row.decode_demand_bytes + row.prefetch_bytes, row.decode_tokens);
    table.Add({FormatByteSize(row.budget_bytes), row.policy, row.predictor,
               Fixed(100 * Share(row.decode_hits, row.decode_uses), 1),
               FormatByteSize(static_cast<std::uint64_t>(bytes_per_token)),
               guesses ? Fixed(100 * Share(row.guessed_at_k, row.guess_uses), 1) : "-",
               guesses ? Fixed(100 * Share(row.guessed_at_2k, row.guess_uses), 1) : "-",
               row.prefetch_bytes > 0
                   ? Fixed(100 * Share(row.prefetch_wasted_bytes, row.prefetch_bytes), 1)
                   : "-"});
  }
  report.text = table.Text();
  if (!rows.empty())
    report.text += "\n" + std::to_string(rows.front().decode_tokens) + " tokens of decoding, " +
                   std::to_string(rows.front().decode_uses) + " uses\n";
  return report;
}

}  // namespace edgemoe::bench
