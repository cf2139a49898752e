// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "client/cli/doctor/checks/checks.h"
#include "engine/base/system/processor.h"

namespace edgemoe::cli {
namespace {

constexpr std::int64_t kProcessorsMax = 4096;

// Of a list as in "0-3,6"; 0 for other texts.
std::int64_t CountList(const std::string& list) {
  std::int64_t count = 0;
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    const std::string range = list.substr(begin, end - begin);
    const std::size_t dash = std::min(range.find('-'), range.size());
    const auto first = ParseNumber(range.substr(0, dash));
    const auto last = dash < range.size() ? ParseNumber(range.substr(dash + 1)) : first;
    if (!first || !last || *first < 0 || *last < *first || *last >= kProcessorsMax) return 0;
    count += *last - *first + 1;
    begin = end + 1;
  }
  return count;
}

// The words of the first line "NAME : WORDS" of cpuinfo.
std::vector<std::string> CpuWords(const Machine& machine, const std::string& name) {
  for (const std::string& line : LinesIn(machine.Text("/proc/cpuinfo").value_or("")))
    if (const std::size_t colon = line.find(':');
        line.starts_with(name) && colon != std::string::npos)
      return WordsIn(line.substr(colon + 1));
  return {};
}

bool Has(const std::vector<std::string>& words, const char* word) {
  return std::ranges::find(words, word) != words.end();
}

Finding BoardFinding(const Case& known) {
  std::string text = known.board.name.empty() ? "unknown make" : known.board.name;
  text += ", " + known.machine.answers().architecture;
  if (known.board.virtual_machine) text += ", a virtual machine";
  if (known.board.container) text += "; seen from inside a container";
  return {"machine", FindingLevel::kOk, text, ""};
}

Finding CoresFinding(const Case& known) {
  const Machine& machine = known.machine;
  const std::string name = ProcessorName(machine.Under("/proc"));
  const std::int64_t online = CountList(machine.Line("/sys/devices/system/cpu/online"));
  const std::int64_t present = CountList(machine.Line("/sys/devices/system/cpu/present"));
  if (online == 0) return {"processor", FindingLevel::kNote, name + ", cores unknown", ""};
  const std::string cores =
      name + ", " + std::to_string(online) + (online == 1 ? " core" : " cores");
  if (present <= online) return {"processor", FindingLevel::kOk, cores, ""};
  return {"processor", FindingLevel::kNote,
          cores + " of " + std::to_string(present) + " are switched on",
          known.board.kind == BoardKind::kJetson
              ? "sudo nvpmodel -m 0    # the mode with all cores: see power mode"
              : "echo 1 | sudo tee /sys/devices/system/cpu/cpu*/online"};
}

Finding ArmFinding(const Machine& machine) {
  if (!machine.answers().features.neon_dotprod)
    return {"instructions", FindingLevel::kNote,
            "no dot product, as in the Cortex-A72 of a Raspberry Pi 4: computing takes several "
            "times as long as on a Raspberry Pi 5",
            ""};
  const bool has_i8mm = Has(CpuWords(machine, "Features"), "i8mm");
  return {"instructions", FindingLevel::kOk,
          std::string("dot product") + (has_i8mm ? ", and i8mm" : ""), ""};
}

Finding X86Finding(const Case& known) {
  const CpuFeatures& features = known.machine.answers().features;
  if (features.avx512) return {"instructions", FindingLevel::kOk, "AVX-512 with VNNI", ""};
  if (features.avx2) {
    const bool has_vnni = Has(CpuWords(known.machine, "flags"), "avx_vnni");
    return {"instructions", FindingLevel::kOk,
            std::string("AVX2") + (has_vnni ? ", and AVX-VNNI" : ""), ""};
  }
  return {"instructions", FindingLevel::kWarning,
          "no AVX2: computing takes several times as long as with it",
          known.board.virtual_machine ? "give the virtual machine the host's processor: for qemu, "
                                        "-cpu host"
                                      : ""};
}

}  // namespace

void CheckMachine(const Case& known, Findings& findings) {
  findings.push_back(BoardFinding(known));
  findings.push_back(CoresFinding(known));
  const std::string& architecture = known.machine.answers().architecture;
  if (architecture == "x86_64")
    findings.push_back(X86Finding(known));
  else if (architecture == "aarch64")
    findings.push_back(ArmFinding(known.machine));
  else
    findings.push_back({"instructions", FindingLevel::kNote,
                        architecture + " has no kernels of its own: computing is slow", ""});
  if (known.daemon.stats && !known.daemon.stats->machine().kernels().empty()) {
    const auto& daemon = known.daemon.stats->machine();
    findings.back().found += "; the daemon computes with its " + daemon.kernels() + " kernels, " +
                             std::to_string(daemon.threads()) + " threads";
  }
}

}  // namespace edgemoe::cli
