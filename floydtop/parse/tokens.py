"""How numbers, names and places look in free text: the expressions and words that pairs are found by."""

from __future__ import annotations

import re

from floydtop.parse.names import STEP_NAMES, words

NUMBER = (
    r"[-+]?(?:\d{1,3}(?:,\d{3})++(?:\.\d++)?|\d++(?:\.\d*+)?(?:[eE][-+]?\d++)?|\.\d++(?:[eE][-+]?\d++)?"
    r"|(?i:nan|inf(?:inity)?)(?![\w]))"
)
TOKEN = re.compile(
    # Clock times, dates, durations, versions are tokens too, so that their digits are no values.
    r"(?P<skip>(?<![\w.])(?:\d{1,4}(?::\d\d){1,3}(?:[.,]\d{1,9})?"
    r"|\d{4}[-/]\d\d[-/]\d\d|\d{1,2}/\d{1,2}/\d{2,4}(?!\d)|\d+[dhm] ?\d+[hms]\b"
    r"|v?\d+(?:\.\d+){2,6}|\d+ days?))"
    rf"|(?<![\w.@$\\])(?<![A-Za-z_][-+])(?P<number>{NUMBER})"
    r"(?P<unit> ?%|(?:ms|us|µs|ns|s|secs?|min|m|h|[KMGT]i?B?|[kMG]b|GiB|MiB|kB|x)(?![\w/]))?"
    r"(?P<bad>[A-Za-z_\\]|[:.][A-Za-z0-9_]|[-][A-Za-z0-9_]|=(?!=)|\()?"
)
RATE = re.compile(
    r"\s?((?:it|iter|iters|batch|batches|samples?|tok|tokens?|steps?|img|images|imgs|examples?|ex|seq|sequences|"
    r"words?|wps|ups|[KMG]i?B|MB|frames?)?/(?:s|sec|second)\b|(?:ms|s|sec)/(?:it|iter|step|batch|epoch|img|sample)\b|"
    r"FPS\b|fps\b|TFLOPS?/s\b|ms\b|sec(?:onds)?\b|GB\b|MB\b|GiB\b|MiB\b|s\b(?=\s{0,4}(?:$|[,;|)\]])))(?!\s?[:=])"
)
ORDINAL = re.compile(r"(?:st|nd|rd|th)\b")
BRACKET = re.compile(r" \[[A-Za-z]")
COUNTS = re.compile(r"/\d{1,12}\)")
LAST = re.compile(r"/\d{1,12}\s{0,8}$")
CLOSED = re.compile(r"\s{0,4}/\s{0,4}\d{1,12}\]")
RANGE = re.compile(r"-(\d{1,9})(?=\])")
# Tianshou's `Epoch #1`; the 0 of Caffe's `output #0: loss` is part of a name.
COUNTER = re.compile(r"(?i:epoch|iteration|iter|step|batch|round|episode|trial) ?#$")
DASH = re.compile(r"^(?:[-–—]\s{1,8}|[-–—]{2,80}\s{0,8})")
# `epoch-3 loss 0.5` and `epoch_3`, at the beginning of a message only: elsewhere it is a file's name.
JOINED = re.compile(r"(\W{0,4}(?:epoch|step|iter(?:ation)?))[-_](?=\d)", re.IGNORECASE)
COUNTED = re.compile(r"\s?(batches|steps|iters|iterations|epochs?|samples)\b", re.IGNORECASE)
SEPARATOR = re.compile(
    r"[,;|\t\]{}]|:\s|\s[-–—>]{1,3}\s|\s\s|=>|->|\)\s|\.\s\s?(?=[A-Z])(?<!Val\. )(?<!Avg\. )"
)
# `loss=tensor(0.5)`, `tf.Tensor(0.5, shape=(), dtype=float32)`, `np.float32(0.5)`
_ARRAY = re.compile(r"(?:\b[a-z]{2,8}\.)?(?:[Tt]ensor|[Aa]rray|float\d{0,2})\([\[\s]{0,4}$")
STRIP = "→≈↓↑ \t*\"'`[({<>#~•·│┃|:=+━╸╺─═█▏░▒▓"
SECTION = re.compile(
    r"(?<![A-Za-z])(?:(train|training|train_inner)|(val|validation|validate|validating)|(test|testing)|"
    r"(eval|evaluation|evaluating|Saving dict)|(dev)|(valid))(?![a-z])",
    re.IGNORECASE,
)
SECTIONS = {1: "train", 2: "val", 3: "test", 4: "eval", 5: "dev", 6: "valid"}
MODIFIERS = words(
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
EPOCH_WORDS = frozenset(["epoch", "ep", "epoche"])
STEP_WORDS = frozenset(
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
            "rollout",
            "n_iter",
            "opt_step",
            "optimizer_step",
            "env_step",
            "env_steps",
            "minibatch",
            "game",
            "cycle",
        ),
    ]
)
# A count over all epochs: fairseq tells the batch of the epoch first.
GLOBAL = frozenset(["global_step", "num_updates"])
# `Epoch number: 3`, SpeechBrain's `Epoch loaded: 10`.
NUMBERED = frozenset(["number", "count", "no", "num", "nr", "loaded", "index", "idx", "id"])
# `Better model found at epoch 0 with valid_loss value: 0.63` is told again.
PREPOSITIONS = frozenset(["with", "from", "to", "by", "than", "at"])
PLURALS = frozenset(["iters", "steps", "batches", "updates"])
SOURCES = (".py", ".cc", ".cpp", ".cu", ".c", ".h", ".go", ".rs", ".java", ".ipynb")
DATA_PARTS = frozenset(["train", "val", "valid", "validation", "test", "eval"])
BETWEEN = frozenset(["±", "+/-", "+-", "+", "-", "..", "to", "(*", "=", "x", "*"])
AFTER_EPOCH = frozenset(["[", "][", "|", ",", "", ":", "-", "]", "(", ":[", "]("])
SUMMARY = re.compile(
    r"\b(?:best_|(?:best|min|max|minimum|maximum|early|patience|delta|previous|prev)\b)", re.I
)
JUNK = re.compile(r"[\\<>{}$@?!]{2}|^[/~.]{1,2}[\w.-]{0,255}/|https?:|\?\w|=['\"]|[\w.]\(\)|\w\[\"")
# PyTorch's tutorials: `[1,  2000] loss: 2.173` is epoch and batch.
COUPLE = re.compile(r"\[\s{0,4}(\d{1,7}),\s{1,8}(\d{1,9})\]\s")
# `f1-score (micro avg) 0.51`
ASIDE = re.compile(r"\s\([^()]{0,24}\)?$")
CALLED = re.compile(r"\(\w*\)$")
# Words that name a metric when a number follows directly, though they name settings as well.
BARE_WORDS = frozenset(["norm", "kl"])


