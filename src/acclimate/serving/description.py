"""How OpenAPI describes what can go wrong."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from acclimate.serving.answers import ProblemDetails


def may_fail(**details: str) -> dict[int | str, dict[str, Any]]:
    """What OpenAPI says of a route's errors, by `s<status>`."""
    described = {**details, "s429": "Too many requests of one address.", "s503": "Too many requests at once."}
    return {int(s[1:]): {"model": ProblemDetails, "description": detail} for s, detail in described.items()}


def described(app: FastAPI) -> dict[str, Any]:
    """OpenAPI without the 422 that FastAPI takes for granted: wrong parameters are answered by 400 here."""
    found = FastAPI.openapi(app)
    for operations in found["paths"].values():
        for operation in operations.values():
            if operation["responses"].get("422", {}).get("description") == "Validation Error":
                del operation["responses"]["422"]
    for name in ("HTTPValidationError", "ValidationError"):
        found["components"]["schemas"].pop(name, None)
    return found
