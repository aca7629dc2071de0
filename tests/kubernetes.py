"""The chart as Kubernetes gets it: rendered by Helm once, and kept, as a clean machine has no Helm.

``python -m tests.kubernetes`` renders it anew (``helm`` on PATH). A rendering names the chart and values that it was
made of, so that one which is out of date is noticed without Helm too.
"""

import json
import subprocess
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import jsonschema  # type: ignore[import-untyped]  # its stubs are a package of their own
import yaml

ROOT: Final = Path(__file__).parents[1]
CHART: Final = ROOT / "infra" / "helm" / "aisle"
DATA: Final = ROOT / "tests" / "data" / "kubernetes"
CASES: Final = ("defaults", "everything", "plain")
_VERSION: Final = "1.34"  # of Kubernetes, for which the chart is rendered

Manifest = dict[str, Any]


def values_file(case: str) -> Path:
    """The values of a case."""
    return DATA / "values" / f"{case}.yaml"


def rendered_file(case: str) -> Path:
    """What Helm makes of the chart with them."""
    return DATA / "rendered" / f"{case}.yaml"


@cache
def manifests(case: str) -> tuple[Manifest, ...]:
    """The objects of a case."""
    return tuple(one for one in yaml.safe_load_all(rendered_file(case).read_text()) if one)


def seal(case: str) -> str:
    """A line that is another one for another chart or other values."""
    digest = sha256()
    files = (path for path in CHART.rglob("*") if path.is_file() and path.name != "NOTES.txt")
    for path in (*sorted(files), values_file(case)):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(ROOT).as_posix()} {len(content)}\n".encode() + content)
    return f"# made by `python -m tests.kubernetes` of the chart and values {digest.hexdigest()}\n"


def render(case: str, *options: str) -> "subprocess.CompletedProcess[str]":
    """What ``helm template`` says of a case."""
    call = ("helm", "template", "aisle", str(CHART), "--kube-version", _VERSION, "-f", str(values_file(case)))
    return subprocess.run([*call, *options], check=False, capture_output=True, text=True)


@cache
def _schemas() -> dict[str, Manifest]:
    """The schema of each kind."""
    schemas = {}
    for path in (DATA / "schemas").glob("*.json"):
        schema = json.loads(path.read_text())
        for one in schema.get("oneOf", [schema]):
            own = schema["definitions"][one["$ref"].rpartition("/")[2]] if "$ref" in one else one
            kept = {"$schema": schema["$schema"], "definitions": schema.get("definitions", {})}
            schemas[own["properties"]["kind"]["const"]] = own | kept
    return schemas


@cache
def _validator(kind: str) -> Any:
    return jsonschema.Draft7Validator(_schemas()[kind])


def faults(manifest: Manifest) -> list[str]:
    """What Kubernetes, or whoever defines the kind, would refuse of an object."""
    return [f"{error.json_path}: {error.message}" for error in _validator(manifest["kind"]).iter_errors(manifest)]


def of_kind(case: str, *kinds: str) -> Iterator[Manifest]:
    """The objects of a case that are of these kinds."""
    return (one for one in manifests(case) if one["kind"] in kinds)


def named(case: str, kind: str, name: str) -> Manifest:
    """The object of that kind and name."""
    return next(one for one in of_kind(case, kind) if one["metadata"]["name"] == name)


def main() -> None:
    """Render all cases anew."""
    for case in CASES:
        rendered = render(case)
        rendered.check_returncode()
        rendered_file(case).write_text(seal(case) + rendered.stdout)


if __name__ == "__main__":
    main()
