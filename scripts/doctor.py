"""``aisle doctor``: what is well here, what is not, and what to do about it."""

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from scripts.output import print_json

if TYPE_CHECKING:
    from infra.doctor import Finding
    from infra.settings import Settings

_COLORS = {"ok": "green", "warn": "yellow", "fail": "red"}
_WIDTH = 80
_INDENT = 18  # two spaces, status, name


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(as_json: bool) -> None:
    """Check this machine and everything aisle needs.

    Looks at Python, disk, memory, ports, settings, Java, the broker, the
    store and the model. Exits with 1 if anything fails; a warning is fine.
    """
    findings = []
    for finding in diagnose():
        findings.append(finding)
        if not as_json:
            _print(finding)
    failed = sum(finding.status == "fail" for finding in findings)
    if as_json:
        print_json({"ok": not failed, "checks": findings})
    else:
        click.echo(f"\n{failed} of {len(findings)} checks failed." if failed else "\nNothing stands in the way.")
    raise SystemExit(1 if failed else 0)


def diagnose() -> "Iterator[Finding]":
    """The findings, as they are made."""
    from infra import doctor, doctor_servers
    from infra.errors import SettingsInvalid
    from infra.settings import Settings, load_settings

    try:
        settings = load_settings()
        changed = sum(getattr(settings, name) != field.default for name, field in Settings.model_fields.items())
        yield doctor.Finding("settings", "ok", f"valid; {changed} changed from the default")
    except SettingsInvalid as error:
        yield doctor.Finding("settings", "fail", error.message, error.hint)
        settings = Settings.model_construct()
    checks = {
        "python": doctor.check_python,
        "platform": doctor.check_platform,
        "disk": doctor.check_disk,
        "memory": doctor.check_memory,
        "ports": doctor.check_ports,
        "java": doctor.check_java,
        "jars": doctor.check_jars,
        "broker": doctor_servers.check_broker,
        "store": doctor_servers.check_store,
        "model": check_model,
    }
    for name, check in checks.items():
        yield doctor.run_check(name, check, settings)


def check_model(settings: "Settings") -> "Finding":
    """A model to serve, whole: the one that the settings name, else the champion."""
    from infra.doctor import Finding
    from model.bundle import verify
    from model.champion import find_bundle, read_champion

    models_dir = settings.data_dir / "models"
    if settings.model is None and read_champion(models_dir) is None:
        return Finding("model", "warn", f"no model in {models_dir}", "Run `aisle train DATA`, or `aisle demo`.")
    bundle = find_bundle(settings.model, models_dir)
    ref = verify(bundle).ref
    return Finding("model", "ok", f"{ref.name} {ref.version}, every file as it was written")


def _print(finding: "Finding") -> None:
    label = click.style(f"{finding.status:5}", fg=_COLORS[finding.status], bold=True)
    first, *rest = textwrap.wrap(finding.detail, _WIDTH - _INDENT) or [""]
    click.echo(f"  {label} {finding.name:9} {first}")
    for line in [*rest, *textwrap.wrap(finding.hint, _WIDTH - _INDENT)]:
        click.echo(" " * _INDENT + line)
