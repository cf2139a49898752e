// SPDX-License-Identifier: Apache-2.0
#include "engine/pack/pack_journal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "engine/base/checksum.h"
#include "engine/io/errno_status.h"

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

Status WriteAt(int fd, const std::string& path, std::uint64_t offset, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return ErrnoStatus(errno, "write: " + path);
    bytes.remove_prefix(static_cast<std::size_t>(put));
    offset += static_cast<std::uint64_t>(put);
  }
  return OkStatus();
}

// As much of the file as there is, at most `bytes_max`.
std::string ReadAll(int fd, std::size_t bytes_max) {
  std::string bytes(bytes_max, '\0');
  std::size_t filled = 0;
  while (filled < bytes.size()) {
    const ssize_t got =
        ::pread(fd, bytes.data() + filled, bytes.size() - filled, static_cast<off_t>(filled));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    filled += static_cast<std::size_t>(got);
  }
  bytes.resize(filled);
  return bytes;
}

}  // namespace

Result<PackJournal> PackJournal::Open(const std::string& path, std::string_view identity,
                                      std::size_t pieces_max, bool may_resume) {
  PackJournal journal;
  journal.path_ = path;
  journal.fd_ =
      UniqueFd(::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644));
  if (!journal.fd_.valid()) return Failure(ErrnoStatus(errno, "open: " + path));
  struct stat stat;
  if (::fstat(journal.fd_.get(), &stat) != 0) return Failure(ErrnoStatus(errno, "stat: " + path));
  if (!S_ISREG(stat.st_mode))
    return Failure(InvalidArgumentError("open: " + path + ": expected a regular file"));
  const std::string heading = Heading(identity);
  if (may_resume) {
    // A record tells of one piece at least.
    const std::uint64_t bytes_max = heading.size() + pieces_max * 5 * sizeof(std::uint64_t);
    const std::string bytes =
        ReadAll(journal.fd_.get(),
                std::min<std::uint64_t>(static_cast<std::uint64_t>(stat.st_size), bytes_max));
    if (bytes.starts_with(heading)) journal.TakeRecords(bytes, heading.size(), pieces_max);
  }
  if (journal.end_ == 0) EDGEMOE_FAIL_IF_ERROR(journal.Restart(heading));
  return journal;
}

Status PackJournal::Restart(std::string_view heading) {
  if (::ftruncate(fd_.get(), 0) != 0) return ErrnoStatus(errno, "truncate: " + path_);
  EDGEMOE_RETURN_IF_ERROR(WriteAt(fd_.get(), path_, 0, heading));
  if (::fdatasync(fd_.get()) != 0) return ErrnoStatus(errno, "sync: " + path_);
  end_ = heading.size();
  return OkStatus();
}

void PackJournal::TakeRecords(std::string_view bytes, std::size_t heading_bytes,
                              std::size_t pieces_max) {
  end_ = heading_bytes;
  for (;;) {
    RecordHead head;
    std::uint64_t check = 0;
    const std::string_view rest = bytes.substr(static_cast<std::size_t>(end_));
    if (rest.size() < sizeof(head) + sizeof(check)) return;
    std::memcpy(&head, rest.data(), sizeof(head));
    if (head.first != pieces_.size() || head.count == 0 || head.count > pieces_max - pieces_.size())
      return;
    const auto body = static_cast<std::size_t>(sizeof(head) + head.count * sizeof(PackPiece));
    if (rest.size() < body + sizeof(check)) return;
    std::memcpy(&check, rest.data() + body, sizeof(check));
    if (check != Checksum64Of(std::as_bytes(std::span(rest.data(), body)))) return;
    pieces_.resize(pieces_.size() + static_cast<std::size_t>(head.count));
    std::memcpy(&pieces_[static_cast<std::size_t>(head.first)], rest.data() + sizeof(head),
                body - sizeof(head));
    end_ += body + sizeof(check);
  }
}

Status PackJournal::Append(std::span<const PackPiece> pieces) {
  if (pieces.empty()) return OkStatus();
  const RecordHead head = {pieces.size(), pieces_.size()};
  std::string record(reinterpret_cast<const char*>(&head), sizeof(head));
  record.append(reinterpret_cast<const char*>(pieces.data()), pieces.size_bytes());
  const std::uint64_t check = Checksum64Of(std::as_bytes(std::span<const char>(record)));
  record.append(reinterpret_cast<const char*>(&check), sizeof(check));
  EDGEMOE_RETURN_IF_ERROR(WriteAt(fd_.get(), path_, end_, record));
  if (::fdatasync(fd_.get()) != 0) return ErrnoStatus(errno, "sync: " + path_);
  end_ += record.size();
  pieces_.insert(pieces_.end(), pieces.begin(), pieces.end());
  return OkStatus();
}

}  // namespace edgemoe
