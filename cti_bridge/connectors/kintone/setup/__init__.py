"""Setting kintone up from the command line: the call-log app, a first mapping, normalised numbers. No ring comes here.

``callapp`` says what the call-log app looks like, ``plan`` what it lacks, ``administrator`` and ``carry_out`` change
it; ``guess`` and ``draft`` write a first mapping; ``normalise`` fills the normalised fields. The commands themselves,
and what they print, are ``cti_bridge.cli.kintone``'s.
"""
