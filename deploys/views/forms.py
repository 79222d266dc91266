"""Forms as the pages draw them: every widget knows its class and which texts describe it."""

from __future__ import annotations

import zoneinfo
from functools import cache
from typing import Any

from django import forms
from django.core.exceptions import ValidationError


class PlainForm(forms.Form):
    """Base of all forms on pages. Draw it with `ui/form.html`, or its fields with `ui/field.html`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # Any: as the base class has it
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        for field in self.fields.values():
            if not isinstance(field.widget, forms.CheckboxInput | forms.RadioSelect | forms.CheckboxSelectMultiple):
                field.widget.attrs.setdefault("class", "input")


@cache
def zone_names() -> tuple[str, ...]:
    """Names of places people live in, sorted; UTC first."""
    kept = sorted(
        name
        for name in zoneinfo.available_timezones()
        if "/" in name and not name.startswith(("Etc/", "posix/", "right/"))
    )
    return ("UTC", *kept)


class ZoneField(forms.CharField):
    """A time zone by name, with the known names offered while typing (the page includes `ui/zones.html` once)."""

    def __init__(self, **kwargs: Any) -> None:  # Any: as the base class has it
        kwargs.setdefault("label", "Time zone")
        kwargs.setdefault("max_length", 64)
        super().__init__(**kwargs)
        self.widget.attrs.update({"list": "zones", "autocomplete": "off", "spellcheck": "false"})

    def clean(self, value: Any) -> str:  # Any: what the browser sent
        """The name as the system writes it; the letters' case and blanks do not matter."""
        name = str(super().clean(value)).strip().replace(" ", "_")
        known = {each.lower(): each for each in zone_names()}
        if name.lower() not in known:
            raise ValidationError(f"No time zone is called {name}. Write a place like Europe/Berlin, or UTC.")
        return known[name.lower()]
