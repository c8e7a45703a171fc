"""What every answer tells browsers to be strict about. What a page of ours may load stands with the page: ``widgets``."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response

ON_EVERYTHING = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    # Whatever is no page of ours runs nothing and is shown in no frame, even if somebody opens it in a tab.
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    # Only our own pages read answers; scripts for foreign pages say so themselves.
    "Cross-Origin-Resource-Policy": "same-origin",
}

HTTPS_ONLY = "max-age=31536000"
"""A year, for this name alone: other names of the company may have good reasons for plain http."""

_UNUSED = (
    "accelerometer",
    "camera",
    "display-capture",
    "geolocation",
    "gyroscope",
    "hid",
    "magnetometer",
    "midi",
    "payment",
    "publickey-credentials-get",
    "screen-wake-lock",
    "serial",
    "usb",
    "xr-spatial-tracking",
)
PERMISSIONS = ", ".join(["autoplay=(self)", "microphone=(self)", *(f"{feature}=()" for feature in _UNUSED)])
"""Permissions-Policy of our pages: sound for the ring, the microphone to talk, and nothing else."""


def harden(*, https: bool) -> Callable[[Response], Response]:
    """For ``after_request``: adds what an answer does not say itself; ``https`` is whether the bridge is reached so."""
    told = {**ON_EVERYTHING, **({"Strict-Transport-Security": HTTPS_ONLY} if https else {})}

    def tell(response: Response) -> Response:
        for name, value in told.items():
            response.headers.setdefault(name, value)
        return response

    return tell
