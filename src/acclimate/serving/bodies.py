"""The body of a request: read no further than the limits allow, and waited for no longer."""

from __future__ import annotations

from fastapi import Request
from starlette.requests import ClientDisconnect

from acclimate.serving.arrivals import Arrivals
from acclimate.serving.problems import Problem
from acclimate.serving.searching import Limits
from acclimate.serving.slots import client_of


async def received(request: Request, arrivals: Arrivals, most: int, what: str) -> bytes:
    """All of it.

    Args:
        request: whose body has not been read.
        arrivals: the pace that it must keep, and what else is on its way.
        most: bytes.
        what: it is, for the sentences.

    Raises:
        Problem: 400, 408 or 413.
    """
    declared = request.headers.get("content-length", "0")
    if not declared.isdecimal() or int(declared) > most:
        raise too_many_bytes(most, what)
    body = bytearray()
    try:
        async with arrivals.one(client_of(request.scope)) as came:
            async for chunk in request.stream():
                body += chunk
                came(len(chunk))
                if len(body) > most:
                    raise too_many_bytes(most, what)
    except TimeoutError:
        raise _too_slow(arrivals.limits, what) from None
    except ClientDisconnect:
        raise Problem(400, f"The connection ended before the {what} was there. Send it again.") from None
    return bytes(body)


def too_many_bytes(most: int, what: str) -> Problem:
    """The refusal of a body that is too long."""
    size = f"{most / 10**6:.3g} MB" if most >= 10**5 else f"{most:,} bytes"
    return Problem(
        413, f"The {what} must have at most {size}; got more. Send a smaller one.", {"Connection": "close"}
    )


def _too_slow(limits: Limits, what: str) -> Problem:
    pace = f"at least {limits.pace / 1000:g} kB a second, and all of it within {limits.seconds:g} s"
    detail = f"The {what} took longer to arrive than the server waits: {pace}. Send a smaller one, or try again."
    return Problem(408, detail, {"Connection": "close"})
