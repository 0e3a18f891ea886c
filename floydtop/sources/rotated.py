"""Logs that came and went between two looks: rotated twice within a second, as small size limits do."""

from __future__ import annotations

import os

from floydtop.sources.finished import is_packed

Identity = tuple[int, int]
"""Device and inode."""


def siblings(path: str) -> dict[Identity, tuple[str, int]]:
    """Files beside a log that have a name like it: identity -> path and time of the last write, in ns.

    Rotation makes train.log.1, train.log-20240131 or train.2024-01-31.log of train.log.
    """
    directory, name = os.path.split(os.path.abspath(path))
    stem = os.path.splitext(name)[0]
    found: dict[Identity, tuple[str, int]] = {}
    try:
        with os.scandir(directory) as entries:
            for entry in entries:
                if (
                    entry.name.startswith(stem)
                    and entry.name != name
                    and entry.is_file(follow_symlinks=False)
                ):
                    status = entry.stat(follow_symlinks=False)
                    found[status.st_dev, status.st_ino] = (entry.path, status.st_mtime_ns)
    except OSError:
        return found
    return found


def between(path: str, known: set[Identity], old: os.stat_result, new: os.stat_result) -> list[str]:
    """The logs that had the name `path` after `old` and before `new`, oldest first.

    They are told by being new beside the log and by their last write; a copy that somebody made of the
    log while it was written to is older than the log's own last write.

    Args:
        path: the log's name.
        known: files that lay beside it before.
        old: status of the file that had the name when it was last looked at.
        new: status of the file that has it now.
    """
    found = []
    for identity, (sibling, written) in siblings(path).items():
        is_end = identity in ((old.st_dev, old.st_ino), (new.st_dev, new.st_ino))
        if is_end or identity in known or not old.st_mtime_ns < written <= new.st_mtime_ns:
            continue
        if not is_packed(sibling):
            found.append((written, sibling))
    return [sibling for _, sibling in sorted(found)]
