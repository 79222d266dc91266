"""Loaded before Django's settings (`-p tests.environment`): gives every test run a data directory of its own."""

import atexit
import os
import shutil
import tempfile

PASSED_ON = ("UPSHOT_SHARED", "UPSHOT_REQUIRE_SERVICES", "UPSHOT_DATABASE_URL", "UPSHOT_BROKER_URL")

for _name in [name for name in os.environ if name.startswith("UPSHOT_") and name not in PASSED_ON]:
    del os.environ[_name]
_data = tempfile.mkdtemp(prefix="upshot-tests-")
atexit.register(shutil.rmtree, _data, ignore_errors=True)
os.environ.update(
    UPSHOT_DATA_DIR=_data,
    UPSHOT_TESTING="1",
    UPSHOT_ALLOW_PRIVATE_MONITORS="0",
    UPSHOT_SECRET_KEY="only for tests",
    UPSHOT_LOG_LEVEL="ERROR",
    PORT="8000",
)
