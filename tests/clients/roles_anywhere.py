"""AWS's own Python client of IAM Roles Anywhere: credentials for a certificate, then one signed call with them.

Reads its arguments as JSON on stdin; prints "ok ARN" or "error TEXT".
"""

import json
import sys

from iam_rolesanywhere_session import IAMRolesAnywhereSession

asked = json.load(sys.stdin)
sts_endpoint = asked.pop("sts_endpoint")
try:
    session = IAMRolesAnywhereSession(**asked).get_session()
    identity = session.client("sts", endpoint_url=sts_endpoint).get_caller_identity()
    print("ok", identity["Arn"])
except Exception as error:
    print("error", " ".join(str(error).split()))
