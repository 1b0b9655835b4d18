"""The resources that we serve, and what we say of ourselves (RFC 7643, sections 4, 5 and 6)."""

from typing import Final

from scim2_models import (
    AuthenticationScheme,
    Bulk,
    ChangePassword,
    EnterpriseUser,
    ETag,
    Filter,
    Patch,
    ResourceType,
    ScimPolicy,
    ScimProvider,
    ServiceProviderConfig,
    Sort,
    User,
)

MOST_RESULTS: Final = 200
MOST_OPERATIONS: Final = 100
MOST_BULK_BYTES: Final = 1_048_576

ScimUser = User[EnterpriseUser]
_CONFIG = ServiceProviderConfig(
    patch=Patch(supported=True),
    bulk=Bulk(supported=True, max_operations=MOST_OPERATIONS, max_payload_size=MOST_BULK_BYTES),
    filter=Filter(supported=True, max_results=MOST_RESULTS),
    change_password=ChangePassword(supported=True),
    sort=Sort(supported=True),
    etag=ETag(supported=True),
    authentication_schemes=[
        AuthenticationScheme(
            type=AuthenticationScheme.Type.oauthbearertoken,
            name="Bearer token",
            description="A long-lived token of a client, or one of the client credentials grant.",
            primary=True,
        )
    ],
)
_POLICY = ScimPolicy(
    unknown=ScimPolicy.Unknown.ignore,
    remove_value_as_filter=ScimPolicy.RemoveValue.apply,
    unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create,
)
PROVIDER: Final = ScimProvider(
    models=[User, EnterpriseUser],
    resource_types=[ResourceType.from_resource(ScimUser)],
    config=_CONFIG,
    policy=_POLICY,
)
