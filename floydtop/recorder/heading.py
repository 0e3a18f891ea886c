"""What a segment of a recording begins with: what is recorded, by whom, and what was missed before."""

from __future__ import annotations

import time
import uuid

import msgspec

from floydtop import __version__
from floydtop.events import Gap, Header, Job, Log
from floydtop.recorder.assignment import Assignment
from floydtop.recorder.clock import SessionClock
from floydtop.recorder.past import Past
from floydtop.recorder.privacy import mask
from floydtop.recorder.resume import identity
from floydtop.session.format import FORMAT, VERSION
from floydtop.session.owner import ourselves
from floydtop.sources.environment import environment
from floydtop.sources.process import JobTree


def heading(assignment: Assignment, tree: JobTree | None, clock: SessionClock, past: Past | None) -> Header:
    """The header of a segment; a later one has the identity and the zero of time of the first."""
    us = ourselves()
    return Header(
        format=FORMAT,
        v=VERSION,
        id=past.header.id if past is not None else uuid.uuid4().hex,
        t0=clock.wall_start,
        boot=us.boot,
        host=us.host,
        interval=assignment.interval,
        by=f"floydtop {__version__}",
        recorder=us.pid,
        recorder_start=us.start,
        segment=past.segment + 1 if past is not None else 0,
        timezone=time.strftime("%Z"),
        job=_job(tree, clock) if tree is not None else past.header.job if past is not None else None,
        log=_log(assignment),
    )


def _job(tree: JobTree, clock: SessionClock) -> Job:
    job = tree.describe()
    return msgspec.structs.replace(
        job,
        t=round(min(0.0, tree.started - clock.wall_start), 3),
        command=mask(job.command),
        environment=environment(job.pid),
    )


def _log(assignment: Assignment) -> Log | None:
    if assignment.log is None:
        return None
    device, inode = identity(assignment.reopen or assignment.log)
    return Log(path=assignment.log, device=device, inode=inode)


def pause(past: Past, now: float) -> Gap:
    """What nobody saw: the samples of the pause. The log is read on: none of its metrics is lost."""
    why = "the recording was ended" if past.closed else "the recorder was killed"
    return Gap(t=now, lost=int((now - past.t) / past.header.interval), why=why, since=past.t)
