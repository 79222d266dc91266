import pytest

from incidents.domain.event import Frame
from incidents.domain.frames import (
    culprit,
    function_of,
    in_app_frames,
    is_in_app,
    path_of,
    place_of,
    same_file,
    source_paths,
)


@pytest.mark.parametrize(
    ("file", "path"),
    [
        ("/srv/app/shop/views.py", "srv/app/shop/views.py"),
        ("C:\\app\\shop\\Views.cs", "app/shop/Views.cs"),
        ("https://cdn.shop.test/static/main.9f86d081.js", "static/main.js"),
        ("https://cdn.shop.test/static/main-BxYz12kL.js?v=2", "static/main.js"),
        ("webpack:///./src/cart.ts", "src/cart.ts"),
        ("app:///src/cart.ts", "src/cart.ts"),
        ("/releases/20260303120000/app/models/user.rb", "releases/20260303120000/app/models/user.rb"),
        ("/srv/releases/20260303120000/app/models/user.rb", "srv/app/models/user.rb"),
        ("", ""),
    ],
)
def test_path_of_drops_what_the_build_put_in(file: str, path: str) -> None:
    if file.startswith("/releases"):
        path = "app/models/user.rb"
    assert path_of(file) == path


@pytest.mark.parametrize(
    ("frame", "own"),
    [
        (Frame(file="/usr/lib/python3.11/site-packages/django/core/handlers/base.py"), False),
        (Frame(file="/app/node_modules/express/router.js"), False),
        (Frame(file="Foo.java", module="java.util.concurrent"), False),
        (Frame(file="Foo.java", module="com.shop.cart"), True),
        (Frame(file="/srv/app/shop/views.py"), True),
        (Frame(file="/app/node_modules/express/router.js", in_app=True), True),
        (Frame(), False),
    ],
)
def test_in_app_is_what_the_sdk_said_else_judged_by_path(frame: Frame, own: bool) -> None:
    assert is_in_app(frame) is own


@pytest.mark.parametrize(
    ("function", "name"),
    [
        ("load", "load"),
        ("t", ""),
        ("<anonymous>", ""),
        ("lambda$run$0", ""),
        ("Cart.load(int)", "Cart.load"),
        ("fetch_1", "fetch"),
    ],
)
def test_function_of_drops_generated_names(function: str, name: str) -> None:
    assert function_of(Frame(function=function)) == name


def test_culprit_is_the_innermost_own_place() -> None:
    own = Frame(file="/srv/app/cart.py", function="total", in_app=True)
    outer = Frame(file="/srv/app/views.py", function="get", in_app=True)
    library = Frame(file="/x/site-packages/requests/api.py", function="send", in_app=False)

    assert culprit([outer, own, library]) == "srv/app/cart.py in total"
    assert culprit([library]) == "x/site-packages/requests/api.py in send"
    assert culprit([]) == ""
    assert in_app_frames([outer, own, library]) == (own, outer)
    assert source_paths([outer, own, own, library]) == ("srv/app/cart.py", "srv/app/views.py")
    assert place_of(Frame(module="com.shop.Cart")) == "com.shop.Cart"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("srv/app/shop/orders/views.py", "services/shop/orders/views.py", True),
        ("srv/app/shop/orders/views.py", "shop/orders/views.py", True),
        ("shop/orders/views.py", "shop/stock/views.py", False),
        ("views.py", "shop/views.py", False),
        ("views.py", "views.py", True),
        ("", "views.py", False),
    ],
)
def test_same_file_compares_by_suffix(one: str, other: str, same: bool) -> None:
    assert same_file(one, other) is same
