"""Logs of bars as they come in the wild, drawn by chance: nested, restarted, cut, glued, in several ranks."""

from __future__ import annotations

from random import Random

BLOCKS = " ▏▎▍▌▋▊▉█"
NAMES = ("loss", "train_loss_step", "val_loss", "val/mae", "acc1", "Acc@5", "lr", "v_num", "step", "epoch")
GLUED = (
    "epoch {n}: train_loss={x} val_loss={y}",
    "{{'loss': '{x}', 'learning_rate': '{y}', 'epoch': '{n}'}}",
    '{{"metric": "loss", "value": {x}, "step": {n}}}',
    '{{"loss": {x}, "epoch": {n}}}',
    "Metric val_loss improved by {x}. New best score: {y}",
    "[rank1] step {n}: loss {x}",
    "[rank0] step {n}: loss {x}[rank1] step {n}: loss {y}",
    "`Trainer.fit` stopped",
    "   ",
)
PLAIN = (
    "step {n}: loss {x}",
    "[rank1] step {n}: loss {x}[rank0] step {n}: loss {y}",
    "Epoch {n}/9",
    "  loss: {x}",
    "step {n:>2}/12 - loss: {x} - acc_top1: {y} - 63ms/step",
    "step 12/12 - loss: {x} - acc_top1: {y} - acc_top2: {x} - 63ms/step",
    "\rstep {n:>2}/12 [=====>.......] - loss: {x} - ETA: 0s - 6ms/step\x08\x08\x08\r"
    "step 12/12 - loss: {y} - 7ms/step   ",
    "Eval begin...",
    "Eval samples: 96",
    "\rProgress: 100.0% words/sec/thread: 7531383 lr:  0.000000 avg.loss:  {x} ETA:   0h 0m 0s",
    "\rProgress:  {n}.5% words/sec/thread:  531383 lr:  0.01 avg.loss: {x} ETA:   0h 0m{n}s",
    "│ Trial t_{n}_0{n} result             │",
    "├──────────────────────────┤",
    "│ training_iteration                   {n} │",
    "│ loss                           {x} │",
    "│ top{n}                           {x} │",
    "╰──────────────────────────╯",
    "╭──────────────────────────╮",
    "│ lr                             {x} │",
    "┏━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━━━━┓",
    "┃        Test metric      ┃       DataLoader {n}        ┃",
    "│         test_loss         │    {x}     │",
    "└─────────────────────────┴───────────────────────────┘",
    "| rollout/           |          |",
    "|    ep_rew_mean     | {x}     |",
    "|    total_timesteps | {n}     |",
    "----------------------------------",
    "***** eval metrics *****",
    "***** train metrics *****",
    "  epoch                   =        {x}",
    "  eval_loss               =      {y}",
    "  eval_runtime            = 0:00:00.0{n}",
    "nothing to see here",
    "",
    "\r        \x1b[A",
    "Epoch {n}/2 ━━━━━━━━━━━━━━━━━ {n}/8 0:00:00 • 0:00:01 188.62it/s loss: {x}",
    "                                        val_loss: {y}",
)


