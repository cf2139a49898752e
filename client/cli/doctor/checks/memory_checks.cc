// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "client/cli/doctor/checks/checks.h"
#include "client/cli/terminal/size_text.h"
#include "engine/base/system/usable_memory.h"

namespace edgemoe::cli {
namespace {

// A line "NAME:  1234 kB" of meminfo; 0: unknown.
std::uint64_t MeminfoBytes(const Machine& machine, const std::string& name) {
  for (const std::string& line : LinesIn(machine.Text("/proc/meminfo").value_or(""))) {
    const std::vector<std::string> words = WordsIn(line);
    if (words.size() < 2 || words[0] != name + ":") continue;
    const std::int64_t kibibytes = ParseNumber(words[1]).value_or(0);
    constexpr std::int64_t kKibibytesMax = std::int64_t{1} << 40;
    return kibibytes > 0 && kibibytes < kKibibytesMax ? static_cast<std::uint64_t>(kibibytes) * 1024
                                                      : 0;
  }
  return 0;
}

Finding RoomFinding(const Case& known) {
  constexpr std::uint64_t kLittle = 20;  // of the whole, as one part of so many
  const std::uint64_t total = MeminfoBytes(known.machine, "MemTotal");
  const std::uint64_t available = MeminfoBytes(known.machine, "MemAvailable");
  const std::uint64_t usable =
      UsableMemoryBytes(known.machine.Under("/proc"), known.machine.Under("/sys/fs/cgroup"));
  if (total == 0)
    return {"memory", FindingLevel::kNote, "unknown: /proc/meminfo does not tell MemTotal", ""};
  std::string text = SizeText(total) + ", " +
                     (available == 0 ? "available: unknown" : SizeText(available) + " available");
  if (usable > 0 && usable < total)
    text += "; a control group limits what may be used from here to " + SizeText(usable);
  if (known.daemon.stats)
    text += "; the daemon's budget is " + SizeText(known.daemon.stats->memory().budget_bytes());
  if (available > 0 && available < total / kLittle)
    return {"memory", FindingLevel::kWarning,
            text + "; other programs leave too little, and what swaps is slow",
            "ps -eo rss,comm --sort=-rss | head    # shows who has it"};
  return {"memory", FindingLevel::kOk, text, ""};
}

// Whether the kernel counts memory by control groups; nothing: unknown.
std::optional<bool> CountsByGroup(const Machine& machine) {
  const std::string controllers = machine.Line("/sys/fs/cgroup/cgroup.controllers");
  const std::vector<std::string> words = WordsIn(controllers);
  if (std::ranges::find(words, "memory") != words.end()) return true;
  // "#subsys_name hierarchy num_cgroups enabled".
  for (const std::string& line : LinesIn(machine.Text("/proc/cgroups").value_or(""))) {
    const std::vector<std::string> fields = WordsIn(line);
    if (fields.size() == 4 && fields[0] == "memory") return fields[3] == "1";
  }
  if (!controllers.empty()) return false;
  return std::nullopt;
}

Finding GroupsFinding(const Case& known) {
  const std::optional<bool> counts = CountsByGroup(known.machine);
  if (!counts)
    return {"memory cgroup", FindingLevel::kNote,
            "unknown: neither /sys/fs/cgroup/cgroup.controllers nor /proc/cgroups can be read", ""};
  if (*counts)
    return {"memory cgroup", FindingLevel::kOk,
            "on: limits of services and containers hold, and the daemon keeps within them", ""};
  return {"memory cgroup", FindingLevel::kWarning,
          std::string("off") +
              (known.board.kind == BoardKind::kRaspberryPi ? ", as Raspberry Pi OS has it" : "") +
              ": MemoryMax= and limits of containers have no effect, and when memory is short any "
              "program may be ended",
          AddKernelWord(known.machine, known.board, "cgroup_enable=memory")};
}

Finding PressureFinding(const Case& known) {
  const std::string path = "/proc/pressure/memory";
  const std::string line = known.machine.Line(path);
  if (line.starts_with("some avg10="))
    return {"memory pressure", FindingLevel::kOk,
            "told by the kernel (PSI), now " + line.substr(0, line.find(" avg60")), ""};
  const std::string cost =
      "the daemon cannot see that memory is short, and does not make room "
      "(memory.adapt)";
  if (!line.empty())
    return {"memory pressure", FindingLevel::kNote, "unknown: " + path + " says: " + line, ""};
  if (known.board.container)
    return {"memory pressure", FindingLevel::kNote, "not told inside this container: " + cost, ""};
  return {"memory pressure", FindingLevel::kWarning, "not told (PSI is off): " + cost,
          AddKernelWord(known.machine, known.board, "psi=1")};
}

// Whether this process has CAP_IPC_LOCK, for which the limit does not count.
bool MayLockAll(const Machine& machine) {
  constexpr int kIpcLock = 14;
  for (const std::string& line : LinesIn(machine.Text("/proc/self/status").value_or(""))) {
    const std::vector<std::string> words = WordsIn(line);
    if (words.size() == 2 && words[0] == "CapEff:")
      return ((ParseNumber(words[1], 16).value_or(0) >> kIpcLock) & 1) != 0;
  }
  return false;
}

// Of the service where there is one, else of this user, who may start the daemon by hand.
Finding LockFinding(const Case& known) {
  const bool service = known.installation.unit.has_value();
  const std::optional<std::uint64_t> limit =
      service ? known.installation.unit->memlock_bytes : known.machine.answers().memlock_bytes;
  const std::string whose = service ? "of edgemoed.service" : "of this user";
  if (!limit || (!service && MayLockAll(known.machine)))
    return {"memory lock", FindingLevel::kOk, "no limit " + whose, ""};
  const std::string text = "limited to " + SizeText(*limit) + " " + whose +
                           ": dense weights may be swapped out, and the experts' memory cannot be "
                           "registered with io_uring";
  if (service)
    return {"memory lock", FindingLevel::kWarning, text,
            "sudo systemctl edit edgemoed    # [Service] LimitMEMLOCK=infinity\n"
            "sudo systemctl restart edgemoed"};
  if (known.machine.answers().is_root)
    return {"memory lock", FindingLevel::kNote, text,
            "ulimit -l unlimited    # in the shell that starts the daemon"};
  return {"memory lock", FindingLevel::kNote, text,
          "echo '" + known.machine.answers().user +
              " - memlock unlimited' | sudo tee /etc/security/limits.d/edgemoe.conf    # then log "
              "in again"};
}

}  // namespace

void CheckMemory(const Case& known, Findings& findings) {
  findings.push_back(RoomFinding(known));
  findings.push_back(GroupsFinding(known));
  findings.push_back(PressureFinding(known));
  findings.push_back(LockFinding(known));
}

}  // namespace edgemoe::cli
