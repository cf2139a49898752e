#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks packaging/kubernetes: what names what, and that the daemon and the client take what stands there.

check_manifests.py FOLDER EDGEMOE EDGEMOED EDGEMOE_DOWNLOAD MODEL: every *.yaml there.
check_manifests.py --print FILE CONFIGMAP KEY: that text.
Exit codes: 1 for what is wrong, one a line; 77 without python3-yaml."""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

try:
    import yaml
except ImportError:
    print("SKIPPED: there is no python3-yaml here", file=sys.stderr)
    sys.exit(77)

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SECRETS = {"edgemoe-tls"}  # which the operator makes
MIB = 1 << 20
UNITS = {"Ki": 1 << 10, "Mi": MIB, "Gi": 1 << 30, "KiB": 1 << 10, "MiB": MIB, "GiB": 1 << 30}
BESIDES_BUDGET = 192 * MIB  # the process itself (64 MiB), probes, page cache
AFTER_DRAIN_MS = 15_000  # last writes, and what stopping takes
UNAVAILABLE = 69  # of the client: the command line was understood, and nobody is there


def bytes_of(text):
    number, unit = re.fullmatch(r"(\d+)([A-Za-z]+)", text).groups()
    return int(number) * UNITS[unit]


def run(command):
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)


class Checker:
    def __init__(self, edgemoe, edgemoed, download, model):
        self.edgemoe, self.edgemoed, self.download, self.model = edgemoe, edgemoed, download, model
        image = (ROOT / "packaging/image/oci_archive.py").read_text()
        self.image_user = int(re.search(r"^ID = (\d+)", image, re.M).group(1))
        self.problems = []
        self.commands = 0

    def expect(self, condition, what):
        if not condition:
            self.problems.append(what)

    def check_file(self, path):
        documents = [document for document in yaml.safe_load_all(path.read_text()) if document]
        named = {}
        for document in documents:
            key = (document["kind"], document["metadata"]["name"])
            self.expect(document.get("apiVersion"), f"{path.name}: {key} has no apiVersion")
            self.expect(key not in named, f"{path.name}: {key} is there twice")
            named[key] = document
        for (kind, name), document in named.items():
            if kind in ("StatefulSet", "DaemonSet", "Job"):
                self.check_workload(f"{path.name}: {name}", document, named)
            elif kind == "Service":
                self.check_service(f"{path.name}: service {name}", document, named)

    def check_service(self, where, service, named):
        selector = service["spec"]["selector"]
        pods = [document["spec"]["template"] for (kind, _), document in named.items() if kind == "StatefulSet"
                and selector.items() <= document["spec"]["template"]["metadata"]["labels"].items()]
        self.expect(len(pods) == 1, f"{where}: selects {len(pods)} workloads, expected one")
        self.expect(service["spec"].get("clusterIP") == "None", f"{where}: is not headless")
        for port in service["spec"]["ports"]:
            offered = {offer["name"]: offer["containerPort"] for pod in pods
                       for container in pod["spec"]["containers"] for offer in container.get("ports", [])}
            target = port["targetPort"]
            self.expect(target in offered, f"{where}: targetPort {target}, found {sorted(offered)}")
            self.expect(offered.get(target) == port["port"],
                        f"{where}: a headless service's port is the pod's: {port['port']}, {offered.get(target)}")

    def check_workload(self, where, workload, named):
        spec = workload["spec"]
        pod = spec["template"]["spec"]
        if "selector" in spec:
            labels = spec["template"]["metadata"]["labels"]
            self.expect(spec["selector"]["matchLabels"].items() <= labels.items(),
                        f"{where}: the selector does not match the pod's labels")
        if "serviceName" in spec:
            self.expect(("Service", spec["serviceName"]) in named, f"{where}: there is no {spec['serviceName']}")
        volumes = {volume["name"]: volume for volume in pod["volumes"]}
        volumes |= {claim["metadata"]["name"]: claim for claim in spec.get("volumeClaimTemplates", [])}
        containers = pod.get("initContainers", []) + pod["containers"]
        mounted = {mount["name"] for container in containers for mount in container["volumeMounts"]}
        self.expect(mounted == set(volumes), f"{where}: mounts {sorted(mounted)} of the volumes {sorted(volumes)}")
        for name, volume in volumes.items():
            if "configMap" in volume:
                source = volume["configMap"]["name"]
                self.expect(("ConfigMap", source) in named, f"{where}: volume {name}: there is no {source}")
            if "secret" in volume:
                self.expect(volume["secret"]["secretName"] in SECRETS, f"{where}: volume {name}: unknown secret")
        for container in containers:
            self.check_confined(f"{where}: {container['name']}", container, pod)
        for container in pod["containers"]:
            if container["name"] == "edgemoed":
                self.check_daemon(f"{where}: edgemoed", container, pod, volumes, named)
            elif any(mount["mountPath"] == "/run/edgemoe" for mount in container["volumeMounts"]):
                self.check_peer(f"{where}: {container['name']}", container, pod)
        for container in containers:
            self.check_command(f"{where}: {container['name']}", container.get("command", []))

    def check_confined(self, where, container, pod):
        context = container["securityContext"]
        self.expect(pod["securityContext"]["runAsNonRoot"] is True, f"{where}: may be root")
        self.expect(pod["securityContext"]["seccompProfile"]["type"] != "Unconfined", f"{where}: no seccomp")
        self.expect(context["allowPrivilegeEscalation"] is False, f"{where}: may gain privileges")
        self.expect(context["readOnlyRootFilesystem"] is True, f"{where}: may write its root")
        self.expect(context["capabilities"] == {"drop": ["ALL"]}, f"{where}: keeps capabilities")
        memory = container["resources"]
        self.expect(memory["limits"]["memory"] == memory["requests"]["memory"],
                    f"{where}: memory that is not reserved")

    def check_peer(self, where, container, pod):
        """Who calls the socket: of the daemon's group, and not its user, who administers it."""
        pod_context = pod["securityContext"]
        context = pod_context | container["securityContext"]
        groups = {context["runAsGroup"], *pod_context.get("supplementalGroups", [])}
        self.expect(context["runAsUser"] not in (0, self.image_user), f"{where}: would administer the daemon")
        self.expect(self.image_user in groups, f"{where}: is not in the group {self.image_user}")

    def check_daemon(self, where, container, pod, volumes, named):
        context = pod["securityContext"]
        self.expect((context["runAsUser"], context["runAsGroup"]) == (self.image_user, self.image_user),
                    f"{where}: expected the image's user {self.image_user}")
        self.expect("command" not in container and "args" not in container, f"{where}: not the image's command")
        mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
        for path in ("/etc/edgemoe", "/run/edgemoe", "/var/lib/edgemoe"):
            self.expect(path in mounts, f"{where}: nothing is mounted at {path}")
        config_map = named.get(("ConfigMap", volumes[mounts["/etc/edgemoe"]]["configMap"]["name"]))
        if config_map is None:
            return  # and said so
        config = self.check_config(where, config_map["data"]["edgemoed.json"])
        limit = bytes_of(container["resources"]["limits"]["memory"])
        wanted = bytes_of(config["memory"]["budget"]) + BESIDES_BUDGET
        self.expect(limit == wanted, f"{where}: limits.memory is {limit >> 20} MiB, expected {wanted >> 20} MiB")
        grace_ms = 1000 * pod["terminationGracePeriodSeconds"]
        self.expect(grace_ms >= config["drain_timeout_ms"] + AFTER_DRAIN_MS,
                    f"{where}: terminationGracePeriodSeconds is less than the drain takes")
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            command = container[probe]["exec"]["command"]
            self.check_command(f"{where}: {probe}", command)
            self.expect(("--alive" in command) == (probe != "readinessProbe"), f"{where}: {probe}: {command}")
            # The client's own bounds: ten seconds to connect, five for the answer.
            self.expect(container[probe]["timeoutSeconds"] >= 15, f"{where}: {probe}: timeoutSeconds below 15")

    def check_config(self, where, text):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "edgemoed.json"
            file.write_text(text)
            # The keys and their values; the model and its budget are those of another machine.
            checked = run([self.edgemoed, "--config", str(file), "--check-config", "--model", self.model,
                           "--memory-budget", "64MiB", "--context-tokens", "512", "--socket", f"{folder}/d.sock"])
        self.expect(checked.returncode == 0, f"{where}: configuration: {checked.stderr.strip()}")
        return json.loads(re.sub(r"^\s*//.*$", "", text, flags=re.M))

    def check_command(self, where, command):
        if not command or not command[0].startswith("/usr/bin/edgemoe"):
            return
        self.commands += 1
        if command[0] == "/usr/bin/edgemoe":
            # Where no daemon is, and without a wait for one.
            words = command[1:]
            if "--wait" in words:
                at = words.index("--wait")
                del words[at:at + 2]
            found = run([self.edgemoe, *words, "--socket", "/nonexistent/d.sock"])
            self.expect(found.returncode == UNAVAILABLE,
                        f"{where}: {command}: exit code {found.returncode}: {found.stderr.strip()}")
        elif command[0] == "/usr/bin/edgemoe-download":
            offered = run([self.download, "--help"]).stdout
            for word in command[1:]:
                self.expect(not word.startswith("-") or f" {word} " in offered, f"{where}: no option {word}")
        else:
            self.expect(False, f"{where}: {command[0]} is not in the image")


def main():
    if sys.argv[1:2] == ["--print"]:
        file, name, key = sys.argv[2:]
        for document in yaml.safe_load_all(pathlib.Path(file).read_text()):
            if document["kind"] == "ConfigMap" and document["metadata"]["name"] == name:
                print(document["data"][key])
        return 0
    folder, *programs = sys.argv[1:]
    checker = Checker(*programs)
    files = sorted(pathlib.Path(folder).glob("*.yaml"))
    for path in files:
        checker.check_file(path)
    checker.expect(files and checker.commands >= 3, "expected files with probes")
    for problem in checker.problems:
        print(problem)
    return 1 if checker.problems else 0


if __name__ == "__main__":
    sys.exit(main())
