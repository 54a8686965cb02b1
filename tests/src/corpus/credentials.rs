//! Files with credentials in them.

use super::chance::Chance;
use super::{File, Shape};

pub(super) fn files(chance: &mut Chance) -> Vec<File> {
    [CONFIGURATION, SHELL, CODE, SERVICES, DATA]
        .concat()
        .into_iter()
        .map(|(path, shape)| Shape::file(chance, path, shape))
        .collect()
}

type Shapes = &'static [(&'static str, &'static str)];

/// What tools read.
const CONFIGURATION: Shapes = &[
    (
        "home/.aws/credentials",
        "[default]\naws_access_key_id = ‹akia›\naws_secret_access_key = ‹secret›\n\n[‹word›]\naws_access_key_id=‹akia.b›\naws_secret_access_key=‹secret.b›\nregion=eu-west-1\n",
    ),
    (
        "home/.aws/cli-cache.json",
        "{\"Credentials\": {\"AccessKeyId\": \"‹asia›\", \"SecretAccessKey\": \"‹secret›\", \"SessionToken\": \"IQoJb3JpZ2luX2VjE‹base64:600›==\", \"Expiration\": \"2026-11-30T17:00:00Z\"}}\n",
    ),
    (
        "home/.boto",
        "[Credentials]\naws_access_key_id = ‹akia›\naws_secret_access_key = ‹secret›\n[Boto]\nhttps_validate_certificates = True\n",
    ),
    (
        "home/.s3cfg",
        "[default]\naccess_key = ‹akia›\naccess_token = \nbucket_location = EU\ncheck_ssl_certificate = True\nsecret_key = ‹secret›\nuse_https = True\n",
    ),
    (
        "home/rclone.conf",
        "[‹word›]\ntype = s3\nprovider = AWS\naccess_key_id = ‹akia›\nsecret_access_key = ‹secret›\nregion = us-east-1\n",
    ),
    ("home/.passwd-s3fs", "‹word›-bucket:‹akia›:‹secret›\n"),
    (
        "home/mc.json",
        "{\n  \"aliases\": {\n    \"s3\": {\n      \"url\": \"https://s3.amazonaws.com\",\n      \"accessKey\": \"‹akia›\",\n      \"secretKey\": \"‹secret›\",\n      \"api\": \"S3v4\"\n    }\n  }\n}\n",
    ),
    (
        ".env",
        "NODE_ENV=production\nDATABASE_URL=postgres://app@db/‹word›\nAWS_REGION=eu-west-1\nAWS_ACCESS_KEY_ID=‹akia›\nAWS_SECRET_ACCESS_KEY=‹secret›\nSENTRY_RELEASE=‹hex:40›\n",
    ),
    (".env.production", "export AWS_SECRET_ACCESS_KEY=\"‹secret›\"\nexport S3_BUCKET=‹word›\n"),
    (
        ".env.mixed",
        "CLOUDFLARE_API_TOKEN=‹alnum:40›\nAWS_ACCESS_KEY_ID=‹akia›\nALGOLIA_KEY=‹hex:32›\nAWS_SECRET_ACCESS_KEY=‹secret›\nDATADOG_APP_KEY=‹hex:40›\n",
    ),
    (
        "provider.tf",
        "provider \"aws\" {\n  region     = \"eu-west-1\"\n  access_key = \"‹akia›\"\n  secret_key = \"‹secret›\"\n}\n",
    ),
    (
        "backend.tf",
        "terraform {\n  backend \"s3\" {\n    bucket     = \"‹word›\"\n    key        = \"state/‹word›.tfstate\"\n    access_key = \"‹akia›\"\n    secret_key = \"‹secret›\"\n  }\n}\n",
    ),
    ("secret.auto.tfvars", "aws_access_key = \"‹akia›\"\naws_secret_key = \"‹secret›\"\n"),
    (
        "terraform.tfstate",
        "{\n  \"version\": 4,\n  \"lineage\": \"‹uuid›\",\n  \"resources\": [{\n    \"type\": \"aws_iam_access_key\",\n    \"instances\": [{\"attributes\": {\n      \"id\": \"‹akia›\",\n      \"secret\": \"‹secret›\",\n      \"user\": \"‹word›\"\n    }}]\n  }]\n}\n",
    ),
    (
        "serverless.yml",
        "service: ‹word›\nprovider:\n  name: aws\n  environment:\n    AWS_KEY: ‹akia›\n    AWS_SECRET: ‹secret›\n",
    ),
    (
        "docker-compose.yml",
        "services:\n  ‹word›:\n    image: app@sha256:‹hex:64›\n    environment:\n      - AWS_ACCESS_KEY_ID=‹akia›\n      - AWS_SECRET_ACCESS_KEY=‹secret›\n",
    ),
    (
        "Dockerfile",
        "FROM debian:12\nENV AWS_ACCESS_KEY_ID=‹akia› \\\n    AWS_SECRET_ACCESS_KEY=‹secret›\nRUN aws s3 cp s3://‹word›/x /x\n",
    ),
    (
        ".github/workflows/deploy.yml",
        "jobs:\n  deploy:\n    steps:\n      - uses: aws-actions/configure-aws-credentials@‹hex:40›\n        with:\n          aws-access-key-id: ‹akia›\n          aws-secret-access-key: ‹secret›\n          aws-region: eu-west-1\n",
    ),
    (".gitlab-ci.yml", "variables:\n  AWS_ACCESS_KEY_ID: \"‹akia›\"\n  AWS_SECRET_ACCESS_KEY: \"‹secret›\"\n"),
    ("Jenkinsfile", "environment {\n  AWS_ACCESS_KEY_ID     = '‹akia›'\n  AWS_SECRET_ACCESS_KEY = '‹secret›'\n}\n"),
    (
        "k8s/secret.yml",
        "apiVersion: v1\nkind: Secret\ndata:\n  AWS_ACCESS_KEY_ID: ‹akia_base64›\n  AWS_SECRET_ACCESS_KEY: ‹secret_base64›\n",
    ),
    ("k8s/plain.yml", "kind: Secret\nstringData:\n  accesskey: ‹akia›\n  secretkey: ‹secret›\n"),
    ("helm/values.yaml", "s3:\n  bucket: ‹word›\n  accessKey: \"‹akia›\"\n  secretKey: \"‹secret›\"\n"),
    ("ansible/vars.yml", "aws_access_key: \"‹akia›\"\naws_secret_key: \"‹secret›\"\nec2_region: eu-west-1\n"),
    (
        "application.properties",
        "cloud.aws.credentials.access-key=‹akia›\ncloud.aws.credentials.secret-key=‹secret›\ncloud.aws.region.static=eu-west-1\n",
    ),
    (
        "appsettings.json",
        "{\n  \"AWS\": {\n    \"AccessKey\": \"‹akia›\",\n    \"SecretKey\": \"‹secret›\",\n    \"Region\": \"eu-west-1\"\n  }\n}\n",
    ),
    (
        "web.config",
        "<configuration><appSettings>\n  <add key=\"AWSAccessKey\" value=\"‹akia›\"/>\n  <add key=\"AWSSecretKey\" value=\"‹secret›\"/>\n</appSettings></configuration>\n",
    ),
    ("config.toml", "[storage.s3]\naccess_key_id = \"‹akia›\"\nsecret_access_key = \"‹secret›\"\n"),
    (
        "hadoop/core-site.xml",
        "<property><name>fs.s3a.access.key</name><value>‹akia›</value></property>\n<property><name>fs.s3a.secret.key</name><value>‹secret›</value></property>\n",
    ),
    ("gradle.properties", "awsAccessKeyId=‹akia›\nawsSecretAccessKey=‹secret›\norg.gradle.caching=true\n"),
];

