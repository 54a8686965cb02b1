"""boto3 as a client, its default chain: one signed call for every line on stdin, one line on stdout for each.

The line "holds" is answered by the access key id of its credentials and when it was told that they end.
"""

import sys

import boto3


def one_line(text):
    return " ".join(str(text).split())


def holds():
    # Read before a call is signed: what is about to end is asked for anew.
    held = boto3.DEFAULT_SESSION.get_credentials()
    return f"{held.access_key} {held._expiry_time.isoformat()}"


sts = None
for line in sys.stdin:
    try:
        if line.strip() == "holds":
            print("holds", holds(), flush=True)
            continue
        sts = sts or boto3.client("sts")
        print("ok", sts.get_caller_identity()["Arn"], flush=True)
    except Exception as error:
        print("error", one_line(error), flush=True)
