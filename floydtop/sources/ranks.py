"""The ranks of a job that a launcher started: which process is which, and which file is whose log."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from floydtop.sources import descriptors
from floydtop.sources.candidates import CLEAR_LEAD, PLAUSIBLE, Candidate
from floydtop.sources.descriptors import Process

_VARIABLES = (
    *("RANK", "OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "MV2_COMM_WORLD_RANK", "HOROVOD_RANK"),
    *("JAX_PROCESS_ID", "SLURM_PROCID", "LOCAL_RANK", "SLURM_LOCALID"),
)
"""Where torchrun, accelerate, DeepSpeed, mpirun, horovodrun and srun tell a process its rank."""

# logs/attempt_0/3/stdout.log (torchrun), 2024-01-31_rank3.log (DeepSpeed), worker-3.out, gpu3.txt
_IN_NAME = re.compile(
    r"(?i)(?:(?:rank|worker|process|proc|node|gpu|device|shard)[-_.]?(?P<named>[0-9]{1,5})(?![0-9])"
    r"|/(?P<folder>[0-9]{1,5})/std(?:out|err)\.log$)"
)
_FIRST = 20
"""Points for a file of the first rank: it is the one that most programs print their metrics in."""
_STDOUT = 20
"""Points that a rank's stderr must be ahead of its stdout, where bars and numbers may be in both."""


def with_ranks(candidates: Sequence[Candidate], table: Mapping[int, Process]) -> list[Candidate]:
    """The candidates, each with its rank where one is known, and the first rank's with more points.

    Args:
        candidates: files that the job writes, each once.
        table: all processes.
    """
    by_process = _by_environment({one.pid for one in candidates}, table)
    by_name = {} if by_process else _by_name(candidates)
    ranked = [
        replace(one, rank=by_process.get(one.pid, by_name.get((one.device, one.inode)))) for one in candidates
    ]
    first = min((one.rank for one in ranked if one.rank is not None), default=None)
    return [_preferred(one) if one.rank is not None and one.rank == first else one for one in ranked]


def logs_of_ranks(ordered: Iterable[Candidate]) -> list[Candidate]:
    """For each rank the likeliest of its files, rank 0 first; empty when they have no logs of their own."""
    best: dict[int, Candidate] = {}
    for one in ordered:
        if one.rank is None or not (one.stdio or (one.metric_words and one.score >= PLAUSIBLE)):
            continue
        if one.rank not in best or _likelihood(one) > _likelihood(best[one.rank]):
            best[one.rank] = one
    return [best[rank] for rank in sorted(best)] if len(best) > 1 else []


def _likelihood(one: Candidate) -> int:
    return one.score + (_STDOUT if one.stdout else 0)


def _preferred(one: Candidate) -> Candidate:
    if one.score < CLEAR_LEAD:
        return one
    return replace(
        one, score=one.score + _FIRST, reasons=(*one.reasons, "the first rank"), main=one.main or one.stdout
    )


def _by_environment(pids: Iterable[int], table: Mapping[int, Process]) -> dict[int, int]:
    """The rank of each process, from the variable in which they differ.

    Under srun and torchrun together all have the same SLURM_PROCID, and each its own RANK.
    """
    environments = {pid: descriptors.environment(pid) for pid in pids}
    for name in _VARIABLES:
        ranks = {
            pid: int(text)
            for pid, environment in environments.items()
            if (text := environment.get(name, "")).isascii() and text.isdigit()
        }
        if len(set(ranks.values())) < 2:
            continue
        # A launcher may itself have a rank among the machines; its children are then the ranks.
        launchers = {
            row.parent
            for pid in ranks
            if (row := table.get(pid)) and ranks.get(row.parent, ranks[pid]) != ranks[pid]
        }
        return {pid: rank for pid, rank in ranks.items() if pid not in launchers}
    return {}


def _by_name(candidates: Iterable[Candidate]) -> dict[tuple[int, int], int]:
    """The rank of each file, by device and inode, where names differ in nothing but a rank's number."""
    alike: dict[str, dict[tuple[int, int], int]] = {}
    processes: dict[str, set[int]] = {}
    for one in candidates:
        found = list(_IN_NAME.finditer(one.path))
        if found:
            last = found[-1]
            group = "named" if last["named"] is not None else "folder"
            stem = f"{one.path[: last.start(group)]}*{one.path[last.end(group) :]}"
            alike.setdefault(stem, {})[one.device, one.inode] = int(last[group])
            processes.setdefault(stem, set()).add(one.pid)
    named: dict[tuple[int, int], int] = {}
    for stem, files in alike.items():
        # A program that sorts its workers' output into files is one process.
        if 1 < len(set(files.values())) <= len(processes[stem]):
            named.update(files)
    return named
