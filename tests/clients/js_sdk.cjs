// The AWS SDK for JavaScript v3 as a client: one signed call for every line on stdin, one line on stdout for each.
// The line "holds" is answered by the access key id of its credentials and when it was told that they end.
// The first argument chooses where credentials come from: "default-chain" or "from-process".
"use strict";

const { createInterface } = require("node:readline");
const { GetCallerIdentityCommand, STSClient } = require("@aws-sdk/client-sts");
const { fromProcess } = require("@aws-sdk/credential-providers");

const chosen = { "default-chain": {}, "from-process": { credentials: fromProcess() } }[process.argv[2]];
if (!chosen) throw new Error(`unknown source of credentials: ${process.argv[2]}`);
const sts = new STSClient({ endpoint: process.env.AWS_ENDPOINT_URL_STS, region: process.env.AWS_REGION, ...chosen });
const oneLine = (text) => String(text).replace(/\s+/g, " ").trim();

(async () => {
  for await (const line of createInterface({ input: process.stdin })) {
    try {
      if (line === "holds") {
        const held = await sts.config.credentials();
        console.log("holds", held.accessKeyId, held.expiration.toISOString());
        continue;
      }
      console.log("ok", (await sts.send(new GetCallerIdentityCommand({}))).Arn);
    } catch (error) {
      console.log("error", oneLine(error));
    }
  }
})();
