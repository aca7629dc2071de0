"""``aisle config``: what is in force, and where it came from."""

import click

from scripts.output import print_json


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--table", is_flag=True, help="Print the documented table of all settings, as Markdown.")
def command(as_json: bool, table: bool) -> None:
    """Show the settings in force, secrets hidden."""
    from infra.settings import load_settings
    from infra.settings_table import settings_rows

    rows = settings_rows(None if table else load_settings())
    if as_json:
        print_json({row.variable: row.value for row in rows})
    elif table:
        click.echo(
            "# Settings\n\n"
            "Environment variables, or lines of a file `.env` where aisle starts. `aisle config` shows those in\n"
            "force; `aisle config --table` prints this page."
        )
        for group in sorted({row.group for row in rows}, key=lambda name: (name != "General", name)):
            click.echo(f"\n## {group}\n\n| variable | default | what it does |\n|---|---|---|")
            for row in rows:
                if row.group == group:
                    click.echo(f"| `{row.variable}` | {row.default} | {row.description} |")
    else:
        width = max(len(row.variable) for row in rows)
        for row in rows:
            mark = "*" if row.changed else " "
            click.echo(f"{mark} {row.variable:{width}}  {row.value}")
        click.echo("\n* changed from its default. `aisle config --table` says what each does.")
