"""Names and numbers in free text: `loss: 0.5`, `acc=0.9`, `val loss 2.5`, `Loss 0.5 (0.6)`."""

from __future__ import annotations

from floydtop.parse.names import is_config, is_metric, is_timing
from floydtop.parse.said import Pair, Pairs
from floydtop.parse.tokens import (
    AFTER_EPOCH,
    ASIDE,
    BARE_WORDS,
    BETWEEN,
    BRACKET,
    CALLED,
    CLOSED,
    COUNTED,
    COUNTER,
    COUNTS,
    COUPLE,
    DATA_PARTS,
    EPOCH_WORDS,
    GLOBAL,
    JOINED,
    JUNK,
    LAST,
    MODIFIERS,
    NUMBERED,
    ORDINAL,
    PLURALS,
    PREPOSITIONS,
    RANGE,
    RATE,
    SECTION,
    SECTIONS,
    SOURCES,
    STEP_WORDS,
    SUMMARY,
    TOKEN,
    name_before,
)

__all__ = ["Pair", "Pairs", "as_rank", "pairs"]


class _Scan:
    """One walk over the numbers of a message; each is understood by the text since the last one."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.out = Pairs()
        self.last = ""
        """What the previous number was: epoch, step, lead, total:..., value, fraction, skip or nothing."""
        self.opening = ""
        """Part of the data that the first name of the line begins with."""
        self.measured = ""
        """The metric that was named once for several parts of the data."""
        self.start = 0
        """Where the present number begins."""
        self.label: float | None = None
        self.label_at = 0
        """A number before a colon that opens the message: its step, or the rank when a step follows."""

    def run(self) -> Pairs:
        end = 0
        text, out = self.text, self.out
        couple = COUPLE.match(text)
        if couple:
            out.epoch, out.step = float(couple[1]), float(couple[2])
            out.at = {"epoch": couple.start(1), "step": couple.start(2)}
            end, self.last = couple.end(), "step"
        for token in TOKEN.finditer(text, end):
            gap = text[end : token.start()]
            if token["skip"] is not None:
                self._see(gap)
                self.last = "skip"
                end = token.end()
                continue
            number, bad = token["number"], token["bad"]
            if text[token.start() - 1 : token.start()] == "#" and gap != "#" and not COUNTER.search(gap):
                continue
            self.start = token.start("number")
            if text[self.start - 1] == ":" and text[token.end() : token.end() + 1] == ":" and "@" in gap:
                # The name goes on: `mAP@0.5:0.95: 0.412`.
                continue
            upto = (
                RANGE.match(text, token.end("number"))
                if bad is not None and text[token.start() - 1] == "["
                else None
            )
            if upto:
                # MXNet: `Batch [100-200]` is the mean of these batches.
                number, bad, self.start = upto[1], None, upto.start(1)
            if bad == "=" and self.last == "value" and gap.strip() == "/":
                bad = None
            if bad is not None and ORDINAL.match(text, token.end("number")) and _counts(gap):
                bad = None
            if bad is not None and bad != "(" and RATE.match(text, token.end("number")) is None:
                self._see(gap)
                self.last = "skip"
                end = token.end() - len(bad)
                continue
            value = float(number.replace(",", "") if "," in number else number)
            unit = (token["unit"] or "").lstrip()
            stop = upto.end(1) if upto else token.end("unit") if unit else token.end("number")
            rate = None if unit else RATE.match(text, stop)
            if value - value != 0 and not self._may_follow(gap):
                continue
            self._number(value, gap, rate[1] if rate else unit, stop)
            end = rate.end() if rate else stop
        out.leftover = text[end:]
        if self.label is not None:
            if out.placed:
                out.rank = as_rank(self.label)
                out.at["rank"] = self.label_at
            else:
                out.step = self.label
                out.at["step"] = self.label_at
        return out

    def _may_follow(self, gap: str) -> bool:
        """Whether `nan` or `inf` after this text is a number and no word."""
        connected, _, parts = name_before(gap)
        return connected or (bool(parts) and is_metric(parts[-1])) or gap.strip() in ("(", "/")

    def _see(self, text: str) -> None:
        for match in SECTION.finditer(text):
            self.out.section = SECTIONS[match.lastindex or 1]

    def _number(self, value: float, gap: str, unit: str, end: int) -> None:
        bare = gap.strip()
        out = self.out
        if self.last and bare in ("/", "of"):
            self._total(value)
        elif bare in ("(", "") and self.last in ("value", "fraction") and self._parenthesis(value, unit, end):
            return
        elif bare == "=" and self.last == "fraction":
            # `accuracy: 2531/10042=0.2520` is one number, too.
            out.pairs[-1].value, out.pairs[-1].at = value, self.start
            self.last = "skip"
        elif bare in BETWEEN:
            self.last = "skip"
        elif not any(map(str.isalpha, bare)):
            self._unnamed(value, bare, unit, end)
        else:
            connected, name, parts = name_before(gap)
            if parts[:1] == ["of"] and self.last in ("step", "epoch"):
                self._total(value)
            elif not parts:
                self._see(gap)
                self._unnamed(value, "|", unit, end)
            else:
                self._named(value, gap, connected, name, parts, unit, end)

    def _named(
        self, value: float, gap: str, connected: bool, name: str, parts: list[str], unit: str, end: int
    ) -> None:
        out = self.out
        kind = CALLED.sub("", parts[-1].lower()).rstrip(".")
        if parts[-1].lower().endswith(("(val)", "(test)")) or name.lower() == "eval batch":
            out.passing = True
        if len(parts) == 2 and kind in NUMBERED and value.is_integer():
            kind = parts[0].lower()
        if not unit and (kind in EPOCH_WORDS or kind in STEP_WORDS) and SUMMARY.search(name):
            # `Best epoch: 5, val_loss: 0.31` is told again, `max step: 100` is a setting.
            out.loose += 0 if out.placed or out.pairs else 2
            self.last = "skip"
            return
        if not unit and kind in EPOCH_WORDS and (len(parts) == 1 or value.is_integer()):
            self._see(gap)
            if out.epoch is None:
                out.epoch = value
                out.at["epoch"] = self.start
                self.last = "epoch"
            return
        if not unit and (kind in STEP_WORDS or self._opens(name, connected, end)):
            self._see(gap)
            if self.last == "lead" and self.text[out.at["step"] - 1] == "[" and not out.steps:
                # `[0] step 8 loss 0.5`: a rank before the step.
                out.rank = as_rank(out.step or 0.0)
                out.at["rank"] = out.at["step"]
                out.step = None
            if out.step is None or kind in GLOBAL:
                out.step = value
                out.at["step"] = self.start
                self.last = "step"
            return
        if (
            not unit
            and (connected or gap.endswith(("[", "(")))
            and name.lower() in DATA_PARTS
            and not out.pairs
            and self._part(value, gap, end)
        ):
            return
        self._see(gap[: gap.rfind(name)])
        prose = (len(parts) > 1 and parts[0] in PREPOSITIONS) or "with" in parts or name.endswith(SOURCES)
        if (
            prose
            or SUMMARY.search(name)
            or is_config(name)
            or (name.lower() in DATA_PARTS and value.is_integer())
        ):
            self.last = "skip"
            return
        own = SECTION.match(name) if not out.pairs else None
        if own and not out.section and name[own.end() : own.end() + 1] in ("", " "):
            # `val Loss: 0.23 Acc: 0.91`: what follows without a comma is of the same part.
            self.opening = SECTIONS[own.lastindex or 1]
        elif self.opening and any(mark in gap for mark in ",|;"):
            self.opening = ""
        self._value(value, name, parts, connected, unit, end)

    def _opens(self, name: str, connected: bool, end: int) -> bool:
        """Names that are steps at the beginning of a message (llm.c's `s:`, `t = 10`) or behind an epoch."""
        name = name.lower()
        if connected and name in PLURALS and self.last in ("epoch", "total:epoch"):
            return True
        if name in ("t", "i"):
            return connected and end < 16 and self.text[self.start : end].isdigit()
        return name == "up." or (name in ("s", "steps") and connected and end < 16)

    def _part(self, value: float, gap: str, end: int) -> bool:
        """`Test: [ 1/20]`, `train (1/10)` and `Train: 0 [  50/1251`: a place in a part of the data."""
        out = self.out
        following = self.text[end : end + 12].lstrip()[:1]
        opened = gap.rstrip()[-1:]
        if (
            (opened == "[" and following in "/]") or (opened == "(" and following == "/")
        ) and out.step is None:
            self._see(gap)
            out.step = value
            out.at["step"] = self.start
            self.last = "lead"
            return True
        if following == "[" and out.epoch is None:
            self._see(gap)
            out.epoch = value
            out.at["epoch"] = self.start
            self.last = "epoch"
            return True
        return False

    def _value(self, value: float, name: str, parts: list[str], connected: bool, unit: str, end: int) -> None:
        if connected:
            outer, bracket, inner = name.partition("[")
            if bracket and outer.isidentifier() and inner.isidentifier():
                # icefall: `loss[loss=0.51, simple_loss=0.9], tot_loss[loss=0.6`.
                name = outer if outer.endswith(inner) else f"{outer}/{inner}"
            fits = len(parts) <= 6 and len(name) <= 64 and not JUNK.search(name)
        else:
            plain = False
            parts = ASIDE.sub("", name).split() or parts
            last = parts[-1]
            if last.lower() in DATA_PARTS:
                # PyTorch's tutorials: `LOSS train 0.52 valid 0.49`.
                self.measured = parts[0] if len(parts) == 2 else self.measured if len(parts) == 1 else ""
                # `epoch 3 | train 0.512 | valid 0.612` does not tell what was measured.
                plain = not self.measured and len(parts) == 1 and self.out.placed and not value.is_integer()
                name, last = last if plain else f"{self.measured} {last}", self.measured
                parts = parts[-1:]
            known = plain or is_metric(last) or is_timing(last) or last.lower() in BARE_WORDS
            fits = known and all(part.lower() in MODIFIERS for part in parts[:-1])
            if not fits and self.out.placed and "_" in last and is_metric(last) and len(parts) <= 3:
                # wenet: `Epoch 0 CV info cv_loss 12.3`; nobody writes prose with such words.
                name, fits = last, True
        if not fits or name.count("[") > name.count("]"):
            self.last = "skip"
            self.out.loose += 1
            return
        if unit not in ("", "%", "x"):
            name = f"{name} ({unit})"
        self.out.pairs.append(Pair(name, value, connected, self.start, self.out.section or self.opening))
        self.last = "value"

    def _total(self, value: float) -> None:
        out = self.out
        if self.last == "epoch":
            out.epochs = value
            out.at["epochs"] = self.start
        elif self.last in ("step", "lead"):
            out.steps = value
            out.at["steps"] = self.start
        elif self.last == "value":
            pair = out.pairs[-1]
            if pair.name.startswith("D("):
                # DCGAN: `D(G(z)): 0.1 / 0.2` are two values.
                out.pairs[-1] = Pair(f"{pair.name}_1", pair.value, True, pair.at, pair.section)
                out.pairs.append(Pair(f"{pair.name}_2", value, True, self.start, pair.section))
                return
            self.last = "fraction"
            if value:
                pair.value, pair.at = pair.value / value, -1
            return
        if not self.last.startswith("total:") and self.last != "fraction":
            self.last = f"total:{self.last}"

    def _parenthesis(self, value: float, unit: str, end: int) -> bool:
        out = self.out
        pair = out.pairs[-1]
        if self.last == "fraction":
            if unit == "%":
                # `Accuracy: 9800/10000 (98%)` is one number: the percentage.
                pair.value, pair.at = value, self.start
            self.last = "skip"
            return True
        if COUNTS.match(self.text, end):
            self.last = "skip"
            return True
        if self.text[end : end + 2].lstrip()[:1] == ")" and not unit:
            out.pairs.append(Pair(f"{pair.name}.avg", value, True, self.start, pair.section))
            self.last = "skip"
            return True
        return False

    def _unnamed(self, value: float, bare: str, unit: str, end: int) -> None:
        out = self.out
        if unit:
            if len(unit) > 1 and not bare.endswith("("):
                out.pairs.append(Pair(unit, value, True, self.start, out.section))
            self.last = "skip"
            return
        following = self.text[end : end + 12].lstrip()[:1]
        lead = self.last in ("lead", "total:lead")
        marks = bare.replace(" ", "").replace("\t", "")
        if (lead or self.last in ("epoch", "total:epoch")) and marks in AFTER_EPOCH:
            counted = COUNTED.match(self.text, end) is not None
            if (lead or out.step is None) and (marks[-1:] in ("[", "(") or following == "/" or counted):
                if lead:
                    out.epoch = out.epoch if out.epoch is not None else out.step
                    out.epochs, out.steps = out.steps, None
                    out.at = {"epoch": out.at["step"], "epochs": out.at.get("steps", -1)}
                out.step = value
                out.at["step"] = self.start
                self.last = "step"
                return
        if (
            marks == "["
            and out.step is None
            and out.pairs
            and self.last == "value"
            and CLOSED.match(self.text, end)
        ):
            # PyTorch's quickstart: `loss: 2.303494  [   64/60000]`.
            out.step = value
            out.at["step"] = self.start
            self.last = "step"
            return
        if marks in ("", ")") and not out.placed and out.pairs and LAST.match(self.text, end):
            # kuangliu's bars end in their count: `Loss: 1.5 | Acc: 45.1% (4510/10000) 391/391`.
            out.step = value
            out.at["step"] = self.start
            self.last = "step"
            return
        if not self.last and out.step is None and not out.pairs:
            if marks in ("", "[", "(", "|") and following and following in "/]":
                if following == "/" and marks != "[" and end >= 16:
                    self.last = "skip"
                    return
                out.step = value
                out.at["step"] = self.start
                self.last = "lead"
                return
            if not marks and end < 12 and BRACKET.match(self.text, end):
                # `100 [D loss: 0.5, acc.: 50.00%] [G loss: 1.2]`
                out.step = value
                out.at["step"] = self.start
                self.last = "step"
                return
            if marks in ("", "#") and following == ":" and value.is_integer() and 0 <= value < 1e12:
                self.label, self.label_at = value, self.start
                self.last = "step"
                return
        self.last = "skip"
        out.loose += 1


def _counts(gap: str) -> bool:
    """Whether the text before a number names a step or an epoch: `current step: 12th step`."""
    _, _, parts = name_before(gap)
    return bool(parts) and (parts[-1].lower() in STEP_WORDS or parts[-1].lower() in EPOCH_WORDS)


def as_rank(value: float) -> int:
    return int(value) if 0 <= value < 1e5 else 0


def pairs(text: str) -> Pairs:
    """Understand a message; linear in its length."""
    joined = JOINED.match(text)
    if joined:
        text = f"{joined[1]} {text[joined.end() :]}"
    return _Scan(text).run()
