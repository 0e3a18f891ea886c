"""Free text: `step 10: loss 2.5, acc: 0.9`, `Epoch [3/10], Loss: 0.5`, what a program's print() says."""

from __future__ import annotations

import math
import re

from floydtop.parse.names import is_hyperparameter, is_metric, is_strong_metric, is_timing
from floydtop.parse.pairs import Pair, Pairs, pairs
from floydtop.parse.prefix import Message, strip
from floydtop.parse.reading import NEVER, Format, Found, Place, State, Told, as_int, falls, never
from floydtop.parse.tokens import DATA_PARTS, DECIMAL, is_worth, names_section

LONGEST = 16 * 1024
"""Lines beyond this are not prose; verl's hundred metrics have 6 kB."""

MOST_INDENTED = 64

MOST_UNKNOWN = 8
MOST_WORDS = 3
OPENING = 32
"""So many names that nobody knows in a line, of so many words, behind a place that is told so early."""

CENTRED = " " * 15
"""A place below such an indentation is a heading, not part of a list (RSL-RL)."""

REACH = 2
"""How many lines below its step a metric without one may stand (`Test set: ...` after an empty line)."""

LONGEST_PLACE = 160
"""Characters of a line that tells a step or epoch and no metric; longer ones are prose."""

_GOALS = ("target", "expected", "required", "desired", "baseline")

_DASHED = re.compile(r" [-–—] ?[A-Za-z]")
_DIGIT = re.compile(r"\d|nan|inf", re.IGNORECASE)
_CODE = re.compile(
    r"\s{0,80}(?:def|class|import|from|return|if|elif|else|for|while|print|with|assert|raise|try|except|File|self\.|"
    r"\w{1,60}(?:Error|Exception|Warning):|#|//|@|usage:|wandb:|\w+\(.*\)$|parser\.|--\w|>>>|\.\.\.)(?![a-z])"
    r"|Step \d{1,4}/\d{1,4} : (?:FROM|RUN|COPY|ADD|ENV|ARG|CMD|USER|LABEL|EXPOSE|WORKDIR|ENTRYPOINT) "
)
_FRACTION = re.compile(r"[-+]?\d{0,20}\.\d|[-+]?\d[eE]")
_SETTINGS = re.compile(
    r"Namespace\(|[Cc]onfig(?:uration)?\b\s?[:=(]|[Aa]rg(?:ument)?s\b\s?[:=(]|hparams|=(?:True|False|None)\b"
)


class _Block:
    """The latest step or epoch that was told, and the line that told it or used it last."""

    def __init__(self) -> None:
        self.step: int | None = None
        self.epoch: float | None = None
        self.line = NEVER
        self.section = ""
        self.under = ""
        """The part of the data that a line announced: `Validation at epoch 5`."""
        self.heading = NEVER
        """The last heading of an epoch before that line."""
        self.trained: int | None = None
        """The last step of the training itself."""
        self.bare = False
        """The line that told it held nothing else: what follows hangs below it."""
        self.ever_bare = False
        self.indented: dict[str, float] = {}
        """The value of each name that stood alone on an indented line, nan when it had others."""


def read(text: str, state: State) -> list[Found] | None:
    """Values count with a step or epoch on or just above their line, or when their names leave no doubt."""
    if len(text) > LONGEST:
        state.why = "longer than prose ever is"
    elif not _DIGIT.search(text) or not (is_worth(text) or _hangs(text, state)):
        state.why = "no number beside a word that names a metric or a step"
    elif _CODE.match(text):
        state.why = "source code or usage text"
    elif _SETTINGS.search(text):
        state.why = "settings"
    elif "0," in text and DECIMAL.search(text):
        # With another digit before its comma the number would have thousands.
        state.why, state.hesitant = "a decimal comma", True
    else:
        return _message(text, state)
    return None


