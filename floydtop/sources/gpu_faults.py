"""Words for what a GPU reports about itself: XID errors, throttling, memory errors."""

from __future__ import annotations

XIDS = {
    13: "an exception in a kernel (often an illegal address)",
    31: "a page fault in GPU memory (an illegal access of the program)",
    43: "the program's channel was reset",
    45: "the program was stopped and cleaned up",
    48: "an uncorrectable memory error",
    61: "an internal microcontroller warning",
    62: "an internal microcontroller halt",
    63: "a memory row was remapped",
    64: "a memory row could not be remapped",
    74: "an NVLink error",
    79: "the GPU has fallen off the bus",
    92: "many single-bit memory errors",
    94: "a contained memory error",
    95: "an uncontained memory error",
    119: "the GPU's system processor does not answer",
    120: "the GPU's system processor failed",
}
"""The frequent ones, after NVIDIA's "XID Errors" document."""

SLOWDOWNS = {
    0x04: "its power limit",
    0x08: "a hardware slowdown",
    0x20: "heat (by the driver)",
    0x40: "heat (by the hardware)",
    0x80: "the power brake",
    0x200: "its board's limit",
    0x400: "its reliable voltage",
}
"""Bits of nvmlClocksEventReasons that mean: slower than asked for. Idle and chosen clocks do not."""


def xid_sentence(index: int, code: int) -> str:
    """One sentence for an XID error of GPU `index` (-1: a GPU that is not known here)."""
    where = f"GPU {index}" if index >= 0 else "A GPU"
    meaning = XIDS.get(code)
    return f"{where} reported XID {code}" + (f": {meaning}" if meaning else "")


def slowdowns(bits: int) -> list[str]:
    """What slows the GPU down now; empty when nothing does."""
    return [name for bit, name in SLOWDOWNS.items() if bits & bit]


def ecc_sentence(index: int, errors: int) -> str:
    """One sentence for a count of uncorrected memory errors."""
    noun = "error" if errors == 1 else "errors"
    return f"GPU {index} has had {errors} uncorrected memory {noun} (ECC) since the driver was loaded"
