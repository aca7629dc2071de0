"""Who runs a command."""


def user_name() -> str:
    """The user's name, or number where there is none."""
    import getpass
    import os

    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run under a number without a name
        return f"user {os.getuid()}"