/// What people type.
const SHELL: Shapes = &[
    (
        "home/.bashrc",
        "alias ll='ls -l'\nexport AWS_ACCESS_KEY_ID=‹akia›\nexport AWS_SECRET_ACCESS_KEY=‹secret›\nexport EDITOR=vi\n",
    ),
    (
        "home/.bash_history",
        "ls\ncd src/‹word›\nAWS_ACCESS_KEY_ID=‹akia› AWS_SECRET_ACCESS_KEY=‹secret› aws s3 ls\ngit checkout ‹hex:40›\n",
    ),
    (
        "home/.zsh_history",
        ": 1764500000:0;git show ‹hex:40›\n: 1764500011:0;export AWS_SECRET_ACCESS_KEY=‹secret›\n: 1764500012:4;aws sts get-caller-identity\n",
    ),
    (
        "home/fish_history",
        "- cmd: set -gx AWS_ACCESS_KEY_ID ‹akia›\n  when: 1764500000\n- cmd: set -gx AWS_SECRET_ACCESS_KEY ‹secret›\n  when: 1764500009\n",
    ),
    (
        "home/ConsoleHost_history.txt",
        "cd C:\\src\\‹word›\r\n$env:AWS_ACCESS_KEY_ID=\"‹akia›\"\r\n$env:AWS_SECRET_ACCESS_KEY=\"‹secret›\"\r\n",
    ),
    (
        "home/configure_history",
        "aws configure set aws_access_key_id ‹akia›\naws configure set aws_secret_access_key ‹secret›\n",
    ),
    (
        "deploy.sh",
        "#!/bin/sh\nset -e\naws_access_key='‹akia›'\naws_secret='‹secret›'\ncurl --aws-sigv4 aws:amz:eu-west-1:s3 -u \"‹akia›:‹secret›\" https://‹word›.s3.amazonaws.com/\n",
    ),
    ("Makefile", "deploy:\n\tAWS_ACCESS_KEY_ID=‹akia› AWS_SECRET_ACCESS_KEY=‹secret› aws s3 sync build s3://‹word›\n"),
    ("setup.ps1", "Set-AWSCredential -AccessKey ‹akia› -SecretKey ‹secret› -StoreAs ‹word›\n"),
];

