"""Where the cells of a comparison run: processes of this machine, or a Ray or Dask cluster; joblib spreads them."""

from __future__ import annotations

import asyncio
import importlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any, Literal, get_args

import joblib

from acclimate.errors import MissingExtraError, RequestError

Backend = Literal["loky", "ray", "dask"]
BACKENDS: tuple[str, ...] = get_args(Backend)
_PATIENCE = 0.5  # seconds


@contextmanager
def cluster(backend: Backend, address: str | None, jobs: int) -> Iterator[bool]:
    """Let joblib run its jobs there, inside.

    Args:
        backend: `"loky"` for processes of this machine; `"ray"` or `"dask"` for a cluster.
        address: of a cluster that exists, as its library writes it; without one, a small one is started on this
            machine and ended afterwards.
        jobs: how many workers to start in that case.

    Yields:
        Whether results can be had one by one; otherwise all come at the end.

    Raises:
        RequestError: if loky is given an address, or no cluster answers there.
        MissingExtraError: if the library is not installed.
    """
    if backend == "loky":
        if address is not None:
            fix = "Add --backend ray or --backend dask."
            raise RequestError("cluster", "must come with a backend that has clusters", repr(address), fix)
        yield True
    elif backend == "ray":
        with _ray(address, jobs), joblib.parallel_config("ray"):
            yield False
    else:
        with _dask(address, jobs), joblib.parallel_config("dask"):
            yield True


@contextmanager
def _ray(address: str | None, jobs: int) -> Iterator[None]:
    ray, registration = _module("ray", "ray"), _module("ray.util.joblib", "ray")
    mine = not ray.is_initialized()
    if mine:
        where = {"address": address} if address else {"num_cpus": jobs, "include_dashboard": False}
        try:
            ray.init(**where, log_to_driver=False, logging_level="ERROR")
        except (ConnectionError, ValueError) as error:
            raise _no_cluster(address, error) from error
    registration.register_ray()
    try:
        yield
    finally:
        if mine:
            ray.shutdown()


@contextmanager
def _dask(address: str | None, jobs: int) -> Iterator[None]:
    distributed = _module("distributed", "dask")
    try:
        client = (
            distributed.Client(address, timeout="20s")
            if address
            # Its default shares the memory out by cores, however few of them work, and kills what needs more.
            else distributed.Client(
                n_workers=jobs,
                threads_per_worker=1,
                memory_limit=0,
                dashboard_address=None,
                silence_logs=logging.ERROR,
            )
        )
    except (OSError, ValueError) as error:
        raise _no_cluster(address, error) from error
    with client:
        try:
            yield
        finally:
            if address is None:
                client.cluster.sync(_end_workers, client.cluster)


async def _end_workers(cluster: Any) -> None:
    """End the workers of a cluster of one's own, whose results are all in.

    Left to themselves they take four seconds: a process that has computed with PyTorch does not end when it is asked
    to, and Dask waits for it as long as that before it is killed.
    """
    ends = (nanny.close(timeout=_PATIENCE) for nanny in cluster.workers.values())
    await asyncio.gather(*ends, return_exceptions=True)  # what takes longer, closing the cluster sees to


def _no_cluster(address: str | None, error: Exception) -> RequestError:
    reason = str(error).strip().partition("\n")[0]
    fix = "Start one, or leave --cluster out for one of this machine's own."
    return RequestError("cluster", "must be the address of a running cluster", f"{address!r} ({reason})", fix)


def _module(name: str, extra: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError:
        raise MissingExtraError(name, extra) from None