def _hangs(text: str, state: State) -> bool:
    """Whether an indented line stands below a bare step, where any name is a metric (OLMo)."""
    block = state.of(_Block)
    if not block.ever_bare or not text[:1].isspace():
        return False
    state.hesitant = True
    return block.bare and state.number - block.line <= REACH


def _message(text: str, state: State) -> list[Found] | None:
    state.why = "no step or epoch on the line or just above it"
    message = strip(text)
    found = pairs(message.text)
    rank = message.rank or found.rank
    block = state.of(_Block)
    if state.heading_line > block.line:
        block.step, block.epoch, block.line, block.bare = None, state.heading_epoch, state.heading_line, False
        block.section = ""
    if found.placed:
        return _placed(found, message, rank, state, block)
    if not found.pairs:
        return None
    known = [pair for pair in found.pairs if is_metric(pair.name) or is_timing(pair.name)]
    # `loss: 2.34  (2.45)` is one value with its mean.
    alone = len({pair.name.removesuffix(".avg") for pair in found.pairs}) == 1
    lonely = alone and message.text[:1].isspace() and found.pairs[0].connected
    single = lonely and block.ever_bare
    if found.loose:
        return None
    state.hesitant = bool(known) or single
    if state.number - block.line <= REACH and len(found.leftover.split()) <= 2:
        bare = single and block.bare
        known = found.pairs if bare else known
        if known:
            values, at = _named(known, message.text, rank, block.section)
            place = _hang_bare if bare else _hang
            state.told = Told(None, None, None, None, place, block.section, at | _places(found, message))
            block.line, block.under = state.number, ""
            return [Found(values, block.step, block.epoch)]
    # What a Keras callback adds to its bar is no list: ` - val_f1: 0.81 - val_recall: 0.79`.
    dashed = _DASHED.match(message.text) is not None
    indented = message.text[:1].isspace() and not dashed
    strong = all(
        is_strong_metric(pair.name)
        and (pair.connected or pair.section or names_section(pair.name))
        and not pair.name.lower().startswith(_GOALS)
        for pair in found.pairs
    )
    if len(found.leftover.split()) > 1 or not (indented or strong):
        if state.hesitant or any(char.isdigit() for pair in found.pairs for char in pair.name):
            # Far from a step these numbers mean nothing, whatever they are; below one top5 does, not top7.
            state.told = Told(None, None, None, None, _far)
        return None
    if indented and not _repeats(found, block):
        return None
    if strong and any(pair.value != round(pair.value) for pair in found.pairs if math.isfinite(pair.value)):
        values, _ = _named(found.pairs, message.text, rank, "")
        if not dashed and not all(names_section(pair.name) for pair in found.pairs):
            return [Found(values)]
        # Of `Validation acc: 0.86` far below its step the epoch is sure, or the step if there is none.
        return [Found(values, state.step if state.epoch is None else None, state.epoch)]
    return None


def _repeats(found: Pairs, block: _Block) -> bool:
    """Whether an indented line tells another value than before: settings are told once or stay the same."""
    if len(found.pairs) != 1 or found.leftover:
        return False
    (pair,) = found.pairs
    before = block.indented.get(pair.name)
    if before is None:
        if len(block.indented) < MOST_INDENTED:
            block.indented[pair.name] = pair.value
        return False
    if before == pair.value:
        return False
    block.indented[pair.name] = math.nan
    return True


def _places(found: Pairs, message: Message) -> dict[str, int]:
    places = {name: len(message.text) - start for name, start in found.at.items()}
    if message.rank_at >= 0:
        places["rank"] = message.rank_at
    return places


