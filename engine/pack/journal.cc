// SPDX-License-Identifier: Apache-2.0
#include "engine/pack/journal.h"

#include <cstring>

#include "engine/base/checksum.h"

namespace edgemoe {
namespace {

constexpr std::string_view kMagic = "edgemoe pack journal 2 ";
// A record: {count, index of the first piece}, the pieces, the checksum of all before.
struct RecordHead {
  std::uint64_t count = 0;
  std::uint64_t first = 0;
};

std::string Heading(std::string_view identity) {
  return std::string(kMagic) + std::string(identity) + "\n";
}

}  // namespace

Result<PackJournal> PackJournal::Open(const std::string& path, std::string_view identity,
                                      std::size_t pieces_max, bool may_resume) {
  // The unfinished file is locked already.
  EDGEMOE_ASSIGN_OR_FAIL(AppendFile file, AppendFile::Open(path, false));
  const std::string heading = Heading(identity);
  PackJournal journal(std::move(file));
  if (!may_resume) {
    EDGEMOE_FAIL_IF_ERROR(journal.file_.Restart(heading));
    return journal;
  }
  // A record tells of one piece at least.
  const std::uint64_t bytes_max =
      pieces_max * (sizeof(RecordHead) + sizeof(PackPiece) + sizeof(std::uint64_t));
  EDGEMOE_ASSIGN_OR_FAIL(const std::string bytes, journal.file_.Resume(heading, bytes_max));
  EDGEMOE_FAIL_IF_ERROR(journal.file_.CutTo(journal.TakeRecords(bytes, pieces_max)));
  return journal;
}

std::size_t PackJournal::TakeRecords(std::string_view bytes, std::size_t pieces_max) {
  for (std::size_t end = 0;;) {
    RecordHead head;
    std::uint64_t check = 0;
    const std::string_view rest = bytes.substr(end);
    if (rest.size() < sizeof(head) + sizeof(check)) return end;
    std::memcpy(&head, rest.data(), sizeof(head));
    if (head.first != pieces_.size() || head.count == 0 || head.count > pieces_max - pieces_.size())
      return end;
    const auto body = static_cast<std::size_t>(sizeof(head) + head.count * sizeof(PackPiece));
    if (rest.size() < body + sizeof(check)) return end;
    std::memcpy(&check, rest.data() + body, sizeof(check));
    if (check != Checksum64Of(std::as_bytes(std::span(rest.data(), body)))) return end;
    pieces_.resize(pieces_.size() + static_cast<std::size_t>(head.count));
    std::memcpy(&pieces_[static_cast<std::size_t>(head.first)], rest.data() + sizeof(head),
                body - sizeof(head));
    end += body + sizeof(check);
  }
}

Status PackJournal::Append(std::span<const PackPiece> pieces) {
  if (pieces.empty()) return OkStatus();
  const RecordHead head = {pieces.size(), pieces_.size()};
  std::string record(reinterpret_cast<const char*>(&head), sizeof(head));
  record.append(reinterpret_cast<const char*>(pieces.data()), pieces.size_bytes());
  const std::uint64_t check = Checksum64Of(std::as_bytes(std::span<const char>(record)));
  record.append(reinterpret_cast<const char*>(&check), sizeof(check));
  EDGEMOE_RETURN_IF_ERROR(file_.Append(record));
  EDGEMOE_RETURN_IF_ERROR(file_.Sync());
  pieces_.insert(pieces_.end(), pieces.begin(), pieces.end());
  return OkStatus();
}

}  // namespace edgemoe
