"""requests-oauthlib: a web application with PKCE, a service, and a program that is given a password."""

from oauthlib.oauth2 import BackendApplicationClient, InvalidGrantError, LegacyApplicationClient
from requests_oauthlib import OAuth2Session

from clients.programs.harness import CALLBACK, CLIENTS, IDENTITY, ISSUER, USER, find, refused, step, visit

with step("discovery"):
    metadata = find("/.well-known/oauth-authorization-server")
_TOKEN = metadata["token_endpoint"]
_SECRET = {"client_secret": CLIENTS["server"]["secret"]}

with step("code with PKCE"):
    session = OAuth2Session(
        CLIENTS["server"]["id"], redirect_uri=CALLBACK, scope=IDENTITY.split(), pkce="S256"
    )
    url, _ = session.authorization_url(metadata["authorization_endpoint"])
    tokens = session.fetch_token(_TOKEN, authorization_response=visit(url), **_SECRET)

with step("userinfo"):
    assert session.get(f"{ISSUER}/auth/userinfo").json()["sub"] == USER["id"]

with step("refresh"):
    auth = (CLIENTS["server"]["id"], CLIENTS["server"]["secret"])
    tokens = session.refresh_token(_TOKEN, refresh_token=tokens["refresh_token"], auth=auth)

with step("introspection"):
    asked = {"token": tokens["access_token"]}
    told = session.post(metadata["introspection_endpoint"], data=asked, auth=auth, withhold_token=True)
    assert told.json()["active"], told.json()

with step("revocation"):
    asked = {"token": tokens["refresh_token"]}
    session.post(metadata["revocation_endpoint"], data=asked, auth=auth, withhold_token=True)
    with refused(InvalidGrantError):
        session.refresh_token(_TOKEN, refresh_token=tokens["refresh_token"], auth=auth)

with step("client credentials"):
    service = OAuth2Session(client=BackendApplicationClient(CLIENTS["service"]["id"], scope="users:read"))
    service.fetch_token(_TOKEN, client_secret=CLIENTS["service"]["secret"])
    assert service.get(f"{ISSUER}/users?limit=1").json()["items"]

with step("password"):
    legacy = OAuth2Session(client=LegacyApplicationClient("roster"))
    legacy.fetch_token(_TOKEN, username=USER["email"], password=USER["password"], include_client_id=True)
    assert legacy.get(f"{ISSUER}/users/me").json()["id"] == USER["id"]
