//! Files without credentials of AWS's, with much that looks like one.

use super::chance::Chance;
use super::{File, Shape};

pub(super) fn files(chance: &mut Chance) -> Vec<File> {
    let shapes = [EXAMPLES, OF_AWS, HASHES, OTHERS, PROSE].concat();
    shapes.into_iter().map(|(path, shape)| Shape::file(chance, path, shape)).collect()
}

type Shapes = &'static [(&'static str, &'static str)];

/// AWS's own examples, placeholders and references.
const EXAMPLES: Shapes = &[
    (
        "README.md",
        "Put this into `~/.aws/credentials`:\n\n    [default]\n    aws_access_key_id = AKIAIOSFODNN7EXAMPLE\n    aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n",
    ),
    (
        "guide.md",
        "```\nexport AWS_ACCESS_KEY_ID=AKIAI44QH8DHBEXAMPLE\nexport AWS_SECRET_ACCESS_KEY=je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY\n```\n",
    ),
    (
        ".env.example",
        "AWS_ACCESS_KEY_ID=AKIAXXXXXXXXXXXXXXXX\nAWS_SECRET_ACCESS_KEY=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\nAWS_REGION=eu-west-1\n",
    ),
    (
        ".env.sample",
        "AWS_ACCESS_KEY_ID=your-access-key-id\nAWS_SECRET_ACCESS_KEY='your-secret-access-key'\nAWS_TOKEN=\"<your aws token here>\"\n",
    ),
    (".env.template", "AWS_ACCESS_KEY_ID=\nAWS_SECRET_ACCESS_KEY=\"CHANGEMECHANGEMECHANGEMECHANGEMECHANGEME\"\n"),
    (
        "test_client.py",
        "ACCESS = 'AKIA1234567890ABCDEF'\nSECRET = 'abcdefghijklmnopqrstuvwxyz0123456789ABCD'\nclient(aws_access_key_id=ACCESS, aws_secret_access_key=SECRET)\n",
    ),
    (
        "test_mock.py",
        "os.environ['AWS_ACCESS_KEY_ID'] = 'testing'\nos.environ['AWS_SECRET_ACCESS_KEY'] = 'testing'\nos.environ['AWS_SECURITY_TOKEN'] = 'testing'\n",
    ),
    ("spec.rb", "aws_key = 'AKIAZZZZZZZZZZZZZZZZ'\naws_secret = '0000000000000000000000000000000000000000'\n"),
    (
        ".github/workflows/ci.yml",
        "env:\n  AWS_ACCESS_KEY_ID: ${{ secrets.AWS_ACCESS_KEY_ID }}\n  AWS_SECRET_ACCESS_KEY: ${{ secrets.AWS_SECRET_ACCESS_KEY }}\nsteps:\n  - uses: actions/checkout@‹hex:40›\n",
    ),
    (
        "main.tf",
        "provider \"aws\" {\n  access_key = var.aws_access_key\n  secret_key = data.vault_generic_secret.‹word›.data[\"secret_key\"]\n}\n",
    ),
    (
        "compose.yml",
        "environment:\n  AWS_ACCESS_KEY_ID: ${AWS_ACCESS_KEY_ID:?set it}\n  AWS_SECRET_ACCESS_KEY: ${AWS_SECRET_ACCESS_KEY:?set it}\n",
    ),
    (
        "deploy.sh",
        "export AWS_SECRET_ACCESS_KEY=$(vault read -field=secret_key aws/creds/‹word›)\nexport AWS_ACCESS_KEY_ID=\"$KEY\"\n",
    ),
    (
        "policy.md",
        "An access key id looks like AKIA followed by sixteen capitals, for instance AKIAEXAMPLE123456789.\n",
    ),
    (
        "codecommit.md",
        "    \"ServiceUserName\": \"sofia-at-123456789012\",\n    \"ServicePassword\": \"k1zPZM6uVxMQ3oxqgoYlNuJPyRTZ1vREs76zTQE3eJk=\",\n",
    ),
    (
        "config.py",
        "AWS_SECRET_KEY = os.environ[\"AWS_SECRET_KEY\"]\naws_token = get_secret_value(\"‹word›/aws/token\")\n",
    ),
    (
        "home/.aws/config",
        "[profile ‹word›]\nsso_session = corp\nsso_account_id = ‹account›\ncredential_process = /usr/bin/tegata credential-process --profile ‹word›\n",
    ),
];

