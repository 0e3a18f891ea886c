"""The user's rules: expressions of their own, which metrics are wanted, and under which names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, TypeVar

import msgspec

from floydtop.errors import FloydtopError
from floydtop.events import Metrics
from floydtop.parse.custom import Pattern

MOST_NAMES = 10_000
"""Names of metrics that a choice remembers; then it forgets all and decides anew."""

TABLES = ("pattern", "only", "ignore", "rename")
"""Keys of the configuration file that hold rules."""

Kind = TypeVar("Kind")


class Expression(msgspec.Struct, frozen=True, omit_defaults=True):
    """A regular expression whose named groups become metrics."""

    match: str
    name: str | None = None


class Rules(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the user wants of the metrics; empty: all of them as they are printed."""

    pattern: tuple[Expression, ...] = ()
    only: tuple[str, ...] = ()
    """Names or shell patterns (`val_*`) of the metrics to keep; empty: all."""
    ignore: tuple[str, ...] = ()
    """Names or shell patterns to leave out; it wins over `only`."""
    rename: dict[str, str] = {}
    """Printed name -> name to use; one * on both sides stands for the same text. Applied last."""

    def __bool__(self) -> bool:
        return bool(self.pattern or self.only or self.ignore or self.rename)

    def patterns(self) -> list[Pattern]:
        """The expressions, compiled.

        Raises:
            FloydtopError: one of them cannot be used.
        """
        return [Pattern(one.match, one.name or f"pattern {n}") for n, one in enumerate(self.pattern, 1)]

    def before(self, others: Rules) -> Rules:
        """These rules with others behind them: theirs count where these say nothing."""
        return Rules(
            pattern=self.pattern + others.pattern,
            only=self.only or others.only,
            ignore=self.ignore + others.ignore,
            rename=others.rename | self.rename,
        )

    def words(self) -> str:
        """One sentence for whoever looks at the recording."""
        said = [f"the expression '{one.name or one.match}'" for one in self.pattern]
        said += [f"only {name}" for name in self.only]
        said += [f"without {name}" for name in self.ignore]
        said += [f"{old} as {new}" for old, new in self.rename.items()]
        return f"Metrics are read by rules of yours: {', '.join(said)}."


class Choice:
    """Applies the rules about names to events."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._active = bool(rules.only or rules.ignore or rules.rename)
        self._names: dict[str, str | None] = {}

    def __call__(self, events: Sequence[Kind]) -> Sequence[Kind]:
        """The events with the metrics that are wanted, under the names that are wanted."""
        if not self._active:
            return events
        chosen: list[Kind] = []
        for event in events:
            if not isinstance(event, Metrics):
                chosen.append(event)
                continue
            values = {
                name: value
                for printed, value in event.values.items()
                if (name := self.name(printed)) is not None
            }
            if values:
                chosen.append(msgspec.structs.replace(event, values=values))
        return chosen

    def name(self, printed: str) -> str | None:
        """The name to use for a metric, None when it is not wanted."""
        names = self._names
        if printed not in names:
            if len(names) > MOST_NAMES:
                names.clear()
            names[printed] = self._decide(printed)
        return names[printed]

    def _decide(self, printed: str) -> str | None:
        rules = self._rules
        if (rules.only and not _fits(printed, rules.only)) or _fits(printed, rules.ignore):
            return None
        for old, new in rules.rename.items():
            before, star, after = old.partition("*")
            if not star:
                if printed == old:
                    return new
            elif len(printed) >= len(old) - 1 and printed.startswith(before) and printed.endswith(after):
                return new.replace("*", printed[len(before) : len(printed) - len(after)]) or printed
        return printed


def _fits(name: str, wanted: Iterable[str]) -> bool:
    return any(fnmatchcase(name, one) for one in wanted)


def from_tables(tables: Mapping[str, Any], where: str) -> Rules:
    """The rules of a configuration file: [[pattern]] with match and perhaps name, only, ignore, [rename].

    Args:
        where: the file, for the message.

    Raises:
        FloydtopError: they are not of that shape, or an expression cannot be used.
    """
    given = {name: tables[name] for name in TABLES if name in tables}
    try:
        rules = msgspec.convert(given, Rules)
    except msgspec.ValidationError as error:
        raise FloydtopError(
            f"In {where}: {error}; rules are [[pattern]] tables with match = '...' and perhaps a name,"
            " only = [...], ignore = [...], and a table [rename] of names."
        ) from None
    rules.patterns()
    return rules


def from_words(
    pattern: Iterable[str], only: Iterable[str], ignore: Iterable[str], rename: Iterable[str]
) -> Rules:
    """The rules of a command line; a rename is written OLD=NEW.

    Raises:
        FloydtopError: an expression cannot be used, or a rename has no = or no name before or behind it.
    """
    names: dict[str, str] = {}
    for one in rename:
        # The old name may hold an equals sign, the new one hardly: Acc@IoU=0.5=acc.
        old, mark, new = one.rpartition("=")
        if not mark or not old or not new:
            raise FloydtopError(f"'{one}' renames nothing: write OLD=NEW.")
        names[old] = new
    rules = Rules(tuple(map(Expression, pattern)), tuple(only), tuple(ignore), names)
    rules.patterns()
    return rules
