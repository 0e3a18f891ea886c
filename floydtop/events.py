"""The vocabulary: the records that flow from the job to the session file, and from there to the screen.

Each record is one line of a session file; `k` on the wire names its kind. Times are seconds since the
start of the session (`Header.t0`) on a clock that never goes back and counts suspend; they are negative
for what happened before the recording began. What is not known is absent, never zero.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import field

Whole = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
"""An integer of 64 bits, as columns hold it: a line with a larger one was not written by floydtop."""

MetricGroup = Literal["training", "timing"]
"""`timing` is what a job prints about its own speed and memory: rates, durations, bytes."""

Stat = tuple[float, float, float]
"""Mean, minimum and maximum over one tick."""


class Job(msgspec.Struct, frozen=True, omit_defaults=True):
    """The root process of the job; (pid, start, the header's boot id) is its identity, never the bare pid."""

    pid: Whole
    start: int
    """Clock ticks since boot, field 22 of /proc/PID/stat; elsewhere microseconds of the create time."""
    command: list[str]
    cwd: str | None = None
    user: str | None = None
    t: float | None = None
    """When the job started, as session time: zero or negative."""
    environment: dict[str, str] = field(default_factory=dict)
    """The few variables that say which devices and allotment the job has, such as CUDA_VISIBLE_DEVICES."""


class Log(msgspec.Struct, frozen=True, omit_defaults=True):
    """The file that the job's output goes to."""

    path: str
    device: int
    inode: int


class Header(msgspec.Struct, frozen=True, tag="h", tag_field="k", omit_defaults=True):
    """The first line of each segment: what is being recorded, by whom, since when."""

    format: str
    v: int
    id: str
    t0: float
    """Unix time of session time 0."""
    boot: str
    host: str
    interval: float
    """Seconds between two recorded samples."""
    by: str
    recorder: Whole
    """Pid of the recorder."""
    recorder_start: int | None = None
    """When it started, counted as for the job: with host and boot this tells whether it still lives."""
    segment: Whole = 0
    timezone: str = "UTC"
    job: Job | None = None
    log: Log | None = None


# Numbers and words make no cycle: without a garbage collector that looks at each, reading a session takes
# 0.29 us a line instead of 0.42; of the output's lines likewise.
class Metrics(msgspec.Struct, frozen=True, tag="m", tag_field="k", omit_defaults=True, gc=False):
    """The metric values that one line of output carried."""

    values: dict[str, float] = field(name="v")
    t: float | None = None
    """When the line was printed; None when that is not known (it was there before the recording)."""
    approximate: bool = field(default=False, name="approx")
    """`t` is estimated from the line's position in the log."""
    step: Whole | None = field(default=None, name="s")
    epoch: float | None = field(default=None, name="e")
    line: Whole = field(default=0, name="n")
    """Line number from where the recording began in the log: nearly always its first line, which is 1."""
    group: MetricGroup = field(default="training", name="g")


class Row(msgspec.Struct, gc=False):
    """One value of a metric: a line of what `export` writes."""

    metric: str
    value: float | str
    """Where it is written a number that is not finite is a word: "NaN", "Infinity" or "-Infinity"."""
    step: int | None
    epoch: float | None
    time: float | None
    """Session time in seconds, None where it is not known or only estimated."""
    line: int
    group: str


class Malformed(msgspec.Struct, frozen=True, tag="bad", tag_field="k", omit_defaults=True):
    """A line that claims to be a metric and is not readable as one."""

    text: str = field(name="x")
    why: str
    line: Whole = field(default=0, name="n")
    t: float | None = None


class OutputLine(msgspec.Struct, frozen=True, tag="l", tag_field="k", omit_defaults=True, gc=False):
    """A line of the job's output: raw text, to be made safe by whoever shows it."""

    text: str = field(name="x")
    line: Whole = field(name="n")
    offset: Whole = field(default=0, name="o")
    """Byte offset of the line's start in the log."""
    t: float | None = None
    cut: Whole = 0
    """Characters dropped from the end of an over-long line."""


class Sample(msgspec.Struct, frozen=True, tag="s", tag_field="k", omit_defaults=True):
    """System metrics of the job over one tick: name -> (mean, min, max).

    Names: cpu.percent (of what the job may use), cpu.cores, memory.bytes, memory.percent, disk.percent,
    disk.read_bytes_per_s, disk.write_bytes_per_s, gpu.N.utilization, gpu.N.memory_bytes,
    gpu.N.memory_percent, gpu.N.job_memory_bytes, gpu.N.job_sm_percent, gpu.N.power_watts,
    gpu.N.energy_joules, gpu.N.temperature_celsius, gpu.N.clock_mhz, gpu.N.throttled_percent, ... with N the
    NVML index; where they apply cpu.throttled_percent, memory.peak_bytes, memory.swap_bytes,
    disk.inodes_percent, disk.log_percent. Percents are 0-100.
    """

    t: float
    values: dict[str, Stat] = field(name="v")
    unknown: dict[str, str] = field(default_factory=dict, name="miss")
    """Readings that could not be taken: name -> reason."""


class Reading(msgspec.Struct):
    """One look at the system: name -> number by the names of `Sample`, and why others are missing."""

    values: dict[str, float] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)


