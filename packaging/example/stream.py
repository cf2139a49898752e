#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Prints a model's answer as it is made: stream.py [SOCKET] TEXT."""
import sys

import grpc
from edgemoe.v1 import inference_pb2 as v1
from edgemoe.v1 import inference_pb2_grpc


def main() -> int:
    socket = sys.argv[1] if len(sys.argv) > 2 else "/run/edgemoe/edgemoed.sock"
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 64
    with grpc.insecure_channel(f"unix:{socket}") as channel:
        inference = inference_pb2_grpc.InferenceServiceStub(channel)
        request = v1.CompleteRequest(prompt=sys.argv[-1], stopping=v1.Stopping(max_tokens=100))
        try:
            for message in inference.Complete(request):
                print(message.chunk.text, end="", flush=True)
        except grpc.RpcError as error:
            print(f"{error.code().name}: {error.details()}", file=sys.stderr)
            return 69
    print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
