"""The real OpenFeature client for Python: flags.py <base url> <key>; questions as JSON lines on standard input."""

import json
import sys

from openfeature import api
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext

base, key = sys.argv[1:]
api.set_provider(OFREPProvider(base, headers_factory=lambda: {"Authorization": f"Bearer {key}"}))
client = api.get_client()
for line in sys.stdin:
    asked = json.loads(line)
    attributes = dict(asked["context"])
    context = EvaluationContext(attributes.pop("targetingKey", None), attributes)
    ask = getattr(client, f"get_{asked['type']}_details")
    found = ask(asked["flag"], asked["default"], context)
    said = {
        "value": found.value,
        "variant": found.variant,
        "reason": found.reason and str(getattr(found.reason, "value", found.reason)),
        "error": found.error_code and str(getattr(found.error_code, "value", found.error_code)),
    }
    sys.stdout.write(json.dumps(said) + "\n")
