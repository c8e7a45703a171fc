"""From a changed row to an agent's screen: wake-ups between threads and processes, and sockets that carry states."""
