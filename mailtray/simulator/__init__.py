"""Microsoft 365 on the loopback: Entra ID sign-in and Graph mail, for tests and the demo.

It imports nothing else of mailtray: a client and a server that shared a parser would share
its misreadings, and every test would pass.
"""

from mailtray.simulator.accounts import Account
from mailtray.simulator.cloud import Cloud, UnknownAccountError, UnknownItemError
from mailtray.simulator.faults import Fault
from mailtray.simulator.knobs import AuthorizeError
from mailtray.simulator.resources import OMIT
from mailtray.simulator.server import Simulator
from mailtray.simulator.traffic import LoggedRequest

__all__ = [
    "OMIT",
    "Account",
    "AuthorizeError",
    "Cloud",
    "Fault",
    "LoggedRequest",
    "Simulator",
    "UnknownAccountError",
    "UnknownItemError",
]
