"""The chart: valid for Kubernetes and the operators it speaks to, with real settings, least rights and no secrets."""

import json
import re
import shutil
from collections.abc import Iterator
from typing import Any

import click
import jsonschema  # type: ignore[import-untyped]  # its stubs are a package of their own
import pytest
import yaml

from infra.settings import Settings
from schemas.topics import PRODUCTS_IN
from scripts.cli import cli
from streams import archive_worker, classify_worker
from tests.kubernetes import (
    CASES,
    CHART,
    ROOT,
    Manifest,
    faults,
    manifests,
    named,
    of_kind,
    render,
    rendered_file,
    seal,
)

WORKLOADS = ("StatefulSet", "Deployment", "Job")
THREADS = {"TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS"}
STORE = "AISLE_MONGODB_URI"
LAST_COMMIT_S = 11  # streams/worker.py: what a worker takes beyond its drain, to commit and to leave
SCHEMA = json.loads((CHART / "values.schema.json").read_text())
VALUES = yaml.safe_load((CHART / "values.yaml").read_text())

helm = pytest.mark.skipif(shutil.which("helm") is None, reason="no helm on PATH: what it rendered last is tested")
every_case = pytest.mark.parametrize("case", CASES)


def workloads(case: str) -> Iterator[tuple[str, Manifest, Manifest]]:
    """Each workload with its part's name, and its one container."""
    for one in of_kind(case, *WORKLOADS):
        (container,) = one["spec"]["template"]["spec"]["containers"]
        yield one["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/component"], one, container


def variables(container: Manifest) -> dict[str, Manifest]:
    """What a container's own environment says, by name."""
    return {one["name"]: one for one in container["env"]}


@every_case
def test_what_is_kept_was_made_of_this_chart(case: str) -> None:
    """A chart that was changed and not rendered again is noticed, with or without Helm."""
    kept = rendered_file(case).read_text().partition("\n")[0] + "\n"
    assert seal(case) == kept, "render it again, with Helm on PATH: python -m tests.kubernetes"


@helm
@every_case
def test_helm_renders_what_is_kept(case: str) -> None:
    """The objects are Helm's own, whatever its version does to their order."""
    rendered = render(case)
    assert (0, "") == (rendered.returncode, rendered.stderr)

    def order(some: Any) -> list[Manifest]:
        return sorted((one for one in some if one), key=lambda one: (one["kind"], one["metadata"]["name"]))

    assert order(manifests(case)) == order(yaml.safe_load_all(rendered.stdout))


@helm
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("kafka.bootstrap=", "kafka.bootstrap has to name your brokers"),
        ("autoscaling.classify.max=9", "autoscaling.classify.max is more than kafka.partitions"),
        ("autoscaling.archive.max=9", "autoscaling.archive.max is more than kafka.partitions"),
        ("classify.sessionSeconds=300", "autoscaling.shrinkAfterSeconds has to be longer"),
        ("image.tag=latest", "image"),
        ("clasify.replicas=3", "clasify"),
    ],
)
def test_helm_refuses_what_cannot_work(wrong: str, said: str) -> None:
    """Values that contradict each other, or are misspelt, end in one line, and not on the cluster."""
    refused = render("defaults", "--set", wrong)

    assert refused.returncode == 1
    assert said in refused.stderr


@every_case
def test_every_object_is_valid(case: str) -> None:
    """The schemas of Kubernetes and of the custom resources, kept in tests/data, find nothing, no odd field either."""
    found = {f"{one['kind']} {one['metadata']['name']}": faults(one) for one in manifests(case)}

    assert {} == {name: some for name, some in found.items() if some}


def test_the_schemas_notice_mistakes() -> None:
    """The check above would fail: misspelt fields and wrong types are refused, deep within and of every kind."""
    for one in manifests("everything"):
        assert faults(one | {"spek": {}}), one["kind"]
    worker = yaml.safe_load(yaml.safe_dump(named("everything", "StatefulSet", "aisle-classify")))
    worker["spec"]["template"]["spec"]["containers"][0]["livenessProbe"]["httpGet"]["prot"] = 1
    scaled = yaml.safe_load(yaml.safe_dump(named("everything", "ScaledObject", "aisle-classify")))
    scaled["spec"]["triggers"][0]["metadata"]["lagThreshold"] = 10_000

    assert ["$.spec.template.spec.containers[0].livenessProbe.httpGet"] == [one.split(":")[0] for one in faults(worker)]
    assert ["$.spec.triggers[0].metadata.lagThreshold"] == [one.split(":")[0] for one in faults(scaled)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"image": {"tag": "latest"}},
        {"kafka": {"partitions": 1_001}},
        {"settings": {"LANGUAGE": "fr"}},
        {"settings": {"AISLE_VERDICTS_MAX": 2_000_000}},
        {"classify": {"resources": {"limits": {"cpu": "1"}}}},
        {"replicas": 3},
    ],
)
def test_the_values_schema_refuses_what_is_wrong(wrong: Manifest) -> None:
    """Helm holds values to the schema; the chart's own pass, these do not (a number as 2e+06 would reach a setting)."""
    jsonschema.Draft7Validator(SCHEMA).validate(VALUES)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft7Validator(SCHEMA).validate(wrong)


