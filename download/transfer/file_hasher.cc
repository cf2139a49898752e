// SPDX-License-Identifier: Apache-2.0
#include "download/transfer/file_hasher.h"

#include <openssl/evp.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <memory>
#include <vector>

#include "engine/base/byte_size.h"
#include "engine/base/check.h"
#include "engine/base/system/errno_status.h"

namespace edgemoe {
namespace {

constexpr std::uint64_t kBlockBytes = kMiB;
constexpr std::chrono::milliseconds kWait{100};

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new()) { Start(); }

  void Start() {
    EDGEMOE_CHECK(EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1,
                  "OpenSSL has SHA-256");
  }
  void Add(const void* bytes, std::size_t count) {
    EDGEMOE_CHECK(EVP_DigestUpdate(context_.get(), bytes, count) == 1, "OpenSSL has SHA-256");
  }
  // Of all so far; more may follow.
  std::string Digest() const {
    const Context copy(EVP_MD_CTX_new());
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest = {};
    unsigned count = 0;
    EDGEMOE_CHECK(EVP_MD_CTX_copy_ex(copy.get(), context_.get()) == 1, "OpenSSL has SHA-256");
    EDGEMOE_CHECK(EVP_DigestFinal_ex(copy.get(), digest.data(), &count) == 1,
                  "OpenSSL has SHA-256");
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    for (unsigned i = 0; i < count; ++i) {
      text += kDigits[digest[i] >> 4];
      text += kDigits[digest[i] & 15];
    }
    return text;
  }

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  using Context = std::unique_ptr<EVP_MD_CTX, Free>;
  Context context_;
};

// A count, 0 at an end that came too early, or a negative errno.
ssize_t ReadAt(int fd, std::vector<std::byte>& block, std::uint64_t count, std::uint64_t offset) {
  while (true) {
    const ssize_t got = ::pread(fd, block.data(), count, static_cast<off_t>(offset));
    if (got >= 0) return got;
    if (errno != EINTR) return -errno;
  }
}

}  // namespace

FileHasher::FileHasher(int fd) : fd_(fd), thread_([this] { Run(); }) {}

FileHasher::~FileHasher() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.NotifyAll();
  thread_.join();
}

void FileHasher::Advance(std::uint64_t bytes) {
  const MutexLock lock(mutex_);
  if (bytes <= written_bytes_) return;
  written_bytes_ = bytes;
  digest_.clear();
  wanted_ = false;
  if (written_bytes_ - hashed_bytes_ >= kBlockBytes) changed_.NotifyAll();
}

void FileHasher::Restart() {
  const MutexLock lock(mutex_);
  ++generation_;
  written_bytes_ = 0;
  hashed_bytes_ = 0;
  wanted_ = false;
  digest_.clear();
  status_ = OkStatus();
  while (reading_) changed_.Wait(mutex_);
}

std::optional<Result<std::string>> FileHasher::TryFinish() {
  const MutexLock lock(mutex_);
  wanted_ = true;
  changed_.NotifyAll();
  if (digest_.empty() && status_.ok()) changed_.WaitFor(mutex_, kWait);
  if (!status_.ok()) return Failure(status_);
  if (digest_.empty()) return std::nullopt;
  return digest_;
}

std::uint64_t FileHasher::hashed_bytes() {
  const MutexLock lock(mutex_);
  return hashed_bytes_;
}

void FileHasher::Run() {
  Sha256 sum;
  std::vector<std::byte> block(kBlockBytes);
  std::uint64_t generation = 0;
  const MutexLock lock(mutex_);
  while (!stopping_) {
    if (generation != generation_) {
      generation = generation_;
      sum.Start();
    }
    const std::uint64_t waiting = status_.ok() ? written_bytes_ - hashed_bytes_ : 0;
    if (wanted_ && status_.ok() && waiting == 0 && digest_.empty()) {
      digest_ = sum.Digest();
      changed_.NotifyAll();
    }
    if (waiting == 0 || (waiting < kBlockBytes && !wanted_)) {
      changed_.Wait(mutex_);
      continue;
    }
    const std::uint64_t offset = hashed_bytes_;
    reading_ = true;
    mutex_.Unlock();
    const ssize_t count = ReadAt(fd_, block, std::min(waiting, kBlockBytes), offset);
    if (count > 0) sum.Add(block.data(), static_cast<std::size_t>(count));
    mutex_.Lock();
    reading_ = false;
    if (generation == generation_ && count > 0) hashed_bytes_ += static_cast<std::uint64_t>(count);
    if (generation == generation_ && count <= 0)
      status_ = count < 0 ? ErrnoStatus(static_cast<int>(-count), "read what was downloaded")
                          : DataLossError("read what was downloaded: the file became shorter");
    changed_.NotifyAll();
  }
}

}  // namespace edgemoe
