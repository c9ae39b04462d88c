#!/usr/bin/python
"""Ansible module: the app client of a web page in a Cognito user pool."""

from __future__ import annotations

DOCUMENTATION = r"""
module: user_pool_client
short_description: The app client of a web page in a Cognito user pool
description:
  - Creates, repairs or removes the app client called O(name) of O(user_pool).
  - Every client of this module is a page's. It has no secret, for a page cannot keep one. Cognito does not
    tell whether a user exists, and tokens can be revoked. No option changes that.
  - Cognito resets what an update does not name. The module sends the whole client again, so that what it has
    no option for, such as other identity providers, stays as somebody has set it.
  - Cognito knows clients by id. Two clients of this name in the pool are an error.
options:
  name:
    description: Name of the client.
    type: str
    required: true
  user_pool:
    description: Name of the user pool.
    type: str
    required: true
  flows:
    description:
      - Ways to sign in, in Cognito's words. By default with a password that never leaves the page (SRP), and
        with a refresh token.
    type: list
    elements: str
    default: [ALLOW_USER_SRP_AUTH, ALLOW_REFRESH_TOKEN_AUTH]
  access_token_minutes:
    description: Minutes that an access token is valid, 5 to 1440.
    type: int
    default: 60
  id_token_minutes:
    description: Minutes that an id token is valid, 5 to 1440.
    type: int
    default: 60
  refresh_token_days:
    description: Days after which a user must sign in again, 1 to 3650.
    type: int
    default: 30
  callback_urls:
    description:
      - Addresses of pages that take the code with which a user comes back from the hosted sign-in pages. By
        default there are none, and the hosted pages do not serve this client.
    type: list
    elements: str
    default: []
  logout_urls:
    description: Addresses of pages to which the hosted pages lead after signing out.
    type: list
    elements: str
    default: []
author: The clickstream platform's founders
extends_documentation_fragment: clickstream.aws.resource
notes:
  - Cognito's app clients have no tags; O(tags) is without effect.
"""

EXAMPLES = r"""
- name: Let the shop's pages sign users in
  clickstream.aws.user_pool_client:
    name: clickstream-web
    user_pool: clickstream-users
"""

RETURN = r"""
exists:
  description: Whether the client exists after the task; in check mode, whether it exists now.
  returned: unless pending
  type: bool
resource:
  description:
    - The client after the task; in check mode as it would be, without the ids that AWS has yet to give.
    - Empty where the client does not exist.
  returned: unless pending
  type: dict
  contains:
    client_id:
      description: Id of the client, the audience of its tokens. It is public.
      type: str
      sample: 1example23456789
    issuer:
      description: Issuer of its tokens.
      type: str
    flows:
      description: Ways to sign in.
      type: list
      elements: str
    access_token_minutes:
      description: Minutes that an access token is valid.
      type: float
    id_token_minutes:
      description: Minutes that an id token is valid.
      type: float
    refresh_token_days:
      description: Days that a refresh token is valid.
      type: float
    revocation:
      description: Whether tokens can be revoked.
      type: bool
    hides_users:
      description: Whether answers are the same for users who do not exist.
      type: bool
    hosted_pages:
      description: What the hosted sign-in pages may do for the client.
      type: dict
      contains:
        callback_urls:
          description: Pages that take a code.
          type: list
          elements: str
        logout_urls:
          description: Pages to come to after signing out.
          type: list
          elements: str
        grants:
          description: OAuth grants; empty where the client has none.
          type: list
          elements: str
        scopes:
          description: OAuth scopes.
          type: list
          elements: str
pending:
  description: Name of the parent that does not exist yet.
  returned: in check mode, where a parent is missing
  type: str
"""

from typing import Any
from urllib.parse import urlsplit

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ansible_collections.clickstream.aws.plugins.module_utils.resource import (
    InvalidInput,
    Missing,
    Resource,
    State,
    ignore_absent,
    run_module,
)
from ansible_collections.clickstream.aws.plugins.module_utils.user_pools import (
    ABSENT,
    find_client,
    find_pool,
    issuer,
    kept,
)

SECONDS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}
RANGES = {
    "access_token_minutes": (5, 1440),
    "id_token_minutes": (5, 1440),
    "refresh_token_days": (1, 3650),
}
SCOPES = ["email", "openid", "profile"]
NO_PAGES: State = {"callback_urls": [], "logout_urls": [], "grants": [], "scopes": []}


def seconds(client: dict[str, Any], token: str, default_unit: str, default: int) -> float:
    """How long a kind of token is valid, in seconds."""
    unit = (client.get("TokenValidityUnits") or {}).get(token) or default_unit
    value = client.get(f"{token}Validity")
    return (value or 0) * SECONDS[unit] or default


def described(client: dict[str, Any]) -> State:
    """Cognito's description of a client in the shape of :meth:`UserPoolClient.desired`."""
    pages = {
        "callback_urls": sorted(client.get("CallbackURLs") or []),
        "logout_urls": sorted(client.get("LogoutURLs") or []),
        "grants": sorted(client.get("AllowedOAuthFlows") or []),
        "scopes": sorted(client.get("AllowedOAuthScopes") or []),
    }
    return {
        "flows": sorted(client.get("ExplicitAuthFlows") or []),
        "access_token_minutes": seconds(client, "AccessToken", "hours", 3600) / 60,
        "id_token_minutes": seconds(client, "IdToken", "hours", 3600) / 60,
        "refresh_token_days": seconds(client, "RefreshToken", "days", 30 * 86400) / 86400,
        "revocation": client.get("EnableTokenRevocation", False),
        "hides_users": client.get("PreventUserExistenceErrors") == "ENABLED",
        "hosted_pages": pages if client.get("AllowedOAuthFlowsUserPoolClient") else NO_PAGES,
    }


