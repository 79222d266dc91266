"""What the web process serves.

`granian --interface asginl reliability.asgi:application`, which `manage.py serve` starts. Other ASGI servers work too.
"""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reliability.settings")
django.setup()

from reliability.front import application  # noqa: E402 -- its models exist only once Django is set up

__all__ = ["application"]
