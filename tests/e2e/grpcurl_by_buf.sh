#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# grpcurl by `buf curl`, for tests: no Debian package has grpcurl. Takes what README's lines use: flags first, as Go's
# programs want them, then the address and a method or `list`. BUF is the program.
set -euo pipefail

data=
unix=
while [[ ${1:-} == -* ]]; do
  case $1 in
    -plaintext) ;;
    -unix) unix=1 ;;
    -d)
      data=$2
      shift
      ;;
    *)
      echo "grpcurl: flag provided but not defined: $1" >&2
      exit 2
      ;;
  esac
  shift
done
if [[ -z $unix || $# -ne 2 ]]; then
  echo "grpcurl: expected -unix, and an address and a method or list after the flags; found: $*" >&2
  exit 2
fi
address=$1
curl=("$BUF" curl --protocol grpc --http2-prior-knowledge --reflect-protocol "${REFLECT:-grpc-v1}"
  --unix-socket "$address")
if [[ $2 == list ]]; then
  exec "${curl[@]}" --list-services http://localhost
fi
exec "${curl[@]}" --data "${data:-{\}}" "http://localhost/$2"
