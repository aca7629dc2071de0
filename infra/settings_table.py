"""The settings as rows, for people and for the documentation."""

import re
from dataclasses import dataclass

from infra.settings import Settings


@dataclass(frozen=True)
class SettingRow:
    """One setting: its environment variable, default, value in force (secrets masked), meaning and group."""

    variable: str
    default: str
    value: str
    description: str
    changed: bool
    group: str


def settings_rows(settings: Settings | None = None) -> list[SettingRow]:
    """A row per setting; without settings, the values are the defaults."""
    rows = []
    for name, field in Settings.model_fields.items():
        value = field.default if settings is None else getattr(settings, name)
        rows.append(
            SettingRow(
                variable=f"AISLE_{name.upper()}",
                default=_show(field.default),
                value=_show(value),
                description=field.description or "",
                changed=value != field.default,
                group=_group(name),
            )
        )
    return rows


def _group(name: str) -> str:
    """The class that has the setting, in words; what is in none of their own is general."""
    owner = next(one for one in reversed(Settings.__mro__) if name in vars(one).get("__annotations__", {}))
    words = re.findall("[A-Z][a-z]+", owner.__name__.removesuffix("Settings"))
    return " ".join(words).capitalize() or "General"


def _show(value: object) -> str:
    return "unset" if value is None else hide_credentials(str(value))


def hide_credentials(address: str) -> str:
    """An address or a list of them, without the user and password that one may hold."""
    return re.sub(r"(^|,|://)(?:(?!://)[^,\s])+@", r"\1**********@", address)
