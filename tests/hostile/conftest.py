"""The same settings of nobody as for the app."""

from tests.app.conftest import plain_settings

__all__ = ["plain_settings"]
