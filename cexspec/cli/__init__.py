"""The command line: one file a command (`cexspec/cli/NAME.py` with a function `command`), loaded when it is called."""


def main() -> None:
    """The entry point of `cexspec`."""
    from cexspec.cli.app import app

    app()
