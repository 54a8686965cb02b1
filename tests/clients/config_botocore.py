"""What botocore finds in the AWS config file: the names of its profiles, and the credential_process of one, as JSON."""

import json
import sys

import botocore.session

session = botocore.session.Session()
profiles = session.full_config["profiles"]
print(json.dumps({"names": session.available_profiles, "process": profiles[sys.argv[1]].get("credential_process")}))