/// What people program.
const CODE: Shapes = &[
    (
        "client.py",
        "import boto3\n\ns3 = boto3.client('s3', aws_access_key_id='‹akia›', aws_secret_access_key='‹secret›')\ns3.upload_file('‹word›.csv', '‹word›', 'x')\n",
    ),
    ("positional.py", "conn = S3Connection('‹akia›', '‹secret›')\n"),
    (
        "settings.py",
        "SECRET_KEY = 'django-insecure-‹alnum:50›'\nAWS_ACCESS_KEY_ID = '‹akia›'\nAWS_SECRET_ACCESS_KEY = '‹secret›'\nAWS_STORAGE_BUCKET_NAME = '‹word›'\n",
    ),
    ("only_secret.py", "aws_key = \"‹secret›\"\n"),
    ("aws_token.rb", "config.aws_token = '‹secret›'\n"),
    ("aws_password.php", "<?php\n$config['aws_password'] = '‹secret›';\n"),
    ("s3.php", "<?php\ndefine('AWS_ACCESS_KEY', '‹akia›');\ndefine('AWS_SECRET_KEY', '‹secret›');\n"),
    (
        "carrierwave.rb",
        "config.fog_credentials = {\n  provider: 'AWS',\n  aws_access_key_id: '‹akia›',\n  aws_secret_access_key: '‹secret›'\n}\n",
    ),
    ("s3.js", "const s3 = new AWS.S3({ accessKeyId: '‹akia›', secretAccessKey: '‹secret›', region: 'eu-west-1' });\n"),
    (
        "config.ts",
        "export const config = {\n  s3: {\n    accessKeyId: \"‹akia›\",\n    secretAccessKey: \"‹secret›\",\n  },\n};\n",
    ),
    ("typed.ts", "const secretAccessKey: string = '‹secret›';\n"),
    ("Client.java", "AWSCredentials c = new BasicAWSCredentials(\n    \"‹akia›\",\n    \"‹secret›\"\n);\n"),
    ("Client.cs", "var client = new AmazonS3Client(\"‹akia›\", \"‹secret›\", RegionEndpoint.EUWest1);\n"),
    (
        "client.go",
        "creds := credentials.NewStaticCredentials(\"‹akia›\", \"‹secret›\", \"\")\nawsSecretKey := \"‹secret›\"\n",
    ),
    ("client.rs", "let c = Credentials::new(\"‹akia›\", \"‹secret›\", None, None, \"static\");\n"),
    ("Client.swift", "let provider = AWSStaticCredentialsProvider(accessKey: \"‹akia›\", secretKey: \"‹secret›\")\n"),
    ("s3.cpp", "Aws::Auth::AWSCredentials credentials(\"‹akia›\", \"‹secret›\");\n"),
    (
        "strings.xml",
        "<resources>\n  <string name=\"aws_key\">‹akia›</string>\n  <string name=\"aws_secret\">‹secret›</string>\n</resources>\n",
    ),
    (
        "Info.plist",
        "<dict>\n<key>AWSAccessKey</key>\n<string>‹akia›</string>\n<key>AWSSecretKey</key>\n<string>‹secret›</string>\n</dict>\n",
    ),
    (
        "app.min.js",
        "!function(e,t){\"use strict\";var n={version:\"‹hex:40›\",s3:{accessKeyId:\"‹akia›\",secretAccessKey:\"‹secret›\"}};e.‹word›=n,t(‹digits:9›)}(window,function(r){return r&&r.abstractSingletonProxyFactoryBeanBuilder});\n",
    ),
    (
        "notebook.ipynb",
        "{\"cells\": [{\"cell_type\": \"code\", \"source\": [\n  \"os.environ[\\\"AWS_ACCESS_KEY_ID\\\"] = \\\"‹akia›\\\"\\n\",\n  \"os.environ[\\\"AWS_SECRET_ACCESS_KEY\\\"] = \\\"‹secret›\\\"\\n\"\n]}]}\n",
    ),
    ("id_only.py", "ACCESS_KEY = '‹akia›'  # the secret is in the vault\n"),
    ("id_bare.txt", "‹akia›\n"),
    (
        "change.diff",
        "--- a/settings.py\n+++ b/settings.py\n@@ -1,2 +1,2 @@\n-AWS_SECRET_ACCESS_KEY = '‹secret.old›'\n+AWS_SECRET_ACCESS_KEY = '‹secret›'\n",
    ),
    (
        "template.yaml",
        "Resources:\n  Function:\n    Properties:\n      Environment:\n        Variables:\n          ACCESS_KEY: ‹akia›\n          SECRET_KEY: ‹secret›\n",
    ),
];

