"""The demo's cast: a small shop, its services, flags, and the ways they have failed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

ZONE: Final = "Europe/Copenhagen"


@dataclass(frozen=True, slots=True)
class DemoService:
    """One service of the demo. `deploys_per_week` is an average; `sessions` is per 15 minutes at noon."""

    name: str
    users: int
    critical: bool
    depends_on: tuple[str, ...]
    major: int
    deploys_per_week: float
    sessions: int
    hosts: tuple[str, ...]
    files: tuple[str, ...]


SERVICES: Final = (
    DemoService(
        "storefront", 12_400, True, ("checkout", "search"), 7, 8.5, 2_400, ("web-1", "web-2", "web-3", "web-4"),
        ("storefront/pages/product.py", "storefront/pages/basket.py", "storefront/prices.py", "storefront/session.py", "templates/product.html"),
    ),
    DemoService(
        "checkout", 2_950, True, ("payments", "mailer"), 4, 6.0, 520, ("co-1", "co-2", "co-3", "co-4"),
        ("orders/totals.py", "orders/discounts.py", "orders/shipping.py", "orders/models.py", "orders/api.py"),
    ),
    DemoService(
        "payments", 2_600, True, (), 2, 3.0, 480, ("pay-1", "pay-2"),
        ("payments/gateway.py", "payments/refunds.py", "payments/webhooks.py", "payments/retry.py"),
    ),
    DemoService(
        "search", 9_100, False, (), 11, 4.0, 1_700, ("find-1", "find-2"),
        ("search/query.py", "search/index.py", "search/synonyms.py", "search/ranking.py"),
    ),
    DemoService("mailer", 0, False, (), 1, 1.5, 0, ("mail-1",), ("mailer/send.py", "mailer/templates.py", "mailer/queue.py")),
)  # fmt: skip

COMMIT_VERBS: Final = ("Fix", "Add", "Speed up", "Tidy", "Show", "Hide", "Validate", "Translate", "Test", "Log")
COMMIT_THINGS: Final = (
    "basket",
    "vouchers",
    "shipping costs",
    "order e-mails",
    "refunds",
    "product page",
    "filters",
    "VAT",
    "address form",
    "receipts",
)
PEOPLE: Final = ("ida", "jonas", "leila", "mads", "sofie")


@dataclass(frozen=True, slots=True)
class DemoError:
    """One way of failing: what the SDK reports. `frames` are (file, function, line), innermost last."""

    service: str
    type: str
    message: str
    frames: tuple[tuple[str, str, int], ...]


#: Trickles that have always been there; errors a day.
CHRONIC: Final = (
    (
        DemoError(
            "storefront",
            "ConnectionResetError",
            "[Errno 104] Connection reset by peer",
            (("storefront/session.py", "load", 61),),
        ),
        7.0,
    ),
    (DemoError("search", "ValueError", "bad cursor {n}", (("search/query.py", "decode_cursor", 33),)), 3.0),
    (
        DemoError(
            "payments",
            "ReadTimeout",
            "card-network: read timed out after {n} ms",
            (("payments/gateway.py", "authorise", 118),),
        ),
        4.0,
    ),
    (
        DemoError(
            "mailer",
            "SMTPRecipientsRefused",
            "550 no such mailbox for customer {n}",
            (("mailer/send.py", "deliver", 47),),
        ),
        2.5,
    ),
    (
        DemoError(
            "checkout",
            "ValidationError",
            "postal code {n} is not valid",
            (("orders/shipping.py", "clean_address", 29),),
        ),
        5.0,
    ),
)

#: Faults that deploys brought, by service.
BUGS: Final = (
    DemoError("checkout", "KeyError", "'discount_total'", (("orders/api.py", "place_order", 212), ("orders/totals.py", "with_discounts", 88))),
    DemoError("storefront", "TypeError", "unsupported operand type(s) for -: 'NoneType' and 'Decimal'", (("storefront/pages/product.py", "render", 140), ("storefront/prices.py", "before_price", 52))),
    DemoError("payments", "IntegrityError", "null value in column \"refund_id\" violates not-null constraint", (("payments/webhooks.py", "receive", 71), ("payments/refunds.py", "settle", 95))),
    DemoError("search", "IndexError", "list index out of range", (("search/query.py", "run", 80), ("search/ranking.py", "boost", 37))),
    DemoError("checkout", "AttributeError", "'NoneType' object has no attribute 'zone'", (("orders/api.py", "quote", 131), ("orders/shipping.py", "price_for", 64))),
    DemoError("storefront", "TemplateSyntaxError", "Could not parse the remainder: '|money' from 'price|money'", (("storefront/pages/basket.py", "render", 77), ("templates/product.html", "block price", 18))),
    DemoError("mailer", "KeyError", "'receipt_url'", (("mailer/queue.py", "work", 22), ("mailer/templates.py", "fill", 41))),
)  # fmt: skip

FLAG_BUG: Final = DemoError(
    "checkout",
    "ZeroDivisionError",
    "division by zero",
    (("orders/api.py", "place_order", 230), ("orders/discounts.py", "instant_vat", 57)),
)
OUTSIDE: Final = DemoError(
    "payments", "ConnectionError", "HTTPSConnectionPool(host='api.cardnet.example', port=443): Max retries exceeded with url: /v2/charges/{n}",
    (("payments/retry.py", "with_retries", 31), ("payments/gateway.py", "authorise", 104)),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class DemoFlag:
    """A flag and its life, in days before the anchor. `steps` are (day, percent)."""

    key: str
    service: str
    owner: str
    created: float
    steps: tuple[tuple[float, int], ...]
    permanent: bool = False
    expires: float | None = None
    evaluated: float | None = 0.1
    is_measured: bool = True
    references: int | None = 3


FLAGS: Final = (
    DemoFlag("new-basket", "storefront", "leila", 80, ((78, 10), (74, 50), (70, 100)), references=6),
    DemoFlag("express-shipping", "checkout", "jonas", 62, ((60, 25), (55, 100)), expires=12, references=4),
    DemoFlag("search-synonyms", "search", "", 85, ((84, 5),), evaluated=None, references=0),
    DemoFlag("old-receipts", "mailer", "mads", 89, ((88, 100), (47, 0)), evaluated=46, references=2),
    DemoFlag("kill-recommendations", "storefront", "ida", 88, ((88, 0),), permanent=True, references=1),
    DemoFlag("price-history", "storefront", "sofie", 9, ((8, 5), (5, 25)), references=3),
    DemoFlag("3ds-frictionless", "payments", "mads", 40, ((38, 10), (33, 50)), references=2),
)