def test_every_process_of_aisle_is_there() -> None:
    """Each worker that the command line knows, and the job that makes the topics."""
    worker = cli.get_command(click.Context(cli), "worker")
    assert isinstance(worker, click.Group)

    assert {*worker.commands, "topics"} == {part for part, _, _ in workloads("everything")}
    assert {"classify", "archive", "gateway", "topics"} == {part for part, _, _ in workloads("plain")}


@every_case
def test_every_command_is_a_real_one(case: str) -> None:
    """What a container calls, the command line knows."""
    for part, _, container in workloads(case):
        assert is_command(container["args"]), part


def is_command(words: list[str]) -> bool:
    """Whether they name a command of aisle, and not a group of them."""
    command: click.Command | None = cli
    for word in words:
        if not isinstance(command, click.Group):
            return False
        command = command.get_command(click.Context(command), word)
    return command is not None and not isinstance(command, click.Group)


@every_case
def test_every_setting_is_a_real_one_with_a_value_it_takes(case: str) -> None:
    """A variable that was renamed in the code, or a value that it refuses, is found here."""
    known = {f"AISLE_{name.upper()}" for name in Settings.model_fields}
    shared = named(case, "ConfigMap", "aisle")["data"]
    for part, _, container in workloads(case):
        own = variables(container)
        assert set(own) | set(shared) <= known | THREADS, part
        given = shared | {name: one["value"] for name, one in own.items() if "value" in one}
        Settings.model_validate({name.removeprefix("AISLE_").lower(): value or None for name, value in given.items()})


@every_case
def test_probes_ask_the_health_address(case: str) -> None:
    """All that stays up is asked whether it moves and whether it is ready, where the settings have it answer."""
    shared = named(case, "ConfigMap", "aisle")["data"]
    assert "0.0.0.0" == shared["AISLE_HEALTH_HOST"]  # noqa: S104 - within the pod's network
    for part, workload, container in workloads(case):
        paths = [container.get(f"{kind}Probe", {}).get("httpGet") for kind in ("startup", "liveness", "readiness")]
        if workload["kind"] == "Job":
            assert [None] * 3 == paths
            continue
        wanted = [{"path": f"/health/{what}", "port": "health"} for what in ("live", "live", "ready")]
        assert wanted == paths, part
        ports = {one["name"]: one["containerPort"] for one in container["ports"]}
        assert int(shared["AISLE_HEALTH_PORT"]) == ports["health"]


@every_case
def test_containers_have_least_rights_and_limits(case: str) -> None:
    """No root, no capabilities, nothing to write but what is mounted, no token of the cluster's, bounded resources."""
    for part, workload, container in workloads(case):
        pod = workload["spec"]["template"]["spec"]
        assert (True, 10001) == (pod["securityContext"]["runAsNonRoot"], pod["securityContext"]["runAsUser"]), part
        assert {"type": "RuntimeDefault"} == pod["securityContext"]["seccompProfile"]
        assert pod["automountServiceAccountToken"] is False
        assert {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        } == container["securityContext"]
        assert {"requests", "limits"} == set(container["resources"])
        assert all({"cpu", "memory"} == set(some) for some in container["resources"].values())


@every_case
def test_images_are_pinned(case: str) -> None:
    """By a version with three numbers or by digest, never `latest`."""
    for _, _, container in workloads(case):
        assert re.search(r"(:\d+\.\d+\.\d+[\w.-]*|@sha256:[0-9a-f]{64})$", container["image"])