def _placed(found: Pairs, message: Message, rank: int, state: State, block: _Block) -> list[Found] | None:
    step, epoch = as_int(found.step), found.epoch
    text = message.text
    known = any(is_metric(pair.name) for pair in found.pairs) or _is_series(found, text)
    places = _places(found, message)
    under = "" if found.section or found.passing else _under(block, state, step, epoch)
    place = _place_passing if found.passing else _place_under if under else _place
    told = Told(
        step,
        as_int(found.steps),
        epoch,
        as_int(found.epochs),
        place,
        found.section or under,
        breaks=None if found.passing else falls if epoch is None else never,
    )
    if known:
        values, at = _named(found.pairs, text, rank, under)
        state.told = told._replace(at=at | places)
        return [Found(values, *(place(state, told) or (step, epoch)))]
    timing = [pair for pair in found.pairs if is_timing(pair.name)]
    if found.loose and not any(pair.connected for pair in timing):
        # `Batch 32, lr 0.001, momentum 0.9` are settings.
        timing = []
    member = text.lstrip(" {")[:1] in ("'", '"')
    inside = (
        text[:1].isspace()
        and not member
        and not text.startswith(CENTRED)
        and not text.lstrip().startswith("-->")
    )
    if found.loose > 1 or len(text) > LONGEST_PLACE or (inside and not timing):
        return None
    if not timing and (found.pairs or len(found.leftover.strip("]):").split()) > 4):
        return None
    if not timing:
        bare = _place_passing_bare if found.passing else _place_member if member else _place_bare
        # No other line of its shape has so many more digits that it would be too long.
        valid = None if len(text) < LONGEST_PLACE // 2 else _is_short
        state.told = told._replace(
            place=bare, at=places, valid=valid, breaks=None if found.passing else never
        )
        bare(state, told)
        return []
    _begin(block, state, told, bare=False)
    values, at = _named(timing, text, rank, "")
    state.told = told._replace(place=_place_timing, at=at | places, breaks=never)
    return [Found(values, step, epoch)]


def _is_short(raw: bytes) -> bool:
    return max(map(len, raw.split(b"\n"))) <= LONGEST_PLACE


def _is_series(found: Pairs, text: str) -> bool:
    """Whether a line that opens with its step gives fractions by unknown names: `Epoch 2, change: 0.14`."""
    names = [pair.name for pair in found.pairs if not is_timing(pair.name)]
    return (
        bool(names)
        and not found.loose
        and not any(map(is_hyperparameter, names))
        and len(names) <= MOST_UNKNOWN
        and max(found.at.values()) < OPENING
        and all(pair.connected or pair.name.lower() in DATA_PARTS for pair in found.pairs)
        and all(len(pair.name.split()) <= MOST_WORDS for pair in found.pairs)
        and any(_FRACTION.match(text, pair.at) for pair in found.pairs if pair.name in names and pair.at >= 0)
    )


def _under(block: _Block, state: State, step: int | None, epoch: float | None) -> str:
    """The part of the data whose heading stands above a line that counts its steps anew, or nothing."""
    if not block.under or step is None or epoch is not None:
        return ""
    if state.number - block.line > REACH or state.heading_line != block.heading:
        return ""
    if block.step is None:
        anew = step <= 1 or (block.trained is not None and step < block.trained)
        return block.under if anew else ""
    return block.under if step >= block.step else ""


def _place_under(state: State, told: Told) -> Place | None:
    """A line of a pass over the part of the data that a heading announced."""
    block = state.of(_Block)
    if _under(block, state, told.step, told.epoch) != told.section:
        return None
    epoch, under = block.epoch, block.under
    _begin(block, state, told, bare=False)
    block.epoch, block.under = epoch, under
    return told.step, epoch


def _place(state: State, told: Told) -> Place | None:
    """Begin a block; a step without an epoch belongs to the epoch that is going on."""
    block = state.of(_Block)
    if block.under and not told.section and _under(block, state, told.step, told.epoch):
        return None
    if state.heading_line > block.line:
        block.epoch = state.heading_epoch
    epoch, step = told.epoch, told.step
    if epoch is None and step is not None:
        if block.step is not None and step < block.step and _restarts(block, state, told):
            block.epoch = state.epoch = None
        epoch = block.epoch if block.epoch is not None else state.epoch
    _begin(block, state, told, bare=False)
    block.epoch = epoch
    return step, epoch


