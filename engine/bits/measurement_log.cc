// SPDX-License-Identifier: Apache-2.0
#include "engine/bits/measurement_log.h"

#include <bit>
#include <charconv>
#include <span>

#include "engine/base/checksum.h"

namespace edgemoe {
namespace {

constexpr std::string_view kMagic = "edgemoe probes 1 ";
constexpr std::uint64_t kBytesMax = 256u << 20;
constexpr std::size_t kDigits = 16;

std::uint64_t CheckOf(std::string_view text) {
  return Checksum64Of(std::as_bytes(std::span<const char>(text)));
}

// "name bits check\n", the last two as 16 hexadecimal digits.
std::string Line(const std::string& name, double value) {
  std::string line = name + " " + ChecksumText(std::bit_cast<std::uint64_t>(value));
  return line + " " + ChecksumText(CheckOf(line)) + "\n";
}

std::optional<std::uint64_t> ReadHex(std::string_view digits) {
  std::uint64_t number = 0;
  const char* const end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, number, 16);
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return number;
}

struct Entry {
  std::string name;
  double value = 0;
};

std::optional<Entry> ReadLine(std::string_view line) {
  if (line.size() < 2 * (kDigits + 1) + 1) return std::nullopt;
  const std::string_view body = line.substr(0, line.size() - kDigits - 1);
  const std::size_t name_end = body.size() - kDigits - 1;
  const auto check = ReadHex(line.substr(body.size() + 1));
  const auto bits = ReadHex(body.substr(name_end + 1));
  if (!check || !bits || *check != CheckOf(body) || body[name_end] != ' ' ||
      line[body.size()] != ' ')
    return std::nullopt;
  return Entry{std::string(body.substr(0, name_end)), std::bit_cast<double>(*bits)};
}

}  // namespace

Result<MeasurementLog> MeasurementLog::Open(const std::string& path, std::string_view identity) {
  EDGEMOE_ASSIGN_OR_FAIL(AppendFile file, AppendFile::Open(path, true));
  const std::string heading = std::string(kMagic) + std::string(identity) + "\n";
  EDGEMOE_ASSIGN_OR_FAIL(const std::string text, file.Resume(heading, kBytesMax));
  MeasurementLog log(std::move(file));
  std::size_t valid = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', valid)) {
    std::optional<Entry> entry = ReadLine(std::string_view(text).substr(valid, end - valid));
    if (!entry) break;
    log.values_.insert_or_assign(std::move(entry->name), entry->value);
    valid = end + 1;
  }
  EDGEMOE_FAIL_IF_ERROR(log.file_.CutTo(valid));
  return log;
}

std::optional<double> MeasurementLog::Find(const std::string& name) const {
  const auto found = values_.find(name);
  if (found == values_.end()) return std::nullopt;
  return found->second;
}

Status MeasurementLog::Add(const std::string& name, double value) {
  EDGEMOE_RETURN_IF_ERROR(file_.Append(Line(name, value)));
  values_.insert_or_assign(name, value);
  return OkStatus();
}

}  // namespace edgemoe
