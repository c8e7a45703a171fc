"""Tells which thread of a served app is which, so that its processor time can be read from outside."""

from __future__ import annotations

import os
import threading

from flask import Flask, Response, jsonify


def tell_threads(app: Flask) -> None:
    """Add ``GET /bench/threads``: the process's id, and the threads' names by the kernel's ids."""

    @app.get("/bench/threads")
    def threads() -> Response:
        named = {str(thread.native_id): thread.name for thread in threading.enumerate()}
        return jsonify(pid=os.getpid(), threads=named)
