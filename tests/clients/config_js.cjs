// What the AWS SDK for JavaScript v3 finds in the AWS config file: the names of its profiles, and the credential_process of one, as JSON.
"use strict";

const { loadSharedConfigFiles } = require("@smithy/core/config");

loadSharedConfigFiles().then(({ configFile }) => {
  // Other sections carry their kind in the name.
  const names = Object.keys(configFile).filter((name) => !/^(sso-session|services)\./.test(name));
  console.log(JSON.stringify({ names, process: configFile[process.argv[2]].credential_process ?? null }));
});
