"""What gunicorn finds here by itself; the settings and the reasons for them stand in cti_bridge/serving.py."""

from cti_bridge.serving import *  # noqa: F403
