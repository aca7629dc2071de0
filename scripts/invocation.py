"""The command line that was given, so that what it made can say how to make it again."""

from shlex import join

import click
from click.core import ParameterSource


def invocation(name: str) -> str:
    """The running command with the arguments and options that were given, as a shell takes them.

    Args:
        name: What is typed before them, such as ``aisle train``.
    """
    context = click.get_current_context()
    words: list[str] = []
    for parameter in context.command.params:
        value = context.params.get(parameter.name or "")
        if context.get_parameter_source(parameter.name or "") is not ParameterSource.COMMANDLINE or value is None:
            continue
        if isinstance(parameter, click.Argument):
            words.insert(0, str(value))
        elif isinstance(parameter, click.Option) and parameter.is_flag:
            words.append((parameter.opts if value else parameter.secondary_opts)[-1])
        else:
            words += [parameter.opts[-1], str(value)]
    return f"{name} {join(words)}"
