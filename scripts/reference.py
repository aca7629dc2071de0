"""The reference pages of docs/, made from the code: the command line, the topics, the HTTP API. As Markdown."""

from collections.abc import Iterable, Iterator, Mapping
from inspect import cleandoc
from typing import Any, Final

import click

_PROBLEM: Final = "400"


def cli_page(root: click.Group, name: str) -> Iterator[str]:
    """Every command with its arguments and options, as its ``--help`` says."""
    yield "# Commands\n"
    yield f"`{name} schema cli` prints this page. Every command says the same with `--help`.\n"
    for path, command in _commands(root, (name,)):
        yield f"{'#' * min(len(path), 3)} {' '.join(path)}\n" if len(path) > 1 else "## All commands\n"
        yield from _command(path, command)


def _commands(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            if (child := command.get_command(context, name)) is not None and not child.hidden:
                yield from _commands(child, (*path, name))


def _command(path: tuple[str, ...], command: click.Command) -> Iterator[str]:
    context = click.Context(command, info_name=" ".join(path))
    yield f"```text\n{' '.join((context.command_path, *command.collect_usage_pieces(context)))}\n```\n"
    yield cleandoc(command.help or "").replace("\b\n", "") + "\n"
    options = [one for one in command.params if isinstance(one, click.Option) and not one.hidden]
    yield from _table(("option", "what it does"), ((_names(one), _meaning(one)) for one in options))


def _names(option: click.Option) -> str:
    metavar = "" if option.is_flag or option.count else f" {option.metavar or _type(option.type)}"
    names = [*option.opts, *option.secondary_opts]
    return ", ".join(f"`{one}{metavar if one == names[-1] else ''}`" for one in names)


def _type(kind: click.ParamType) -> str:
    if isinstance(kind, click.Choice):
        return "|".join(map(str, kind.choices))
    return kind.name.upper().replace(" RANGE", "")


def _meaning(option: click.Option) -> str:
    """Its help, with what its type allows and its default where ``--help`` shows it."""
    extra = [option.type._describe_range()] if isinstance(option.type, click.IntRange | click.FloatRange) else []  # noqa: SLF001 - click has no other name for it
    if option.show_default and option.default is not None:
        extra.append(f"default: {option.default}")
    if option.required:
        extra.append("required")
    return " ".join([option.help or "", *([f"[{'; '.join(extra)}]"] if extra else [])])


def topics_page(document: Mapping[str, Any]) -> Iterator[str]:
    """Every topic with its key, headers and the fields of its values, from the AsyncAPI document."""
    yield "# Topics\n"
    yield (
        "`aisle schema topics` prints this page. The same is [asyncapi.json](asyncapi.json), an AsyncAPI 3 document;\n"
        "`aisle schema json Product` prints the JSON Schema of a value. Values are JSON in UTF-8, compressed or not.\n"
    )
    messages, schemas = document["components"]["messages"], document["components"]["schemas"]
    yield "## All topics\n"
    yield from _table(
        ("topic", "what it carries", "key", "kept", "a record"),
        (_topic(one, messages[name]) for name, one in document["channels"].items()),
    )
    for name, channel in document["channels"].items():
        message = messages[name]
        yield f"## {channel['address']}\n"
        value = message.get("payload", {}).get("$ref", "").rpartition("/")[2]
        yield f"{channel['description']} " + (f"Its values: [{value}](#{value.lower()}).\n" if value else "\n")
        headers = message["headers"]["properties"].items()
        yield from _table(("header", "what it says"), ((f"`{key}`", one["description"]) for key, one in headers))
    yield "## Values\n"
    for name, schema in sorted(schemas.items()):
        yield from _schema(name, schema, 3)


def _topic(channel: Mapping[str, Any], message: Mapping[str, Any]) -> tuple[str, ...]:
    settings = channel["bindings"]["kafka"]["topicConfiguration"]
    kept = f"{settings['retention.ms'] // 86_400_000} days" if "retention.ms" in settings else "compacted"
    key = message["bindings"]["kafka"]["key"]["description"]
    most = f"{settings['max.message.bytes'] // 2**20} MiB"
    return f"[{channel['address']}](#{_slug(channel['address'])})", channel["description"], key, kept, most


def http_page(document: Mapping[str, Any]) -> Iterator[str]:
    """Every call with its parameters, body and answers, from the OpenAPI document."""
    yield "# HTTP API\n"
    yield (
        "`aisle schema http` prints this page. A running gateway has the same at `/docs`, to read and to try, and as\n"
        "OpenAPI 3.1 at `/api/v1/openapi.json`. [accounts.md](accounts.md) says who may call what, and how one signs\n"
        "in; what is wrong with a request is told as problem details (RFC 9457).\n"
    )
    operations = [(verb.upper(), path, one) for path, verbs in document["paths"].items() for verb, one in verbs.items()]
    for tag in dict.fromkeys(one["tags"][0] for *_, one in operations):
        yield f"## {tag}\n"
        for verb, path, one in operations:
            if one["tags"][0] == tag:
                yield from _operation(verb, path, one)
    yield from _problems(one for *_, one in operations)
    yield "## Values\n"
    for name, schema in sorted(document["components"]["schemas"].items()):
        yield from _schema(name, schema, 3)


def _operation(verb: str, path: str, operation: Mapping[str, Any]) -> Iterator[str]:
    yield f"### {verb} {path}\n"
    yield f"{operation['summary']}. {_prose(operation.get('description', ''))}\n"
    yield from _table(
        ("parameter", "in", "type", "what it is"),
        (
            (f"`{one['name']}`", one["in"], _shape(one["schema"]), _prose(one.get("description", "")))
            for one in operation.get("parameters", ())
        ),
    )
    for media, body in operation.get("requestBody", {}).get("content", {}).items():
        yield f"Body: {_shape(body['schema'])} as `{media}`.\n"
    answers = operation["responses"]
    for status, one in answers.items():
        if status < _PROBLEM:
            yield f"{status}: {_content(one) or 'done, nothing to say'}.\n"
    if problems := ", ".join(status for status in answers if status >= _PROBLEM):
        yield f"[Problems](#problems): {problems}.\n"


def _content(response: Mapping[str, Any]) -> str:
    shapes = (_shape(one.get("schema", {})) or f"`{media}`" for media, one in response.get("content", {}).items())
    return ", ".join(dict.fromkeys(shapes))


def _problems(operations: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    found = {status: one["description"] for each in operations for status, one in each["responses"].items()}
    yield "## Problems\n\nThe body of each is a [Problem](#problem).\n"
    yield from _table(
        ("status", "when"), sorted((status, said) for status, said in found.items() if status >= _PROBLEM)
    )


def _schema(name: str, schema: Mapping[str, Any], level: int) -> Iterator[str]:
    yield f"{'#' * level} {name}\n"
    if said := _prose(schema.get("description", "")):
        yield f"{said}\n"
    if values := schema.get("enum"):
        yield f"One of {', '.join(f'`{one}`' for one in values)}.\n"
    required = schema.get("required", ())
    yield from _table(
        ("field", "type", "what it is"),
        (
            (f"`{field}`{'' if field in required else ' ?'}", _shape(one), _prose(one.get("description", "")))
            for field, one in schema.get("properties", {}).items()
        ),
    )


def _shape(schema: Mapping[str, Any]) -> str:  # noqa: PLR0911 - one for each form
    """What a JSON Schema allows, in a word or two; another schema by a link."""
    match schema:
        case {"$ref": str(place)}:
            name = place.rpartition("/")[2]
            return f"[{name}](#{name.lower()})"
        case {"anyOf": list(kinds)} | {"oneOf": list(kinds)} | {"allOf": list(kinds)}:
            return " or ".join(dict.fromkeys(_shape(one) for one in kinds if one.get("type") != "null"))
        case {"const": value}:
            return f"`{value}`"
        case {"enum": list(values)}:
            return ", ".join(f"`{one}`" for one in values)
        case {"type": "array", "items": dict(items)}:
            return f"list of {_shape(items)}"
        case {"type": "object", "additionalProperties": dict(values)}:
            return f"object of {_shape(values)}"
        case {"type": str(kind), "format": str(form)}:
            return f"{kind} ({form})"
        case {"type": str(kind)}:
            return kind
    return ""


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    lines = [f"| {' | '.join(_cell(one) for one in row)} |" for row in rows]
    if lines:
        yield "\n".join([f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *lines]) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _prose(text: str) -> str:
    """A docstring's text as Markdown: roles and double backquotes are Sphinx's, for the code."""
    import re

    text = re.sub(r":\w+:`~?([^`]+)`", r"`\1`", text)
    return " ".join(text.replace("``", "`").split())


def _slug(title: str) -> str:
    """The anchor of a heading, as GitHub makes it."""
    return "".join(char for char in title.lower().replace(" ", "-") if char.isalnum() or char in "-_")