def settings(state: State) -> dict[str, Any]:
    """A state in Cognito's words."""
    pages = state["hosted_pages"]
    return {
        "ExplicitAuthFlows": state["flows"],
        "AccessTokenValidity": int(state["access_token_minutes"]),
        "IdTokenValidity": int(state["id_token_minutes"]),
        "RefreshTokenValidity": int(state["refresh_token_days"]),
        "TokenValidityUnits": {"AccessToken": "minutes", "IdToken": "minutes", "RefreshToken": "days"},
        "EnableTokenRevocation": state["revocation"],
        "PreventUserExistenceErrors": "ENABLED" if state["hides_users"] else "LEGACY",
        "CallbackURLs": pages["callback_urls"],
        "LogoutURLs": pages["logout_urls"],
        "AllowedOAuthFlows": pages["grants"],
        "AllowedOAuthScopes": pages["scopes"],
        "AllowedOAuthFlowsUserPoolClient": bool(pages["grants"]),
    }


def without_conflicts(sent: dict[str, Any]) -> dict[str, Any]:
    """What Cognito takes together: it refuses leftovers that go against what the task says."""
    redirect, flows = sent.get("DefaultRedirectURI"), sent["ExplicitAuthFlows"]
    conflicts = {
        "DefaultRedirectURI": redirect not in sent["CallbackURLs"],
        "RefreshTokenRotation": "ALLOW_REFRESH_TOKEN_AUTH" in flows,
    }
    return {key: value for key, value in sent.items() if not conflicts.get(key)}


class UserPoolClient(Resource):
    """An app client, by its name and its pool's."""

    kind = "app client"

    def __init__(self, module: AnsibleAWSModule) -> None:
        super().__init__(module)
        self.cognito = module.client("cognito-idp")
        self.pool_id = ""
        self.found: dict[str, Any] = {}

    def read(self) -> State | None:
        """client_id, issuer, and everything that :meth:`desired` names."""
        pool_id = find_pool(self.module, self.cognito, self.params["user_pool"])
        if pool_id is None:
            raise Missing("user pool", self.params["user_pool"])
        self.pool_id = pool_id
        client_id = find_client(self.module, self.cognito, pool_id, self.name)
        answer = client_id and ignore_absent(
            lambda: self.cognito.describe_user_pool_client(UserPoolId=pool_id, ClientId=client_id), ABSENT
        )
        if not answer:
            return None
        self.found = answer["UserPoolClient"]
        return {"client_id": client_id, "issuer": issuer(self.cognito, pool_id), **described(self.found)}

    def desired(self) -> State:
        """As the task says."""
        self.check()
        callbacks, logouts = self.params["callback_urls"], self.params["logout_urls"]
        pages = {
            "callback_urls": sorted(set(callbacks)),
            "logout_urls": sorted(set(logouts)),
            "grants": ["code"],
            "scopes": SCOPES,
        }
        return {
            "flows": sorted(set(self.params["flows"])),
            **{name: self.params[name] for name in RANGES},
            "revocation": True,
            "hides_users": True,
            "hosted_pages": pages if callbacks else NO_PAGES,
        }

    def check(self) -> None:
        """Raise InvalidInput for what Cognito does not take, or cannot change."""
        for option, (least, most) in RANGES.items():
            if not least <= self.params[option] <= most:
                raise InvalidInput(
                    f"{option} {self.params[option]} is none that Cognito takes",
                    f"set it to {least} to {most}",
                )
        addresses = [*self.params["callback_urls"], *self.params["logout_urls"]]
        for url in addresses:
            parts = urlsplit(url)
            if parts.fragment or not (
                parts.scheme == "https" or (parts.scheme == "http" and parts.hostname == "localhost")
            ):
                raise InvalidInput(
                    f"Cognito leads nobody to {url}", "use https (or http://localhost), and nothing after a #"
                )
        if self.params["logout_urls"] and not self.params["callback_urls"]:
            raise InvalidInput("logout_urls are the hosted pages', which need callback_urls", "name them too")
        if self.found.get("ClientSecret"):
            raise InvalidInput(
                "there is one with a secret, which a page cannot keep and Cognito cannot take away",
                "give the client another name, or remove that one",
            )

    def create(self, desired: State) -> None:
        """Make the client."""
        self.cognito.create_user_pool_client(
            UserPoolId=self.pool_id,
            ClientName=self.name,
            GenerateSecret=False,
            SupportedIdentityProviders=["COGNITO"],
            **settings(desired),
        )

    def update(self, current: State, desired: State, changes: frozenset[str]) -> None:
        """Send the whole client again, with what differs."""
        old = kept(self.cognito, "UpdateUserPoolClient", self.found)
        self.cognito.update_user_pool_client(**without_conflicts({**old, **settings(desired)}))

    def delete(self, current: State) -> None:
        """Remove it; its tokens are not renewed any more."""
        ignore_absent(
            lambda: self.cognito.delete_user_pool_client(
                UserPoolId=self.pool_id, ClientId=current["client_id"]
            ),
            ABSENT,
        )


def main() -> None:
    """Run the module."""
    strings: dict[str, Any] = {"type": "list", "elements": "str"}
    run_module(
        UserPoolClient,
        {
            "name": {"required": True},
            "user_pool": {"required": True},
            "flows": {**strings, "default": ["ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]},
            "access_token_minutes": {"type": "int", "default": 60, "no_log": False},
            "id_token_minutes": {"type": "int", "default": 60, "no_log": False},
            "refresh_token_days": {"type": "int", "default": 30, "no_log": False},
            "callback_urls": {**strings, "default": []},
            "logout_urls": {**strings, "default": []},
        },
    )


if __name__ == "__main__":
    main()
