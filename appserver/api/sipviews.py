"""What the administrator sees of accounts, trunks, rules, numbers and calls: everything but secrets."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

from confero.models.sip import SipCallDetail, SipCallInfo
from confero.models.sipadmin import DialRuleInfo, SipAccountInfo, SipNumberInfo, SipServer, SipTrunkInfo

from ..sip.entities import Account, Call, Number, Rule, Trunk


def _plain(entity: Any) -> dict[str, Any]:
    """The fields, without copies of what is inside."""
    return {field.name: getattr(entity, field.name) for field in fields(entity)}


def account_info(account: Account) -> SipAccountInfo:
    return SipAccountInfo.model_validate(_plain(account))


def trunk_info(trunk: Trunk) -> SipTrunkInfo:
    values = _plain(trunk) | {"servers": [SipServer(**server) for server in trunk.servers]}
    return SipTrunkInfo(**values, has_secret=trunk.secret is not None)


def rule_info(rule: Rule) -> DialRuleInfo:
    return DialRuleInfo.model_validate(_plain(rule))


def number_info(number: Number) -> SipNumberInfo:
    return SipNumberInfo(
        number=number.number, room=number.room, has_pin=number.pin is not None, created_at=number.created_at
    )


def call_info(call: Call) -> SipCallInfo:
    return SipCallInfo.model_validate(_plain(call))


def call_detail(call: Call) -> SipCallDetail:
    return SipCallDetail.model_validate(asdict(call))
