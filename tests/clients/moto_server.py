"""moto as an AWS that checks signatures and IAM policies, for one test.

Makes the user alice and the roles Source and Deploy of account 123456789012, which may do everything, switches authentication on, and prints
one line of JSON: where it listens, credentials of Source, and the access key of alice. Serves until stdin ends, so that it never outlives the test.
"""

import json
import sys
import urllib.request

import boto3
from moto.server import ThreadedMotoServer

ALLOW_ALL = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
TRUST_ALL = json.dumps({
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
})


def client(service, url, keys):
    return boto3.client(
        service,
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
    )


def prepare(url):
    # Before authentication is on, any keys do.
    iam = client("iam", url, {"AccessKeyId": "any", "SecretAccessKey": "any"})
    iam.create_user(UserName="alice")
    iam.put_user_policy(UserName="alice", PolicyName="all", PolicyDocument=ALLOW_ALL)
    arns = {}
    for name in ["Source", "Deploy"]:
        arns[name] = iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST_ALL)["Role"]["Arn"]
        iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=ALLOW_ALL)
    keys = iam.create_access_key(UserName="alice")["AccessKey"]
    request = urllib.request.Request(f"{url}/moto-api/reset-auth", b"0", {"Content-Type": "text/plain"}, method="POST")
    urllib.request.urlopen(request, timeout=10).close()
    role = client("sts", url, keys).assume_role(RoleArn=arns["Source"], RoleSessionName="alice")["Credentials"]
    return role, keys


def main():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    url = "http://{}:{}".format(*server.get_host_and_port())
    keys, user = prepare(url)
    names = ["AccessKeyId", "SecretAccessKey", "SessionToken"]
    of_user = {"user": {name: user[name] for name in names[:2]}}
    print(json.dumps({"url": url, **{name: keys[name] for name in names}, **of_user}), flush=True)
    sys.stdin.read()


main()
