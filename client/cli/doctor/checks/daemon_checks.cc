// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iterator>

#include "client/cli/doctor/checks/checks.h"
#include "client/cli/terminal/format_text.h"
#include "client/cli/terminal/size_text.h"

namespace edgemoe::cli {
namespace {

constexpr const char* kSystemSocket = "/run/edgemoe/edgemoed.sock";
constexpr const char* kLog = "journalctl -u edgemoed -n 20 --no-pager    # says why";

// ---- whether it answers ----

bool Refuses(const DaemonAnswers& daemon) {
  return daemon.served.code == client::StatusCode::kPermissionDenied;
}

Finding ServingFinding(const DaemonAnswers& daemon) {
  if (Refuses(daemon))
    return {"daemon", FindingLevel::kNote, "it runs, and refuses this user: see access", ""};
  if (daemon.served.reason == "NO_MODEL")
    return {"daemon", FindingLevel::kWarning, "it answers: " + daemon.served.message,
            "edgemoe pull qwen3-30b-a3b    # or another; then name it in the configuration, "
            "model.path, and: sudo systemctl reload edgemoed"};
  if (!daemon.served.ok()) {
    const bool loading = daemon.served.reason == "LOADING";
    return {"daemon", loading ? FindingLevel::kNote : FindingLevel::kProblem,
            "it answers, but serves no model: " + daemon.served.message,
            loading ? "edgemoe doctor --wait 300    # when it has loaded" : kLog};
  }
  const v1::GetStatsResponse& stats = *daemon.stats;
  std::string text = Format("edgemoed %s, up %s, serves ", stats.version().c_str(),
                            DurationText(stats.uptime_seconds()).c_str());
  text += stats.model() + Format(", budget %s", SizeText(stats.memory().budget_bytes()).c_str());
  if (daemon.model && daemon.model->state() == v1::MODEL_STATE_BROKEN)
    return {"daemon", FindingLevel::kProblem, text + "; it cannot: " + daemon.model->error(),
            "edgemoe models    # shows what there is; a damaged file: edgemoe pull again"};
  if (stats.experts().read_errors() > 0)
    return {"daemon", FindingLevel::kWarning,
            text + Format("; %llu reads of experts failed",
                          static_cast<unsigned long long>(stats.experts().read_errors())),
            "sudo dmesg | grep -i 'error'    # whether the disk fails"};
  return {"daemon", FindingLevel::kOk, text, ""};
}

Finding AbsentFinding(const Case& known) {
  const std::string why = "not reached: " + known.daemon.connected.message;
  const auto& unit = known.installation.unit;
  if (!unit)
    return {"daemon", FindingLevel::kWarning, why,
            known.installation.has_program ? "edgemoed --model FILE.gguf"
                                           : "sudo apt install ./edgemoed_*.deb    # it is not "
                                             "installed here"};
  const std::string state = why + " (edgemoed.service is " + unit->active_state + ")";
  if (unit->active_state == "failed")
    return {"daemon", FindingLevel::kProblem, state,
            std::string(kLog) + "\nsudo systemctl restart edgemoed"};
  if (unit->active_state == "active" && known.machine.Exists(kSystemSocket) &&
      !known.machine.answers().is_root)
    return {"daemon", FindingLevel::kNote, state + ": see access", ""};
  if (unit->active_state == "active")
    return {"daemon", FindingLevel::kWarning, state,
            "edgemoe --socket PATH doctor    # where it "
            "has another socket"};
  if (unit->active_state == "activating")
    return {"daemon", FindingLevel::kNote, state, "systemctl status edgemoed    # how far it is"};
  return {"daemon", FindingLevel::kWarning, state, "sudo systemctl enable --now edgemoed"};
}

// ---- service ----

Finding UnitFinding(const Installation& installation) {
  if (!installation.has_systemd)
    return {"service", FindingLevel::kOk, "systemd does not run here", ""};
  if (!installation.unit)
    return {"service", FindingLevel::kNote, "edgemoed.service is not installed", ""};
  const ServiceUnit& unit = *installation.unit;
  const std::string text = unit.active_state + ", " + unit.file_state;
  if (unit.active_state == "failed")
    return {"service", FindingLevel::kProblem, text + " (" + unit.result + ")", kLog};
  if (unit.file_state == "disabled")
    return {"service", FindingLevel::kNote, text + ": it does not start with the machine",
            "sudo systemctl enable edgemoed"};
  return {"service", FindingLevel::kOk, text, ""};
}

// ---- access ----

struct Group {
  std::uint64_t id = 0;
  std::string members;  // "alice,bob"
};

// A line "edgemoe:x:998:alice,bob".
std::optional<Group> FindGroup(const Machine& machine, const std::string& name) {
  for (const std::string& line : LinesIn(machine.Text("/etc/group").value_or(""))) {
    if (!line.starts_with(name + ":")) continue;
    const std::size_t id = line.find(':', name.size() + 1);
    const std::size_t members = id == std::string::npos ? id : line.find(':', id + 1);
    if (members == std::string::npos) return std::nullopt;
    const auto number = ParseNumber(line.substr(id + 1, members - id - 1));
    if (!number || *number < 0) return std::nullopt;
    return Group{static_cast<std::uint64_t>(*number), line.substr(members + 1)};
  }
  return std::nullopt;
}

// Who may use the system's daemon; nothing: it has no socket, or it lets us in.
std::optional<Finding> AccessFinding(const Case& known) {
  const SystemAnswers& answers = known.machine.answers();
  const bool refused = Refuses(known.daemon);
  if (!refused && (known.daemon.connected.ok() || !known.machine.Exists(kSystemSocket)))
    return std::nullopt;
  const std::string allow =
      "or add " + answers.user + " to listen.allow_users in the daemon's configuration";
  if (!refused && answers.is_root)
    return Finding{"access", FindingLevel::kOk, "root may use the daemon", ""};
  const auto group = FindGroup(known.machine, "edgemoe");
  if (!group)
    return Finding{
        "access", refused ? FindingLevel::kProblem : FindingLevel::kNote,
        refused ? known.daemon.served.message : "unknown: /etc/group has no group edgemoe",
        refused ? allow.substr(3) : ""};
  if (std::ranges::find(answers.group_ids, group->id) != answers.group_ids.end())
    return Finding{"access", refused ? FindingLevel::kProblem : FindingLevel::kOk,
                   answers.user + " is in the group edgemoe" +
                       (refused ? ", but " + known.daemon.served.message : ""),
                   refused ? allow.substr(3) : ""};
  if (("," + group->members + ",").find("," + answers.user + ",") != std::string::npos)
    return Finding{"access", FindingLevel::kProblem,
                   answers.user + " was put into the group edgemoe, but logged in before",
                   "newgrp edgemoe    # or log out and in"};
  return Finding{
      "access", FindingLevel::kProblem,
      answers.user + " is not in the group edgemoe, whose members may use the daemon",
      "sudo usermod -aG edgemoe " + answers.user + "    # then log out and in; " + allow};
}

// ---- configuration ----

// The daemon's own words, at most so many lines of them.
std::string FirstLines(const std::string& text) {
  constexpr std::size_t kLinesMax = 8;
  const std::vector<std::string> lines = LinesIn(text);
  std::string first;
  for (std::size_t i = 0; i < lines.size() && i < kLinesMax; ++i)
    first += (first.empty() ? "" : "; ") + lines[i];
  return first;
}

std::string MendConfiguration(const Installation& installation) {
  const std::vector<std::string> flags =
      installation.unit ? installation.unit->command : std::vector<std::string>();
  const auto flag = std::ranges::find(flags, "--config");
  if (flags.end() - flag < 2)
    return "edgemoed --check-config    # again, when the configuration was edited";
  return "sudoedit " + *std::next(flag) + "\nsudo systemctl restart edgemoed";
}

// Nothing: there is no daemon to read it.
std::optional<Finding> ConfigurationFinding(const Case& known) {
  const Installation& installation = known.installation;
  if (!installation.has_program) return std::nullopt;
  if (!installation.checked)
    return Finding{"configuration", FindingLevel::kOk, "none: edgemoed is started by hand", ""};
  if (installation.check_code == 0)
    return Finding{"configuration", FindingLevel::kOk, "edgemoed --check-config has nothing to say",
                   ""};
  // The service's user may read what we may not.
  constexpr int kModelUnreadable = 66;
  const bool ours = installation.check_code == kModelUnreadable &&
                    !known.machine.answers().is_root &&
                    installation.complaint.find("ermission denied") != std::string::npos;
  if (ours)
    return Finding{
        "configuration", FindingLevel::kNote,
        "unknown: this user may not read the model: " + FirstLines(installation.complaint),
        "sudo edgemoe doctor"};
  std::string complaint = FirstLines(installation.complaint);
  if (complaint.empty())
    complaint = "edgemoed --check-config ended with " + std::to_string(installation.check_code);
  return Finding{"configuration", FindingLevel::kProblem, complaint,
                 MendConfiguration(installation)};
}

}  // namespace

void CheckDaemon(const Case& known, Findings& findings) {
  findings.push_back(known.daemon.connected.ok() ? ServingFinding(known.daemon)
                                                 : AbsentFinding(known));
  findings.push_back(UnitFinding(known.installation));
  if (auto access = AccessFinding(known)) findings.push_back(*std::move(access));
  if (auto configuration = ConfigurationFinding(known))
    findings.push_back(*std::move(configuration));
}

}  // namespace edgemoe::cli
