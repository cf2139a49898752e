// SPDX-License-Identifier: Apache-2.0
#include "client/cli/setup/candidate.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "client/cli/commands/hub_environment.h"
#include "client/cli/commands/repository_command.h"
#include "client/cli/commands/repository_text.h"
#include "client/cli/terminal/size_text.h"

namespace edgemoe::cli {
namespace {

double ShareInMemory(const v1::MemoryPlan& plan) {
  if (plan.expert_bytes() >= plan.expert_total_bytes()) return 1;
  return static_cast<double>(plan.expert_bytes()) / static_cast<double>(plan.expert_total_bytes());
}

void TakePlan(const v1::MemoryPlan& plan, Candidate& candidate) {
  candidate.usable_bytes = plan.usable_bytes();
  candidate.budget_bytes = plan.budget_bytes();
  if (plan.fits()) {
    candidate.share = ShareInMemory(plan);
  } else {
    candidate.problem = plan.explanation();
  }
}

Candidate OfThisMachine(Session& session, const v1::Model& model, std::uint64_t budget_bytes) {
  Candidate candidate{.name = model.name(), .bytes = model.file_bytes()};
  if (model.state() == v1::MODEL_STATE_BROKEN) {
    candidate.problem = model.error();
    return candidate;
  }
  v1::PlanRequest request;
  request.set_model(model.name());
  if (budget_bytes != 0) request.set_budget_bytes(budget_bytes);
  const auto plan = session.Retry([&] { return session.client().Plan(request); });
  if (!plan) {
    candidate.problem = plan.error().message;
    return candidate;
  }
  TakePlan(plan->plan(), candidate);
  if (plan->has_expected_speed()) candidate.speed = plan->expected_speed();
  return candidate;
}

// What the header in the repository tells. CANCELLED by Ctrl-C.
client::Result<Candidate> ToDownload(Session& session, const std::string& name,
                                     const std::string& pull_name) {
  Candidate candidate{.name = name, .pull_name = pull_name};
  v1::PlanRepositoryRequest request;
  request.set_model(pull_name);
  SetHubFromEnvironment(request);
  session.status_line().Show("reading the header of " + name);
  client::RepositoryStream stream = session.client().PlanRepository(request);
  const InterruptWatch watch(session.interrupts(), [&stream] { stream.Cancel(); });
  bool is_found = false;
  const client::Status status = stream.ForEach([&](const v1::PlanRepositoryResponse& message) {
    if (!message.has_model() || is_found) return true;
    is_found = true;
    const v1::RepositoryModel& model = message.model();
    candidate.pull_name = model.pull_name();
    candidate.bytes = model.bytes();
    if (model.has_plan()) TakePlan(model.plan(), candidate);
    if (!model.model().error().empty()) candidate.problem = model.model().error();
    if (candidate.is_good() && !model.fits_storage())
      candidate.problem = "no room on the disk for " + SizeText(model.bytes());
    if (model.has_expected_speed()) candidate.speed = model.expected_speed();
    return true;
  });
  session.status_line().Clear();
  if (watch.interrupted())
    return tl::unexpected(client::Status{client::StatusCode::kCancelled, "interrupted"});
  if (!status.ok()) {
    candidate.problem = status.message;
  } else if (!is_found) {
    candidate.problem = "nothing of that name there";
  }
  return candidate;
}

}  // namespace

client::Result<std::vector<Candidate>> FindCandidates(Session& session,
                                                      std::uint64_t budget_bytes) {
  const auto models = session.Retry([&] { return session.client().ListModels(); });
  if (!models) return tl::unexpected(models.error());
  const auto catalogue = session.Retry([&] { return session.client().ListCatalogue(); });
  if (!catalogue) return tl::unexpected(catalogue.error());
  std::vector<Candidate> candidates;
  for (const v1::Model& model : models->models())
    candidates.push_back(OfThisMachine(session, model, budget_bytes));
  // Without a network each of them would take as long to fail.
  int failed_in_a_row = 0;
  constexpr int kFailuresMax = 2;
  for (const v1::CatalogueModel& model : catalogue->models()) {
    Candidate candidate{
        .name = model.name(), .pull_name = model.pull_name(), .problem = "the hub does not answer"};
    if (failed_in_a_row < kFailuresMax) {
      auto found = ToDownload(session, model.name(), model.pull_name());
      if (!found) return tl::unexpected(found.error());
      candidate = *std::move(found);
    }
    failed_in_a_row = candidate.bytes == 0 ? failed_in_a_row + 1 : 0;
    candidates.push_back(std::move(candidate));
  }
  return candidates;
}

client::Result<Candidate> FindCandidate(Session& session, const std::string& name,
                                        std::uint64_t budget_bytes) {
  const auto model = session.Retry([&] { return session.client().GetModel(name); });
  if (model) return OfThisMachine(session, *model, budget_bytes);
  if (model.error().code != client::StatusCode::kNotFound) return tl::unexpected(model.error());
  const auto catalogue = session.Retry([&] { return session.client().ListCatalogue(); });
  if (!catalogue) return tl::unexpected(catalogue.error());
  const auto& entries = catalogue->models();
  const auto entry = std::ranges::find(entries, name, &v1::CatalogueModel::name);
  if (entry != entries.end()) return ToDownload(session, name, entry->pull_name());
  if (!NamesRepository(name)) return tl::unexpected(model.error());
  return ToDownload(session, name, name);
}

std::optional<std::size_t> RecommendCandidate(const std::vector<Candidate>& candidates) {
  const auto speed = [](const Candidate& candidate) {
    return candidate.speed ? candidate.speed->tokens_per_second() : 0;
  };
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const Candidate& candidate = candidates[i];
    if (!candidate.is_good()) continue;
    if (candidate.pull_name.empty() || speed(candidate) >= kPleasantTokensPerSecond) return i;
    if (!best || speed(candidate) > speed(candidates[*best])) best = i;
  }
  return best;
}

std::string CandidatesTable(const std::vector<Candidate>& candidates,
                            std::optional<std::size_t> recommended) {
  std::string table =
      "     model                            size      in memory  tokens a second\n";
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const Candidate& candidate = candidates[i];
    char line[160];
    std::snprintf(line, sizeof line, "%c%3zu  %-30s %9s  ", recommended == i ? '*' : ' ', i + 1,
                  candidate.name.c_str(),
                  candidate.bytes == 0 ? "?" : SizeText(candidate.bytes).c_str());
    table += line;
    if (!candidate.is_good()) {
      table += "no: " + candidate.problem + "\n";
      continue;
    }
    std::snprintf(line, sizeof line, "%8.0f %%  ", 100 * candidate.share.value_or(0));
    table += line;
    table += candidate.speed ? SpeedText(*candidate.speed) : "unknown";
    table += candidate.pull_name.empty() ? "  (here)\n" : "\n";
  }
  return table;
}

}  // namespace edgemoe::cli
