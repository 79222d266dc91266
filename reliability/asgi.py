"""What the web process serves.

`granian --interface asginl reliability.asgi:application`, which `manage.py serve` starts. Other ASGI servers work too.
"""

import os
import sys

import django
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reliability.settings")
if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # the API framework loads PostgreSQL's driver wherever it is installed: ten megabytes that nothing would use;
    # None makes its import fail as if it were missing
    sys.modules.setdefault("psycopg", None)  # type: ignore[arg-type]  # how Python notes that there is no such module
django.setup()

from reliability.front import application  # noqa: E402 -- its models exist only once Django is set up

__all__ = ["application"]
