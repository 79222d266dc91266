"""The light half of the design tokens as plain sRGB, for what is drawn without a browser: print and PDF.

`static/css/tokens.css` stays the only place in which colours are chosen.
"""

from __future__ import annotations

import math
import re
from functools import cache
from pathlib import Path

TOKENS = Path(__file__).resolve().parents[2] / "static" / "css" / "tokens.css"
_TOKEN = re.compile(r"(--[a-z0-9-]+):\s*(?:light-dark\()?oklch\(([\d.]+)%\s+([\d.]+)\s+([\d.]+|var\(--hue\))\)")
_HUE = re.compile(r"--hue:\s*([\d.]+)")


@cache
def light_tokens() -> dict[str, str]:
    """Every colour token by its name (`--ink`) as `#rrggbb`."""
    text = TOKENS.read_text(encoding="utf-8")
    hue = _HUE.search(text)
    own = hue[1] if hue else "0"
    return {
        name: srgb(float(lightness) / 100, float(chroma), float(own if angle.startswith("var") else angle))
        for name, lightness, chroma, angle in _TOKEN.findall(text)
    }


def srgb(lightness: float, chroma: float, hue: float) -> str:
    """An OKLCH colour as `#rrggbb`, cut to the gamut channel by channel.

    lightness from 0 to 1, hue in degrees. The matrices are those of Björn Ottosson's Oklab (2020), as CSS Color 4 has them.
    """
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    linear = (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )
    return "#" + "".join(f"{round(255 * _companded(channel)):02x}" for channel in linear)


def _companded(channel: float) -> float:
    """The sRGB transfer function (IEC 61966-2-1) of a channel cut to 0–1."""
    channel = min(1.0, max(0.0, channel))
    return 12.92 * channel if channel <= 0.0031308 else 1.055 * channel ** (1 / 2.4) - 0.055