class Bars:
    """Some bars and the frames that they draw."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.kinds = [self._kind() for _ in range(self.random.randint(1, 3))]
        self.late = self.random.random() < 0.5
        self.ascii = self.random.random() < 0.2

    def number(self) -> str:
        pick = self.random.random()
        if pick < 0.05:
            return self.random.choice(["nan", "inf", "1e-05", "-0.25", "2", "3.0", "1,234.5", "7.", "0"])
        value = self.random.choice([0.5, 1.25, 10.75, self.random.random() * 3])
        return f"{value:.{self.random.randint(1, 4)}f}"

    def text(self, templates: tuple[str, ...]) -> str:
        n = self.random.randint(0, 12)
        return self.random.choice(templates).format(n=n, x=self.number(), y=self.number())

    def _kind(self) -> dict[str, object]:
        choose = self.random.choice
        return {
            "label": choose(["Epoch {e}", "train", "", "loss {x}", "Epoch {e}/9", "val acc={x}", "epochs"])
            + choose([": ", ": ", ":"]),
            "total": choose([4, 16, 120, None]),
            "names": self.random.sample(NAMES, self.random.randint(0, 4)),
            "unit": choose(["it", "it", "batch", "ex"]),
            "ignite": self.random.random() < 0.15,
            "values": {},
            "n": 0,
            "e": 0,
        }

    def frame(self) -> str:
        kind, choose = self.random.choice(self.kinds), self.random.choice
        n, total = kind["n"], kind["total"]
        assert isinstance(n, int)
        if self.random.random() < 0.6:
            n += choose([0, 1, 1, 4])
        if self.random.random() < 0.08 or (isinstance(total, int) and n > total):
            n = 0
            kind["e"] = int(str(kind["e"])) + choose([0, 1])
        kind["n"] = n
        values = kind["values"]
        names = kind["names"]
        assert isinstance(values, dict)
        assert isinstance(names, list)
        if self.random.random() < 0.5 and (n or self.random.random() < 0.3):
            for name in names[: self.random.randint(1, 4)]:
                values[name] = self.number()
        items = "".join(f", {name}={value}" for name, value in values.items())
        label = str(kind["label"]).format(e=kind["e"], x=self.number())
        rate = choose([f"{self.random.random() * 900:5.2f}{kind['unit']}/s", f"?{kind['unit']}/s"])
        clock = choose(["00:00<00:00", "00:05<1:00:00", "00:00<?"])
        if total is None:
            return f"{label}{n}{kind['unit']} [00:0{n % 10}, {rate}{items}]"
        assert isinstance(total, int)
        percent = 100 * n // total
        bar = ("#" if self.ascii else "█") * (percent // 10) + (BLOCKS[percent % 8] if not self.ascii else "")
        if kind["ignite"]:
            epoch = int(str(kind["e"])) + 1
            return f"Epoch [{epoch}/3]: [{n}/{total}]  {percent:>3}%|{bar:<10}{items} [{clock}]"
        text = f"{label}{percent:>3}%|{bar:<10}| {n}/{total} [{clock}, {rate}{items}]"
        return text[: self.random.randint(60, 100)] if self.random.random() < 0.05 else text

    def line(self) -> str:
        if self.random.random() < 0.35:
            return self.text(PLAIN)
        parts = []
        for _ in range(self.random.randint(1, 6)):
            one = self.random.random()
            if one < 0.1:
                parts.append(" " * self.random.randint(0, 30))
            elif one < 0.14:
                parts.append(self.text(GLUED))
            else:
                parts.append(self.frame() + (" " if one > 0.95 else ""))
        text = "\r" * (self.random.random() < 0.8) + "\r".join(parts)
        if self.random.random() < 0.25:
            text += self.text(GLUED)
        if self.random.random() < 0.3:
            text += "\x1b[A"
        if self.random.random() < 0.05:
            text = text.replace("\r", self.random.choice(["\x08\x08", "\r\x1b[2K", "\x1b[A\r", "\x07\r"]))
        if self.random.random() < 0.05:
            text = f"\x1b[32m{text}\x1b[0m"
        return text


def log(seed: int, lines: int, times: int) -> bytes:
    """A log of random bars, and the same again, so that what was learned is used."""
    bars = Bars(seed)
    written = "".join(bars.line() + "\n" for _ in range(lines)).encode()
    more = "".join(bars.line() + "\n" for _ in range(lines * (times - 1) // 2)).encode()
    return written * (times - times // 2) + more


JUNK = (
    b"\xff",
    b"\x00",
    b"\x1b",
    b"\x1b[",
    b"\x1b[2J",
    b"\xc2\x85",
    b"\xef\xbb\xbf",
    b"\t",
    b"\x0b",
    b"\xe2\x96",
    b"\x1b[31m",
    b"\xc3\xa9",
    b"\xc2\xa0",
    b"{",
    b'{"a": 1}',
    b"[rank1]",
    b"9" * 20,
    b"1e999",
    b"\x7f",
    b"%|",
    b"|",
    b"\r",
    b" [",
    b"]",
    b",",
    b"=",
    b"-",
    b".",
    b"\xef\xbc\x91",
    b"\xed\xa0\x80",
    b"nan",
    b"0",
    b"\n",
)


def damaged(data: bytes, seed: int) -> bytes:
    """The same log with bytes put in, lost and changed."""
    random, text = Random(seed), bytearray(data)
    for _ in range(random.randint(1, 40)):
        at, how = random.randrange(len(text)), random.random()
        if how < 0.6:
            text[at:at] = random.choice(JUNK)
        elif how < 0.8:
            del text[at : at + random.randint(1, 5)]
        else:
            text[at] = random.randrange(256)
    return bytes(text)
