"""Bucket policies: statements in a few words, and a bucket of `main` whose policy a test changes at will."""

import json

from support import s3
from support.accounts import ALT, Account

CURRENT = "2012-10-17"
ELDER = "2008-10-17"
ARN = "arn:aws:s3:::"
ANYONE = "*"


def user_arn(account: Account) -> str:
    """The principal of one user, as CoreWeave writes it."""
    return f"arn:aws:iam::{account.org}:coreweave/{account.user}"


def principal(*who: Account | str):
    """The value of a Principal: everybody, or users and names as they are given."""
    if who == (ANYONE,):
        return ANYONE
    names = [user_arn(one) if isinstance(one, Account) else one for one in who]
    return {"AWS": names[0] if len(names) == 1 else names}


def document(*statements: dict, version: str | None = CURRENT) -> str:
    """A whole policy."""
    start = {} if version is None else {"Version": version}
    return json.dumps({**start, "Statement": list(statements)})


class Guarded:
    """A bucket with a policy, and the statements that can be made about it."""

    def __init__(self, client, name: str):
        self.client = client
        self.name = name

    def arn(self, key: str) -> str:
        return f"{ARN}{self.name}/{key}"

    @property
    def everything(self) -> list[str]:
        """The bucket and every object in it."""
        return [ARN + self.name, self.arn("*")]

    def statement(self, effect: str, action, who=(ALT,), on: str | None = None, when: dict | None = None, **elements):
        """`on` is a pattern of keys; without one the statement is about the bucket and all that is in it. An element
        given by its own name takes the place of what would stand there; None takes it away."""
        built = {
            "Effect": effect,
            "Principal": principal(*(who if isinstance(who, tuple) else (who,))),
            "Action": action,
            "Resource": self.everything if on is None else self.arn(on),
        }
        if when is not None:
            built["Condition"] = when
        for given, replaced in (("NotPrincipal", "Principal"), ("NotAction", "Action"), ("NotResource", "Resource")):
            if given in elements:
                del built[replaced]
        return {name: value for name, value in {**built, **elements}.items() if value is not None}

    def allow(self, action="s3:*", *arguments, **elements) -> dict:
        return self.statement("Allow", action, *arguments, **elements)

    def deny(self, action="s3:*", *arguments, **elements) -> dict:
        return self.statement("Deny", action, *arguments, **elements)

    def set(self, *statements: dict, version: str | None = CURRENT) -> None:
        """Gives the bucket a policy of these statements; none takes its policy away."""
        if statements:
            self.client.put_bucket_policy(Bucket=self.name, Policy=document(*statements, version=version))
        else:
            self.free()

    def free(self) -> None:
        """Takes the policy away, whatever it denies: a policy can always be put."""
        harmless = self.allow("s3:GetBucketLocation")
        self.client.put_bucket_policy(Bucket=self.name, Policy=document(harmless))
        self.client.delete_bucket_policy(Bucket=self.name)

    def fill(self, *keys: str, **parameters) -> None:
        """Stores an object under each key, its key for content."""
        for key in keys:
            self.client.put_object(Bucket=self.name, Key=key, Body=key.encode(), **parameters)

    def remove(self) -> None:
        """Removes the bucket with all that is in it."""
        self.free()
        s3.delete_bucket_with_objects(self.client, self.name)
