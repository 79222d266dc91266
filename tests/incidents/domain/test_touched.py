"""Where changed files meet a stack."""

from incidents.domain.touched import Place, places_touched

STACK = (["shop/orders/totals.py", "shop/orders/views.py", "shop/web.py", "shop/main.py"],
         ["shop/orders/totals.py in total", "shop/orders/views.py in show", "shop/web.py"])  # fmt: skip


def test_places_are_told_innermost_first_with_their_functions() -> None:
    found = places_touched([STACK], ["src/shop/web.py", "app/shop/orders/totals.py", "README.md"])

    assert found == (Place("shop/orders/totals.py", "total", 0), Place("shop/web.py", "", 2))
    assert [str(each) for each in found] == ["shop/orders/totals.py in total", "shop/web.py"]


def test_outer_frames_say_nothing() -> None:
    assert places_touched([STACK], ["shop/main.py"]) == ()


def test_the_same_file_of_two_stacks_counts_where_it_is_innermost() -> None:
    other = (["shop/web.py"], ["shop/web.py in serve"])

    for stacks in ([STACK, other], [other, STACK]):
        assert places_touched(stacks, ["shop/web.py"]) == (Place("shop/web.py", "serve", 0),)
