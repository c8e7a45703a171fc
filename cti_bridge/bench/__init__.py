"""``cti-bridge bench``: the design's budgets, measured as ratios against baselines that run beside them.

``run`` is the order of the day and ``table`` what is printed; ``webhook``, ``ring``, ``salesforce``, ``crowd``,
``history`` and ``kills`` each measure one subject. The parts that they use: ``processes`` (servers under gunicorn and
what they cost), ``bare`` and ``bridge`` (the two apps that are compared), ``crm`` (a CRM over HTTP), ``salesforce_org``
and ``far`` (a stand-in for Salesforce, and what makes it far away), ``twilio`` (signed webhooks), ``screens`` (agents'
sockets), ``scene`` (a database with its people). Everything is on loopback and in folders that are deleted again.
"""
