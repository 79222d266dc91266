"""Design tokens as plain colours."""

import re

import pytest

from deploys.charts.palette import TOKENS, light_tokens, srgb


@pytest.mark.parametrize(
    ("lightness", "chroma", "hue", "hexadecimal"),
    [
        (1, 0, 0, "#ffffff"),
        (0, 0, 0, "#000000"),
        (0.627955, 0.257683, 29.2339, "#ff0000"),
        (0.866440, 0.294827, 142.4953, "#00ff00"),
        (0.452014, 0.313214, 264.0520, "#0000ff"),
        (0.9, 0.4, 142, "#00ff00"),  # outside the gamut: each channel is cut
    ],
)
def test_oklch_becomes_srgb(lightness: float, chroma: float, hue: float, hexadecimal: str) -> None:
    assert srgb(lightness, chroma, hue) == hexadecimal


def test_every_colour_token_is_read() -> None:
    named = {
        name
        for name, value in re.findall(r"(--[a-z0-9-]+):\s*([^;]+);", TOKENS.read_text(encoding="utf-8"))
        if "oklch" in value
    }

    assert light_tokens().keys() == named
    assert all(re.fullmatch(r"#[0-9a-f]{6}", colour) for colour in light_tokens().values())