/// Credentials of one service.
const SERVICES: Shapes = &[
    (
        "home/.git-credentials",
        "https://‹word›-at-‹account›:‹password_url›@git-codecommit.eu-west-1.amazonaws.com\nhttps://‹word›:ghp_‹alnum:36›@github.com\n",
    ),
    (
        "home/.netrc",
        "machine git-codecommit.us-east-1.amazonaws.com\n  login ‹word›-at-‹account›\n  password ‹password›\n",
    ),
    (
        "clone/.git/config",
        "[core]\n\tbare = false\n[remote \"origin\"]\n\turl = https://‹word›-at-‹account›:‹password_url›@git-codecommit.eu-west-1.amazonaws.com/v1/repos/‹word›\n",
    ),
    ("alice_codecommit_credentials.csv", "User Name,Password\r\n‹word›-at-‹account›,‹password›\r\n"),
    (
        "service.json",
        "{\"ServiceSpecificCredential\": {\"ServiceName\": \"codecommit.amazonaws.com\", \"ServiceUserName\": \"‹word›-at-‹account›\", \"ServicePassword\": \"‹password›\"}}\n",
    ),
    ("bedrock.env", "AWS_BEARER_TOKEN_BEDROCK=‹bedrock›\nMODEL=anthropic.claude\n"),
    ("bedrock.py", "os.environ['AWS_BEARER_TOKEN_BEDROCK'] = '‹bedrock›'\n"),
    ("mail.env", "EMAIL_HOST=email-smtp.eu-west-1.amazonaws.com\nEMAIL_HOST_USER=‹akia›\nEMAIL_HOST_PASSWORD=‹smtp›\n"),
    ("smtp.yml", "smtp:\n  host: email-smtp.us-east-1.amazonaws.com\n  username: ‹akia›\n  password: ‹smtp›\n"),
];

