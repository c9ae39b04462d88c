"""Typed values from environment variables; a wrong one is refused with its name and the fix.

An empty variable counts as one that is not set.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TypeVar

_Choice = TypeVar("_Choice", bound=StrEnum)
_Default = TypeVar("_Default", bound=int | None)


class SettingsError(Exception):
    """The function's environment is wrong; the message names the variable and the fix."""


@dataclass(frozen=True, slots=True)
class Environment:
    """Reads typed values from environment variables; every method raises SettingsError."""

    variables: Mapping[str, str]

    def required(self, name: str) -> str:
        """Return the text of a variable that must be set."""
        value = self.variables.get(name)
        if not value:
            raise SettingsError(f"{name} is not set. Fix: set it in the function's environment.")
        return value

    def text(self, name: str) -> str | None:
        """Return the text of a variable, or None if it is not set."""
        return self.variables.get(name) or None

    def positive(self, name: str, default: _Default) -> int | _Default:
        """Return a whole number above 0."""
        text = self.text(name)
        if text is None:
            return default
        if not text.isascii() or not text.isdigit() or int(text) == 0:
            raise SettingsError(f"{name} is {text!r}. Fix: set a whole number above 0.")
        return int(text)

    def duration(self, name: str, unit: timedelta, default: timedelta) -> timedelta:
        """Return a duration that is given as a whole number of `unit`."""
        return self.positive(name, default // unit) * unit

    def choice(self, name: str, default: _Choice) -> _Choice:
        """Return one of the values of `default`'s enumeration."""
        text = self.text(name)
        if text is None:
            return default
        try:
            return type(default)(text)
        except ValueError:
            choices = ", ".join(type(default))
            raise SettingsError(f"{name} is {text!r}. Fix: set one of {choices}.") from None
