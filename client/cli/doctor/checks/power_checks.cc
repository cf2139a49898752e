// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "client/cli/doctor/checks/checks.h"
#include "client/cli/terminal/format_text.h"

namespace edgemoe::cli {
namespace {

constexpr std::size_t kZonesMax = 64;
constexpr int kTripsMax = 16;
constexpr std::size_t kPoliciesMax = 256;

// Degrees Celsius of a file in thousandths; nothing: unknown, or absurd.
std::optional<double> Degrees(const Machine& machine, const std::string& path) {
  const auto thousandths = machine.Number(path);
  if (!thousandths || *thousandths < -60'000 || *thousandths > 200'000) return std::nullopt;
  return static_cast<double>(*thousandths) / 1000;
}

struct Zone {
  std::string name;
  double degrees = 0;
  double slow_degrees = 80;       // where it slows down
  double critical_degrees = 105;  // where it switches off
};

std::optional<Zone> ReadZone(const Machine& machine, const std::string& folder) {
  const auto degrees = Degrees(machine, folder + "/temp");
  if (!degrees) return std::nullopt;
  Zone zone{.name = machine.Line(folder + "/type"), .degrees = *degrees};
  std::optional<double> slow;
  for (int i = 0; i < kTripsMax; ++i) {
    const std::string trip = folder + "/trip_point_" + std::to_string(i);
    const std::string type = machine.Line(trip + "_type");
    if (type.empty()) break;
    const auto at = Degrees(machine, trip + "_temp");
    if (!at || *at <= 0) continue;
    if (type == "critical") zone.critical_degrees = *at;
    if (type == "passive" || type == "hot") slow = std::min(slow.value_or(*at), *at);
  }
  zone.slow_degrees = slow.value_or(std::min(zone.slow_degrees, zone.critical_degrees));
  return zone;
}

Finding HeatFinding(const Case& known) {
  constexpr double kNearCritical = 5;
  std::optional<Zone> hottest;
  std::size_t count = 0;
  for (const std::string& name : known.machine.Names("/sys/class/thermal")) {
    if (!name.starts_with("thermal_zone") || ++count > kZonesMax) continue;
    auto zone = ReadZone(known.machine, "/sys/class/thermal/" + name);
    if (zone &&
        (!hottest || zone->degrees - zone->slow_degrees > hottest->degrees - hottest->slow_degrees))
      hottest = std::move(zone);
  }
  if (!hottest)
    return {"temperature", FindingLevel::kNote,
            count == 0 ? "no sensor, as in virtual machines" : "unknown: no sensor makes sense",
            ""};
  const std::string text =
      Format("%.0f degrees Celsius (%s)", hottest->degrees, hottest->name.c_str());
  const std::string cool = "add a heat sink and a fan, or give it air";
  if (hottest->degrees >= hottest->critical_degrees - kNearCritical)
    return {"temperature", FindingLevel::kProblem,
            text + Format(": at %.0f it switches itself off", hottest->critical_degrees), cool};
  if (hottest->degrees >= hottest->slow_degrees)
    return {"temperature", FindingLevel::kWarning,
            text + Format(": from %.0f on it slows itself down", hottest->slow_degrees), cool};
  return {"temperature", FindingLevel::kOk, text, ""};
}

Finding ClockFinding(const Case& known) {
  const std::string folder = "/sys/devices/system/cpu/cpufreq";
  std::vector<std::string> policies = known.machine.Names(folder);
  std::erase_if(policies, [](const std::string& name) { return !name.starts_with("policy"); });
  if (policies.size() > kPoliciesMax) policies.resize(kPoliciesMax);
  std::string governor;
  for (const std::string& policy : policies) {
    const std::string path = folder + "/" + policy;
    governor = known.machine.Line(path + "/scaling_governor");
    // Those of Intel and AMD choose the frequency themselves, whatever it is called.
    const std::string driver = known.machine.Line(path + "/scaling_driver");
    const bool own_choice = driver == "intel_pstate" || driver.starts_with("amd-pstate");
    if (governor == "powersave" && !own_choice)
      return {"clock", FindingLevel::kWarning,
              "the governor powersave keeps " + policy + " at its lowest frequency",
              "echo schedutil | sudo tee " + folder + "/policy*/scaling_governor"};
    const std::int64_t most = known.machine.Number(path + "/cpuinfo_max_freq").value_or(0);
    const std::int64_t allowed = known.machine.Number(path + "/scaling_max_freq").value_or(0);
    if (allowed > 0 && most > 0 && allowed < most)
      return {"clock", FindingLevel::kNote,
              Format("%s may use %.1f of %.1f GHz", policy.c_str(),
                     static_cast<double>(allowed) / 1e6, static_cast<double>(most) / 1e6),
              "echo " + std::to_string(most) + " | sudo tee " + path + "/scaling_max_freq"};
  }
  if (governor.empty())
    return {"clock", FindingLevel::kOk, "not changed by this kernel (no cpufreq)", ""};
  return {"clock", FindingLevel::kOk, "governor " + governor, ""};
}

}  // namespace

void CheckPower(const Case& known, Findings& findings) {
  findings.push_back(HeatFinding(known));
  findings.push_back(ClockFinding(known));
}

}  // namespace edgemoe::cli