class Gpu(msgspec.Struct, frozen=True, omit_defaults=True):
    """What does not change about a GPU of the machine."""

    index: Whole
    name: str | None = None
    uuid: str | None = None
    memory_bytes: Whole | None = None
    of_job: bool = True
    """False: the job does not touch it."""


class Facts(msgspec.Struct, frozen=True, tag="i", tag_field="k", omit_defaults=True):
    """Slow-changing facts about the job's surroundings; a later record replaces an earlier one."""

    t: float
    cpu_cores: float | None = None
    """Cores that the job may use: quota, affinity and cpuset taken together."""
    memory_bytes: Whole | None = None
    """Memory that the job may use: the smallest limit that applies, or that of the machine."""
    gpus: list[Gpu] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)
    """Where a number comes from or why it is missing: name -> sentence, such as gpu -> "no NVIDIA driver"."""


class Exit(msgspec.Struct, frozen=True, omit_defaults=True):
    """How the job ended, as far as that could be known."""

    code: Whole | None = None
    """Exit code, None when killed by a signal or not known."""
    signal: str | None = None
    """Name of the signal that killed it, such as SIGKILL."""
    oom: bool = False
    """The kernel's out-of-memory killer did it."""
    how: str = ""
    """How this is known, or why it is not."""


JobStateName = Literal["running", "stopped", "exited", "no-process"]
"""`stopped`: SIGSTOP or a debugger holds it. `no-process`: no process on this machine writes the log."""


class JobState(msgspec.Struct, frozen=True, tag="j", tag_field="k", omit_defaults=True):
    """A change in the job's state."""

    t: float
    state: JobStateName
    exit: Exit | None = None


class Note(msgspec.Struct, frozen=True, tag="a", tag_field="k", omit_defaults=True):
    """Something a person should know: a log that was rotated, a limit that was reached."""

    t: float
    text: str = field(name="x")
    level: Literal["info", "warning", "error"] = "info"


class Clock(msgspec.Struct, frozen=True, tag="c", tag_field="k", omit_defaults=True):
    """Session time t was this wall-clock time (Unix seconds); written at start, at jumps, now and then."""

    t: float
    wall: float
    uptime: float | None = None
    """Seconds since boot, suspend included: within one boot this bridges a pause between two recorders."""


class Position(msgspec.Struct, frozen=True, tag="p", tag_field="k", omit_defaults=True):
    """How far the log was read when everything before it had been written: where a next recorder goes on."""

    t: float
    offset: Whole = field(default=0, name="o")
    """Bytes of the log before the first line that is not recorded."""
    line: Whole = field(default=1, name="n")
    """Number of that line."""
    check: Whole = field(default=0, name="c")
    """CRC-32 of the last 64 bytes before `offset`: others there mean another content."""
    device: int = field(default=0, name="d")
    inode: int = field(default=0, name="i")
    segment: Whole = field(default=0, name="g")
    begun: Whole = field(default=0, name="b")
    """Where the recording of a huge log began: what stands before it is read backwards, see `History`."""
    back: Whole = field(default=0, name="r")
    """How far back that has come: every byte from here to `begun` is recorded; 0 when all is."""
    past_lines: Whole = field(default=0, name="l")
    """How many lines there are from `back` to `begun`."""