/// What is exported, logged and written down.
const DATA: Shapes = &[
    ("alice_accessKeys.csv", "Access key ID,Secret access key\r\n‹akia›,‹secret›\r\n"),
    (
        "new_user_credentials.csv",
        "User name,Password,Access key ID,Secret access key,Console login link\r\n‹word›,,‹akia›,‹secret›,https://‹account›.signin.aws.amazon.com/console\r\n",
    ),
    ("rootkey.csv", "AWSAccessKeyId=‹akia›\r\nAWSSecretKey=‹secret›\r\n"),
    (
        "create-access-key.json",
        "{\n    \"AccessKey\": {\n        \"UserName\": \"‹word›\",\n        \"AccessKeyId\": \"‹akia›\",\n        \"Status\": \"Active\",\n        \"SecretAccessKey\": \"‹secret›\",\n        \"CreateDate\": \"2026-11-30T09:00:00+00:00\"\n    }\n}\n",
    ),
    (
        "answer.xml",
        "<AccessKey><UserName>‹word›</UserName><AccessKeyId>‹akia›</AccessKeyId><Status>Active</Status><SecretAccessKey>‹secret›</SecretAccessKey></AccessKey>\n",
    ),
    (
        "app.log",
        "2026-11-30T09:00:00Z INFO start ‹uuid›\n2026-11-30T09:00:01Z DEBUG env {\"AWS_ACCESS_KEY_ID\":\"‹akia›\",\"AWS_SECRET_ACCESS_KEY\":\"‹secret_json›\"}\n2026-11-30T09:00:02Z INFO commit ‹hex:40›\n",
    ),
    (
        "nested.log",
        "{\"msg\":\"{\\\"log\\\":\\\"AWS_ACCESS_KEY_ID=‹akia›\\\\nAWS_SECRET_ACCESS_KEY=‹secret›\\\\n\\\"}\"}\n",
    ),
    ("url.txt", "s3://‹akia›:‹secret_url›@‹word›-bucket/path\n"),
    ("notes.md", "# Access\n\nKey: `‹akia›`\n\nSecret: `‹secret›`\n\nSee commit ‹hex:40›.\n"),
    ("runbook.md", "Log in with:\n\n    aws_access_key_id = ‹akia›\n    aws_secret_access_key = ‹secret›\n"),
    (
        "dump.sql",
        "INSERT INTO settings VALUES (1,'‹word›','‹hex:40›'),(2,'aws','‹akia›|‹secret›'),(3,'‹word›','‹uuid›');\n",
    ),
    (
        "event.json",
        "{\"eventSource\": \"s3.amazonaws.com\", \"userIdentity\": {\"principalId\": \"AIDA‹base32:16›\", \"accessKeyId\": \"‹akia›\"}, \"requestID\": \"‹uuid›\"}\n",
    ),
    (
        "signed.txt",
        "https://‹word›.s3.amazonaws.com/x?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=‹akia›%2F20261130%2Feu-west-1%2Fs3%2Faws4_request&X-Amz-Signature=‹hex:64›\n",
    ),
    (
        "temporary.sh",
        "export AWS_ACCESS_KEY_ID=‹asia›\nexport AWS_SECRET_ACCESS_KEY=‹secret›\nexport AWS_SESSION_TOKEN=IQoJb3JpZ2luX2VjE‹base64:480›\n",
    ),
    ("pair.txt", "‹akia›\n‹secret›\n"),
    ("chat.txt", "ann: here you go\nann: ‹akia› / ‹secret›\nben: thanks\n"),
];
