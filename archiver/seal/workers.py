"""Sealing an archive's segments side by side, a process each."""

import multiprocessing
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path

from archiver.cycles import look_for_cycles_rarely
from archiver.errors import ArchiverError
from archiver.formats import age
from archiver.seal.plan import SegmentPlan
from archiver.seal.segment import SealedSegment, seal_segment
from archiver.seal.segment_build import SegmentContext
from archiver.spool import Spool
from archiver.state import State
from archiver.stores.base import Store


@dataclass(frozen=True, repr=False)
class WorkerSetup:
    """What a worker opens for itself. Holds secrets; reaches it through a pipe, never by arguments."""

    spool: Path
    spool_identity: str
    state: Path
    store: Store
    context: SegmentContext


_worker: tuple[Spool, State, Store, SegmentContext] | None = None


def seal_segments(
    plans: Sequence[SegmentPlan],
    setup: WorkerSetup,
    spool: Spool,
    state: State,
    workers: int,
    done: Callable[[int], None],
) -> list[SealedSegment]:
    """Every segment sealed and verified, in the plans' order; here, or in up to `workers` processes."""
    if len(plans) == 1 or workers == 1:
        sealed = []
        for number, plan in enumerate(plans, start=1):
            sealed.append(seal_segment(plan, spool, state, setup.store, setup.context))
            done(number)
        return sealed
    executor = ProcessPoolExecutor(
        min(workers, len(plans)), multiprocessing.get_context("spawn"), _start_worker, (setup,)
    )
    try:
        # In a thread, which no signal interrupts: a worker whose beginning is cut off complains of it.
        with ThreadPoolExecutor(1) as starter:
            started = starter.submit(lambda: [executor.submit(_seal_in_worker, plan) for plan in plans])
            futures = started.result()
        for number, future in enumerate(as_completed(futures), start=1):
            future.result()
            done(number)
        return [future.result() for future in futures]
    except KeyboardInterrupt:
        # Whoever stops this run waits for seconds, and a segment may take longer: nothing of it is lost by
        # ending its worker, as an archive without a manifest does not exist.
        for child in multiprocessing.active_children():
            child.kill()
        raise
    except BrokenProcessPool as error:
        raise ArchiverError(
            "a sealing process ended before its time", "look for an out-of-memory kill; run the command again"
        ) from error
    finally:
        executor.shutdown(cancel_futures=True)


def _start_worker(setup: WorkerSetup) -> None:
    global _worker
    look_for_cycles_rarely()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    spool = Spool(setup.spool, age.parse_identity(setup.spool_identity))
    _worker = (spool, State(setup.state), setup.store, setup.context)


def _end_with_parent() -> None:
    """A worker whose parent was killed must not go on writing beside the next run."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _seal_in_worker(plan: SegmentPlan) -> SealedSegment:
    if _worker is None:
        raise ArchiverError("a sealing process was not set up")
    return seal_segment(plan, *_worker)
