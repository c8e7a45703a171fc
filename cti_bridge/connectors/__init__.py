"""CRM adapters, one module each: translation only, found by entry point.

They see ``model``, ``phone``, ``errors`` and ``connector``, and nothing else of the bridge (an import-linter contract).
"""