@every_case
def test_every_reference_is_kept(case: str) -> None:
    """Selectors meet their own pods and no others, mounts their volumes, services and policies their ports."""
    pods = {part: workload["spec"]["template"] for part, workload, _ in workloads(case)}
    for part, workload, container in workloads(case):
        assert {one["name"] for one in container["volumeMounts"]} >= {"tmp"}
        volumes = {one["name"] for one in pods[part]["spec"]["volumes"]}
        assert {one["name"] for one in container["volumeMounts"]} == volumes, part
        if workload["kind"] != "Job":
            assert [part] == met(pods, workload["spec"]["selector"]["matchLabels"])
    for one in of_kind(case, "PodDisruptionBudget"):
        assert 1 == len(met(pods, one["spec"]["selector"]["matchLabels"]))
    for one in of_kind(case, "Service"):
        (part,) = met(pods, one["spec"]["selector"])
        named_ports = {port["name"] for port in pods[part]["spec"]["containers"][0]["ports"]}
        assert {port["targetPort"] for port in one["spec"]["ports"]} <= named_ports


def met(pods: dict[str, Manifest], labels: dict[str, str]) -> list[str]:
    """The parts whose pods have these labels."""
    return [part for part, pod in pods.items() if labels.items() <= pod["metadata"]["labels"].items()]


@every_case
def test_classify_workers_keep_their_names(case: str) -> None:
    """Static membership: the pod's name, one session that outlasts a restart, and a stop that outlasts the drain."""
    workload = named(case, "StatefulSet", "aisle-classify")
    pod = workload["spec"]["template"]["spec"]
    own = variables(pod["containers"][0])

    assert "metadata.name" == own["AISLE_INSTANCE_ID"]["valueFrom"]["fieldRef"]["fieldPath"]
    assert float(own["AISLE_SESSION_TIMEOUT_S"]["value"]) >= 30
    drain_s = float(own["AISLE_DRAIN_TIMEOUT_S"]["value"])
    assert pod["terminationGracePeriodSeconds"] > drain_s + LAST_COMMIT_S
    for part, other, container in workloads(case):
        assert ("AISLE_INSTANCE_ID" in variables(container)) == (part == "classify")
        if part in ("archive", "shadow"):
            default_s = Settings.model_fields["drain_timeout_s"].default
            assert other["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] > default_s + LAST_COMMIT_S


@pytest.mark.parametrize("case", ["defaults", "everything"])
def test_workers_follow_the_lag_of_their_group(case: str) -> None:
    """KEDA alone decides how many; never more than partitions, and fewer only when a session has long ended."""
    partitions = int(named(case, "ConfigMap", "aisle")["data"]["AISLE_TOPIC_PARTITIONS"])
    session_s = float(
        variables(named(case, "StatefulSet", "aisle-classify")["spec"]["template"]["spec"]["containers"][0])[
            "AISLE_SESSION_TIMEOUT_S"
        ]["value"]
    )
    wanted = {"aisle-classify": (classify_worker.GROUP, PRODUCTS_IN), "aisle-archive": (archive_worker.GROUP, None)}
    for one in of_kind(case, "ScaledObject"):
        spec, name = one["spec"], one["metadata"]["name"]
        target = spec["scaleTargetRef"]
        assert "replicas" not in named(case, target["kind"], target["name"])["spec"]
        assert 1 <= spec["minReplicaCount"] <= spec["maxReplicaCount"] <= partitions
        down = spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]["scaleDown"]
        assert down["stabilizationWindowSeconds"] > session_s
        (trigger,) = spec["triggers"]
        group, topic = wanted.pop(name)
        assert (group, topic) == (trigger["metadata"]["consumerGroup"], trigger["metadata"].get("topic"))
    assert {} == wanted


def test_without_keda_replicas_are_as_given() -> None:
    """No object of KEDA's, nor an autoscaler of Kubernetes' own beside it."""
    assert [] == list(of_kind("plain", "ScaledObject"))
    assert 12 == named("plain", "StatefulSet", "aisle-classify")["spec"]["replicas"]
    assert 3 == named("plain", "Deployment", "aisle-archive")["spec"]["replicas"]
    assert [] == [one for case in CASES for one in of_kind(case, "HorizontalPodAutoscaler")]


@pytest.mark.parametrize("case", ["defaults", "everything"])
def test_the_network_is_closed_but_for_what_is_needed(case: str) -> None:
    """Nothing passes by default; who may reach the store is who has its address; callers reach the gateway alone."""
    policies = {one["metadata"]["name"].removeprefix("aisle-"): one["spec"] for one in of_kind(case, "NetworkPolicy")}
    closed = policies["closed"]
    assert (["Ingress", "Egress"], False) == (closed["policyTypes"], "ingress" in closed or "egress" in closed)
    assert {"app.kubernetes.io/name", "app.kubernetes.io/instance"} == set(closed["podSelector"]["matchLabels"])

    (chosen,) = policies["store"]["podSelector"]["matchExpressions"]
    with_store = {part for part, _, container in workloads(case) if STORE in variables(container)}
    assert with_store == set(chosen["values"])
    assert "gateway" == policies["callers"]["podSelector"]["matchLabels"]["app.kubernetes.io/component"]
    assert ("prometheus" in policies) == bool(list(of_kind(case, "PodMonitor")))


