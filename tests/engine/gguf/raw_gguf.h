// SPDX-License-Identifier: Apache-2.0
//
// Writes GGUF bytes one field at a time, right or wrong, for tests of the reader. On purpose it
// shares no code with GgufWriter.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace edgemoe {

class RawGguf {
 public:
  RawGguf() = default;
  RawGguf(std::uint64_t tensor_count, std::uint64_t entry_count, std::uint32_t version = 3) {
    bytes_ = "GGUF";
    Number(version).Number(tensor_count).Number(entry_count);
  }

  template <class T>
  RawGguf& Number(T number) {
    bytes_.append(reinterpret_cast<const char*>(&number), sizeof(number));
    return *this;
  }
  RawGguf& U32(std::uint32_t number) { return Number(number); }
  RawGguf& U64(std::uint64_t number) { return Number(number); }
  RawGguf& Text(std::string_view text) {
    U64(text.size());
    bytes_.append(text);
    return *this;
  }
  // A key and its value's type; the value is to follow.
  RawGguf& Key(std::string_view key, std::uint32_t value_type) { return Text(key).U32(value_type); }
  RawGguf& Tensor(std::string_view name, const std::vector<std::uint64_t>& dims, std::uint32_t type,
                  std::uint64_t offset) {
    Text(name).U32(static_cast<std::uint32_t>(dims.size()));
    for (const std::uint64_t dim : dims) U64(dim);
    return U32(type).U64(offset);
  }
  RawGguf& Pad(std::size_t alignment = 32) {
    bytes_.resize((bytes_.size() + alignment - 1) / alignment * alignment, '\0');
    return *this;
  }
  RawGguf& Zeros(std::size_t count) {
    bytes_.append(count, '\0');
    return *this;
  }

  std::size_t size() const { return bytes_.size(); }
  std::span<const std::byte> bytes() const {
    return std::as_bytes(std::span<const char>(bytes_.data(), bytes_.size()));
  }

 private:
  std::string bytes_;
};

}  // namespace edgemoe
