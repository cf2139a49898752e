#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A root's tar as an OCI image: a tar of an image layout with one layer. The same bytes for the same input."""

import argparse
import datetime
import gzip
import hashlib
import io
import json
import os
import tarfile

# The engine makes /dev; the others are the packaging tools' own.
LEFT_OUT = ("dev", "etc/apt", "etc/resolv.conf", "etc/hostname", "var/cache", "var/lib/apt", "var/log",
            "var/lib/dpkg/status", "var/lib/dpkg/status-old", "var/lib/dpkg/available",
            "var/lib/dpkg/lock", "var/lib/dpkg/lock-frontend", "var/lib/dpkg/info",
            "var/lib/dpkg/triggers", "var/lib/dpkg/updates", "var/lib/dpkg/arch",
            "var/lib/dpkg/cmethopt", "var/lib/dpkg/alternatives", "var/lib/dpkg/parts")
ID = 65532  # of the user and the group edgemoe, as in finish-root


def is_left_out(name):
    return any(name == path or name.startswith(path + "/") for path in LEFT_OUT)


def write_layer(root, epoch):
    """(gzip of the layer's tar, digest of the tar)."""
    layer = io.BytesIO()
    with tarfile.open(root) as source, \
            tarfile.open(fileobj=layer, mode="w", format=tarfile.PAX_FORMAT) as target:
        members = {member.name.removeprefix("./"): member for member in source}
        for name, member in sorted(members.items()):
            if name in ("", ".") or is_left_out(name):
                continue
            content = source.extractfile(member) if member.isreg() else None
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode, entry.size = member.type, member.mode, member.size
            entry.uid, entry.gid = member.uid, member.gid
            entry.linkname = member.linkname
            if member.islnk():
                entry.linkname = member.linkname.removeprefix("./")
            entry.mtime = min(int(member.mtime), epoch)
            target.addfile(entry, content)
        # Which mmdebstrap leaves empty.
        socket_folder = tarfile.TarInfo("run/edgemoe")
        socket_folder.type, socket_folder.mode, socket_folder.mtime = tarfile.DIRTYPE, 0o755, epoch
        socket_folder.uid = socket_folder.gid = ID
        target.addfile(socket_folder)
    packed = io.BytesIO()
    with gzip.GzipFile(filename="", fileobj=packed, mode="wb", compresslevel=9, mtime=0) as file:
        file.write(layer.getvalue())
    return packed.getvalue(), digest_of(layer.getvalue())


def digest_of(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


def place_of(blob):
    return "blobs/" + digest_of(blob).replace(":", "/")


def json_bytes(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def image_config(arguments, created, layer_digest):
    labels = {"org.opencontainers.image.title": "edgemoe",
              "org.opencontainers.image.version": arguments.version,
              "org.opencontainers.image.revision": arguments.commit,
              "org.opencontainers.image.licenses": "Apache-2.0"}
    return {
        "architecture": arguments.architecture,
        "os": "linux",
        "created": created,
        "config": {
            "User": f"{ID}:{ID}",  # by number: Kubernetes sees that it is not root
            # What systemd sets for the unit: where the socket goes, and what is kept.
            "Env": ["PATH=/usr/bin", "RUNTIME_DIRECTORY=/run/edgemoe", "STATE_DIRECTORY=/var/lib/edgemoe",
                    "EDGEMOE_SOCKET=/run/edgemoe/edgemoed.sock", "LANG=C.UTF-8"],
            "Entrypoint": ["/usr/bin/edgemoed"],
            "Cmd": ["--config", "/etc/edgemoe/edgemoed.json", "--allow-groups", "edgemoe"],
            "Volumes": {"/run/edgemoe": {}, "/var/lib/edgemoe": {}},
            "WorkingDir": "/var/lib/edgemoe",
            "StopSignal": "SIGTERM",
            "Labels": labels,
        },
        "rootfs": {"type": "layers", "diff_ids": [layer_digest]},
        "history": [{"created": created, "created_by": "packaging/image/make-image"}],
    }


def add_file(archive, name, content, epoch):
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = len(content), 0o644, epoch
    archive.addfile(entry, io.BytesIO(content))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", required=True)
    parser.add_argument("--architecture", required=True, choices=["amd64", "arm64"])
    parser.add_argument("--version", required=True)
    parser.add_argument("--commit", required=True)
    parser.add_argument("--output", required=True)
    arguments = parser.parse_args()
    epoch = int(os.environ["SOURCE_DATE_EPOCH"])
    created = datetime.datetime.fromtimestamp(epoch, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")

    layer, layer_digest = write_layer(arguments.root, epoch)
    config = json_bytes(image_config(arguments, created, layer_digest))
    oci = "application/vnd.oci.image"
    manifest = json_bytes({
        "schemaVersion": 2,
        "mediaType": f"{oci}.manifest.v1+json",
        "config": {"mediaType": f"{oci}.config.v1+json", "digest": digest_of(config), "size": len(config)},
        "layers": [{"mediaType": f"{oci}.layer.v1.tar+gzip", "digest": digest_of(layer), "size": len(layer)}],
    })
    name = "localhost/edgemoe:" + arguments.version.partition("-")[0]  # without Debian's revision
    index = json_bytes({
        "schemaVersion": 2,
        "mediaType": f"{oci}.index.v1+json",
        "manifests": [{
            "mediaType": f"{oci}.manifest.v1+json", "digest": digest_of(manifest), "size": len(manifest),
            "platform": {"architecture": arguments.architecture, "os": "linux"},
            # For podman and skopeo, and for containerd.
            "annotations": {"org.opencontainers.image.ref.name": name, "io.containerd.image.name": name},
        }],
    })

    # The older layout, for `docker load`, names the same blobs.
    docker = json_bytes([{"Config": place_of(config), "RepoTags": [name], "Layers": [place_of(layer)]}])
    files = {"oci-layout": json_bytes({"imageLayoutVersion": "1.0.0"}), "index.json": index, "manifest.json": docker}
    for blob in (config, manifest, layer):
        files[place_of(blob)] = blob
    with tarfile.open(arguments.output, "w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in sorted(files.items()):
            add_file(archive, name, content, epoch)
    print(f"image: {arguments.output}, {digest_of(manifest)}, {len(layer)} bytes packed")


if __name__ == "__main__":
    main()