class Column(msgspec.Struct, frozen=True, omit_defaults=True):
    """Points of one metric in the order of the log, thinned where `weights` says so.

    All lists are as long as `values`, or empty where nothing of the kind is known. Of each group of
    consecutive points that was thinned the least and the greatest finite value stay, and the first one that
    is not finite, so that whatever is drawn of them covers what all points covered.
    """

    values: list[float | None] = field(name="v")
    """None: not finite, see `odd`."""
    odd: dict[int, str] = field(default_factory=dict)
    """Index -> "NaN", "Infinity" or "-Infinity"."""
    times: list[float | None] = field(default_factory=list, name="t")
    steps: list[float | None] = field(default_factory=list, name="s")
    epochs: list[float | None] = field(default_factory=list, name="e")
    lines: list[Whole] = field(default_factory=list, name="n")
    means: list[float | None] = field(default_factory=list, name="m")
    """Mean of the finite points that a point stands for; empty: the values themselves."""
    weights: list[float] = field(default_factory=list, name="w")
    """How many points a point stands for; empty: one each. Their sum is the number of points there were."""
    group: MetricGroup = field(default="training", name="g")
    approximate: bool = field(default=False, name="approx")
    """The times are estimated from the place of the lines in the log."""


class History(msgspec.Struct, frozen=True, tag="hist", tag_field="k", omit_defaults=True):
    """The metrics of a stretch of the log that was there before us, read out of order, the newest first.

    Lines before the place at which the recording began are numbered -1, -2, ... back from there.
    """

    start: Whole
    """Byte offset in the log of the stretch's first line."""
    stop: Whole
    """Byte offset behind its last line."""
    columns: dict[str, Column] = field(name="v")
    lines: Whole = 0
    """How many lines it has."""
    sampled: bool = False
    """A sample that stands for what lies around it, until the stretch that holds it has been read."""
    malformed: Whole = field(default=0, name="bad")
    """How many of its lines claim to be a metric and are not readable, less those told as `Malformed`."""


class Progress(msgspec.Struct, frozen=True, tag="prog", tag_field="k", omit_defaults=True):
    """How far the job says it is: 'Epoch 3/10', '120/500'; written now and then while that changes."""

    epoch: Whole | None = None
    epochs: Whole | None = None
    step: Whole | None = None
    steps: Whole | None = None
    t: float | None = None
    """When it said so, None when that is not known."""


class Gap(msgspec.Struct, frozen=True, tag="gap", tag_field="k", omit_defaults=True):
    """Events that are known to be missing."""

    t: float
    lost: Whole
    """How many events; 0 when it is not known how many."""
    why: str
    since: float | None = None


class End(msgspec.Struct, frozen=True, tag="end", tag_field="k", omit_defaults=True):
    """Clean close of a segment; without it the recorder was killed or still runs."""

    t: float
    why: str
    offset: Whole | None = None
    """Bytes of the log that were read."""


Event = (
    Header
    | Metrics
    | Malformed
    | OutputLine
    | Sample
    | Facts
    | JobState
    | Note
    | Clock
    | Position
    | History
    | Progress
    | Gap
    | End
)


class Recorder(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who records: a process, named so that no other one can be taken for it."""

    pid: Whole
    host: str = ""
    boot: str = ""
    start: int | None = None


class Present(msgspec.Struct, frozen=True, omit_defaults=True):
    """The present reading: replaced every two seconds or so beside the session file, never appended to it."""

    t: float
    values: dict[str, float] = field(default_factory=dict)
    """System readings by the names of `Sample`."""
    unknown: dict[str, str] = field(default_factory=dict)
    others: dict[str, float] = field(default_factory=dict)
    """The same of the GPUs that the job does not use."""
    metrics: list[Metrics] = field(default_factory=list)
    """Running values of a progress bar that is not finished."""
    progress: Progress | None = None
    recorder: Recorder | None = None
    """Who writes this."""


def gpu_index(name: str) -> int | None:
    """The N of a system metric called gpu.N.something, None for any other name."""
    family, _, rest = name.partition(".")
    number = rest.partition(".")[0]
    return int(number) if family == "gpu" and number.isdecimal() and len(number) <= 9 else None
