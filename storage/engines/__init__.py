"""The embedded engines: how each is launched, reached and asked whether it works.

They are separate programs spoken to over their wire protocols, so that nothing above can tell them
from servers named by URL. Starting and restarting them is `bianmin/supervisor.py`'s work.
"""

from storage.engines.launch import EngineLaunch, EngineNotReady, EngineUrls

__all__ = ["EngineLaunch", "EngineNotReady", "EngineUrls"]
