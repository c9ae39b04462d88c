"""The access keys of a local cloud, and the session tokens by which it knows functions and instances.

Nothing is secret here: the cloud listens on this computer only, and everybody knows the secret key.
"""

DEPLOYER_KEY = "local"
"""The key in ``inventories/local``: an IAM user with exactly the policies of ``docs/deployer``."""

ROOT_KEY = "123456789012"
"""The account's root, whom IAM does not limit: for tests that look into an account or break it.

ministack takes presigned addresses of its own key and of the account's number alone, so it is that.
"""

SECRET = "everybody-knows-it"  # noqa: S105 - the emulators check none

FUNCTION = "local-cloud-function"
INSTANCE = "local-cloud-instance"
"""What a session token begins with; after a slash follows the function's ARN, or the instance's id."""
