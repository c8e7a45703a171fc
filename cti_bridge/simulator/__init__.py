"""Twilio on loopback, for the demo, the tests and the bench: REST, signed webhooks, TwiML executed for real.

The names a caller needs are here; nothing else of the bridge is imported by this package, because Twilio is an outside
party, and the bridge itself never imports it.
"""

from .clock import Clock, ManualClock, SystemClock
from .model import Delivery, Heard, Leg, NotPossible, OwnNumber, Problem
from .serve import serve
from .simulator import SimulatedCall, Simulator
from .webhooks import Misbehaviour

__all__ = [
    "Clock",
    "Delivery",
    "Heard",
    "Leg",
    "ManualClock",
    "Misbehaviour",
    "NotPossible",
    "OwnNumber",
    "Problem",
    "SimulatedCall",
    "Simulator",
    "SystemClock",
    "serve",
]
