"""Digest by the vectors of RFC 2617 and RFC 7616, and both of its ends against each other."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from confero.protocols.sip import URI, Address, Request, Response, SipError, new_request, response_to
from confero.protocols.sip.digest import SUPPORTED, Challenge, Credentials, make_ha1, respond, user_hash
from confero.protocols.sip.login import Account, Login
from confero.protocols.sip.verifier import WINDOW, Policy, Uses, Verifier

REALM = "confero.example"
PHONE = "192.0.2.1"
MD5_RFC = "8ca523f5e9506fed4657c9700eebdbec"
SHA_RFC = "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"

# -- vectors --


def test_rfc_2617_section_3_5() -> None:
    credentials = Credentials.parse(
        'Digest username="Mufasa", realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", '
        'uri="/dir/index.html", qop=auth, nc=00000001, cnonce="0a4f113b", '
        'response="6629fae49393a05397450978507c4ef1", opaque="5ccc069c403ebaf9f0171e9517f40e41"'
    )
    ha1 = make_ha1("Mufasa", "testrealm@host.com", "Circle Of Life", "MD5")
    assert respond(ha1, "GET", b"", credentials) == credentials.response


@pytest.mark.parametrize(("algorithm", "response"), [("MD5", MD5_RFC), ("SHA-256", SHA_RFC)])
def test_rfc_7616_section_3_9_1(algorithm: str, response: str) -> None:
    credentials = Credentials.parse(
        f'Digest username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", algorithm={algorithm}, '
        'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", nc=00000001, '
        'cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", qop=auth, '
        f'response="{response}", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
    )
    ha1 = make_ha1("Mufasa", "http-auth@example.org", "Circle of Life", algorithm)
    assert respond(ha1, "GET", b"", credentials) == response


@pytest.mark.parametrize(
    "name",
    [
        'username="793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b", userhash=true',
        "username*=UTF-8''J%C3%A4s%C3%B8n%20Doe, userhash=false",
    ],
)
def test_rfc_7616_section_3_9_2_with_erratum_4897(name: str) -> None:
    credentials = Credentials.parse(
        f'Digest {name}, realm="api@example.org", uri="/doe.json", algorithm=SHA-512-256, '
        'nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", nc=00000001, '
        'cnonce="NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v", qop=auth, '
        'response="3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5", '
        'opaque="HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS"'
    )
    assert "SHA-512-256" in SUPPORTED
    plain = "Jäsøn Doe"
    hidden = user_hash(plain, "api@example.org", "SHA-512-256")
    assert credentials.username == (hidden if credentials.userhash else plain)
    ha1 = make_ha1(plain, "api@example.org", "Secret, or not?", "SHA-512-256")
    assert respond(ha1, "GET", b"", credentials) == credentials.response


def test_without_qop_as_rfc_2069_has_it() -> None:
    """RFC 2069 section 2.4 with its erratum 749."""
    credentials = Credentials("Mufasa", "testrealm@host.com", "dcd98b7102dd2f0e8b11d0f600bfb0c093", "/dir/index.html")
    ha1 = make_ha1("Mufasa", "testrealm@host.com", "CircleOfLife", "MD5")
    assert respond(ha1, "GET", b"", credentials) == "1949323746fe6a43ef61f9606e7febea"


# -- text --


@pytest.mark.parametrize(
    ("text", "challenge"),
    [
        (
            'Digest realm="a, b", nonce="n=", algorithm=md5-SESS, qop="auth,auth-int", stale=TRUE',
            Challenge("a, b", "n=", "MD5-sess", ("auth", "auth-int"), stale=True),
        ),
        ('DIGEST nonce=n,realm=r,algorithm="SHA-256",qop=auth', Challenge("r", "n", "SHA-256", ("auth",))),
        ('digest realm="r",nonce="n",,opaque="",x="y",', Challenge("r", "n", opaque="")),
        ('Digest realm="r", nonce="n", nonce="other", algorithm=SHA-3', Challenge("r", "n", "SHA-3")),
    ],
)
def test_challenges_as_peers_write_them(text: str, challenge: Challenge) -> None:
    assert Challenge.parse(text) == challenge
    assert Challenge.parse(str(challenge)) == challenge


@pytest.mark.parametrize(
    "text", ["", "Digest", 'Basic realm="a"', 'Digest realm="a"', 'Digest realm="a, nonce="b"', "Digest " + "a" * 3000]
)
def test_no_challenge(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Challenge.parse(text)


GOOD = 'Digest username="u", realm="r", nonce="n", uri="sip:a", response="aa", qop=auth, cnonce="c", nc=00000001'


@pytest.mark.parametrize(
    "text",
    [
        GOOD.replace('username="u"', 'username="u", username="v"'),
        GOOD.replace('username="u"', "username*=UTF-8''a, username=\"v\""),
        GOOD.replace('username="u"', "username*=UTF-8''%FF"),
        GOOD.replace('username="u"', "username*=latin1''a"),
        GOOD.replace(', uri="sip:a"', ""),
        GOOD.replace("nc=00000001", "nc=1"),
        GOOD.replace(', cnonce="c"', ""),
        GOOD.replace("qop=auth, ", ""),
        GOOD.replace("qop=auth", "qop=auth auth-int"),
        GOOD + ", junk",
    ],
)
def test_credentials_are_read_strictly(text: str) -> None:
    assert Credentials.parse(GOOD).qop == "auth"
    with pytest.raises(ValueError, match=r"\w"):
        Credentials.parse(text)


texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)


@settings(max_examples=200, deadline=None)
@given(texts, texts, texts, st.sampled_from(SUPPORTED), st.sampled_from([None, "auth", "auth-int"]))
def test_what_is_written_is_read_again(name: str, realm: str, nonce: str, algorithm: str, qop: str | None) -> None:
    counted = {"cnonce": "c", "nc": "0000000a"} if qop else {}
    credentials = Credentials(name, realm, nonce, "sip:a@b", "00", algorithm, qop, opaque=name, **counted)
    assert Credentials.parse(str(credentials)) == credentials


@settings(max_examples=500, deadline=None)
@given(st.one_of(st.text(max_size=200), st.text(max_size=60).map(lambda text: GOOD + text)))
def test_noise(text: str) -> None:
    for kind in (Challenge, Credentials):
        try:
            kind.parse(text)
        except ValueError as error:
            assert str(error)


# -- both ends --


class Ends:
    """A phone with a password and the server that it calls."""

    def __init__(self, policy: Policy | None = None, account: Account | None = None) -> None:
        self.verifier = Verifier(policy or Policy(REALM), Random(1))
        self.account = account or Account("alice", "secret")
        self.login = Login(self.account, Random(2))
        self.allow_without_qop = False
        self.now = 1000.0

    def request(self, method: str = "INVITE", body: bytes = b"v=0") -> Request:
        alice = Address(URI.sip("alice", REALM)).with_tag("a")
        to = Address(URI.sip("room", REALM))
        request = new_request(method, str(to.uri), from_=alice, to=to, call_id="1", cseq=1, body=body)
        self.login.authorize(request)
        return request

    def verdict(self, request: Request, source: str = PHONE, password: str | None = "secret") -> str:
        claim = self.verifier.claim(request)
        if claim is None:
            return "nothing"
        ha1 = password and make_ha1(claim.username, REALM, password, claim.ha1_algorithm)
        return self.verifier.check(claim, ha1, source, self.now, allow_without_qop=self.allow_without_qop)

    def challenge(self, request: Request, *, stale: bool = False) -> Response:
        response = response_to(request, 401, to_tag="b")
        for challenge in self.verifier.challenges(PHONE, self.now, stale=stale):
            response.headers.add("WWW-Authenticate", str(challenge))
        return response

    def settle(self, method: str = "INVITE") -> Request:
        """A request that the server takes, after a challenge if need be."""
        request = self.request(method)
        if self.verdict(request) != "proven":
            assert self.login.challenged(request, self.challenge(request, stale="Authorization" in request.headers))
            request = self.request(method)
            assert self.verdict(request) == "proven"
        return request


@pytest.mark.parametrize("algorithm", SUPPORTED)
@pytest.mark.parametrize("qop", [("auth",), ("auth-int",), ("auth", "auth-int")])
def test_both_ends_agree(algorithm: str, qop: tuple[str, ...]) -> None:
    ends = Ends(Policy(REALM, (algorithm,), qop))
    assert ends.verdict(ends.request()) == "nothing"
    ends.settle()
    for _ in range(3):
        assert ends.verdict(ends.request("BYE")) == "proven"


def test_the_strongest_is_answered_whatever_comes_first() -> None:
    ends = Ends(Policy(REALM, ("MD5", "SHA-512-256", "SHA-256")))
    assert "algorithm=SHA-512-256" in (ends.settle().headers.get("Authorization") or "")
    ends = Ends(account=Account("alice", "secret", algorithms=frozenset({"MD5"})))
    assert "algorithm=MD5" in (ends.settle().headers.get("Authorization") or "")


@pytest.mark.parametrize("password", ["other", None])
def test_a_wrong_password_and_an_unknown_account_look_alike(password: str | None) -> None:
    ends = Ends()
    request = ends.request()
    ends.login.challenged(request, ends.challenge(request))
    assert ends.verdict(ends.request(), password=password) == "wrong"


def test_the_client_gives_up_when_its_proof_does_not_convince() -> None:
    ends = Ends()
    first = ends.request()
    assert ends.login.challenged(first, ends.challenge(first))
    second = ends.request()
    assert not ends.login.challenged(second, ends.challenge(second))


def test_the_client_does_not_follow_a_server_that_calls_all_stale() -> None:
    ends = Ends()
    tries = 0
    request = ends.request()
    while ends.login.challenged(request, ends.challenge(request, stale=True)) and tries < 10:
        request = ends.request()
        tries += 1
    assert tries == 2


def test_servers_that_take_each_nonce_once_without_saying_stale() -> None:
    ends = Ends()
    ends.settle()
    again = ends.request()
    assert ends.login.challenged(again, ends.challenge(again, stale=False))
    assert not ends.login.challenged(ends.request(), ends.challenge(ends.request()))


def test_an_old_nonce_is_stale_only_with_the_right_password() -> None:
    ends = Ends()
    ends.settle()
    ends.now += 301
    request = ends.request()
    assert ends.verdict(request) == "stale" and ends.verdict(request, password="other") == "wrong"
    ends.settle()


def test_a_nonce_is_good_for_its_source_and_its_server_only() -> None:
    ends = Ends()
    request = ends.settle()
    assert ends.verdict(request, source="192.0.2.66") == "stale"
    assert Ends(Policy(REALM)).verdict(ends.request()) == "proven"  # The same random source: the same secret.
    other = Ends()
    other.verifier = Verifier(Policy(REALM), Random(7))
    assert other.verdict(ends.request()) == "stale"


def test_a_replay_is_not_taken() -> None:
    ends = Ends()
    request = ends.settle()
    assert ends.verdict(request) == "stale"


def test_requests_may_overtake_one_another() -> None:
    ends = Ends()
    ends.settle()
    later, latest = ends.request("INFO"), ends.request("BYE")
    assert [ends.verdict(latest), ends.verdict(later), ends.verdict(later)] == ["proven", "proven", "stale"]


def test_what_is_signed_cannot_be_changed() -> None:
    ends = Ends(Policy(REALM, qop=("auth-int",)))
    request = ends.settle()
    for changed in (replace(request, method="BYE"), replace(request, body=b"v=1")):
        assert ends.verdict(changed) == "wrong"
    with pytest.raises(SipError) as caught:
        ends.verdict(replace(request, uri="sip:elsewhere@confero.example"))
    assert caught.value.status == 400 and caught.value.message is not None


def test_a_proxy_may_change_host_and_parameters() -> None:
    ends = Ends()
    request = ends.request()
    ends.login.challenged(request, ends.challenge(request))
    moved = replace(ends.request(), uri="sip:room@10.0.0.1:5060;transport=tcp")
    assert ends.verdict(moved) == "proven"


def test_without_qop_only_where_the_account_allows_it_and_once() -> None:
    ends = Ends(account=Account("alice", "secret", allow_without_qop=True))
    old = response_to(ends.request(), 401)
    old.headers.add("WWW-Authenticate", str(replace(ends.verifier.challenges(PHONE, ends.now)[1], qop=())))
    assert ends.login.challenged(ends.request(), old)
    request = ends.request()
    assert "qop" not in (request.headers.get("Authorization") or "")
    assert ends.verdict(request) == "wrong"
    ends.allow_without_qop = True
    assert [ends.verdict(request), ends.verdict(request)] == ["proven", "stale"]
    # The client knows that, and comes without.
    assert "Authorization" not in ends.request().headers
    strict = Login(Account("alice", "secret"), Random(1))
    assert not strict.challenged(ends.request(), old)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("algorithm=SHA-256", "algorithm=SHA-512-256"),
        lambda text: text.replace("algorithm=SHA-256", "algorithm=MD4"),
        lambda text: text.replace("qop=auth", "qop=auth-int"),
        lambda text: text.replace("nc=00000001", "nc=1"),
        lambda text: text + ', realm="x"',
    ],
)
def test_credentials_that_were_not_asked_for(change: object) -> None:
    assert callable(change)
    ends = Ends()
    request = ends.settle()
    request.headers.set("Authorization", change(request.headers.get("Authorization")))
    with pytest.raises(SipError):
        ends.verdict(request)


def test_credentials_of_others_are_passed_over() -> None:
    ends = Ends()
    request = ends.settle()
    mine = request.headers.get("Authorization") or ""
    other = mine.replace(REALM, "other.example")
    request.headers.set_all("Authorization", ["NoOneKnowsThisScheme opaque-data=here", other])
    assert ends.verdict(request) == "nothing"
    request.headers.set_all("Authorization", [mine, mine])
    with pytest.raises(SipError):
        ends.verdict(request)


def test_realms_that_are_not_the_accounts_are_not_answered() -> None:
    ends = Ends(account=Account("alice", "secret", realms=frozenset({"trunk.example"})))
    request = ends.request()
    assert not ends.login.challenged(request, ends.challenge(request))
    assert "Authorization" not in ends.request().headers


def test_realms_are_bounded() -> None:
    ends = Ends()
    for number in range(10):
        response = response_to(ends.request(), 407)
        response.headers.add("Proxy-Authenticate", str(Challenge(f"realm {number}", "n", "SHA-256", ("auth",))))
        assert ends.login.challenged(ends.request(), response) == (number < 4)
    assert len(ends.request().headers.rows("Proxy-Authorization")) == 4


def test_userhash() -> None:
    ends = Ends()
    response = ends.challenge(ends.request())
    response.headers.set("WWW-Authenticate", str(replace(ends.verifier.challenges(PHONE, ends.now)[0], userhash=True)))
    assert ends.login.challenged(ends.request(), response)
    claim = ends.verifier.claim(ends.request())
    assert claim and claim.credentials.userhash and claim.username == user_hash("alice", REALM, "SHA-256")
    ha1 = make_ha1("alice", REALM, "secret", "SHA-256")
    assert ends.verifier.check(claim, ha1, PHONE, ends.now) == "proven"


def test_what_is_forgotten_is_stale_not_open_to_replay() -> None:
    ends = Ends(Policy(REALM, nonces=3))
    first = ends.settle()
    for number in range(5):
        other = Ends()
        other.verifier, other.now = ends.verifier, ends.now + number
        other.settle()
    assert ends.verdict(first) == "stale"
    ends.now += 10
    ends.settle()


@settings(max_examples=300, deadline=None)
@given(st.lists(st.integers(1, 200), max_size=60))
def test_each_count_once(counts: list[int]) -> None:
    uses = Uses()
    taken: list[int] = []
    for count in counts:
        fresh = count not in taken and count > max(taken, default=0) - WINDOW
        assert uses.take(count) == fresh
        taken += [count] if fresh else []
    assert not uses.take(0)


def test_a_policy_that_cannot_be() -> None:
    for policy in ({"algorithms": ("MD4",)}, {"algorithms": ()}, {"qop": ()}, {"qop": ("auth-x",)}):
        with pytest.raises(ValueError, match="digest"):
            Policy(REALM, **policy)  # type: ignore[arg-type]


def test_secrets_are_not_shown() -> None:
    ends = Ends()
    ends.settle()
    assert "secret" not in repr(ends.account) and make_ha1("alice", REALM, "secret", "SHA-256") not in repr(
        vars(ends.login)
    )
