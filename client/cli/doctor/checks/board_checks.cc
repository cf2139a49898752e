// SPDX-License-Identifier: Apache-2.0
//
// What the firmware of some boards tells.
#include <algorithm>

#include "client/cli/doctor/checks/checks.h"

namespace edgemoe::cli {
namespace {

// The firmware's bits, below those since the start, which are 16 higher.
constexpr unsigned kUnderVoltage = 1;
constexpr unsigned kSlowed = 2 | 4 | 8;  // capped, throttled, at its soft limit of temperature
constexpr int kSinceStart = 16;

std::string Causes(unsigned bits) {
  const std::pair<unsigned, const char*> kNames[] = {{1, "under-voltage"},
                                                     {2, "frequency capped"},
                                                     {4, "throttled"},
                                                     {8, "at the soft temperature limit"}};
  std::string text;
  for (const auto& [bit, name] : kNames)
    if ((bits & bit) != 0) text += (text.empty() ? "" : ", ") + std::string(name);
  return text;
}

// "50005", or "throttled=0x50005" as vcgencmd says it.
std::optional<unsigned> ParseThrottled(std::string text) {
  if (const std::size_t start = text.find("0x"); start != std::string::npos)
    text.erase(0, start + 2);
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  const auto bits = ParseNumber(text, 16);
  if (!bits || *bits < 0 || *bits > 0xffffff) return std::nullopt;
  return static_cast<unsigned>(*bits);
}

// Its folder is named after an address that differs by model: soc, soc@107c000000.
std::optional<unsigned> ThrottledBits(const Machine& machine) {
  const std::string devices = "/sys/devices/platform/";
  for (const std::string& soc : machine.Names(devices)) {
    if (!soc.starts_with("soc")) continue;
    for (const std::string& name : machine.Names(devices + soc))
      if (name.ends_with("firmware"))
        if (const auto bits =
                ParseThrottled(machine.Line(devices + soc + "/" + name + "/get_throttled")))
          return bits;
  }
  const auto told = machine.calls().run({"vcgencmd", "get_throttled"}, {});
  return told && told->status == 0 ? ParseThrottled(told->output) : std::nullopt;
}

// Of the kernel's own watch.
bool VoltageAlarm(const Machine& machine) {
  for (const std::string& name : machine.Names("/sys/class/hwmon")) {
    const std::string folder = "/sys/class/hwmon/" + name;
    if (machine.Line(folder + "/name") == "rpi_volt")
      return machine.Number(folder + "/in0_lcrit_alarm") == 1;
  }
  return false;
}

Finding SupplyFinding(const Case& known) {
  const auto told = ThrottledBits(known.machine);
  const bool alarm = VoltageAlarm(known.machine);
  if (!told && !alarm)
    return {"power supply", FindingLevel::kNote, "unknown: the firmware does not tell",
            "vcgencmd get_throttled"};
  const unsigned bits = told.value_or(alarm ? kUnderVoltage << kSinceStart : 0);
  const unsigned now = bits & (kUnderVoltage | kSlowed);
  const unsigned before = (bits >> kSinceStart) & (kUnderVoltage | kSlowed) & ~now;
  std::string text;
  if (now != 0) text = "now: " + Causes(now);
  if (before != 0) text += (text.empty() ? "" : "; ") + ("since the start: " + Causes(before));
  const std::string supply =
      "use the Raspberry Pi's own power supply (5 V, 5 A for a 5; 5.1 V, 3 A for a 4), a short "
      "cable, and a powered hub for disks";
  if ((now & kUnderVoltage) != 0)
    return {"power supply", FindingLevel::kProblem,
            text + "; it computes more slowly, and disks and cards may lose what is written",
            supply};
  if (((now | before) & kUnderVoltage) != 0 || alarm)
    return {"power supply", FindingLevel::kWarning,
            text + "; it computes more slowly then, and disks may fail", supply};
  if (now != 0)
    return {"power supply", FindingLevel::kWarning, text + "; it computes more slowly",
            "add a heat sink and a fan"};
  if (before != 0)
    return {"power supply", FindingLevel::kNote, text + "; it computed more slowly then",
            "add a heat sink and a fan"};
  return {"power supply", FindingLevel::kOk, "never too low since the start, never throttled", ""};
}

struct PowerMode {
  std::int64_t id = -1;
  std::string name;
};

// "< POWER_MODEL ID=0 NAME=MAXN >".
std::vector<PowerMode> PowerModes(const Machine& machine) {
  constexpr std::size_t kModesMax = 64;
  std::vector<PowerMode> modes;
  for (const std::string& line : LinesIn(machine.Text("/etc/nvpmodel.conf").value_or(""))) {
    const std::vector<std::string> words = WordsIn(line);
    if (words.size() < 4 || words[0] != "<" || words[1] != "POWER_MODEL") continue;
    PowerMode mode;
    for (const std::string& word : words) {
      if (word.starts_with("ID=")) mode.id = ParseNumber(word.substr(3)).value_or(-1);
      if (word.starts_with("NAME=")) mode.name = word.substr(5);
    }
    if (mode.id >= 0 && modes.size() < kModesMax) modes.push_back(mode);
  }
  return modes;
}

Finding ModeFinding(const Case& known) {
  // "pmode:0002"
  const std::string status = known.machine.Line("/var/lib/nvpmodel/status");
  const auto id = ParseNumber(status.substr(status.find(':') + 1));
  const std::vector<PowerMode> modes = PowerModes(known.machine);
  const auto mode = std::ranges::find_if(
      modes, [&](const PowerMode& one) { return id.has_value() && one.id == *id; });
  const auto most = std::ranges::find_if(
      modes, [](const PowerMode& one) { return one.name.starts_with("MAXN"); });
  const std::string most_id = std::to_string(most == modes.end() ? 0 : most->id);
  if (mode == modes.end())
    return {"power mode", FindingLevel::kNote, "unknown: /var/lib/nvpmodel/status does not tell",
            "sudo nvpmodel -q"};
  if (mode->name.starts_with("MAXN")) return {"power mode", FindingLevel::kOk, mode->name, ""};
  return {"power mode", FindingLevel::kNote,
          mode->name + ": fewer cores or lower frequencies than the board has",
          "sudo nvpmodel -m " + most_id + " && sudo jetson_clocks"};
}

}  // namespace

void CheckBoard(const Case& known, Findings& findings) {
  if (known.board.kind == BoardKind::kRaspberryPi) findings.push_back(SupplyFinding(known));
  if (known.board.kind != BoardKind::kJetson) return;
  findings.push_back(ModeFinding(known));
  findings.push_back({"GPU", FindingLevel::kNote,
                      "not used: EdgeMoE computes with the processor's cores, and the GPU's memory "
                      "is theirs, too",
                      ""});
}

}  // namespace edgemoe::cli
