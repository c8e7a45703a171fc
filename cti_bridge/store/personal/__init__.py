"""Personal data: which columns of all tables hold any, which rows hold one number's, and how rows look once it is erased.

``columns`` is the registry; a test fails when a column of any table is missing in it. Who may ask, and what the answers
mean to people, is ``cti_bridge.privacy``'s.
"""