# `loss=0,512` is no 512.
DECIMAL = re.compile(r"[=:]\s?0,\d{1,9}(?![\d,])")
# Without one of these no line is read here; most chatter ends at this look. To look for 60 words one by one
# takes 2 us, an expression of them all 20.
_WORTH = words(
    """
    loss acc epoch step iter batch round score error reward ppl perplex auc f1 precision recall rmse mse
    mae bleu gen trial episode update train test val nll iou dice psnr ssim entropy cost grad bpb bpc wer
    cer likelihood map kl fid r2 mcc kappa top1 top5 ndcg mrr rouge hit roc pears spear corr return elbo
    eer inertia diverg chrf meteor cider snr change
    """
)
_RARE = re.compile(r"\bep\b|\bit\b|\bs:\d|\bup\.|tr?e?l:|(?-i:\bD\()", re.IGNORECASE)


def is_worth(text: str) -> bool:
    """Whether a text has a word in it that names a metric or a step."""
    lower = text.lower()
    for word in _WORTH:
        if word in lower:
            return True
    return _RARE.search(text) is not None


def name_before(gap: str) -> tuple[bool, str, list[str]]:
    """From the text before a number: whether a colon or equals sign binds it, the name, the name's words."""
    text = (_ARRAY.sub("", gap) if "(" in gap else gap).rstrip(" \t[({\"'<*`")
    connected = text[-1:] in (":", "=")
    if not connected and text.endswith((" is", " was")):
        text = text[: text.rindex(" ")]
    if connected:
        text = text.rstrip(":= \t")
        if text[-1:] in ('"', "'", "`"):
            text = text[:-1]
    tail = SEPARATOR.split(text)[-1]
    if tail.count(")") > tail.count("("):
        tail = tail.rpartition(")")[2]
    name = DASH.sub("", tail.strip(STRIP).lstrip("/")).removeprefix("the ")
    return connected, name, name.split()


def names_section(name: str) -> bool:
    """Whether a name says itself which part of the data it is about: val_loss, Test Acc."""
    return SECTION.search(name.replace("_", " ")) is not None
