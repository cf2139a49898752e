// SPDX-License-Identifier: Apache-2.0
#include "client/cli/commands/repository_text.h"

#include <cstdint>
#include <cstdio>

#include "client/cli/terminal/format_text.h"
#include "client/cli/terminal/size_text.h"

namespace edgemoe::cli {
namespace {

// The first columns, which every model has.
std::string Begin(const std::string& quant, const std::string& size,
                  const std::string& architecture) {
  return Format("%-14s %11s  %-13s", quant.c_str(), size.c_str(), architecture.c_str());
}

std::string NameOf(const v1::RepositoryModel& model) {
  if (!model.quant().empty() || model.files().empty()) return model.quant();
  return model.files(0).name();
}

// What else there is to say, behind the columns.
std::string NoteOf(const v1::RepositoryModel& model) {
  std::string note;
  if (!model.plan().fits()) note = "wants more memory";
  if (!model.fits_storage()) note += note.empty() ? "no room on the disk" : ", no room on the disk";
  if (model.files_size() > 1)
    note += (note.empty() ? "" : ", ") + std::to_string(model.files_size()) + " parts";
  return note;
}

// "6.1 (4.9 to 7.4)".
std::string SpeedOf(const v1::RepositoryModel& model) {
  return model.has_expected_speed() ? SpeedText(model.expected_speed()) : "-";
}

std::string Line(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

}  // namespace

std::string SpeedText(const v1::ExpectedSpeed& speed) {
  return Format("%.1f (%.1f to %.1f)", speed.tokens_per_second(), speed.low_tokens_per_second(),
                speed.high_tokens_per_second());
}

std::string RepositoryHeadings() {
  return Line(Begin("quant", "size", "architecture") +
              Format(" %5s %12s %9s  %-20s", "bits", "least memory", "in memory", "tokens/s"));
}

std::string RepositoryRow(const v1::RepositoryModel& model) {
  const std::string begin =
      Begin(NameOf(model), SizeText(model.bytes()), model.model().architecture());
  if (!model.has_plan()) return Line(begin + "  cannot be used: " + model.model().error());
  const std::string share =
      model.has_expert_share() ? Format("%.0f %%", 100 * model.expert_share()) : "-";
  return Line(begin +
              Format(" %5.2f %12s %9s  %-20s ", model.bits_per_weight(),
                     SizeText(model.plan().budget_floor_bytes()).c_str(), share.c_str(),
                     SpeedOf(model).c_str()) +
              NoteOf(model));
}

std::string RecommendationText(const v1::RepositoryRecommendation& recommendation) {
  if (recommendation.pull_name().empty())
    return "recommended: none. " + recommendation.reason() + "\n";
  return "recommended: " + recommendation.pull_name() + "\n" + recommendation.reason() + "\n";
}

}  // namespace edgemoe::cli
