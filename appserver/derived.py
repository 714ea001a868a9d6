"""What follows from the configuration: the database, addresses of pages, and the rules for rooms, links and TURN."""

from __future__ import annotations

from confero.clock import Clock
from confero.runtime.logging import get_logger
from confero.runtime.metrics import Metrics
from confero.tokens import turn_secret
from confero.turnsecrets import FILE as TURN_SECRETS
from confero.turnsecrets import TurnSecrets

from .config import EVERYWHERE, AppserverConfig
from .db.connections import Limits
from .db.engine import Database, database_url
from .relays.iceservers import External, IceRules
from .rooms.policy import Policy

log = get_logger(__name__)

PUBLIC = ("0.0.0.0", "::")
"""What EVERYWHERE stands for."""


def database_of(config: AppserverConfig, metrics: Metrics | None = None) -> Database:
    """The one that is configured."""
    url = config.database_url.get_secret_value() if config.database_url is not None else None
    limits = Limits(config.database_connections, config.database_timeout_s, config.database_slow_s)
    return Database(database_url(url, config.state_dir), metrics, limits)


def site_url(config: AppserverConfig, https_port: int) -> str:
    """Where the pages are, as people on this machine can open them."""
    host = "localhost" if config.https_host in (EVERYWHERE, *PUBLIC, "127.0.0.1", "::1") else config.https_host
    shown = f"[{host}]" if ":" in host else host
    port = "" if https_port == 443 else f":{https_port}"
    return config.public_url or f"https://{shown}{port}"


def say_setup(url: str) -> None:
    """Once at each start, until somebody has used it."""
    log.info("no administrator yet: this link makes the first one, once", url=url)


def room_policy(config: AppserverConfig) -> Policy:
    """What the configuration says of rooms."""
    return Policy(
        token_ttl_s=config.token_ttl_s,
        rejoin_window_s=config.rejoin_window_s,
        join_grace_s=config.join_grace_s,
        max_rooms=config.max_rooms,
        rooms_per_user=config.rooms_per_user,
        members_per_room=config.members_per_room,
        invitations_per_room=config.invitations_per_room,
        waiting_per_room=config.waiting_per_room,
        default_room=config.default_room,
    )


def turn_secrets(config: AppserverConfig, secret: bytes, clock: Clock) -> TurnSecrets:
    """What signs names for TURN; ``secret``: of the installation."""
    own = config.turn_secret.get_secret_value().encode() if config.turn_secret is not None else turn_secret(secret)
    return TurnSecrets(config.state_dir / TURN_SECRETS, own, clock.wall)


def ice_rules(config: AppserverConfig, secrets: TurnSecrets) -> IceRules:
    """What the configuration says of TURN."""
    others = config.ice_secret
    return IceRules(
        lambda: secrets.signing,
        config.turn_ttl_s,
        config.turn_transports,
        config.turns_trusted,
        config.ice_policy,
        External(tuple(config.ice_urls), others.get_secret_value().encode() if others is not None else None),
    )
