"""Stand-ins for outside parties: real servers speaking the documented wire, and the connector port's in-memory twin."""