/// What AWS names and makes that is no credential.
const OF_AWS: Shapes = &[
    (
        "arns.json",
        "{\"Arn\": \"arn:aws:iam::‹account›:user/‹word›\", \"UserId\": \"AIDA‹base32:17›\", \"RoleId\": \"AROA‹base32:17›\", \"PolicyId\": \"ANPA‹base32:17›\", \"GroupId\": \"AGPA‹base32:17›\"}\n",
    ),
    (
        "instances.json",
        "{\"InstanceId\": \"i-‹hex:17›\", \"VpcId\": \"vpc-‹hex:17›\", \"ClientToken\": \"‹uuid›\", \"OwnerId\": \"‹account›\"}\n",
    ),
    (
        "headers.txt",
        "x-amz-id-2: ‹base64:74›==\nx-amz-request-id: ‹base32:16›\nETag: \"‹hex:32›\"\nx-amz-cf-id: ‹base64url:54›==\n",
    ),
    (
        "lambda.json",
        "{\"FunctionName\": \"‹word›\", \"CodeSha256\": \"‹base64:43›=\", \"RevisionId\": \"‹uuid›\", \"Role\": \"arn:aws:iam::‹account›:role/‹word›\"}\n",
    ),
    ("kms.yml", "aws_kms_ciphertext_key: \"AQICAHh‹base64:130›==\"\naws_kms_key_id: \"‹uuid›\"\n"),
    (
        "artifact.tf",
        "locals {\n  aws_lambda_key     = \"‹hex:40›\"\n  aws_artifact_key   = \"releases/2026/‹Word›Processor/‹hex:8›\"\n}\n",
    ),
    (
        "objects.py",
        "aws_s3_key = 'uploads/2026/reports/QuarterlySummaryAll'\naws_key_sha1 = '‹hex:40›'\naws_token_hash = '‹HEX:40›'\n",
    ),
    (
        "handler.js",
        "const awsKeyPrefix = 'tenants/production/customers/invoices/x';\nconst awsTokenClass = 'AbstractSingletonProxyFactoryBeanBuilder';\n",
    ),
    ("checksums.env", "AWS_BUNDLE_KEY_CHECKSUM=\"‹alnum:40›\"\nAWS_PASS_DIGEST='‹hex:40›'\n"),
    (
        "cognito.json",
        "{\"UserPoolId\": \"eu-west-1_‹alnum:9›\", \"ClientId\": \"‹hex:26›\", \"IdentityPoolId\": \"eu-west-1:‹uuid›\"}\n",
    ),
    (
        "stack.json",
        "{\"StackId\": \"arn:aws:cloudformation:eu-west-1:‹account›:stack/‹word›/‹uuid›\", \"PhysicalResourceId\": \"‹word›-‹base32:13›\"}\n",
    ),
    ("trail.log", "aws:SourceIp=10.0.0.‹digits:2› aws:RequestId=‹uuid› aws:PrincipalTag/key=‹word›\n"),
    (
        "amplify.json",
        "{\"aws_project_region\": \"eu-west-1\", \"aws_appsync_apiKey_name\": \"‹word›\", \"aws_user_files_s3_bucket\": \"‹word›-‹hex:12›\"}\n",
    ),
    (
        "gateway.sh",
        "aws apigateway update-api-key --api-key '‹alnum:40›' --patch-operations op=replace\naws apigateway get-usage-plan-key --usage-plan-id a1b2c3 --key-id ‹alnum:40›\n",
    ),
    ("gateway.tf", "resource \"aws_api_gateway_api_key\" \"‹word›\" {\n  value = \"‹alnum:40›\"\n}\n"),
    ("cookies.py", "# Signs cookies behind the load balancer.\naws_cookie_key = '‹alnum:40›'\n"),
    (
        "public.pem.txt",
        "aws_key_pair_fingerprint = '‹hex:2›:‹hex:2›:‹hex:2›:‹hex:2›'\naws_public_key = 'ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC‹base64:340› ann@laptop'\n",
    ),
];

