"""The switchboard: calls that people in browsers make, answer, key into and end; who may, and what the gateway is told."""

from __future__ import annotations

import re
from typing import Protocol

from confero.errors import ConferoError, Refused, RemoteError, Unavailable
from confero.ids import new_id
from confero.models import DigitsSend, Role, TokenGrant
from confero.models.calls import CallEnd, CallInfo, CallOut, RingAnswer, SipCallOut, SipRingAnswer
from confero.models.sip import SipCaller, SipDecision, SipRouteAsk

from .exchange import Exchange

TEL = re.compile(r"tel:(\+?[0-9*#().-]{1,64})", re.I)
ADDRESS = re.compile(
    r"(?:sip:)?([A-Za-z0-9_.!~*'()&=+$,?/#-]{1,128})@([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?", re.I
)
NUMBER = re.compile(r"[A-Za-z0-9_.+*#() /-]{1,128}")
NOTHING = CallEnd()
REFUSALS = {
    "call-out-refused": (403, "You may not call that number from here."),
    "call-out-limit": (429, "You have made as many calls as are allowed in an hour."),
    "room-full": (409, "The room is full."),
    "not-found": (404, "Nobody can be called there."),
}
"""By the exchange's code: HTTP status, and words for whoever dialled."""


class Gateway(Protocol):
    """What of the SIP gateway is needed here. Raises Refused or Unavailable."""

    async def call_out(self, wish: SipCallOut) -> CallInfo: ...
    async def call(self, call: str) -> CallInfo: ...
    async def end(self, call: str, words: CallEnd) -> None: ...
    async def digits(self, call: str, digits: DigitsSend) -> None: ...
    async def answer(self, call: str, answer: SipRingAnswer) -> None: ...


class Switchboard:
    """``grant`` is of whoever asks. Refused throughout: 404 ``call-unknown``, 403 ``not-yours``; Unavailable without gateway."""

    def __init__(self, exchange: Exchange, gateway: Gateway) -> None:
        self._exchange = exchange
        self._gateway = gateway

    async def may_call_out(self, role: Role) -> bool:
        """Whether the button for it is worth showing."""
        return await self._exchange.may_call_out(role)

    async def call_out(self, grant: TokenGrant, wish: CallOut) -> CallInfo:
        """Calls somebody into the room of ``grant``. Raises Refused as ``REFUSALS`` says, RemoteError 422 ``address-invalid``."""
        user, domain = dialled(wish.to)
        call = new_id("c")
        caller = SipCaller(participant=grant.participant)
        decision = await self._exchange.route(
            SipRouteAsk(call=call, direction="out", caller=caller, user=user, domain=domain)
        )
        if decision.action == "reject" or decision.place is None:
            raise refusal(decision)
        return await self._gateway.call_out(
            SipCallOut(
                id=call,
                decision=decision,
                room=grant.room,
                owner=grant.participant,
                owner_name=grant.display_name,
                name=decision.place.display_name,
                user_data=wish.user_data,
                headers=wish.headers,
            )
        )

    async def info(self, grant: TokenGrant, call: str) -> CallInfo:
        """Of a call in one's room."""
        found = await self._gateway.call(call)
        if found.room != grant.room:
            raise Refused("There is no such call.", status=404, code="call-unknown")
        return found

    async def end(self, grant: TokenGrant, call: str, words: CallEnd = NOTHING) -> None:
        """Hangs up; the telephone's side is told ``words``."""
        await self._gateway.end((await self._own(grant, call)).id, words)

    async def digits(self, grant: TokenGrant, call: str, digits: DigitsSend) -> None:
        """Presses keys. Raises also 409 ``no-media``, ``no-events``."""
        await self._gateway.digits((await self._own(grant, call)).id, digits)

    async def answer(self, grant: TokenGrant, call: str, answer: RingAnswer) -> None:
        """Whose browser rings says what is to become of it. Raises also 409 ``call-over``."""
        said = SipRingAnswer(participant=grant.participant, **answer.model_dump())
        await self._gateway.answer(call, said)

    async def _own(self, grant: TokenGrant, call: str) -> CallInfo:
        """Hosts rule all telephones in their room, others the one that they have called or taken."""
        found = await self.info(grant, call)
        if grant.role != "host" and found.owner != grant.participant:
            raise Refused("Somebody else has called.", status=403, code="not-yours")
        return found


def dialled(text: str) -> tuple[str, str]:
    """User part and domain of what somebody has dialled; no domain: a number. Raises RemoteError 422 ``address-invalid``."""
    text = text.strip()
    if found := TEL.fullmatch(text):
        return found[1], ""
    if found := ADDRESS.fullmatch(text):
        return found[1], found[2] + (found[3] or "")
    if NUMBER.fullmatch(text):
        return text, ""
    raise RemoteError("neither a telephone number nor a SIP address", status=422, code="address-invalid")


def refusal(decision: SipDecision) -> ConferoError:
    """In HTTP's words."""
    if decision.status == 503:
        return Unavailable("The call cannot be made now; try again in a moment.", code=decision.code)
    status, detail = REFUSALS.get(decision.code, REFUSALS["not-found"])
    return Refused(detail, status=status, code=decision.code if decision.code in REFUSALS else "not-found")
