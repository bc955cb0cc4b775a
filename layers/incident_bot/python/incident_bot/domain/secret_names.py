"""Names of secrets: which keys, options and parameters hold one, however they are spelled."""

import re

REDACTED = "REDACTED"
SECRET_KEYS = (
    *("token", "password", "passwd", "passphrase", "pwd", "secret", "authorization", "credential", "credentials"),
    *("cookie", "cookies", "sessionid", "connectionstring", "accesskey", "accesskeyid", "secretkey", "apikey"),
    *("appkey", "applicationkey", "routingkey", "integrationkey", "servicekey", "pagerdutykey", "privatekey"),
    *("signingkey", "secretstring", "secretbinary", "accountkey"),
)
FORMS = ("hash", "value", "text", "string", "plain", "plaintext", "base64", "encrypted")  # a secret's, behind its name
SIGNED = ("sig", "signature", "xamzsignature", "key", "code", "auth", "jwt")  # parameters of URLs besides
# Whatever is redacted has one of these in it; most texts have none, and are dealt with by looking for them.
SIGNS = (
    *("token", "pass", "pwd", "secret", "authorization", "credential", "cookie", "sessionid"),
    *("connectionstring", "accesskey", "apikey", "appkey", "applicationkey", "routingkey", "integrationkey"),
    *("servicekey", "pagerdutykey", "hooksslack", "hookszapier", "webhook", "eventspagerduty", "privatekey"),
    *("signingkey", "accountkey", "bearer", "basic", "akia", "asia", "ghp", "gho", "ghu", "ghs", "ghr"),
    *("githubpat", "glpat", "xox", "sklive", "rklive", "eyj", "sig=", "signature=", "key=", "code=", "auth=", "jwt="),
    *("npm", "aiza", "skant", "skproj", "sksvcacct", "mysql", "mariadb", "%2fbot"),
    *("@", "%40", "%3d", "\\u00"),  # an escape may hide a letter of any of them
)
EXACTLY = ("SG.", "/bot", ":AA")  # the same, as written
BETWEEN = str.maketrans("", "", "_-. ")
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
# `pass` alone or as a word of a key, not the end of one: bypass and compass are no passwords.
PASS = re.compile(r"(?:(?:^|[^A-Za-z])(?:(?i:pg|db|my|user|smtp))?(?i:pass)|[a-z0-9]Pass)$")
NOTHING = frozenset({"null", "true", "false", '""', "[]", "{}"})


def suspicious(text: str) -> bool:
    """Whether there may be a secret in the text; False is certain."""
    whole = text.lower().replace("_", "").replace("-", "").replace(".", "").replace(" ", "")
    return any(sign in whole for sign in SIGNS) or any(sign in text for sign in EXACTLY)


def squeezed(key: str) -> str:
    """The key however it is spelled: `X-Api-Key` as `xapikey`."""
    return key.lower().translate(BETWEEN)


def secret(key: str) -> bool:
    """Whether what stands under that key is a secret."""
    name = squeezed(key)
    formless = next((name.removesuffix(form) for form in FORMS if name.endswith(form)), name)
    names = (name, name.removesuffix("s"), formless)
    return any(one.endswith(SECRET_KEYS) for one in names) or bool(PASS.search(key))


def nothing(key: str, value: str) -> bool:
    """Whether there is no secret in the value: it is empty, or a number of things (`tokens`, `pass`)."""
    name = key.lower()
    counts = name == "pass" or (name.endswith("s") and not name.endswith("pass"))
    return value in NOTHING or (counts and bool(NUMBER.fullmatch(value)))
