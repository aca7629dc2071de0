"""Makes the JSON schemas beside it: ``python make_schemas.py MODULES``, with MODULES a Go module cache.

It holds, after ``go mod download MODULE@VERSION``, the modules that README.md names. What is left out: all that says
nothing about what is valid (descriptions, defaults, titles), status, kinds and volumes that the chart has none of.
What is added: fields that a schema does not name are refused, as ``kubectl --validate=strict`` does.
"""  # noqa: INP001 - a script beside its data

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

KUBERNETES = "k8s.io/kubernetes@v1.34.1/api/openapi-spec/swagger.json"
KINDS = {
    "io.k8s.api.apps.v1": ("Deployment", "StatefulSet"),
    "io.k8s.api.batch.v1": ("Job",),
    "io.k8s.api.core.v1": ("ConfigMap", "PersistentVolumeClaim", "Service", "ServiceAccount"),
    "io.k8s.api.networking.v1": ("Ingress", "NetworkPolicy"),
    "io.k8s.api.policy.v1": ("PodDisruptionBudget",),
}
CUSTOM = {
    "keda-2.17.2-ScaledObject": "github.com/kedacore/keda/v2@v2.17.2/config/crd/bases/keda.sh_scaledobjects.yaml",
    "prometheus-operator-0.85.0-PodMonitor": "github.com/prometheus-operator/prometheus-operator@v0.85.0"
    "/example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml",
    "prometheus-operator-0.85.0-PrometheusRule": "github.com/prometheus-operator/prometheus-operator@v0.85.0"
    "/example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml",
    "external-secrets-1.3.2-ExternalSecret": "github.com/external-secrets/external-secrets@v1.3.2"
    "/config/crds/bases/external-secrets.io_externalsecrets.yaml",
}
DRAFT = {"$schema": "http://json-schema.org/draft-07/schema#"}
SAYS_NOTHING = {"description", "format", "default", "title", "externalDocs", "example"}
OWN_WORDS = {"x-kubernetes-int-or-string", "x-kubernetes-preserve-unknown-fields"}
NAMES_OF_FIELDS = ("properties", "definitions")
MOUNTED = {"name", "configMap", "csi", "emptyDir", "nfs", "persistentVolumeClaim", "projected", "secret"}
SPECIAL: dict[str, dict[str, Any]] = {
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": {"type": ["integer", "string"]},
    "io.k8s.apimachinery.pkg.api.resource.Quantity": {
        "type": ["string", "number"],
        "pattern": r"^[+-]?[0-9.]+([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$",
    },
}


def main() -> None:
    """Write them all."""
    modules, here = Path(sys.argv[1]), Path(__file__).parent / "schemas"
    schemas = {name: custom(yaml.safe_load((modules / path).read_text())) for name, path in CUSTOM.items()}
    schemas["kubernetes-1.34.1"] = kubernetes(json.loads((modules / KUBERNETES).read_text())["definitions"])
    for name, schema in schemas.items():
        (here / f"{name}.json").write_text(json.dumps(DRAFT | schema, separators=(",", ":"), sort_keys=True) + "\n")


def custom(definition: dict[str, Any]) -> dict[str, Any]:
    """The schema of a custom resource, of the version that is stored."""
    spec = definition["spec"]
    version = next(one for one in spec["versions"] if one["storage"])
    schema: dict[str, Any] = close(strip(version["schema"]["openAPIV3Schema"]))
    schema["properties"].pop("status", None)
    return named(schema, f"{spec['group']}/{version['name']}", spec["names"]["kind"])


def kubernetes(definitions: dict[str, Any]) -> dict[str, Any]:
    """One schema for the kinds of Kubernetes' own, with all that they refer to."""
    kinds = [f"{group}.{kind}" for group, some in KINDS.items() for kind in some]
    needed: dict[str, Any] = {}
    wanted = list(kinds)
    while wanted:
        if (name := wanted.pop()) not in needed:
            needed[name] = pruned(name, definitions)
            wanted += references(needed[name])
    for name in kinds:
        known = definitions[name]["x-kubernetes-group-version-kind"][0]
        named(needed[name], "/".join(filter(None, (known["group"], known["version"]))), known["kind"])
    return {"oneOf": [{"$ref": f"#/definitions/{name}"} for name in kinds], "definitions": needed}


def pruned(name: str, definitions: dict[str, Any]) -> dict[str, Any]:
    """One definition without what the chart has no use for."""
    if name in SPECIAL:
        return SPECIAL[name]
    schema: dict[str, Any] = close(strip(definitions[name]))
    for field in ("status", "managedFields", "ownerReferences"):
        schema.get("properties", {}).pop(field, None)
    if name == "io.k8s.api.core.v1.Volume":
        schema["properties"] = {field: one for field, one in schema["properties"].items() if field in MOUNTED}
    return schema


def strip(node: Any, *, fields: bool = False) -> Any:
    """A schema without what says nothing about what is valid; ``fields``: its keys are fields of the object."""
    if isinstance(node, list):
        return [strip(one) for one in node]
    if not isinstance(node, dict):
        return node
    kept = {
        key: one
        for key, one in node.items()
        if fields
        or (key not in SAYS_NOTHING and (not key.startswith("x-") or key.endswith(("int-or-string", "fields"))))
    }
    return {key: strip(one, fields=key in NAMES_OF_FIELDS and not fields) for key, one in kept.items()}


def close(node: Any, *, fields: bool = False) -> Any:
    """The schema with unknown fields refused, and Kubernetes' own words said in JSON Schema's."""
    if isinstance(node, list):
        return [close(one) for one in node]
    if not isinstance(node, dict):
        return node
    made = {key: close(one, fields=key in NAMES_OF_FIELDS and not fields) for key, one in node.items()}
    if fields:
        return made
    if made.pop("x-kubernetes-int-or-string", False):
        made = {key: one for key, one in made.items() if key != "anyOf"} | {"type": ["integer", "string"]}
    free = made.pop("x-kubernetes-preserve-unknown-fields", False)
    if "properties" in made and not free:
        made.setdefault("additionalProperties", False)
    return made


def references(node: Any) -> Iterator[str]:
    """The definitions that a schema refers to."""
    if isinstance(node, list):
        for one in node:
            yield from references(one)
    elif isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"].rpartition("/")[2]
        for one in node.values():
            yield from references(one)


def named(schema: dict[str, Any], version: str, kind: str) -> dict[str, Any]:
    """The schema of one kind alone."""
    schema["properties"] |= {"apiVersion": {"const": version}, "kind": {"const": kind}}
    schema["properties"].setdefault("metadata", {"type": "object"})
    if "$ref" not in schema["properties"]["metadata"]:
        schema["properties"]["metadata"] = {"type": "object"}
    schema["required"] = sorted({"apiVersion", "kind", "metadata", *schema.get("required", [])})
    return schema


if __name__ == "__main__":
    main()
