// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <charconv>
#include <cstring>

#include "client/cli/doctor/checks/checks.h"

namespace edgemoe::cli {
namespace {

// 5.6 has plain reads by io_uring; 5.19 completions that do not interrupt the computing thread.
constexpr int kWithReads = 5'006;
constexpr int kWithQuietCompletions = 5'019;

// "6.12.34+rpt-rpi-v8" as 6'012; 0 for other texts.
int KernelVersion(const std::string& release) {
  int major = 0;
  int minor = 0;
  const char* const end = release.data() + release.size();
  const auto first = std::from_chars(release.data(), end, major);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != '.') return 0;
  if (std::from_chars(first.ptr + 1, end, minor).ec != std::errc()) return 0;
  return major > 0 && major < 1000 && minor >= 0 && minor < 1000 ? major * 1000 + minor : 0;
}

Finding KernelFinding(const Case& known) {
  const std::string release = known.machine.Line("/proc/sys/kernel/osrelease");
  const int version = KernelVersion(release);
  const std::string update = "sudo apt full-upgrade && sudo reboot";
  if (version == 0) return {"kernel", FindingLevel::kNote, "unknown: " + release, ""};
  const std::string name = "Linux " + release + ": ";
  if (version < kWithReads)
    return {"kernel", FindingLevel::kWarning,
            name +
                "before 5.6 io_uring cannot read as the daemon wants; it reads with a pool of "
                "pread threads, which costs processor time",
            update};
  if (version < kWithQuietCompletions)
    return {"kernel", FindingLevel::kNote,
            name + "works; from 5.19 on, reads that end do not interrupt computing", update};
  return {"kernel", FindingLevel::kOk, name + "has all that reading with io_uring profits from",
          ""};
}

// Why io_uring_setup failed for us.
Finding RefusedFinding(const Case& known) {
  const std::string kCost =
      "; experts are read with a pool of pread threads instead, which costs "
      "processor time";
  const int error = known.machine.answers().io_uring_error;
  const auto disabled = known.machine.Number("/proc/sys/kernel/io_uring_disabled");
  if ((error == EPERM || error == EACCES) && disabled && *disabled > 0)
    return {"io_uring", FindingLevel::kWarning,
            "switched off: sysctl kernel.io_uring_disabled is " + std::to_string(*disabled) + kCost,
            "echo kernel.io_uring_disabled=0 | sudo tee /etc/sysctl.d/60-edgemoe.conf && "
            "sudo sysctl --system"};
  if (error == EPERM || error == EACCES || (error == ENOSYS && known.board.container))
    return {"io_uring", FindingLevel::kWarning,
            "a seccomp filter refuses it" +
                std::string(known.board.container ? ", as containers have" : "") + kCost,
            "run the container with a seccomp profile that allows io_uring_setup, io_uring_enter "
            "and io_uring_register: --security-opt seccomp=PROFILE.json"};
  if (error == ENOSYS)
    return {"io_uring", FindingLevel::kWarning, "this kernel is built without it" + kCost,
            "install the distribution's own kernel"};
  if (error == ENOMEM)
    return {"io_uring", FindingLevel::kWarning,
            "the memory-lock limit is too low for this kernel" + kCost,
            "raise it: see memory lock"};
  return {"io_uring", FindingLevel::kWarning,
          std::string("refused: ") + std::strerror(error) + kCost, ""};
}

// A daemon that runs knows what it got; its service may be allowed what we are not.
Finding IoUringFinding(const Case& known) {
  if (known.daemon.stats) {
    const auto& machine = known.daemon.stats->machine();
    const std::string note = machine.io_note().empty() ? "" : ": " + machine.io_note();
    if (machine.io_backend() == "io_uring")
      return {"io_uring", note.empty() ? FindingLevel::kOk : FindingLevel::kNote,
              "the daemon reads with it" + note, ""};
    if (known.machine.answers().io_uring_error == 0 && !machine.io_backend().empty())
      return {"io_uring", FindingLevel::kWarning,
              "the daemon reads with " + machine.io_backend() + note +
                  ", although io_uring works for this user",
              "look at io.backend in the daemon's configuration, which should be \"auto\", and at "
              "SystemCallFilter= of its unit"};
  }
  if (known.machine.answers().io_uring_error != 0) return RefusedFinding(known);
  return {"io_uring", FindingLevel::kOk, "works for this user", ""};
}

Finding PageFinding(const Case& known) {
  const std::size_t bytes = known.machine.answers().page_bytes;
  const std::string size = std::to_string(bytes / 1024) + " KiB";
  if (bytes == 4096) return {"page size", FindingLevel::kOk, size, ""};
  return {"page size", FindingLevel::kNote,
          size + (bytes == 16384 ? ", as on the Raspberry Pi 5" : "") +
              ": works; memory is given out in pieces of this size",
          ""};
}

Finding HugePageFinding(const Case& known) {
  const std::string path = "/sys/kernel/mm/transparent_hugepage/enabled";
  const std::string line = known.machine.Line(path);
  const std::size_t begin = line.find('[');
  const std::size_t end = line.find(']', begin == std::string::npos ? 0 : begin);
  if (line.empty())
    return {"huge pages", FindingLevel::kNote,
            "this kernel has no transparent huge pages, or hides them: experts lie in small ones",
            ""};
  if (begin == std::string::npos || end == std::string::npos)
    return {"huge pages", FindingLevel::kNote, "unknown: " + line, ""};
  const std::string mode = line.substr(begin + 1, end - begin - 1);
  if (mode == "always" || mode == "madvise")
    return {"huge pages", FindingLevel::kOk, mode + ": the daemon asks for them for experts", ""};
  return {"huge pages", FindingLevel::kNote,
          mode +
              ": experts lie in small pages, which costs the processor more look-ups of "
              "addresses",
          "echo madvise | sudo tee " + path};
}

}  // namespace

void CheckKernel(const Case& known, Findings& findings) {
  findings.push_back(KernelFinding(known));
  findings.push_back(IoUringFinding(known));
  findings.push_back(PageFinding(known));
  findings.push_back(HugePageFinding(known));
}

}  // namespace edgemoe::cli