@every_case
def test_each_process_gets_the_secrets_that_it_needs(case: str) -> None:
    """Values come from a Secret that the chart does not hold; workers of the stream alone get no key to the store."""
    alerts = {"AISLE_ALERT_WEBHOOK", "AISLE_ALERT_SECRET"}
    wanted = {"archive": {STORE}, "retrain": {STORE}, "monitor": {STORE} | alerts}
    wanted["gateway"] = {STORE, "AISLE_GATEWAY_SECRET"}
    for part, _, container in workloads(case):
        secret = {name for name, one in variables(container).items() if "secretKeyRef" in one.get("valueFrom", {})}
        assert wanted.get(part, set()) == secret, part
    assert [] == list(of_kind(case, "Secret"))
    assert not re.search(r"://[^/\s]*:[^/\s]*@", rendered_file(case).read_text())


def test_rules_and_monitor_carry_what_prometheus_looks_for() -> None:
    """The rules file goes in as it is, its templates untouched, under the labels that were asked for."""
    (rule,) = of_kind("everything", "PrometheusRule")
    (monitor,) = of_kind("everything", "PodMonitor")

    assert "Columns have drifted: {{ $value }}" == rule["spec"]["groups"][0]["rules"][0]["annotations"]["summary"]
    for one in (rule, monitor):
        assert "prometheus" == one["metadata"]["labels"]["release"]
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    assert ("health", "/metrics") == (endpoint["port"], endpoint["path"])


def test_our_rules_fit_the_operator_and_the_labels_of_the_monitor() -> None:
    """The rules file is one that the operator takes, and the label that it goes by is made for each pod."""
    text = (ROOT / "infra" / "prometheus" / "rules.yml").read_text()
    (rule,) = of_kind("everything", "PrometheusRule")
    (monitor,) = of_kind("everything", "PodMonitor")

    assert [] == faults(rule | {"spec": yaml.safe_load(text)})
    assert 'worker="' in text
    (relabelled,) = monitor["spec"]["podMetricsEndpoints"][0]["relabelings"]
    source = "__meta_kubernetes_pod_label_app_kubernetes_io_component"
    assert {"sourceLabels": [source], "targetLabel": "worker"} == relabelled


def test_the_page_on_clusters_names_what_there_is() -> None:
    """The values that it sets are the chart's, what it calls in a pod is a command, its examples pass the schema."""
    page = (ROOT / "docs" / "cluster.md").read_text()
    shell = "\n".join(re.findall(r"```sh\n(.*?)```", page, re.DOTALL)) + "\n".join(re.findall(r"`([^`\n]+)`", page))

    for name in re.findall(r"--set(?:-file)? ([\w.]+)=", shell):
        at = VALUES
        for word in name.split("."):
            at = at[word]
    called = {words.strip() for words in re.findall(r"(?:-- |^)aisle ((?:[a-z]+ ?)+)", shell, re.MULTILINE)}
    assert len(called) >= 3
    assert all(is_command(words.split()) for words in called), called
    examples = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert len(examples) == 2
    for example in examples:
        jsonschema.Draft7Validator(SCHEMA).validate(yaml.safe_load(example))


def test_secret_files_lie_where_settings_name_them() -> None:
    """One Secret, mounted read-only in every process; none is there where none is named."""
    shared = named("everything", "ConfigMap", "aisle")["data"]
    paths = {value for name, value in shared.items() if name.endswith("_FILE")}
    assert paths
    assert all(path.startswith("/run/aisle/") for path in paths)
    for part, workload, container in workloads("everything"):
        (mount,) = (one for one in container["volumeMounts"] if one["mountPath"] == "/run/aisle")
        volumes = {one["name"]: one for one in workload["spec"]["template"]["spec"]["volumes"]}
        assert mount["readOnly"] is True, part
        assert {"secretName": "aisle-brokers", "defaultMode": 0o440} == volumes[mount["name"]]["secret"]
    for _, _, container in workloads("plain"):
        assert "/run/aisle" not in {one["mountPath"] for one in container["volumeMounts"]}
