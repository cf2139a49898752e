// SPDX-License-Identifier: Apache-2.0
#include "server/rpc/message_bytes.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>
#include <grpcpp/impl/codegen/proto_utils.h>

#include <map>
#include <optional>
#include <string>

#include "engine/base/accepted.h"
#include "engine/base/utf8.h"

namespace edgemoe {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::internal::WireFormatLite;

constexpr int kDepthMax = 8;  // ours nest less deep

struct BadText {
  std::string field;   // as in "messages[2].content[0].text"
  std::size_t offset;  // of the first byte that is not UTF-8
};

// Walks the fields on the wire as far as they make sense.
std::optional<BadText> FindBadText(std::string_view bytes, const Descriptor& descriptor,
                                   int depth) {
  google::protobuf::io::CodedInputStream in(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                            static_cast<int>(bytes.size()));
  std::map<int, int> seen;  // elements of repeated fields
  while (const std::uint32_t tag = in.ReadTag()) {
    const FieldDescriptor* const field =
        descriptor.FindFieldByNumber(WireFormatLite::GetTagFieldNumber(tag));
    const bool nested = field != nullptr && WireFormatLite::GetTagWireType(tag) ==
                                                WireFormatLite::WIRETYPE_LENGTH_DELIMITED;
    if (!nested) {
      if (!WireFormatLite::SkipField(&in, tag)) return std::nullopt;
      continue;
    }
    std::uint32_t length = 0;
    if (!in.ReadVarint32(&length)) return std::nullopt;
    const auto begin = static_cast<std::size_t>(in.CurrentPosition());
    if (length > bytes.size() - begin) return std::nullopt;
    const std::string_view value = bytes.substr(begin, length);
    std::string name = field->name();
    if (field->is_repeated()) name += "[" + std::to_string(seen[field->number()]++) + "]";
    if (field->type() == FieldDescriptor::TYPE_STRING) {
      const std::size_t offset = FindInvalidUtf8(value);
      if (offset != std::string_view::npos) return BadText{std::move(name), offset};
    } else if (field->type() == FieldDescriptor::TYPE_MESSAGE && depth < kDepthMax) {
      if (auto bad = FindBadText(value, *field->message_type(), depth + 1)) {
        bad->field = name + "." + bad->field;
        return bad;
      }
    }
    if (!in.Skip(static_cast<int>(length))) return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

Status ParseMessage(const grpc::ByteBuffer& bytes, google::protobuf::Message& message) {
  grpc::ByteBuffer copy = bytes;  // shares the slices; to parse consumes the buffer
  if (grpc::SerializationTraits<google::protobuf::Message>::Deserialize(&copy, &message).ok())
    return OkStatus();
  grpc::Slice slice;
  if (!bytes.DumpToSingleSlice(&slice).ok())
    return InvalidArgumentError("the request cannot be decompressed");
  return ExplainBadMessage({reinterpret_cast<const char*>(slice.begin()), slice.size()},
                           *message.GetDescriptor());
}

grpc::ByteBuffer SerializeMessage(const google::protobuf::Message& message) {
  grpc::ByteBuffer bytes;
  bool own_buffer = false;
  (void)grpc::SerializationTraits<google::protobuf::Message>::Serialize(message, &bytes,
                                                                        &own_buffer);
  return bytes;
}

Status ExplainBadMessage(std::string_view bytes, const Descriptor& descriptor) {
  if (const auto bad = FindBadText(bytes, descriptor, 0))
    return NotUtf8Field(bad->field, bad->offset);
  return InvalidArgumentError("the request: its " + std::to_string(bytes.size()) +
                              " bytes are no " + descriptor.full_name());
}

}  // namespace edgemoe
