"""Names and numbers in free text: `loss: 0.5`, `acc=0.9`, `val loss 2.5`, `Loss 0.5 (0.6)`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from floydtop.parse.names import STEP_NAMES, is_config, is_metric, is_timing, words

_NUMBER = (
    r"[-+]?(?:\d{1,3}(?:,\d{3})++(?:\.\d++)?|\d++(?:\.\d*+)?(?:[eE][-+]?\d++)?|\.\d++(?:[eE][-+]?\d++)?"
    r"|(?i:nan|inf(?:inity)?)(?![\w]))"
)
_TOKEN = re.compile(
    # Clock times, dates, durations, versions are tokens too, so that their digits are no values.
    r"(?P<skip>(?<![\w.])(?:\d{1,4}(?::\d\d){1,3}(?:[.,]\d{1,9})?|\d{4}[-/]\d\d[-/]\d\d|\d+[dhm] ?\d+[hms]\b"
    r"|v?\d+(?:\.\d+){2,6}|\d+ days?))"
    rf"|(?<![\w.@$#\\])(?P<number>{_NUMBER})"
    r"(?P<unit>%|(?:ms|us|µs|ns|s|secs?|min|m|h|[KMGT]i?B?|[kMG]b|GiB|MiB|kB|x)(?![\w/]))?"
    r"(?P<bad>[A-Za-z_\\]|[:.][A-Za-z0-9_]|[-][A-Za-z0-9_]|=|\()?"
)
_RATE = re.compile(
    r"\s?((?:it|iter|iters|batch|batches|samples?|tok|tokens?|steps?|img|images|imgs|examples?|ex|seq|sequences|"
    r"wps|ups|[KMG]i?B|MB|frames?)/(?:s|sec|second)\b|(?:ms|s|sec)/(?:it|iter|step|batch|epoch|img|sample)\b|"
    r"FPS\b|fps\b|TFLOPS?/s\b|ms\b|sec(?:onds)?\b|GB\b|MB\b|GiB\b|MiB\b|s\b(?=\s*(?:$|[,;|)\]])))"
)
_COUNTED = re.compile(r"\s?(batches|steps|iters|iterations|epochs?|samples)\b", re.IGNORECASE)
_SEPARATOR = re.compile(
    r"[,;|\t\]{}]|:\s|\s[-–—>]{1,3}\s|\s\s|=>|->|\)\s|\.\s\s?(?=[A-Z])(?<!Val\. )(?<!Avg\. )"
)
_STRIP = " \t*\"'`[({<>#~•·│┃|:="
_SECTION = re.compile(
    r"(?<![A-Za-z])(?:(train|training)|(val|valid|validation|validate|validating)|(test|testing)|"
    r"(eval|evaluation|evaluating)|(dev))(?![a-z])",
    re.IGNORECASE,
)
_SECTIONS = {1: "train", 2: "val", 3: "test", 4: "eval", 5: "dev"}
_MODIFIERS = words(
    """
    train training val val. valid validation test testing eval evaluation dev avg avg. average mean
    total running  epoch batch step current global moving smoothed ema last final curr cur lm mlm
    mim aux raw ce kl q pi policy  value critic actor d g gen disc reg cls box obj bbox mask seg dfl
    rpn teacher student per token learning top  mini minibatch weighted macro micro binary
    training's iteration iter bit src tgt src. grad gradient  perplexity loss accuracy error macro-
    averaged overall class pixel mean_iou the model's
    """
)
# Plurals are settings: `epochs: 100` in a configuration is no place on an axis.
_EPOCH_WORDS = frozenset(["epoch", "ep", "epoche"])
_STEP_WORDS = frozenset(
    [
        *(name for name in STEP_NAMES if not name.endswith("s")),
        *(
            "round",
            "it",
            "episode",
            "generation",
            "trial",
            "gen",
            "timesteps",
            "num_updates",
            "num_timesteps",
        ),
    ]
)
_SUMMARY = re.compile(r"\b(?:best|min|max|minimum|maximum|early|patience|delta|previous|prev)\b", re.I)
_JUNK = re.compile(r"[\\<>{}$@?!]{2}|[/~][\w.-]{1,255}/|https?:|[\w.]\(\)|\w\[\"")


@dataclass
class Pair:
    """A name and its number as printed."""

    name: str
    value: float
    connected: bool
    """The name was bound to the number by a colon or an equals sign."""
    section: str = ""


@dataclass
class Pairs:
    """All that one message says: its values and its place on the x-axes."""

    pairs: list[Pair] = field(default_factory=list)
    step: float | None = None
    steps: float | None = None
    epoch: float | None = None
    epochs: float | None = None
    loose: int = 0
    """Numbers that no name could be found for."""
    leftover: str = ""
    """Text after the last number."""

    @property
    def placed(self) -> bool:
        return self.step is not None or self.epoch is not None


class _Scan:
    """One walk over the numbers of a message; each is understood by the text since the last one."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.out = Pairs()
        self.section = ""
        self.last = ""
        """What the previous number was: epoch, step, lead, total, value, fraction, skip or nothing."""
        self.fraction: tuple[Pair, float] | None = None

    def run(self) -> Pairs:
        end = 0
        text = self.text
        for token in _TOKEN.finditer(text):
            start = token.start()
            gap = text[end:start]
            end = token.end()
            if token["skip"] is not None:
                self._see(gap)
                self.last = "skip"
                continue
            if token["bad"] is not None:
                if token["bad"] != "(":
                    self._see(gap)
                    self.last = "skip"
                    continue
                end -= 1
            number = token["number"]
            value = float(number.replace(",", "") if "," in number else number)
            self._number(value, gap, token["unit"] or "", end)
        self.out.leftover = text[end:]
        return self.out

    def _see(self, gap: str) -> None:
        for match in _SECTION.finditer(gap):
            self.section = _SECTIONS[match.lastindex or 1]

    def _number(self, value: float, gap: str, unit: str, end: int) -> None:
        bare = gap.strip()
        out = self.out
        if self.last and bare in ("/", "of"):
            self._total(value, unit)
            return
        if (
            bare in ("(", "")
            and self.last in ("value", "fraction", "total")
            and self._parenthesis(value, unit, end)
        ):
            return
        if bare in ("±", "+/-", "+-", "+", "-", "..", "to"):
            self.last = "skip"
            return
        if not any(map(str.isalpha, bare)):
            self._unnamed(value, bare, unit, end)
            return
        self._see(gap)
        connected, name, words = _key(gap)
        kind = words[-1].lower().rstrip(".") if words else ""
        if kind in _EPOCH_WORDS or (kind in ("train", "val", "test") and "epoch(" in gap.lower()):
            if out.epoch is None and not unit:
                out.epoch = value
                self.last = "epoch"
            return
        if kind in _STEP_WORDS and not unit:
            if out.step is None or kind == "global_step":
                out.step = value
                self.last = "step"
            return
        if kind == "s" and out.step is None and end < 12 and connected:
            out.step = value
            self.last = "step"
            return
        if not name or _SUMMARY.search(name) or is_config(name):
            self.last = "skip"
            return
        self._value(value, name, words, connected, unit, end)

    def _value(self, value: float, name: str, words: list[str], connected: bool, unit: str, end: int) -> None:
        if not connected:
            known = is_metric(words[-1]) or is_timing(words[-1])
            if not known or not all(word.lower() in _MODIFIERS for word in words[:-1]):
                self.last = "skip"
                self.out.loose += 1
                return
        elif len(words) > 6 or len(name) > 64 or _JUNK.search(name):
            self.last = "skip"
            self.out.loose += 1
            return
        if unit not in ("", "%", "x"):
            name = f"{name} ({unit})"
        else:
            rate = _RATE.match(self.text, end)
            if rate and not unit:
                name = f"{name} ({rate[1]})"
        self.out.pairs.append(Pair(name, value, connected, self.section))
        self.last = "value"

    def _total(self, value: float, unit: str) -> None:
        out = self.out
        if self.last == "epoch":
            out.epochs = value
        elif self.last in ("step", "lead"):
            out.steps = value
        elif self.last == "value":
            pair = out.pairs[-1]
            if pair.name.startswith("D("):
                # DCGAN: `D(G(z)): 0.1 / 0.2` are two values.
                out.pairs[-1] = Pair(f"{pair.name}_1", pair.value, True, pair.section)
                out.pairs.append(Pair(f"{pair.name}_2", value, True, pair.section))
                return
            self.fraction = (pair, value)
            self.last = "fraction"
            if value:
                pair.value = pair.value / value
            return
        if self.last != "fraction":
            self.last = "total:" + self.last if not self.last.startswith("total:") else self.last

    def _parenthesis(self, value: float, unit: str, end: int) -> bool:
        out = self.out
        closes = self.text[end : end + 1] == ")" or self.text[end : end + 2] == " )"
        if self.last == "fraction" and self.fraction is not None:
            if unit == "%":
                # `Accuracy: 9800/10000 (98%)` is one number: the percentage.
                self.fraction[0].value = value
            self.last = "skip"
            return True
        if self.last == "value" and closes and not unit:
            pair = out.pairs[-1]
            out.pairs.append(Pair(f"{pair.name}.avg", value, True, pair.section))
            self.last = "skip"
            return True
        return False

    def _unnamed(self, value: float, bare: str, unit: str, end: int) -> None:
        out = self.out
        rate = _RATE.match(self.text, end)
        if unit == "%" or rate or unit:
            if rate and not unit:
                out.pairs.append(Pair(rate[1], value, True))
            self.last = "skip"
            return
        counted = _COUNTED.match(self.text, end)
        following = self.text[end : end + 12].lstrip()[:1]
        after_x = self.last in ("epoch", "total:epoch", "total:lead", "lead")
        if (
            after_x
            and out.step is None
            and bare in ("[", "][", "|", ",", "", ":", "-", "]", "] [", "(")
            and (bare.endswith("[") or following == "/" or counted)
        ):
            if self.last in ("lead", "total:lead"):
                out.epoch = out.epoch if out.epoch is not None else out.step
                out.epochs, out.steps = out.steps, None
            out.step = value
            self.last = "step"
            return
        if bare in ("", "[", "(", "#", "|") and not self.last and out.step is None and not out.pairs:
            if (following == "/" and (bare == "[" or end < 16)) or (bare == "[" and following == "]"):
                out.step = value
                self.last = "lead"
                return
            if bare in ("", "#") and following == ":" and value == int(value) and abs(value) < 1e12:
                out.step = value
                self.last = "step"
                return
        self.last = "skip"
        out.loose += 1


def _key(gap: str) -> tuple[bool, str, list[str]]:
    """From the text before a number: whether a colon or equals sign binds it, the name, the name's words."""
    text = gap.replace("tensor(", "").rstrip(" \t[({\"'<")
    connected = text[-1:] in (":", "=")
    if connected:
        text = text.rstrip(":= \t")
        if text[-1:] in ('"', "'", "`"):
            text = text[:-1]
    tail = _SEPARATOR.split(text)[-1]
    if tail.count(")") > tail.count("("):
        tail = tail.rpartition(")")[2]
    name = tail.strip(_STRIP)
    words = name.split()
    return connected, name, words


def pairs(text: str) -> Pairs:
    """Understand a message; linear in its length."""
    out = _Scan(text).run()
    return out
