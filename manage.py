#!/usr/bin/env python
"""Command line entry point."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reliability.settings")
    from django.core.management import execute_from_command_line  # noqa: PLC0415 -- settings must be named first
    from django.db import DatabaseError  # noqa: PLC0415 -- as above

    try:
        execute_from_command_line(sys.argv)
    except DatabaseError:
        from reliability.tables import missing_tables  # noqa: PLC0415 -- needs the applications, which are loaded by now

        if sentence := missing_tables():
            sys.exit(sentence)
        raise


if __name__ == "__main__":
    main()
