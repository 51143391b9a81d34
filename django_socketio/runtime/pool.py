"""Worker threads that those who have work for them share fairly.

Each client has a lane: its jobs wait there in order, and at most ``share`` of them are under way.
Lanes with work take turns. So whatever one client asks for, the next place is somebody else's.

A job that waits for an answer (:meth:`Pool.wait`) has no place meanwhile, so that clients who do
not answer keep no place from others. It keeps its thread, and these are bounded: when too many
wait, the one that has waited longest gives up, for who never answers is among the oldest.
"""

from __future__ import annotations

import concurrent.futures
import threading
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

from ..exceptions import TooManyWaiting
from ..logs import logger

# The job that the current thread runs, as ``job``.
_here = threading.local()


NO_JOBS: deque[Job] = deque()


class _Lane:
    """The jobs of one owner: how many are under way, and those that wait."""

    __slots__ = ("in_line", "jobs", "owner", "started")

    def __init__(self, owner: object) -> None:
        self.owner = owner
        self.started = 0
        # Most never hold one, and a deque is large.
        self.jobs: deque[Job] = NO_JOBS
        # Whether the lane waits for its turn.
        self.in_line = False


class Job:
    """A call: what it calls, whose it is, and where its result goes."""

    __slots__ = ("function", "future", "lane", "pool")

    def __init__(self, pool: Pool, function: Callable[[], Any], lane: _Lane) -> None:
        self.pool = pool
        self.function = function
        self.lane = lane
        self.future: concurrent.futures.Future[Any] = concurrent.futures.Future()


class Pool:
    """See the module's docstring.

    ``size`` functions run at a time, ``share`` of one owner (the owner None has no such bound), and
    ``max_waiting`` wait. So there are at most ``size + max_waiting`` threads. They are made when
    they are needed, and ``size`` of them stay. All methods may be called in any thread.
    """

    def __init__(self, name: str, size: int, share: int, max_waiting: int) -> None:
        self._name = name
        self._size = size
        self._share = share
        self._max_waiting = max_waiting
        self._lock = threading.Lock()
        # Places; less than zero when jobs go on that have waited.
        self._free = size
        self._lanes: dict[object, _Lane] = {}
        # Lanes that wait for their turn, and jobs that wait for an answer, the oldest first.
        self._line: deque[_Lane] = deque()
        self._waiting: dict[Job, concurrent.futures.Future[Any]] = {}
        # What idle threads take: a job, or None to end.
        self._ready: SimpleQueue[Job | None] = SimpleQueue()
        self._idle = 0
        self._threads: set[threading.Thread] = set()

    def submit(
        self, function: Callable[[], Any], owner: object = None
    ) -> concurrent.futures.Future[Any]:
        """Call ``function`` in a thread, when it is the turn of ``owner``."""
        with self._lock:
            lane = self._lanes.get(owner)
            if lane is None:
                lane = self._lanes[owner] = _Lane(owner)
            job = Job(self, function, lane)
            if self._free > 0 and self._may_start(lane):
                self._free -= 1
                lane.started += 1
                thread = self._hand_out(job)
            else:
                if lane.jobs is NO_JOBS:
                    lane.jobs = deque()
                lane.jobs.append(job)
                self._stand_in_line(lane)
                thread = None
        if thread is not None:
            self._start(thread)
        return job.future

    def wait(self, job: Job, future: concurrent.futures.Future[Any]) -> Any:
        """Wait for ``future`` in the thread of ``job``, without a place. Returns its result.

        Raises TooManyWaiting when ``max_waiting`` other jobs wait, and this one has waited longest.
        """
        evicted: concurrent.futures.Future[Any] | None = None
        thread: threading.Thread | None = None
        with self._lock:
            if len(self._waiting) < self._max_waiting:
                self._free += 1
                begun = self._next()
                if begun is not None:
                    thread = self._hand_out(begun)
            else:
                # It goes on, with the place that this job gives up.
                evicted = self._waiting.pop(next(iter(self._waiting)))
            self._waiting[job] = future
        if evicted is not None:
            evicted.cancel()
        if thread is not None:
            self._start(thread)
        try:
            return future.result()
        except concurrent.futures.CancelledError:
            if job not in self._waiting:
                raise TooManyWaiting from None
            raise
        finally:
            with self._lock:
                if self._waiting.pop(job, None) is not None:
                    # At once, even if no place is free: it may hold a lock that others wait for.
                    self._free -= 1

    def end(self) -> None:
        """Wait until all jobs have ended, and end the threads."""
        for _ in self._threads:
            self._ready.put(None)
        for thread in list(self._threads):
            thread.join()

    # Whose turn it is; called with the lock held

    def _may_start(self, lane: _Lane) -> bool:
        return lane.started < self._share or lane.owner is None

    def _stand_in_line(self, lane: _Lane) -> None:
        if lane.jobs and not lane.in_line and self._may_start(lane):
            lane.in_line = True
            self._line.append(lane)

    def _next(self) -> Job | None:
        """Return the job that may begin now, if there is one."""
        if self._free <= 0 or not self._line:
            return None
        lane = self._line.popleft()
        lane.in_line = False
        job = lane.jobs.popleft()
        self._free -= 1
        lane.started += 1
        self._stand_in_line(lane)
        return job

    def _hand_out(self, job: Job) -> threading.Thread | None:
        """Have a thread take a job. Returns a new thread, to be started, if none is idle."""
        self._ready.put(job)
        if self._idle > 0:
            self._idle -= 1
            return None
        name = f"{self._name}_{len(self._threads)}"
        thread = threading.Thread(target=self._live, name=name, daemon=True)
        self._threads.add(thread)
        return thread

    # The threads

    def _start(self, thread: threading.Thread) -> None:
        try:
            thread.start()
        except RuntimeError:
            logger.exception("no further thread could be started: a call waits for one of those")
            with self._lock:
                self._threads.discard(thread)
                self._idle -= 1  # the next that would be idle takes the job

    def _live(self) -> None:
        while (job := self._ready.get()) is not None:
            while job is not None:
                job = self._run(job)
        self._threads.discard(threading.current_thread())

    def _run(self, job: Job) -> Job | None:
        """Call the function of ``job``. Returns the next job of this thread, if there is one.

        The thread counts as idle before the result is told, so that a client that answers at once
        finds it so.
        """
        future = job.future
        if not future.set_running_or_notify_cancel():
            return self._done(job)
        _here.job = job
        try:
            result = job.function()
        except BaseException as error:
            _here.job = None
            following = self._done(job)
            future.set_exception(error)
            del job, future  # the error's traceback holds this frame
        else:
            _here.job = None
            following = self._done(job)
            future.set_result(result)
        return following

    def _done(self, job: Job) -> Job | None:
        """Give up the place of ``job``. Returns the next job of this thread, if there is one."""
        lane = job.lane
        with self._lock:
            lane.started -= 1
            self._stand_in_line(lane)
            if not lane.started and not lane.jobs:
                del self._lanes[lane.owner]
            self._free += 1
            following = self._next()
            if following is None:
                if self._idle < self._size:
                    self._idle += 1
                else:
                    self._ready.put(None)
        return following


def wait(future: concurrent.futures.Future[Any]) -> Any:
    """Wait for ``future`` in this thread; a job of a pool has no place meanwhile.

    Returns the future's result. Raises TooManyWaiting; see :meth:`Pool.wait`.
    """
    job: Job | None = getattr(_here, "job", None)
    return future.result() if job is None else job.pool.wait(job, future)
