// SPDX-License-Identifier: Apache-2.0
//
// Messages from and to the bytes on the wire. The services take bytes, because gRPC answers what it
// cannot parse itself (a text that is not UTF-8, say) with an UNIMPLEMENTED without words; and so
// that large requests are parsed on a worker.
#pragma once

#include <google/protobuf/message.h>
#include <grpcpp/support/byte_buffer.h>

#include <string_view>

#include "engine/base/status.h"

namespace edgemoe {

// INVALID_ARGUMENT names the text that is not UTF-8 and the offset in it, or says that the bytes
// are no such message.
Status ParseMessage(const grpc::ByteBuffer& bytes, google::protobuf::Message& message);

grpc::ByteBuffer SerializeMessage(const google::protobuf::Message& message);

// Why bytes are no message of that kind.
Status ExplainBadMessage(std::string_view bytes, const google::protobuf::Descriptor& descriptor);

}  // namespace edgemoe
