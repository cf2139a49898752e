// SPDX-License-Identifier: Apache-2.0
//
// Reads a GGUF header's bytes in order and never beyond what is there. Private to engine/gguf.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "engine/gguf/gguf_reader.h"

namespace edgemoe {

class HeaderCursor {
 public:
  HeaderCursor(std::span<const std::byte> bytes, std::uint64_t file_bytes)
      : bytes_(bytes), file_bytes_(file_bytes) {}

  std::uint64_t position() const { return position_; }
  // Bytes of the file behind the position: nothing that is still to come can be longer.
  std::uint64_t remaining() const { return file_bytes_ - position_; }

  // The next `count` bytes. `what` names them in the error.
  Result<std::string_view> Take(std::uint64_t count, std::string_view what) {
    if (count > remaining())
      return Failure(InvalidArgumentError(At() + std::string(what) + " needs " +
                                          std::to_string(count) + " bytes, but the file of " +
                                          std::to_string(file_bytes_) + " bytes ends after " +
                                          std::to_string(remaining())));
    if (position_ + count > kGgufHeaderBytesMax)
      return Failure(InvalidArgumentError(At() + "the header goes on beyond " +
                                          std::to_string(kGgufHeaderBytesMax) +
                                          " bytes, the most accepted"));
    if (count > bytes_.size() - position_)
      return Failure(OutOfRangeError(At() + "the header goes on behind the " +
                                     std::to_string(bytes_.size()) + " bytes given"));
    const char* begin = reinterpret_cast<const char*>(bytes_.data()) + position_;
    position_ += count;
    return std::string_view(begin, count);
  }

  template <class T>
  Result<T> Number(std::string_view what) {
    EDGEMOE_ASSIGN_OR_FAIL(const std::string_view bytes, Take(sizeof(T), what));
    T number;
    std::memcpy(&number, bytes.data(), sizeof(T));
    return number;
  }

  // A length of 8 bytes, then as many bytes, at most `bytes_max`.
  Result<std::string_view> String(std::uint64_t bytes_max, std::string_view what) {
    EDGEMOE_ASSIGN_OR_FAIL(const auto length, Number<std::uint64_t>(what));
    if (length > bytes_max)
      return Failure(InvalidArgumentError(At() + std::string(what) + " of " +
                                          std::to_string(length) + " bytes; at most " +
                                          std::to_string(bytes_max) + " are accepted"));
    return Take(length, what);
  }

  // "GGUF header: at byte 24: "
  std::string At() const { return "GGUF header: at byte " + std::to_string(position_) + ": "; }

 private:
  std::span<const std::byte> bytes_;  // never more than file_bytes_
  std::uint64_t file_bytes_;
  std::uint64_t position_ = 0;  // at most bytes_.size()
};

}  // namespace edgemoe