/// Hashes, and what is encoded.
const HASHES: Shapes = &[
    ("git.log", "commit ‹hex:40›\nMerge: ‹hex:7› ‹hex:7›\ncommit ‹hex:40›\ncommit ‹hex:40› (tag: aws-key-rotation)\n"),
    (
        "package-lock.json",
        "{\"packages\": {\"node_modules/aws-sdk\": {\"resolved\": \"https://registry.npmjs.org/aws-sdk/-/aws-sdk-2.1.0.tgz\",\n \"integrity\": \"sha512-‹base64:86›==\"},\n \"node_modules/‹word›\": {\"integrity\": \"sha1-‹base64:27›=\"}}}\n",
    ),
    (
        "yarn.lock",
        "aws-sdk@^2.0.0:\n  resolved \"https://registry.yarnpkg.com/aws-sdk/-/aws-sdk-2.1.0.tgz#‹hex:40›\"\n  integrity sha512-‹base64:86›==\n",
    ),
    ("Cargo.lock", "[[package]]\nname = \"aws-sigv4\"\nchecksum = \"‹hex:64›\"\n"),
    (
        "go.sum",
        "github.com/aws/aws-sdk-go v1.44.0 h1:‹base64:43›=\ngithub.com/aws/aws-sdk-go v1.44.0/go.mod h1:‹base64:43›=\n",
    ),
    ("poetry.lock", "files = [{file = \"boto3.whl\", hash = \"sha256:‹hex:64›\"}]\n"),
    ("requirements.txt", "boto3==1.0 --hash=sha256:‹hex:64›\n"),
    (
        "index.html",
        "<script src=\"https://cdn.example.com/aws.js\" integrity=\"sha384-‹base64:64›\" crossorigin></script>\n<img src=\"data:image/png;base64,iVBORw0KGgo‹base64:700›=\">\n",
    ),
    (
        "bundle.min.js",
        "!function(){var a={‹word›:\"‹hex:32›\",aws:function(t){return t.keyFor(\"‹hex:40›\")}};function abstractSingletonProxyFactoryBeanBuilder(e,n){return e.getPrototypeOfOwnPropertyDescriptors(n)}}();\n//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjoz‹base64:900›\n",
    ),
    (
        "key.pem",
        "-----BEGIN RSA PRIVATE KEY-----\n‹base64:64›\n‹base64:64›\n‹base64:64›\n‹base64:40›\n-----END RSA PRIVATE KEY-----\n",
    ),
    (
        "cert.pem",
        "-----BEGIN CERTIFICATE-----\nMII‹base64:61›\n‹base64:64›\n‹base64:38›==\n-----END CERTIFICATE-----\n",
    ),
    ("blob.txt", "‹base64:40›\n‹base64:44›\n‹base64:76›\n‹base64:20›\n"),
    ("totp.txt", "otpauth://totp/AWS:‹word›?secret=‹base32:64›&issuer=AWS\nseed ‹base32:32›\n"),
    ("uuids.txt", "‹uuid›\n‹uuid›\n‹uuid›\naws-‹uuid›\n"),
    ("dump.sql", "INSERT INTO users VALUES (1,'‹word›','$2b$12$‹alnum:53›','‹hex:40›');\n"),
    (
        "known_hosts",
        "github.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI‹base64:43›\n|1|‹base64:27›=|‹base64:27›= ssh-rsa AAAAB3Nz‹base64:300›\n",
    ),
];

/// Secrets of others.
const OTHERS: Shapes = &[
    (
        "tokens.env",
        "GITHUB_TOKEN=ghp_‹alnum:36›\nSLACK_TOKEN=xoxb-‹digits:12›-‹digits:12›-‹alnum:24›\nCLOUDFLARE_API_TOKEN=‹alnum:40›\nNPM_TOKEN=npm_‹alnum:36›\nSTRIPE_KEY=sk_test_‹alnum:24›\n",
    ),
    ("jwt.txt", "Authorization: Bearer eyJhbGciOiJSUzI1NiJ9.‹base64url:120›.‹base64url:342›\n"),
    ("home/.npmrc", "//registry.npmjs.org/:_authToken=npm_‹alnum:36›\n//npm.example.com/:_auth=‹base64:40›\n"),
    ("home/.docker/config.json", "{\"auths\": {\"registry.example.com\": {\"auth\": \"‹base64:40›\"}}}\n"),
    ("django.py", "SECRET_KEY = '‹alnum:50›'\nSTRIPE_SECRET_KEY = 'sk_live_‹alnum:24›'\n"),
    ("flask.py", "app.secret_key = '‹alnum:40›'\n"),
    ("gateway.http", "GET https://api.example.com/‹word›\nx-api-key: ‹alnum:40›\n"),
    (
        "home/.git-credentials",
        "https://‹word›:‹base64url:43›%3D@git.example.com\nhttps://‹word›:glpat-‹base64url:20›@gitlab.com\n",
    ),
    ("azure.json", "{\"AccountKey\": \"‹base64:86›==\", \"sas\": \"sv=2022-11-02&sig=‹base64:43›%3D\"}\n"),
    ("session.json", "{\"password\": \"‹base64:43›=\", \"salt\": \"‹base64:22›==\", \"cookie\": \"‹base64:44›\"}\n"),
];

/// Words.
const PROSE: Shapes = &[
    (
        "NOTES.txt",
        "The aws password policy says that every key must be rotated; ask ‹word› for the token of the ‹word› account.\n",
    ),
    (
        "Main.java",
        "import com.amazonaws.services.securitytoken.AWSSecurityTokenServiceClientBuilder;\nclass ‹Word›AwsKeyProviderTokenCredentialsFactoryBean {}\n",
    ),
    (
        "paths.txt",
        "/usr/share/doc/aws/AbstractKeyProviderConfigurationFactory\nsrc/main/java/com/example/aws/key/‹Word›TokenHandler.java\n",
    ),
    (
        "capitals.txt",
        "AKIASHIMA AKIAK ASIATICALLY ACCADEMIA\nLICENSE KEY: ‹base32:5›-‹base32:5›-‹base32:5›-‹base32:5›\n",
    ),
    ("table.csv", "id,aws_key,token\n1,‹uuid›,‹hex:40›\n2,\"‹hex:32›\",\"‹hex:40›\"\n"),
    ("styles.css", ".aws-key-token{background:url(data:image/svg+xml;base64,PHN2Zy‹base64:400›)}\n"),
];
