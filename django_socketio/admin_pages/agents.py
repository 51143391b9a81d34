"""User agents in a form that people read."""

from __future__ import annotations

import re

# The first that is found counts: most browsers name others, whom they resemble.
_PROGRAMS = (
    ("Edge", r"\bEdg(?:e|A|iOS)?/(\d+)"),
    ("Opera", r"\b(?:OPR|Opera)/(\d+)"),
    ("Samsung Internet", r"\bSamsungBrowser/(\d+)"),
    ("Firefox", r"\b(?:Firefox|FxiOS)/(\d+)"),
    ("Chrome", r"\b(?:HeadlessChrome|Chrome|CriOS)/(\d+)"),
    ("Safari", r"\bVersion/(\d+)[\d.]*(?: Mobile/\S+)? Safari/"),
)
_SYSTEMS = (
    ("Android", r"\bAndroid\b"),
    ("iOS", r"\b(?:iPhone|iPad|iPod)\b"),
    ("Windows", r"\bWindows\b"),
    ("macOS", r"\bMac(?:intosh| OS X)\b"),
    ("ChromeOS", r"\bCrOS\b"),
    ("Linux", r"\bLinux\b"),
)
_LONGEST = 40


def short_agent(text: str) -> str:
    """Return a user agent in short, such as "Firefox 128, Linux".

    Of a program that is no known browser it is the first word, of 40 characters at most.
    """
    for name, pattern in _PROGRAMS:
        if found := re.search(pattern, text):
            system = next((name for name, sign in _SYSTEMS if re.search(sign, text)), "")
            return f"{name} {found[1]}" + (f", {system}" if system else "")
    first = text.split(None, 1)[0] if text.strip() else ""
    return first[:_LONGEST].replace("/", " ", 1)
