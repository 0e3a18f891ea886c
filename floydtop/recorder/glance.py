"""One look at a job that nobody records: two readings about a second apart, and its log read through."""

from __future__ import annotations

import asyncio
import os
import socket
import time

import msgspec

from floydtop import __version__
from floydtop.events import Header, JobState, Log, Present, Progress, Sample
from floydtop.parse.rules import Rules
from floydtop.recorder.privacy import mask
from floydtop.recorder.reading import read_log
from floydtop.session.format import FORMAT, VERSION
from floydtop.session.owner import boot_id
from floydtop.session.session import Session
from floydtop.sources.gpu import GpuReader
from floydtop.sources.process import JobTree
from floydtop.sources.system import sample


def glance(
    pid: int | None, log: str | None, reopen: str | None = None, rules: Rules | None = None
) -> Session:
    """The state of a job as far as one look tells it; nothing is written.

    Args:
        reopen: where to open the log when its name is gone.
        rules: the user's own, for reading the log.

    Raises:
        FloydtopError: the process or the log is not there, or may not be read.
    """
    return asyncio.run(_glance(pid, log, reopen, rules))


async def _glance(pid: int | None, log: str | None, reopen: str | None, rules: Rules | None) -> Session:
    session = Session()
    start = time.time()
    tree = JobTree.open(pid) if pid is not None else None
    job = None
    if tree is not None:
        job = tree.describe()
        job = msgspec.structs.replace(job, t=min(0.0, tree.started - start), command=mask(job.command))
    session.apply(
        Header(
            format=FORMAT,
            v=VERSION,
            id="",
            t0=start,
            boot=boot_id(),
            host=socket.gethostname(),
            interval=0.0,
            by=f"floydtop {__version__}",
            recorder=os.getpid(),
            job=job,
            log=Log(path=log, device=0, inode=0) if log is not None else None,
        )
    )
    if tree is None:
        session.apply(JobState(t=0.0, state="no-process"))
    else:
        await _look_at_system(session, tree, start)
    if log is not None:
        for event in read_log(reopen or log, rules):
            if isinstance(event, Progress) and tree is not None:
                # The job lives: this is how far it has come since its start.
                event = msgspec.structs.replace(event, t=time.time() - start)
            session.apply(event)
    return session


async def _look_at_system(session: Session, tree: JobTree, start: float) -> None:
    gpu = GpuReader()
    await gpu.start()
    await gpu.settled(2.0)
    try:
        async for event in sample(
            tree, gpu, now=lambda: time.time() - start, interval=1.0, present_every=1.0
        ):
            if isinstance(event, Present):
                session.present = event
            else:
                session.apply(event)
            if isinstance(event, Sample):
                break
    finally:
        await gpu.close()
        tree.close()