def _restarts(block: _Block, state: State, told: Told) -> bool:
    """Whether steps begin anew though no line told of another epoch: something else is being trained."""
    return (
        told.step is not None
        and block.step is not None
        and told.step * 2 < block.step
        and told.section == block.section
        and state.heading_line <= block.line
    )


def _place_passing(state: State, told: Told) -> Place:
    """The result of a pass over other data stands at the step that the training had reached."""
    block = state.of(_Block)
    if told.steps is not None and told.step != told.steps:
        return _place(state, told) or (told.step, told.epoch)
    _begin(block, state, told, bare=False)
    block.step = None if told.epoch is not None else block.trained
    block.epoch = told.epoch if told.epoch is not None else state.epoch
    return block.step, block.epoch


def _place_passing_bare(state: State, told: Told) -> Place:
    """What hangs below the end of such a pass stands there as well: Composer's `[Eval batch=8/8]`."""
    _place_passing(state, told)
    state.of(_Block).bare = True
    return None, None


def _place_timing(state: State, told: Told) -> Place:
    _begin(state.of(_Block), state, told, bare=False)
    return told.step, told.epoch


def _place_bare(state: State, told: Told) -> Place:
    """A step or epoch and nothing else."""
    _begin(state.of(_Block), state, told, bare=True)
    return None, None


def _place_member(state: State, told: Told) -> Place:
    """The line `"epoch": 3,` of an object printed over several lines: below it stand settings as well."""
    _begin(state.of(_Block), state, told, bare=False)
    return None, None


def _hang(state: State, told: Told) -> Place | None:
    """The place of a line below the one that told its step."""
    block = state.of(_Block)
    if state.number - block.line > REACH or block.section != told.section or state.heading_line > block.line:
        return None
    block.line, block.under = state.number, ""
    return block.step, block.epoch


def _far(state: State, told: Told) -> Place | None:
    """A line that means something only just below a step."""
    latest = max(state.of(_Block).line, state.heading_line)
    return None if state.number - latest <= REACH else (None, None)


def _hang_bare(state: State, told: Told) -> Place | None:
    return _hang(state, told) if state.of(_Block).bare else None


def _begin(block: _Block, state: State, told: Told, bare: bool) -> None:
    block.step = told.step
    block.epoch = told.epoch
    block.line = state.number
    block.bare = bare
    if bare and not block.ever_bare:
        block.ever_bare = True
        state.expectations += 1
    block.section = told.section
    heading = bare and told.step is None and told.section != "train"
    block.under, block.heading = told.section if heading else "", state.heading_line
    if told.epoch is not None:
        state.epoch, state.step, state.steps = told.epoch, None, None
        state.epochs = told.epochs or state.epochs
    if told.step is not None:
        state.step, state.steps = told.step, told.steps
        if told.section in ("", "train"):
            block.trained = told.step


def _named(found: list[Pair], text: str, rank: int, section: str) -> tuple[dict[str, float], dict[str, int]]:
    """Names made distinct, validation apart from training, other ranks apart from rank 0.

    Also says where each number stands, from the end of the text, since prefixes were taken off its start.
    """
    values: dict[str, float] = {}
    at: dict[str, int] = {}
    several = len({pair.section for pair in found}) > 1
    for pair in found:
        part = pair.section or section
        name = pair.name
        if part and (part != "train" or several) and not names_section(name):
            plain = name[8:] if name.lower().startswith("average ") else name
            name = f"{part}_{plain}"
        if rank:
            name = f"rank{rank}/{name}"
        if name not in values:
            values[name] = pair.value
            at["=" + name] = len(text) - pair.at if pair.at >= 0 else -1
    return values, at


FORMAT = Format(
    name="text",
    about="free text with a step or epoch: 'Epoch [3/10], Loss: 0.5', 'iter 100: loss 2.4', 'acc=0.9 step=5'",
    read=read,
    order=90,
)
