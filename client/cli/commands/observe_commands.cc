// SPDX-License-Identifier: Apache-2.0
//
// models, plan, stats, health, resize, probe.
#include <cstdarg>
#include <cstdio>

#include "client/cli/commands/commands.h"
#include "client/cli/commands/pack_text.h"
#include "client/cli/commands/repository_command.h"
#include "client/cli/commands/repository_text.h"
#include "client/cli/enum_text.h"
#include "client/cli/json.h"
#include "client/cli/terminal/size_text.h"

namespace edgemoe::cli {
namespace {

// A line of a report: a name, padded, and a value as by printf.
[[gnu::format(printf, 3, 4)]] void AddLine(std::string& report, const char* name,
                                           const char* format, ...) {
  char line[512];
  std::snprintf(line, sizeof(line), "%-17s", name);
  report += line;
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(line, sizeof(line), format, arguments);
  va_end(arguments);
  report += line;
  report += '\n';
}

unsigned long long Number(std::uint64_t value) { return value; }

// As "  temperature          0.6    file".
std::string SettingLine(const v1::ModelSetting& setting) {
  char line[512];
  std::snprintf(line, sizeof(line), "  %-20s %-10s %s\n", setting.name().c_str(),
                setting.json().c_str(), EnumText(setting.source()).c_str());
  return line;
}

std::string ModelReport(const v1::Model& model) {
  std::string report;
  AddLine(report, "name", "%s", model.name().c_str());
  AddLine(report, "state", "%s", EnumText(model.state()).c_str());
  if (!model.error().empty()) AddLine(report, "error", "%s", model.error().c_str());
  AddLine(report, "path", "%s", model.path().c_str());
  // Of a file that cannot be read nothing else is known.
  if (model.architecture().empty()) {
    AddLine(report, "size", "%s", SizeText(model.file_bytes()).c_str());
    return report;
  }
  AddLine(report, "architecture", "%s, %s", model.architecture().c_str(),
          model.quantisation().c_str());
  AddLine(report, "size", "%s, %.2f billion parameters", SizeText(model.file_bytes()).c_str(),
          static_cast<double>(model.parameter_count()) / 1e9);
  AddLine(report, "layers", "%u, each with %u experts of which a token uses %u",
          model.layer_count(), model.expert_count(), model.expert_used_count());
  AddLine(report, "vocabulary", "%u tokens", model.vocabulary_size());
  AddLine(report, "context", "%u tokens, %u served", model.context_length(),
          model.context_tokens());
  AddLine(report, "chat", "%s", model.has_chat_template() ? "has a template" : "no template");
  std::string inputs;
  for (const std::string& input : model.unused_inputs())
    inputs += (inputs.empty() ? "" : ", ") + input;
  if (!inputs.empty()) AddLine(report, "not used", "what the file has for %s", inputs.c_str());
  for (const v1::ModelSetting& setting : model.settings()) report += SettingLine(setting);
  return report;
}

// As "9.8 (7.1 to 12.0) tok/s, bound by storage; 1.2 MiB read a token".
void AddExpectedSpeed(const v1::ExpectedSpeed& expected, std::string& report) {
  const bool storage = expected.bound() == v1::SPEED_BOUND_STORAGE;
  std::string reads = "nothing read";
  if (expected.read_bytes_per_token() > 0)
    reads = SizeText(expected.read_bytes_per_token()) + " read a token";
  AddLine(report, "expected", "%s tok/s, bound by %s; %s", SpeedText(expected).c_str(),
          storage ? "storage" : "computing", reads.c_str());
}

std::string PlanReport(const v1::MemoryPlan& plan) {
  std::string report = plan.explanation() + "\n";
  AddLine(report, "budget", "%s of %s usable", SizeText(plan.budget_bytes()).c_str(),
          SizeText(plan.usable_bytes()).c_str());
  AddLine(report, "  dense", "%s", SizeText(plan.dense_bytes()).c_str());
  AddLine(report, "  sequence state", "%s", SizeText(plan.kv_bytes()).c_str());
  AddLine(report, "  workspace", "%s", SizeText(plan.workspace_bytes()).c_str());
  AddLine(report, "  experts", "%s of %s, at least %s", SizeText(plan.expert_bytes()).c_str(),
          SizeText(plan.expert_total_bytes()).c_str(), SizeText(plan.expert_floor_bytes()).c_str());
  AddLine(report, "least", "%s", SizeText(plan.budget_floor_bytes()).c_str());
  AddLine(report, "resident", "%s: no expert is read twice",
          SizeText(plan.budget_resident_bytes()).c_str());
  AddLine(report, "file", "%s", SizeText(plan.model_file_bytes()).c_str());
  return report;
}

std::string StatsReport(const v1::GetStatsResponse& stats) {
  std::string report;
  const auto& requests = stats.requests();
  const auto& tokens = stats.tokens();
  const auto& experts = stats.experts();
  const auto all_tokens = tokens.prompt() + tokens.completion();
  AddLine(report, "daemon", "edgemoed %s, up %.0f s, %s", stats.version().c_str(),
          stats.uptime_seconds(),
          (stats.model().empty() ? "no model" : "model " + stats.model()).c_str());
  AddLine(report, "requests",
          "%u running, %u queued, %llu finished (%llu failed), %llu refused, %llu preempted",
          requests.running(), requests.queued(), Number(requests.finished()),
          Number(requests.failed()), Number(requests.refused()), Number(requests.preempted()));
  AddLine(report, "tokens", "%llu prompt, %llu written, in %llu steps, %.1f s of computing",
          Number(tokens.prompt()), Number(tokens.completion()), Number(tokens.steps()),
          tokens.compute_seconds());
  AddLine(report, "experts", "%.1f %% hits of %llu uses, %llu of %llu in memory (%s)",
          100 * experts.hit_rate(), Number(experts.uses()), Number(experts.resident()),
          Number(experts.total()), SizeText(experts.resident_bytes()).c_str());
  AddLine(
      report, "storage", "%s read (%s a token), %llu errors, %.1f s waited, %llu evictions",
      SizeText(experts.bytes_read()).c_str(),
      SizeText(all_tokens == 0
                   ? 0
                   : static_cast<double>(experts.bytes_read()) / static_cast<double>(all_tokens))
          .c_str(),
      Number(experts.read_errors()), experts.storage_wait_seconds(), Number(experts.evictions()));
  const auto& ahead = stats.read_ahead();
  AddLine(report, "read ahead", "%s, by %s: named %.1f %% of the experts, %s used, %s in vain",
          ahead.on() ? "on" : "off", ahead.predictor().c_str(), 100 * ahead.recall_at_k(),
          SizeText(ahead.used_bytes()).c_str(), SizeText(ahead.wasted_bytes()).c_str());
  AddLine(report, "memory", "%s resident, at most %s so far; budget %s",
          SizeText(stats.process().resident_bytes()).c_str(),
          SizeText(stats.process().peak_resident_bytes()).c_str(),
          SizeText(stats.memory().budget_bytes()).c_str());
  AddLine(report, "sequence state", "%llu of %llu blocks", Number(stats.kv_cache().blocks_used()),
          Number(stats.kv_cache().blocks_total()));
  if (stats.has_pack_job())
    AddLine(report, "pack job", "%s: %s", stats.pack_job().output_path().c_str(),
            PackProgressText(stats.pack_job().progress()).c_str());
  AddLine(report, "machine", "%u threads, kernels %s, eviction %s, %s%s%s",
          stats.machine().threads(), stats.machine().kernels().c_str(),
          stats.machine().eviction_policy().c_str(), stats.machine().io_backend().c_str(),
          stats.machine().io_note().empty() ? "" : ": ", stats.machine().io_note().c_str());
  return report;
}

std::string ProbeTable(const v1::ProbeResponse& probe) {
  std::string report;
  char line[128];
  std::snprintf(line, sizeof(line), "%10s %9s %9s\n", "read", "in flight", "MB/s");
  report += line;
  for (const v1::ProbeResponse::Point& point : probe.points()) {
    std::snprintf(line, sizeof(line), "%10s %9u %9.0f\n",
                  SizeText(std::uint64_t{point.read_bytes()}).c_str(), point.depth(),
                  point.bytes_per_second() / 1e6);
    report += line;
  }
  report += '\n';
  AddLine(report, "storage", "device %s, %s, %s%s%s", probe.device().c_str(),
          probe.file_system().c_str(), probe.io_backend().c_str(),
          probe.direct() ? ", O_DIRECT" : "", probe.kept() ? "; measured before" : "");
  AddLine(report, "alone", "a read of 4 KiB takes %.0f us", probe.small_read_seconds() * 1e6);
  AddLine(report, "best used", "%u reads of %s in flight, for 95 %% of %.0f MB/s", probe.depth(),
          SizeText(std::uint64_t{probe.read_bytes()}).c_str(), probe.bytes_per_second() / 1e6);
  if (!probe.note().empty()) AddLine(report, "note", "%s", probe.note().c_str());
  return report;
}

std::string ModelsTable(const v1::ListModelsResponse& response) {
  std::string table;
  char line[512];
  for (const v1::Model& model : response.models()) {
    std::snprintf(line, sizeof(line), "%-40s %-10s %-10s %-7s %11s %s\n", model.name().c_str(),
                  EnumText(model.state()).c_str(), model.architecture().c_str(),
                  model.quantisation().c_str(), SizeText(model.file_bytes()).c_str(),
                  model.error().c_str());
    table += line;
  }
  return table;
}

}  // namespace

ExitCode Run(const CommonOptions& options, const ModelsCommand& command) {
  Session session(options);
  if (const client::Status status = session.Connect(); !status.ok()) return session.Fail(status);
  if (!command.name.empty()) {
    if (NamesRepository(command.name)) return ShowRepository(session, command.name, {});
    const auto model = session.Retry([&] { return session.client().GetModel(command.name); });
    // It may be a short name of the catalogue.
    if (!model && model.error().code == client::StatusCode::kNotFound)
      return ShowRepository(session, command.name, model.error());
    if (!model) return session.Fail(model.error());
    return options.json ? WriteLine(ToJson(*model)) : Write(ModelReport(*model));
  }
  const auto models = session.Retry([&] { return session.client().ListModels(); });
  if (!models) return session.Fail(models.error());
  return options.json ? WriteLine(ToJson(*models)) : Write(ModelsTable(*models));
}

ExitCode Run(const CommonOptions& options, const PlanCommand& command) {
  Session session(options);
  if (const client::Status status = session.Connect(); !status.ok()) return session.Fail(status);
  const auto plan = session.Retry([&] { return session.client().Plan(command.request); });
  if (!plan) return session.Fail(plan.error());
  std::string report = PlanReport(plan->plan());
  if (plan->has_expected_speed()) AddExpectedSpeed(plan->expected_speed(), report);
  const ExitCode written = options.json ? WriteLine(ToJson(*plan)) : Write(report);
  return written == ExitCode::kOk && !plan->plan().fits() ? ExitCode::kDoesNotFit : written;
}

ExitCode Run(const CommonOptions& options, const ProbeCommand& command) {
  Session session(options);
  if (const client::Status status = session.Connect(); !status.ok()) return session.Fail(status);
  const auto probe = session.Retry([&] { return session.client().Probe(command.request); });
  if (!probe) return session.Fail(probe.error());
  return options.json ? WriteLine(ToJson(*probe)) : Write(ProbeTable(*probe));
}

ExitCode Run(const CommonOptions& options, const ResizeCommand& command) {
  Session session(options);
  if (const client::Status status = session.Connect(); !status.ok()) return session.Fail(status);
  const auto plan = session.Retry([&] { return session.client().Resize(command.budget_bytes); });
  if (!plan) {
    const ExitCode code = session.Fail(plan.error());
    return plan.error().reason.starts_with("BUDGET_") ? ExitCode::kDoesNotFit : code;
  }
  return options.json ? WriteLine(ToJson(*plan)) : Write(PlanReport(*plan));
}

ExitCode Run(const CommonOptions& options, const HealthCommand& command) {
  Session session(options);
  if (const client::Status status = session.Connect(); !status.ok()) return session.Fail(status);
  // Without --wait the answer is what it is now.
  const auto ask = [&]() -> client::Result<bool> {
    auto serving = session.client().IsServing();
    if (!serving || *serving || command.alive) return serving;
    return tl::unexpected(client::Status{client::StatusCode::kUnavailable,
                                         "no requests are served: there is no model yet, it is "
                                         "loading or cannot be used, or the daemon stops"});
  };
  const auto serving = options.wait_seconds ? session.Retry(ask) : ask();
  if (!serving) return session.Fail(serving.error());
  if (options.json) return WriteLine(*serving ? R"({"serving":true})" : R"({"serving":false})");
  return Write(*serving ? "serving\n" : "not serving\n");
}

ExitCode Run(const CommonOptions& options, const StatsCommand&) {
  Session session(options);
  if (const client::Status status = session.Connect(); !status.ok()) return session.Fail(status);
  const auto stats = session.Retry([&] { return session.client().GetStats(); });
  if (!stats) return session.Fail(stats.error());
  return options.json ? WriteLine(ToJson(*stats)) : Write(StatsReport(*stats));
}

}  // namespace edgemoe::cli
