"""Twilio's edge: signatures, webhooks, TwiML and REST. Twilio's words stop here.

``webhooks`` (HTTP) → ``signature`` → ``events`` (their words to ours) → ``cti_bridge.calls`` → ``twiml`` (ours to theirs).
"""
